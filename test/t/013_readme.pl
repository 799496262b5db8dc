# Runs README.md's SQL blocks as they are written, in order, with this server's own psql. Only bucket, endpoint, keys
# and the path of the key file are replaced.

use strict;
use warnings;

use FindBin;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file("$FindBin::Bin/../../README.md");
my @blocks = $readme =~ /^ *```sql\n(.*?)^ *```$/msg;
cmp_ok(scalar @blocks, '>=', 11, 'README has its blocks');

my $s3 = start_s3();
$s3->make_bucket($_) foreach 'my-exports', 'try';
my ($key, $secret) = $s3->writer;
my $node = new_node('readme');
my $keys = $node->basedir . '/keys';
mkdir $keys or die "$keys: $!";
append_to_file("$keys/exports.ini", "[default]\naws_access_key_id = $key\naws_secret_access_key = $secret\n");
chmod 0600, "$keys/exports.ini" or die "$keys/exports.ini: $!";

$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE customers (id int PRIMARY KEY, name text);
    CREATE TABLE orders (id int PRIMARY KEY, customer int);
    CREATE TABLE "Order Items" (id int PRIMARY KEY, item text);
    CREATE TABLE invoices (id int PRIMARY KEY);
    CREATE TABLE without_key (line text);
    INSERT INTO customers SELECT i, 'name ' || i FROM generate_series(1, 100) AS i;
    SQL

# The listing that a key with more rights would get.
my $bin = $node->basedir . '/bin';
mkdir $bin or die "$bin: $!";
append_to_file("$bin/aws", "#!/bin/sh\ncat '$bin/listing'\n");
chmod 0755, "$bin/aws" or die "$bin/aws: $!";
local $ENV{PATH} = "$bin:$ENV{PATH}";
local @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} = ($key, $secret);

sub put_in
{
    my ($block) = @_;

    my $endpoint = $s3->endpoint;
    $block =~ s{^(\s*bucket\s*=> 'my-exports',)}{$1 endpoint => '$endpoint',}mg;
    $block =~ s{http://127\.0\.0\.1:9000}{$endpoint}g;
    $block =~ s{aws/my-exports}{$endpoint/my-exports};
    $block =~ s{/etc/hydra_export/}{$keys/}g;
    $block =~ s{(access_key\s*=> )'minioadmin'}{$1'$key'};
    $block =~ s{(secret_key\s*=> )'minioadmin'}{$1'$secret'};
    # A user who types this waits about as long.
    $block =~ s{(SELECT pg_reload_conf\(\);)}{$1 SELECT pg_sleep(1);};
    return $block;
}

my %output;
foreach my $number (1 .. @blocks)
{
    my $block = $blocks[ $number - 1 ];
    my ($first) = $block =~ /^\s*(?!--)(\S.*)$/m;
    if ($block =~ /list-objects/)
    {
        $node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
        append_to_file("$bin/listing", join '', map { "$_->{key}\t$_->{size}\t$_->{etag}\n" } @{ $s3->list('my-exports', '') });
    }
    my $file = $node->basedir . "/block$number.sql";
    append_to_file($file, put_in($block));
    my ($out, $err) = run_command([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off', '-d', $node->connstr('postgres'), '-f', $file ]);
    unlike($err, qr/ERROR|FATAL|invalid command/, "block $number: $first");
    is(join("\n", grep { length > 120 } split /\n/, $out), '', 'what it shows fits 120 columns') if $block !~ /check_listing/;
    $output{$first} = "$out\n$err";
}

sub said { my ($begin, $pattern, $name) = @_; return like((map { $output{$_} } grep { /^\Q$begin/ } keys %output)[0], $pattern, $name) }

said('CREATE EXTENSION', qr/NOTICE:  first export of destination "default" at [-0-9]+ [:0-9]+\+\d+$/m, 'who follows it hears when the first export comes');
said('SELECT hydra_export.add_model(c.oid)', qr/\(1 row\).*NOTICE:/s, 'the table that was left is added with its schema');
said('SELECT hydra_export.configure(', qr/customers\/1-100\.json +\| +100 \|/, 'a first try shows what was exported');
said('CREATE TEMP TABLE listing', qr/COPY [1-9]\d*\n.*\(0 rows\)/s, 'the listing agrees with the history');

done_testing();
