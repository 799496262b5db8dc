# Compressed objects: their names, bytes and readers.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use HydraExport::Test;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('compression', 'hydra_export.file_size' => '256kB');
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
sub sql { return $node->safe_psql('postgres', $_[0]) }

# Written in an order other than the key's, so that bodies are sent in pieces.
sql(q(CREATE TABLE t (id int PRIMARY KEY, note text);
      INSERT INTO t SELECT (g * 7919) % 20000, repeat('note ' || g || ' ', 5) FROM generate_series(0, 19999) AS g));
configure($node, 'postgres', $s3, bucket => 'data');
sql(q(SELECT hydra_export.add_model('t')));

foreach my $case ([ 'gzip', 'gz', 'gzip -dc' ], [ 'zstd', 'zst', 'zstd -dcq' ])
{
    my ($compression, $suffix, $program) = @$case;
    sql("SELECT hydra_export.configure(compression => '$compression'), hydra_export.reset_model('t')");
    is(sql('SELECT hydra_export.export_now() > 0'), 't', "an export with $compression");
    my $folder = sql('SELECT folder FROM hydra_export.exports ORDER BY id DESC LIMIT 1');
    my @keys = grep { !/_manifest|_claim/ } $s3->keys('data', "$folder/");
    cmp_ok(scalar @keys, '>', 3, 'several objects');
    is(scalar(grep { /\/t\/\d+-\d+\.json\.\Q$suffix\E$/ } @keys), scalar @keys, "all of which end in .json.$suffix");

    my (%ids, $bytes);
    my $manifest = $s3->manifest('data', $folder);
    my %sha = map { $_->{key} => $_->{sha256} } @{ $manifest->{models}[0]{objects} };
    my ($wrong_sha, $unsorted) = (0, 0);
    foreach my $key (@keys)
    {
        my $body = $s3->get('data', $key);
        $bytes += length $body;
        $wrong_sha++ if sha256_hex($body) ne $sha{$key};
        IPC::Run::run([ split / /, $program ], '<', \$body, '>', \my $text) or fail("$program cannot read $key");
        my @ids = map { decode_json($_)->{id} } split /\n/, $text;
        $unsorted++ if join(' ', @ids) ne join(' ', sort { $a <=> $b } @ids);
        $ids{$_}++ foreach @ids;
    }
    is(scalar keys %ids, 20000, 'every row is there');
    is(scalar(grep { $_ != 1 } values %ids), 0, 'once');
    is($unsorted, 0, 'in order');
    is($wrong_sha, 0, 'the manifest has the SHA-256 of the bodies as sent');
    is(sql('SELECT sum(bytes) FROM hydra_export.export_objects WHERE export_id = (SELECT max(id) FROM hydra_export.exports)'),
        $bytes, 'history counts their bytes');
    cmp_ok($bytes, '<', 20000 * 60, 'fewer than there are in the lines');
}

# The name says what is in it: a header would have readers undo it twice.
my ($key) = grep { /\.zst$/ } $s3->keys('data');
my $head = $s3->request('HEAD', "/data/$key")->{head};
unlike($head, qr/^content-encoding/mi, 'no Content-Encoding');
like($head, qr/^content-type: application\/x-ndjson/mi, 'the usual Content-Type');

my ($code, undef, $err) = $node->psql('postgres', q(SELECT hydra_export.configure(compression => 'lzma')));
like($err, qr/compression must be none, gzip or zstd/, 'nothing else is accepted');
sql(q(SELECT hydra_export.configure(compression => '')));
is(sql('SELECT compression FROM hydra_export.settings'), 'none', 'and it can be cleared');

done_testing();
