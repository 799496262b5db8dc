# Blocks found by WAL summaries (PostgreSQL 17 and later): only those that changed are read.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Cluster;
use Test::More;

my $version = PostgreSQL::Test::Cluster->new('version')->pg_version;
plan skip_all => "PostgreSQL $version has no WAL summaries" if $version < 17;

my $s3 = start_s3();
my $node = new_node('summaries',
    autovacuum => 'off', summarize_wal => 'on', checkpoint_timeout => '1h', max_wal_size => '10GB',
    min_parallel_table_scan_size => '64kB', max_worker_processes => 16);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'summaries');

# Summaries end at checkpoints.
sub summarize
{
    $site->sql('CHECKPOINT');
    my $end = $site->sql('SELECT redo_lsn FROM pg_control_checkpoint()');
    $node->poll_query_until('postgres', "SELECT max(end_lsn) >= '$end' FROM pg_available_wal_summaries()")
      or die 'WAL is not summarized';
    return;
}

# As "total summary map lsn read".
sub blocks
{
    my ($export, $model) = @_;
    my $row = $site->model($export, $model);
    return join ' ', @{$row}{qw(blocks_total blocks_skipped_by_summary blocks_skipped_by_map blocks_skipped_by_lsn blocks_read)};
}

# One row a block, so that ids are blocks: block id - 1. Room for a second version of the row beside it.
$site->sql(<<~SQL);
    CREATE TABLE wide (id integer PRIMARY KEY, v integer, filler text) WITH (fillfactor = 50);
    ALTER TABLE wide ALTER filler SET STORAGE PLAIN;
    INSERT INTO wide SELECT i, 0, repeat('x', 3500) FROM generate_series(1, 1000) AS i;
    CREATE TABLE other (id integer PRIMARY KEY, v integer);
    INSERT INTO other SELECT i, 0 FROM generate_series(1, 1000) AS i;
    SQL
# Whoever reads a row first notes on its page that it is committed; where pages have checksums, WAL has the page then.
$site->sql('SELECT count(*) FROM wide');
$site->add_model('wide', columns => q('{id,v}'));
$site->add_model('other');
summarize();
my $export = $site->export;
is($export->{rows}, 2000, 'first exports send every row');
is(blocks($export, 'wide'), '1000 0 0 0 1000', 'and read every block');
# The export before this one may have left no summary that reaches back to its start.
summarize();
$export = $site->export;
is(blocks($export, 'wide'), '1000 1000 0 0 0', 'nothing changed: no block is read, though none is all-visible');

$site->sql('UPDATE wide SET v = 1 WHERE id % 10 = 0');
summarize();
$export = $site->export;
is($export->{rows}, 100, 'scattered rows are sent');
is(blocks($export, 'wide'), '1000 900 0 0 100', 'and their blocks read, as a summary has them');

$site->sql('UPDATE wide SET v = 2 WHERE id % 20 = 0');
$export = $site->export;
is($export->{rows}, 50, 'rows changed since the last checkpoint are sent');
my (undef, $skipped, undef, undef, $read) = split / /, blocks($export, 'wide');
is($read, 100, 'the blocks that changed since the last note are read, as WAL has them') or diag(blocks($export, 'wide'));
is($skipped, 900, 'and no other');

# The next summary begins at that checkpoint, so it names them again. Half of them were pruned when they were read, which
# is a change, too.
summarize();
$export = $site->export;
my $by_lsn;
(undef, $skipped, undef, $by_lsn) = split / /, blocks($export, 'wide');
is($skipped, 900, 'a summary names blocks from before the baseline');
cmp_ok($by_lsn, '>=', 50, 'and their headers tell') or diag(blocks($export, 'wide'));

# Open at the baseline: its rows come after its commit, whatever was summarized meanwhile.
my $writer = $node->background_psql('postgres');
$writer->query_safe('BEGIN; UPDATE wide SET v = 3 WHERE id = 500');
$export = $site->export;
$site->sent($export, 'wide', '', 'a row that is not committed is not sent');
summarize();
$export = $site->export;
$site->sent($export, 'wide', '', 'nor is it later');
$writer->query_safe('COMMIT');
$writer->quit;
summarize();
$export = $site->export;
$site->sent($export, 'wide', '500', 'once it is committed it is');

# Truncated and grown again.
$site->sql('DELETE FROM wide WHERE id > 900');
$site->sql('VACUUM wide');
summarize();
$site->export;
$site->sql(q(INSERT INTO wide SELECT i, 4, repeat('x', 3500) FROM generate_series(901, 1000) AS i));
summarize();
$export = $site->export;
is($export->{rows}, 100, 'rows on blocks that a vacuum had cut off are sent');

# Another file.
$site->sql('VACUUM FULL wide; UPDATE wide SET v = 5 WHERE id < 10');
summarize();
$export = $site->export;
like($site->model($export, 'wide')->{reason}, qr/relation rewritten/, 'a rewritten table is read as a whole');
is($export->{rows}, 9, 'and its changed rows are sent');

$node->append_conf('postgresql.conf', 'hydra_export.parallel_workers = 2');
$node->reload;
$site->sql('UPDATE wide SET v = 6 WHERE id % 3 = 0');
summarize();
$export = $site->export;
is($site->model($export, 'wide')->{workers}, 2, 'workers have the list, too');
is($export->{rows}, 333, 'and send each row once');

# Turned off, and removed: the other rules apply.
sub summarizer
{
    my ($value, $condition) = @_;
    $site->sql("ALTER SYSTEM SET summarize_wal = $value; SELECT pg_reload_conf()");
    $node->poll_query_until('postgres', "SELECT summarizer_pid IS $condition FROM pg_get_wal_summarizer_state()");
    return;
}

$site->sql('UPDATE wide SET v = 7 WHERE id = 7');
summarizer('off', 'NULL');
unlink glob $node->data_dir . '/pg_wal/summaries/*.summary';
$site->sql('CHECKPOINT');
$export = $site->export;
$site->sent($export, 'wide', '7', 'without summaries changed rows are sent as well');
(undef, $skipped) = split / /, blocks($export, 'wide');
is($skipped, 0, 'by other rules');
summarizer('on', 'NOT NULL');
summarize();
open(my $file, '>', (sort glob $node->data_dir . '/pg_wal/summaries/*.summary')[-1]) or die;
close $file;
$site->sql('UPDATE wide SET v = 8 WHERE id = 8');
$export = $site->export;
$site->sent($export, 'wide', '8', 'and with one that cannot be read');

$site->holds_table($_, "the bucket holds $_") foreach qw(wide other);

done_testing();
