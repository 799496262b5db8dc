# An export from end to end against a store, and what that holds then. $STORE_DIR is the store's directory; without it,
# one is started (see test/conformance/run).

use strict;
use warnings;
use utf8;

use Digest::SHA qw(sha256_hex);
use Encode qw(decode_utf8 encode_utf8);
use File::Basename qw(dirname);
use HydraExport::S3;
use HydraExport::Test;
use IPC::Run ();
use JSON::PP;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = $ENV{STORE_DIR} ? HydraExport::S3->attach($ENV{STORE_DIR}) : start_s3();
my ($key, $secret) = $s3->owner;
my %store = (S3_ENDPOINT => $s3->endpoint, S3_REGION => $s3->region, S3_OWNER_KEY => $key, S3_OWNER_SECRET => $secret);
my $node = new_node('conformance', 'hydra_export.file_size' => '64kB', 'hydra_export.max_attempts' => 3);
my $is_swift = $ENV{STORE_KIND} eq 'swift';
my %programs = (none => ['cat'], gzip => [ 'gzip', '-dc' ], zstd => [ 'zstd', '-dcq' ]);
my %suffix = (none => '', gzip => '.gz', zstd => '.zst');

sub sql { return $node->safe_psql('postgres', encode_utf8($_[0])) }

# bucket(COMMAND…): what test/conformance/bucket.py prints.
sub bucket
{
    local %ENV = (%ENV, %store);
    my @command = ('/usr/bin/python3', dirname(__FILE__) . '/bucket.py', map { encode_utf8($_) } @_);
    my ($out, $err);
    IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err) or die "bucket.py @_: $err";
    return $out;
}

# dump(BUCKET): { key => { body, type, … } }, with keys as bytes.
sub dump_bucket
{
    my %objects;
    foreach my $line (split /\n/, bucket('dump', @_))
    {
        my $object = decode_json($line);
        $object->{body} = decode_base64($object->{body});
        $objects{ encode_utf8($object->{key}) } = $object;
    }
    return %objects;
}

sub use_store
{
    my (%arguments) = @_;
    configure($node, 'postgres', $s3, region => $s3->region, access_key => $key, secret_key => $secret, %arguments);
    return;
}

# export(): its id, or undef, and what it says.
sub export
{
    my ($code, $id, $err) = $node->psql('postgres', 'SELECT hydra_export.export_now()', timeout => 180);
    diag($err) if $code != 0 && !$_[0];
    return ($code == 0 ? $id : undef, $err);
}

sub uncompressed
{
    my ($body, $compression) = @_;
    IPC::Run::run($programs{$compression}, '<', \$body, '>', \my $text) or die "not $compression";
    return $text;
}

# ---- whole exports, as boto3 sees them

sql('CREATE EXTENSION hydra_export; CREATE TABLE odd (id text PRIMARY KEY); CREATE TABLE empty (id int PRIMARY KEY)');
sql(q(CREATE TABLE many AS SELECT g AS id, repeat(md5(g::text), 10) AS filler FROM generate_series(1, 2000) AS g;
      ALTER TABLE many ADD PRIMARY KEY (id)));
my @ids = ('a b', 'a+b', 'a%2Fb', 'a%20b', '/a', 'a//b', '../a', 'ä', '日本', '😀', '_a', q(it's "quoted"), 'a?b#c&d=e', "a\\b");
sql('INSERT INTO odd VALUES ' . join ', ', map { (my $id = $_) =~ s/'/''/g; "('$id')" } @ids);
bucket('make', 'whole');
use_store(bucket => 'whole');
sql("SELECT hydra_export.add_model('$_')") foreach qw(odd many empty);
my %expected = map { $_ => [ sort split /\n/, sql("SELECT row_to_json(t) FROM $_ AS t") ] } qw(odd many);

foreach my $compression (qw(none gzip zstd))
{
    my $prefix = "a b+ü'(%2F)/$compression/";
    use_store(bucket => 'whole', prefix => encode_utf8($prefix), compression => $compression);
    my ($id) = export();
    ok($id, "an export with compression $compression") or next;
    my $folder = encode_utf8($prefix) . sql("SELECT folder FROM hydra_export.exports WHERE id = $id");
    my %objects = dump_bucket('whole');
    delete @objects{ grep { index($_, $folder) != 0 } keys %objects };
    my $manifest = decode_json((delete $objects{"$folder/_manifest.json"})->{body});
    delete $objects{"$folder/_claim.json"};
    is($manifest->{status}, 'succeeded', 'its manifest is there');
    my %listed = map { encode_utf8($_->{key}) => $_ } map { @{ $_->{objects} } } @{ $manifest->{models} };
    is_deeply([ sort keys %objects ], [ sort keys %listed ], 'and names the objects that are there');
    cmp_ok(scalar(grep { /\.json\Q$suffix{$compression}\E$/ } keys %objects), '>', 3, 'several, by their suffix');
    is(scalar(grep { sha256_hex($objects{$_}{body}) ne $listed{$_}{sha256} } keys %objects), 0, 'with their SHA-256');
    is(scalar(grep { $_->{type} ne 'application/x-ndjson' || $_->{encoding} } values %objects), 0, 'and type');
    foreach my $model (qw(odd many))
    {
        my $text = join '', map { uncompressed($objects{$_}{body}, $compression) } grep { m{^\Q$folder\E/$model/} } keys %objects;
        is_deeply([ sort split /\n/, $text ], $expected{$model}, "all rows of $model, as they are");
    }
}

# ---- headers

bucket('make', 'headers');
use_store(bucket => 'headers', prefix => '', compression => 'none',
    object_headers => '{"x-amz-meta-source": "a (b), c;  d=e", "cache-control": "no-store", "x-amz-storage-class": "STANDARD"}');
ok((export())[0], 'an export with headers');
my ($object) = values %{ { dump_bucket('headers') } };
is($object->{metadata}{source} =~ s/ +/ /gr, 'a (b), c; d=e', 'the store has the metadata');
is($object->{cache_control}, 'no-store', 'and how long it may be cached') if !$is_swift;

# ---- nothing is overwritten

bucket('make', 'conditional');
use_store(bucket => 'conditional', object_headers => '{}', conditional => 'on');
if ($is_swift)
{
    my (undef, $err) = export('expected');
    like($err, qr/S3 answered 501 NotImplemented.*Set conditional to off/, 'a store that knows no conditions says so');
}
else
{
    ok((export())[0], 'an export that overwrites nothing');
    my $faults = start_faults($s3);
    use_store(bucket => 'conditional', endpoint => $faults->endpoint, conditional => 'on');
    $faults->plan({ fault => 'lose_answer', path => '/odd/' });
    ok((export())[0], 'a lost answer, and 412 after it, are a success');
}

# ---- what is wrong is said

foreach my $case (
    [ { secret_key => 'wrong' }, qr/S3 answered 403 SignatureDoesNotMatch/ ],
    [ { access_key => 'UNKNOWN:user' }, qr/S3 answered 403 (InvalidAccessKeyId|SignatureDoesNotMatch)/ ],
    [ { bucket => 'missing' }, qr/S3 answered 404 NoSuchBucket.*Create the bucket/s ])
{
    use_store(bucket => 'whole', conditional => 'off', %{ $case->[0] });
    my ($id, $err) = export('expected');
    is($id, undef, 'refused: ' . join ' ', %{ $case->[0] });
    like($err, $case->[1], 'and the error says why');
}

my $log = -s $node->logfile;
use_store(bucket => 'whole', region => 'us-west-7', prefix => 'region');
ok((export())[0], 'a wrong region is put right, or does not matter');
my $said = slurp_file($node->logfile, $log);
note($said =~ /Set region to "(\S+)"/ ? "the store asks for $1" : 'the store takes any region');
like($said, qr/Set region to "\Q@{[ $s3->region ]}\E"/, 'and the log says which to set') if $is_swift;
unlike(slurp_file($node->logfile), qr/\Q$secret\E/, 'the secret is not in the log');

done_testing();
