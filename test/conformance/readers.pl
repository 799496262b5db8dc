# What others read in the bucket: an export with odd keys, plain and compressed, listed and read by awscli, boto3 and
# DuckDB, whose files are in $DUCKDB_TREE (see test/conformance/run).

use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use File::Basename qw(dirname);
use HydraExport::Test;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my ($key, $secret) = $s3->owner;
my $node = new_node('readers');
my $dir = PostgreSQL::Test::Utils::tempdir('readers');
my $tree = $ENV{DUCKDB_TREE};
my @duckdb = ("$tree/lib64/ld-linux-x86-64.so.2", '--library-path', "$tree/usr/lib/x86_64-linux-gnu", "$tree/usr/bin/duckdb", '-unsigned');
my ($httpfs) = glob "$tree/usr/lib/duckdb/extensions/*/*/httpfs.duckdb_extension";
my ($host) = $s3->endpoint =~ m{//(.*)};
$ENV{HOME} = $dir;

# Rows as they are compared: JSON without order or white space.
my $json = JSON::PP->new->canonical->utf8;
sub canonical { return sort map { $json->encode($json->decode($_)) } grep { length } map { split /\n/ } @_ }

sub run
{
    my ($command, %environment) = @_;
    local %ENV = (%ENV, %environment);
    my ($out, $err);
    IPC::Run::run($command, '<', \undef, '>', \$out, '2>', \$err) or die "@$command: $err";
    return $out;
}

sub aws
{
    return run([ 'aws', '--endpoint-url', $s3->endpoint, 's3', @_ ], AWS_ACCESS_KEY_ID => $key,
        AWS_SECRET_ACCESS_KEY => $secret, AWS_DEFAULT_REGION => $s3->region, PATH => '/usr/bin:/bin');
}

sub boto3
{
    return run([ '/usr/bin/python3', dirname(__FILE__) . '/bucket.py', @_ ], S3_ENDPOINT => $s3->endpoint,
        S3_REGION => $s3->region, S3_OWNER_KEY => $key, S3_OWNER_SECRET => $secret);
}

sub duckdb
{
    my ($sql) = @_;
    my $setup = "LOAD '$httpfs'; CREATE SECRET (TYPE s3, KEY_ID '$key', SECRET '$secret', REGION 'us-east-1',"
      . " ENDPOINT '$host', URL_STYLE 'path', USE_SSL false);";
    my $out = run([ @duckdb, '-noheader', '-list', '-c', "$setup $sql" ]);
    return grep { $_ ne 'true' } split /\n/, $out;
}

# ---- what there is to read

my @ids = ('a b', 'a+b', 'a%2Fb', 'a%20b', '%2F', '/a', 'a//b', 'ä', '日本', '😀', q(it's), 'a?b#c&d=e', 'a=1', '[x]', '*');
my $values = join ', ', map { (my $id = $_) =~ s/'/''/g; "('$id', 'note of $id')" } @ids;
$values =~ s/of it's/of it''s/;
$node->safe_psql('postgres', encode_utf8(
    "CREATE EXTENSION hydra_export; CREATE TABLE odd (id text PRIMARY KEY, note text); INSERT INTO odd VALUES $values"));
my @expected = canonical($node->safe_psql('postgres', 'SELECT row_to_json(odd) FROM odd'));

foreach my $compression (qw(none gzip zstd))
{
    # An object for each row, so that each id is a name.
    my $bucket = "read-$compression";
    $s3->make_bucket($bucket);
    configure($node, 'postgres', $s3, bucket => $bucket, compression => $compression);
    my @rows = split /\n/, $node->safe_psql('postgres', 'SELECT id FROM odd');
    $node->safe_psql('postgres', 'DELETE FROM hydra_export.models');
    foreach my $row (@rows)
    {
        (my $quoted = $row) =~ s/'/''/g;
        $node->safe_psql('postgres', "DROP TABLE IF EXISTS one; CREATE TABLE one AS SELECT * FROM odd WHERE id = '$quoted';"
            . "ALTER TABLE one ADD PRIMARY KEY (id); SELECT hydra_export.add_model('one', name => 'a b%2F')");
        $node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
        $node->safe_psql('postgres', 'DELETE FROM hydra_export.models');
    }
    my @keys = grep { !/_manifest|_claim/ } $s3->keys($bucket);
    is(scalar @keys, scalar @ids, "$compression: an object for each id");
    my %suffix = (none => '', gzip => '.gz', zstd => '.zst');
    my $glob = "*.json$suffix{$compression}";

    my @listed = map { /^\S+ \S+\s+\d+ (.*)$/ ? $1 : () } split /\n/, aws('ls', '--recursive', "s3://$bucket");
    is_deeply([ sort grep { !/_manifest|_claim/ } @listed ], [ sort @keys ], 'awscli lists them');
    aws('cp', '--recursive', '--exclude', '*', '--include', $glob, "s3://$bucket", "$dir/$bucket");
    my %program = (none => 'cat', gzip => 'gzip -dc', zstd => 'zstd -dcq');
    my $read = run([ 'sh', '-c', "find '$dir/$bucket' -name '$glob' ! -name '_*' -print0 | xargs -0 $program{$compression}" ]);
    is_deeply([ canonical($read) ], \@expected, 'and reads them');

    my @objects = map { decode_json($_) } split /\n/, boto3('dump', $bucket);
    is_deeply([ sort grep { !/_manifest|_claim/ } map { encode_utf8($_->{key}) } @objects ], [ sort @keys ], 'boto3 lists them');

    my $pattern = "s3://$bucket/*/*/$glob";
    my @found = duckdb("SELECT file FROM glob('$pattern');");
    is_deeply([ sort map { s{^s3://[^/]+/}{}r } @found ], [ sort @keys ], 'DuckDB lists them');
    my @rows_read = eval { duckdb("SELECT to_json({id: id, note: note}) FROM read_json('$pattern', format = 'newline_delimited', columns = {id: 'VARCHAR', note: 'VARCHAR'});") };
    is_deeply([ canonical(@rows_read) ], \@expected, 'and reads them') or diag($@);
}

done_testing();
