# Headers of settings and conditional writes, against a real store.

use strict;
use warnings;

use HydraExport::Test;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3(EXTRA_CONF => <<~'CONF');
    rgw_crypt_require_ssl = false
    rgw_crypt_s3_kms_backend = testing
    rgw_crypt_s3_kms_encryption_keys = k1=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
    CONF
my $faults = start_faults($s3);
my $node = new_node('headers');
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
# The writer of the test server may set neither tags nor ACLs.
my ($key, $secret) = $s3->owner;
my @owner = (bucket => 'data', endpoint => $faults->endpoint, access_key => $key, secret_key => $secret);

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub export
{
    my ($code, $out, $err) = $node->psql('postgres', 'SELECT hydra_export.export_now()', timeout => 180);
    return ($code, $err);
}

sql('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
configure($node, 'postgres', $s3, @owner, object_headers => <<~'JSON');
    {"X-Amz-Meta-Source": "a database, (really)", "cache-control": "no-store", "x-amz-tagging": "team=data&kind=export",
     "x-amz-storage-class": "STANDARD", "x-amz-acl": "private", "content-disposition": "attachment; filename=\"a b.json\""}
    JSON
sql(q(SELECT hydra_export.add_model('t')));
my ($code, $err) = export();
is($code, 0, 'an export with headers') or diag($err);
my ($object) = grep { m{/t/1-1\.json$} } $s3->keys('data');
my $head = $s3->request('HEAD', "/data/$object")->{head};
like($head, qr/^x-amz-meta-source: a database, \(really\)\r$/mi, 'the store has the metadata');
like($head, qr/^cache-control: no-store\r$/mi, 'and how long it may be cached');
like($head, qr/^content-disposition: attachment; filename="a b.json"\r$/mi, 'and a name for downloads');
like($s3->request('GET', "/data/$object?tagging=")->{body}, qr{<Key>team</Key><Value>data</Value>}, 'and the tags');
is_deeply(
    [ split /\|/, sql(q(SELECT hydra_export.iam_policy()->'Statement'->0->>'Action')) ],
    ['["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]'],
    'the policy has what the headers need');

# ---- encryption by the store

my %kms = ('x-amz-server-side-encryption' => 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id' => 'k1');
sql("SELECT hydra_export.configure(object_headers => '@{[ encode_json(\%kms) ]}'), hydra_export.reset_model('t')");
($code, $err) = export();
is($code, 0, 'an export that the store encrypts') or diag($err);
($object) = reverse grep { m{/t/1-1\.json$} } $s3->keys('data');
like($s3->request('HEAD', "/data/$object")->{head}, qr/^x-amz-server-side-encryption-aws-kms-key-id: k1\r$/mi, 'with the key of settings');
is($s3->get('data', $object), qq({"id":1}\n), 'and gives back as it was');
$kms{'x-amz-server-side-encryption-aws-kms-key-id'} = 'missing';
sql("SELECT hydra_export.configure(object_headers => '@{[ encode_json(\%kms) ]}'), hydra_export.reset_model('t')");
($code, $err) = export();
isnt($code, 0, 'a key that is not there');
like($err, qr/S3 answered 4\d\d \w+/, 'and the error says so');
sql(q(SELECT hydra_export.configure(object_headers => '{"X-Amz-Meta-Source": "a database, (really)"}')));

# ---- what is refused

foreach my $case (
    [ '{"x-amz-server-side-encryption-customer-key": "x"}', qr/asks for SSE-C/ ],
    [ '{"Host": "x"}',                                       qr/header "host" in object_headers is not one/ ],
    [ '{"x-amz-date": "x"}',                                 qr/is not one that may be set/ ],
    [ '{"x-amz-meta-a": "b\r\nc"}',                          qr/must consist of printable ASCII/ ],
    [ '{"x-amz-meta-a": 1}',                                 qr/must be a string/ ],
    [ '[1]',                                                 qr/ERROR/ ])
{
    (my $json = $case->[0]) =~ s/'/''/g;
    ($code, undef, $err) = $node->psql('postgres', "SELECT hydra_export.configure(object_headers => '$json')");
    isnt($code, 0, "refused: $case->[0]");
    like($err, $case->[1], 'and the error says why');
}
is(sql(q(SELECT object_headers->>'X-Amz-Meta-Source' FROM hydra_export.settings)), 'a database, (really)', 'settings stay');

# ---- conditional

is(sql('SELECT conditional FROM hydra_export.settings'), 'auto', 'conditional is auto');
sql(q(SELECT hydra_export.configure(conditional => 'on', object_headers => '{}')));
sql(q(SELECT hydra_export.reset_model('t')));
$faults->plan({ fault => 'lose_answer', path => '/t/' });
($code, $err) = export();
is($code, 0, 'a lost answer and a 412 are a success') or diag($err);
is(sql('SELECT count(*) FROM hydra_export.export_objects WHERE etag = $$$$'), 1, 'whose etag is not known');
is(sql('SELECT status FROM hydra_export.exports ORDER BY id DESC LIMIT 1'), 'succeeded', 'in history, too');

# Someone else writes there: the next folder's name is foreseeable, in this test.
my $last = sql('SELECT last_folder FROM hydra_export.settings');
my ($minute, $n) = $last =~ /^(\d{12})(?:_(\d+))?$/;
sql(q(SELECT hydra_export.reset_model('t')));
my $next = sql(q(SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI')));
foreach my $folder ($next, map { sprintf '%s_%03d', $next, $_ } 2 .. 9)
{
    $s3->put('data', "$folder/t/1-1.json", qq({"id":"not ours"}\n));
}
($code, $err) = export();
isnt($code, 0, 'an object that exists already fails the export');
like($err, qr/412 PreconditionFailed.*Another exporter writes to this folder/, 'and the error says who did it');
sql(q(SELECT hydra_export.configure(conditional => 'off')));
($code, $err) = export();
is($code, 0, 'without the condition it is overwritten') or diag($err);

($code, undef, $err) = $node->psql('postgres', q(SELECT hydra_export.configure(conditional => 'maybe')));
like($err, qr/conditional must be auto, on or off/, 'nothing else is accepted');

done_testing();
