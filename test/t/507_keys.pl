# Keys of every kind and every way to write an endpoint, signed so that a real store accepts them.

use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use HydraExport::Test;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my ($port) = $s3->endpoint =~ /:(\d+)$/;
my $places = join ', ', map { "http://$_/*" } map { ("$_:$port", "$_:$port/data", "$_:$port/a%20path/b") } qw(127.0.0.1 [::1] s3.localhost);
my $node = new_node('keys', 'hydra_export.allowed_places' => $places);
$s3->make_bucket($_) foreach qw(data dotted.bucket.name);
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export; CREATE TABLE t (id text PRIMARY KEY)');

# configure() and an export; the export's folder.
sub export
{
    my (%arguments) = @_;
    configure($node, 'postgres', $s3, bucket => 'data', prefix => '', addressing => 'auto', %arguments);
    $node->safe_psql('postgres', q(SELECT hydra_export.reset_model('t')))
      if $node->safe_psql('postgres', 'SELECT count(*) FROM hydra_export.models');
    $node->safe_psql('postgres', q(SELECT hydra_export.add_model('t')))
      if !$node->safe_psql('postgres', 'SELECT count(*) FROM hydra_export.models');
    my ($code, undef, $err) = $node->psql('postgres', 'SELECT hydra_export.export_now()', timeout => 60);
    diag($err) if $code != 0;
    return $code == 0 ? $node->safe_psql('postgres', 'SELECT folder FROM hydra_export.exports ORDER BY id DESC LIMIT 1') : undef;
}

sub set_ids
{
    my (@ids) = @_;
    my $values = join ', ', map { (my $id = $_) =~ s/'/''/g; "('$id')" } @ids;
    $node->safe_psql('postgres', encode_utf8("TRUNCATE t; INSERT INTO t VALUES $values"));
    return;
}

# ---- prefixes are sent as they are

set_ids('x');
foreach my $prefix (
    'a b', 'a+b', 'a%b', 'a%2Fb', 'a:b', 'a(b)', "a'b", 'a*b', 'a~b', 'a?b', 'a#b', 'a&b=c', 'a;b', 'a,b', 'a@b', 'a$b',
    'a!b', 'a[b]', 'a"b', 'a<b>', 'a\\b', 'a|b', 'a^b`', '{a}', 'ä/é', '日本', '😀', '.hidden', 'a=1/b=2')
{
    my $bytes = encode_utf8($prefix);
    my $folder = export(prefix => $bytes);
    is_deeply([ grep { !/_claim/ && index($_, "$bytes/$folder/") == 0 } $s3->keys('data') ],
        [ "$bytes/$folder/_manifest.json", "$bytes/$folder/t/x-x.json" ], "prefix $bytes");
}

# ---- ids are encoded once more by the name's own rule

foreach my $id ('a b', 'a+b', 'a%2Fb', '/a', 'a//b', '../a', 'ä', '😀', 'a-b', '_a', '.a', 'a?b#c&d=e', q(it's "quoted"))
{
    set_ids($id);
    my $folder = export(prefix => '');
    my ($key) = grep { index($_, "$folder/t/") == 0 } $s3->keys('data');
    my ($line) = $s3->lines('data', "$folder/t/");
    is(decode_json($line)->{id}, $id, encode_utf8("id $id, key ") . ($key // 'none'));
}
set_ids('y' x 2000);
my $folder = export();
my ($key) = grep { index($_, "$folder/t/") == 0 } $s3->keys('data');
is(length $key, 1024, 'a key of 1,024 bytes');

# ---- endpoints

set_ids('x');
ok(export(endpoint => "http://s3.localhost:$port"), 'a name');
ok(export(endpoint => "HTTP://S3.LocalHost:$port/"), 'in capitals, with a slash');
ok(export(endpoint => "http://s3.localhost:$port", addressing => 'virtual'), 'the bucket in the name');
ok(export(bucket => 'dotted.bucket.name'), 'a bucket with dots');
ok(export(bucket => 'dotted.bucket.name', endpoint => "http://s3.localhost:$port", addressing => 'virtual'), 'in the name');
SKIP:
{
    skip 'no [::1] here', 1 unless slurp_file('/proc/net/if_inet6') =~ /^0{31}1 /m;
    ok(export(endpoint => "http://[::1]:$port"), 'an IPv6 address');
}

# To the store an endpoint's path is part of the key, or names the bucket, and it checks the signature of the whole.
$folder = export(endpoint => "http://s3.localhost:$port/a%20path/b", addressing => 'virtual');
is_deeply([ grep { !/_claim/ } $s3->keys('data', 'a path/') ], [ map { "a path/b/$folder/$_" } '_manifest.json', 't/x-x.json' ],
    'an endpoint with a path, and the bucket in the name');
$folder = export(endpoint => "http://127.0.0.1:$port/data/", bucket => 'inner');
is_deeply([ grep { !/_claim/ } $s3->keys('data', 'inner/') ], [ map { "inner/$folder/$_" } '_manifest.json', 't/x-x.json' ],
    'an endpoint with a path, and the bucket behind it');

done_testing();
