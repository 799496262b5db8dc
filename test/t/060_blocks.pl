# Which blocks an export reads: only those that can contain changed rows; and why a whole table is read.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
# Only the tests may vacuum and move the last checkpoint.
my %quiet = (autovacuum => 'off', checkpoint_timeout => '1h', max_wal_size => '10GB');
my $node = new_node('blocks', %quiet);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'blocks');

# One row a block, so that ids are blocks: block id - 1.
sub wide_table
{
    my ($site, $name, $rows, $kind) = @_;

    $kind //= '';
    $site->sql("CREATE $kind TABLE $name (id integer PRIMARY KEY, v integer, filler text)");
    $site->sql("ALTER TABLE $name ALTER filler SET STORAGE PLAIN");
    $site->sql("INSERT INTO $name SELECT i, 0, repeat('x', 5000) FROM generate_series(1, $rows) AS i");
    $site->add_model($name, columns => q('{id,v}'));
    return;
}

# Blocks as "total map lsn read", and the reason.
sub blocks
{
    my ($site, $export, $model) = @_;

    my $row = $site->model($export, $model);
    return (join(' ', @{$row}{qw(blocks_total blocks_skipped_by_map blocks_skipped_by_lsn blocks_read)}),
        $row->{reason});
}

sub reads
{
    my ($site, $model, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $export = $site->export;
    my ($blocks) = blocks($site, $export, $model);
    is($blocks, $expected, $name);
    return $export;
}

# A block that some other process looks at just then (the checkpointer, say) is left to the next vacuum.
sub vacuum
{
    my ($site, $name) = @_;

    foreach (1 .. 20)
    {
        $site->sql("VACUUM (INDEX_CLEANUP on) $name");
        my $done = $site->sql("SELECT relallvisible = relpages FROM pg_class WHERE relname = '$name'");
        return if $done eq 't';
    }
    return;
}

# ---- the visibility map

wide_table($site, 'plain', 300);
vacuum($site, 'plain');
reads($site, 'plain', '300 0 0 300', 'a first export reads every block');
reads($site, 'plain', '300 300 0 0', 'nothing changed: no block is read');

$site->sql('UPDATE plain SET v = 1 WHERE id = 100');
my $export = $site->export;
$site->sent($export, 'plain', '100', 'one row changed: it is sent');
my ($blocks) = blocks($site, $export, 'plain');
my ($total, $map, $lsn, $read) = split / /, $blocks;
cmp_ok($read, '<=', 2, 'only its old and its new block are read') or diag($blocks);
# From 17.11 on what clears a bit of the map stamps its page, so that headers tell about the others.
cmp_ok($node->pg_version < 17 ? $map : $map + $lsn, '>=', 298, 'the others are not read');

# Cleared and set again since the baseline: the bit alone would hide the row.
$site->sql('UPDATE plain SET v = 2 WHERE id = 150');
vacuum($site, 'plain');
is($site->sql("SELECT count(*) > 0 FROM pg_class WHERE relname = 'plain' AND relallvisible = relpages"), 't',
    'all blocks are all-visible again');
$export = $site->export;
$site->sent($export, 'plain', '150', 'a row whose block is all-visible again is sent');
$site->holds_table('plain');

$site->sql('UPDATE plain SET v = 3 WHERE id = 7');
$site->sql('VACUUM FREEZE plain');
$site->sent($site->export, 'plain', '7', 'a row that was frozen since is sent, and no other frozen one');

# ---- the page's LSN

vacuum($site, 'plain');
$site->export;
$site->sql('UPDATE plain SET v = 4 WHERE id % 30 = 0');
$export = $site->export;
$site->sent($export, 'plain', join(' ', map { 30 * $_ } 1 .. 10), 'rows spread over the table are sent');
$site->sql('UPDATE plain SET v = 5 WHERE id = 60');
$export = $site->export;
$site->sent($export, 'plain', '60', 'without a vacuum in between');
(undef, $map, $lsn, $read) = split / /, (blocks($site, $export, 'plain'))[0];
cmp_ok($lsn, '>', 5, 'blocks that changed before the baseline are told by their LSN');
cmp_ok($read, '<', 15, 'and not read');

# Written before the baseline was taken, by a transaction that was still open then. The block's LSN is lower than the
# WAL position of the baseline.
my $writer = $node->background_psql('postgres');
$writer->query_safe('BEGIN; UPDATE plain SET v = 6 WHERE id = 200');
$site->sql('UPDATE plain SET v = 6 WHERE id = 201');
$site->sent($site->export, 'plain', '201', 'an open transaction is not seen');
$site->sent($site->export, 'plain', '', 'nor by the next export');
$site->sent($site->export, 'plain', '', 'and the one after it, whose baseline it precedes by two');
$writer->query_safe('COMMIT');
$site->sent($site->export, 'plain', '200', 'its row is sent once it has committed');

# The same across a checkpoint, which is a note as well, and a vacuum that cannot set the bit.
$writer->query_safe('BEGIN; UPDATE plain SET v = 7 WHERE id = 210');
$site->sql('CHECKPOINT');
$site->sql('VACUUM plain');
$site->sent($site->export, 'plain', '', 'an open transaction across a checkpoint is not seen');
$writer->query_safe('COMMIT');
$site->sql('VACUUM FREEZE plain');
$site->sent($site->export, 'plain', '210', 'its row is sent once it has committed, though vacuumed');
$writer->quit;
$site->holds_table('plain');

# ---- restart and crash

$site->sql('UPDATE plain SET v = 8 WHERE id = 11');
$node->restart;
$site->sent($site->export, 'plain', '11', 'after a restart the rule goes on');
vacuum($site, 'plain');
$site->export;
reads($site, 'plain', $_, 'and nothing is read twice') foreach split /\n/, $site->sql(
    q(SELECT format('%s %s 0 0', relpages, relpages) FROM pg_class WHERE relname = 'plain'));
$site->sql('UPDATE plain SET v = 9 WHERE id = 12');
$node->stop('immediate');
$node->start;
$site->sent($site->export, 'plain', '12', 'after a crash too');
# Work that the crash reverted must not be mistaken for later work with the same ids.
$site->sql(q(SET synchronous_commit = off; UPDATE plain SET v = 10 WHERE id BETWEEN 13 AND 20));
$node->stop('immediate');
$node->start;
$site->sql('UPDATE plain SET v = 11 WHERE id BETWEEN 15 AND 22');
$site->export;
$site->holds_table('plain', 'after a crash that may have taken back ids and WAL positions');

# ---- why a whole table is read

wide_table($site, 'loose', 20, 'UNLOGGED');
$site->export;
$site->sql('UPDATE loose SET v = 1 WHERE id = 3');
$export = $site->export;
is((blocks($site, $export, 'loose'))[1], 'whole table read: unlogged', 'unlogged: the whole table is read');
$site->sent($export, 'loose', '3', 'and the changed row sent');

$site->sql('UPDATE plain SET v = 12 WHERE id = 5; VACUUM FULL plain');
$export = $site->export;
is((blocks($site, $export, 'plain'))[1], 'whole table read: relation rewritten', 'VACUUM FULL: likewise');
$site->sent($export, 'plain', '5', 'and no row is sent again');
vacuum($site, 'plain');
# With checksums, which are the default from 18 on, vacuum stamps the pages that it marks.
my $stamps = $site->sql('SHOW data_checksums') eq 'on';
reads($site, 'plain', $stamps ? '300 0 0 300' : '300 0 300 0', 'the rewritten file is told by its LSNs');
vacuum($site, 'plain');
reads($site, 'plain', '300 300 0 0', 'and once vacuumed, by the map');

$site->sql(q(BEGIN; TRUNCATE plain; COPY plain FROM PROGRAM 'seq 1 40 | sed "s/$/\t1\tx/"' WITH (FREEZE); COMMIT));
$site->sent($site->export, 'plain', join(' ', 1 .. 40), 'COPY FREEZE: all rows are sent');
$site->sent($site->export, 'plain', '', 'once');

# ---- more than one page of the map

$site->sql('SELECT hydra_export.remove_model(name) FROM hydra_export.models');
$site->sql('CREATE TABLE large (id integer PRIMARY KEY, v integer, filler text)');
$site->sql('ALTER TABLE large ALTER filler SET STORAGE PLAIN');
$site->sql(q(INSERT INTO large SELECT i, 0, repeat('x', 5000) FROM generate_series(1, 33000) AS i));
vacuum($site, 'large');
$site->add_model('large', columns => q('{id,v}'));
$site->export;
reads($site, 'large', '33000 33000 0 0', 'two pages of the map skip 33000 blocks');
$site->sql('UPDATE large SET v = 1 WHERE id IN (32671, 32672, 32673, 32999)');
$site->sent($site->export, 'large', '32671 32672 32673 32999', 'rows around their border are sent');
vacuum($site, 'large');
$site->sql('UPDATE large SET v = 2 WHERE id = 1');
vacuum($site, 'large');
$site->sent($site->export, 'large', '1', 'and only they');
$site->holds_table('large');

# ---- updated_at without an index

$site->sql('SELECT hydra_export.remove_model(name) FROM hydra_export.models');
$site->sql(q(CREATE TABLE stamped (id integer PRIMARY KEY, updated_at timestamptz DEFAULT now(), filler text)));
$site->sql('ALTER TABLE stamped ALTER filler SET STORAGE PLAIN');
$site->sql(q(INSERT INTO stamped SELECT i, now(), repeat('x', 5000) FROM generate_series(1, 100) AS i));
$site->sql('VACUUM stamped');
$site->add_model('stamped', columns => q('{id,updated_at}'), changed_by => q('updated_at'));
$site->export;
$site->sql('UPDATE stamped SET updated_at = now() WHERE id = 50');
$site->sql(q(UPDATE stamped SET updated_at = now() - interval '2 hours' WHERE id = 51));
$site->sql(q(UPDATE stamped SET updated_at = NULL WHERE id = 52));
$export = $site->export;
$site->sent($export, 'stamped', '50 52', 'the cursor holds without an index as well');
cmp_ok((split / /, (blocks($site, $export, 'stamped'))[0])[3], '<=', 6, 'and the blocks are chosen');

# ---- wal_level = minimal: rows of a table made in the same transaction are not in WAL, their pages have no LSN

my $minimal = new_node('minimal', %quiet, wal_level => 'minimal', max_wal_senders => 0);
my $other = HydraExport::Site->new($minimal, 'postgres', $s3, bucket => 'minimal');
$other->sql(q(BEGIN; CREATE TABLE bare (id integer PRIMARY KEY, v integer);
    INSERT INTO bare SELECT i, 0 FROM generate_series(1, 1000) AS i; COMMIT));
$other->add_model('bare');
$other->export;
$other->holds_table('bare', 'wal_level = minimal: a table made and loaded in one transaction');
$other->sql(q(BEGIN; TRUNCATE bare; INSERT INTO bare SELECT i, 1 FROM generate_series(1, 1000) AS i; COMMIT));
$other->export;
$other->holds_table('bare', 'truncated and loaded in one transaction');
$other->sql('UPDATE bare SET v = 2 WHERE id = 500');
$other->sent($other->export, 'bare', '500', 'and then changed by one row');
$other->holds_table('bare');

# ---- where hints are in WAL, vacuum and readers stamp pages that did not change

my %kinds = (checksums => { init => { extra => ['--data-checksums'] } }, wal_log_hints => { wal_log_hints => 'on' });
foreach my $kind (sort keys %kinds)
{
    my $hints = new_node($kind, %quiet, %{ $kinds{$kind} });
    my $hinted = HydraExport::Site->new($hints, 'postgres', $s3, bucket => "hints-$kind" =~ tr/_/-/r);
    wide_table($hinted, 'wide', 100);
    $hinted->export;
    my $open = $hints->background_psql('postgres');
    $open->query_safe('BEGIN; UPDATE wide SET v = 1 WHERE id = 50');
    $hinted->sql('UPDATE wide SET v = 1 WHERE id = 51');
    $hinted->sent($hinted->export, 'wide', '51', "$kind: a row of an open transaction is not sent");
    $hinted->sql('CHECKPOINT');
    $hinted->sql('SELECT count(*) FROM wide');
    $hinted->sent($hinted->export, 'wide', '', 'nor are rows that a reader gave hints');
    $open->query_safe('COMMIT');
    $open->quit;
    vacuum($hinted, 'wide');
    $hinted->sent($hinted->export, 'wide', '50', 'once committed it is sent, though vacuumed');
    reads($hinted, 'wide', $_, 'nothing changed: no block is read') foreach $hinted->sql(
        q(SELECT format('%1$s %1$s 0 0', relpages) FROM pg_class WHERE relname = 'wide'));
    $hinted->holds_table('wide');
}

done_testing();
