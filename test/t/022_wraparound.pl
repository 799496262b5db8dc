# Transaction ids near 2^31 and across 2^32, at which a row's 32-bit xmin starts to mean another transaction.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('wraparound', autovacuum => 'off', autovacuum_naptime => '1d', log_min_messages => 'log');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'wraparound');
$site->sql('CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i FROM generate_series(1, 200) AS i');
$site->add_model('t');
$site->export;

# Old ids in any database would make the server refuse new ones.
$node->safe_psql('postgres', 'ALTER DATABASE template0 ALLOW_CONNECTIONS true');

sub freeze
{
    $node->safe_psql($_, 'VACUUM FREEZE') foreach qw(template0 template1 postgres);
    return;
}

# Stops the server, sets the next transaction id, starts it. All rows are frozen before, as a server of that age has
# frozen them.
sub jump
{
    my ($epoch, $xid) = @_;

    freeze();
    $node->stop;
    # Older ids are not looked up any more, so the server need not fear for them.
    my $oldest = $xid > 1000 ? $xid - 500 : 3;
    command_ok([ 'pg_resetwal', '-D', $node->data_dir, '-x', $xid, '-u', $oldest, '-e', $epoch ], "next transaction id $xid of epoch $epoch");
    # The server wants the page of commit states that holds the id; 8192 * 4 states a page, 32 pages a file.
    my $number = $xid >> 20;
    my $file = sprintf '%s/pg_xact/%04X', $node->data_dir, $number;
    unless (-e $file)
    {
        open(my $pages, '>', $file) or die $!;
        print $pages "\0" x (32 * 8192);
        close $pages;
    }
    $node->start;
    return;
}

sub next_id { return $site->sql('SELECT pg_snapshot_xmax(pg_current_snapshot())') }

# Uses ids up until the next is this one.
sub use_up_to
{
    my ($id) = @_;
    my $count = $id - next_id();
    $site->sql(q{DO $$ BEGIN FOR i IN 1 .. } . $count . q{ LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$});
    return;
}

sub incremental
{
    my ($ids, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $export = $site->export;
    is($site->model($export, 't')->{kind}, 'incremental', "$name: incremental");
    $site->sent($export, 't', $ids, "$name: sends " . ($ids eq '' ? 'nothing' : $ids));
    $site->holds_table('t', "$name: the bucket holds the table");
    return;
}

my $edge = 2**31;

# ---- near 2^31: more than 2^31 ids after the first export, but for a few

jump(0, $edge - 100);
cmp_ok(next_id(), '>=', $edge - 100, 'ids are near 2^31');
$site->sql('INSERT INTO t VALUES (1001)');
incremental('1001', 'just before 2^31');
my $open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe('INSERT INTO t VALUES (1002)');
incremental('', 'a transaction is open');
use_up_to($edge + 50);
$site->sql('INSERT INTO t VALUES (1003)');
incremental('1003', 'just after 2^31');
$open->query_safe('COMMIT');
$open->quit;
incremental('1002', 'a transaction that was open while ids passed 2^31');

# ---- across 2^32

jump(0, 2**32 - 200);
$site->sql('UPDATE t SET v = \'before the edge\' WHERE id IN (1, 1001)');
incremental('1 1001', 'just before 2^32');
$open = $node->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe('INSERT INTO t VALUES (1004)');
$open->query_safe('SAVEPOINT s');
$open->query_safe('INSERT INTO t VALUES (1005)');
$site->sql('INSERT INTO t VALUES (1006)');
incremental('1006', 'transactions are open before 2^32');
use_up_to(2**32 + 20);
cmp_ok(next_id(), '>', 2**32, 'a new epoch has begun');
$open->query_safe('SAVEPOINT beyond');
$open->query_safe('INSERT INTO t VALUES (1007)');
$site->sql('INSERT INTO t VALUES (1008)');
incremental('1008', 'just after 2^32: new rows, whose xmin is small again, and no old ones');
$open->query_safe('COMMIT');
$open->quit;
incremental('1004 1005 1007', 'a transaction on both sides of 2^32');
freeze();
incremental('', 'frozen');
$site->sql('UPDATE t SET v = \'after\' WHERE id < 4');
incremental('1 2 3', 'changes after the edge');

# ---- a baseline 2^31 ids ago

jump(1, $edge - 1000);
$site->sql('INSERT INTO t VALUES (1009)');
my $export = $site->export;
is($site->model($export, 't')->{kind}, 'incremental', 'not yet 2^31 ids after the last export: incremental');
# 2^32 ids after they were written, old rows cannot be told from new ones, and are sent once more.
like($site->ids($export, 't'), qr/(^| )1009$/, 'it has the new row');
unlike($site->ids($export, 't'), qr/\b100[2-8]\b/, 'and none whose id has not come round');
$site->holds_table('t');
incremental('', 'the next one has none of them again');
jump(2, 1000);
$export = $site->export;
is($site->model($export, 't')->{kind}, 'full', '2^31 ids after the last export it is full');
like($site->model($export, 't')->{reason}, qr/2\^31/, 'and says why');
$site->holds_table('t');
$site->sql('INSERT INTO t VALUES (1010)');
incremental('1010', 'then incremental again');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'the server is well');
done_testing();
