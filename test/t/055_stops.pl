# A worker ends when it is told to, wherever it is: in user code that catches what it can, and in waits of the server.

use strict;
use warnings;

use HydraExport::Test;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $limit = 1.0;
my $s3 = start_s3();
$s3->make_bucket('data');
my $node = new_node(
    'stops',
    max_wal_senders                  => 5,
    'hydra_export.lock_timeout'      => '1h',
    'hydra_export.retry_interval'    => '1h',
    'hydra_export.parallel_workers'  => 2,
    min_parallel_table_scan_size     => '8kB');
$node->safe_psql('postgres', <<~'SQL');
    CREATE EXTENSION hydra_export;
    CREATE TABLE plain (id int PRIMARY KEY);
    INSERT INTO plain VALUES (1);
    -- It takes no for an answer.
    CREATE FUNCTION stubborn() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
        LOOP
            BEGIN
                PERFORM pg_sleep(100);
            EXCEPTION WHEN query_canceled OR OTHERS THEN
                RAISE LOG 'caught %', SQLERRM;
            END;
        END LOOP;
    END $$;
    -- The same, without a wait.
    CREATE FUNCTION busy() RETURNS int LANGUAGE plpgsql AS $$
    DECLARE n int := 0;
    BEGIN
        PERFORM pg_advisory_lock_shared(1);
        LOOP
            BEGIN
                LOOP n := (n + 1) % 1000; END LOOP;
            EXCEPTION WHEN query_canceled OR OTHERS THEN
                RAISE LOG 'caught %', SQLERRM;
            END;
        END LOOP;
    END $$;
    -- It catches a cancel, and comes to an end soon after.
    CREATE FUNCTION polite() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(100);
        RETURN 1;
    EXCEPTION WHEN query_canceled THEN
        RETURN 2;
    END $$;
    CREATE VIEW "a view that catches cancels" AS SELECT 1 AS id, now() AS updated_at, stubborn() AS x;
    CREATE VIEW "a busy view" AS SELECT 1 AS id, now() AS updated_at, busy() AS x;
    CREATE VIEW "a polite view" AS SELECT 1 AS id, now() AS updated_at, polite() AS x;
    -- Scan workers that read slowly, in code of somebody else.
    CREATE TYPE slow AS ENUM ('s');
    CREATE FUNCTION slow_json(slow) RETURNS json LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN PERFORM pg_sleep(1); RETURN 1; END';
    CREATE CAST (slow AS json) WITH FUNCTION slow_json(slow);
    CREATE TABLE "scan workers" (id int PRIMARY KEY, s slow) WITH (fillfactor = 10);
    INSERT INTO "scan workers" SELECT g, 's' FROM generate_series(1, 20000) AS g;
    SQL
configure($node, 'postgres', $s3, bucket => 'data');

my $blocker;

sub choose
{
    my ($relation) = @_;
    my $more = $relation =~ /view/ ? q(, key_columns => '{id}', changed_by => 'updated_at') : '';
    $node->safe_psql('postgres', "SELECT hydra_export.remove_model(name) FROM hydra_export.models");
    $node->safe_psql('postgres', "SELECT hydra_export.add_model('\"$relation\"'$more)");
    return;
}

# No standby of this name will ever come.
sub wait_for_standbys
{
    my ($names) = @_;
    $node->append_conf('postgresql.conf', "synchronous_standby_names = '$names'");
    $node->reload;
    return;
}

sub block
{
    my ($statement) = @_;
    choose('plain');
    $blocker = $node->background_psql('postgres');
    $blocker->query_safe("BEGIN; $statement");
    return;
}

# Each: the preparation before the export starts, and the condition that shows that the worker (a) has arrived there.
my %places = (
    'a view that catches cancels' => [ sub { choose('a view that catches cancels') }, q(wait_event = 'PgSleep') ],
    'a polite view'               => [ sub { choose('a polite view') },               q(wait_event = 'PgSleep') ],
    'a busy view'                 => [
        sub { choose('a busy view') },
        q(EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objid = 1)) ],
    'scan workers' => [
        sub { choose('scan workers') },
        q(EXISTS (SELECT FROM pg_stat_activity p WHERE p.leader_pid = a.pid AND p.wait_event = 'PgSleep')) ],
    "a table's lock" => [ sub { block('LOCK TABLE plain') }, q(wait_event_type = 'Lock') ],
    "a lock on the extension's own tables" => [ sub { block('LOCK TABLE hydra_export.exports') }, q(wait_event_type = 'Lock') ],
    'a standby that does not come' => [
        sub { choose('plain'); wait_for_standbys('nobody') }, q(wait_event = 'SyncRep') ]);

sub clear_the_way
{
    eval { $blocker->quit } if $blocker;
    $blocker = undef;
    wait_for_standbys('');
    return;
}

my $psql;

sub start_export
{
    my ($there) = @_;
    my ($out, $err) = ('', '');
    $psql = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', 'SELECT hydra_export.export_now()' ],
        '<', \undef, '>', \$out, '2>', \$err);
    my $worker = q(FROM pg_stat_activity a WHERE backend_type = 'hydra_export worker');
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $worker AND $there") or die "not there: $err";
    return $node->safe_psql('postgres', "SELECT pid $worker");
}

# Also when its parent has not taken note of its end.
sub is_gone
{
    my ($pid) = @_;
    open(my $stat, '<', "/proc/$pid/stat") or return 1;
    return (<$stat> // '') =~ /\) [ZX] /;
}

sub seconds_until_gone
{
    my ($pid, $start) = @_;
    until (is_gone($pid))
    {
        return 99 if time - $start > 30;
        sleep 0.01;
    }
    return time - $start;
}

# What was claimed does not stay `running`: the worker writes down how it ended, or the next visit does.
sub history_tells
{
    my ($expected) = @_;
    $node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'))
      or return fail('history says "running"');
    my $last = $node->safe_psql('postgres', 'SELECT status FROM hydra_export.exports ORDER BY id DESC LIMIT 1');
    return like($last || 'not claimed', $expected, 'and history tells');
}

# The export is not known where its row waits for a lock or a standby.
my $cancel_last = 'SELECT hydra_export.cancel_export((SELECT max(id) FROM hydra_export.exports))';
my %ends = (
    cancelled => sub {
        my ($pid, $place) = @_;
        my $is_claimed = $place !~ /own tables|standby/;
        $node->safe_psql('postgres', $is_claimed ? $cancel_last : "SELECT pg_cancel_backend($pid)");
    },
    terminated => sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($_[0])") },
    stopped    => sub { kill INT => $node->{_pid} });

foreach my $place (sort keys %places)
{
    my ($before, $there) = @{ $places{$place} };
    foreach my $end (qw(cancelled terminated stopped))
    {
        $before->();
        my $pid = start_export($there);
        $ends{$end}->($pid, $place);
        my $start = time;
        cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "$end in $place");
        if ($end eq 'stopped')
        {
            $node->stop('fast', fail_ok => 1);
            $node->{_pid} = undef;
            $node->append_conf('postgresql.conf', "synchronous_standby_names = ''");
            $node->start;
        }
        $psql->finish;
        clear_the_way();
        my $soft = $end eq 'cancelled' && $place =~ /polite|scan workers|table's lock/;
        history_tells($soft ? qr/^cancelled$/ : qr/^(failed|cancelled|not claimed)$/);
    }
}

# ---- the caller's own statement_timeout

choose('a view that catches cancels');
{
    local $ENV{PGOPTIONS} = '-c statement_timeout=5s';
    my $start = time;
    my $pid = start_export(q(wait_event = 'PgSleep'));
    cmp_ok(seconds_until_gone($pid, $start), '<', 5 + $limit, 'the export of a caller that has run out of time ends');
    $psql->finish;
}
history_tells(qr/^failed$/);

# ---- after a cancel, the worker that was cancelled does not think the next export is

choose('plain');
my $id = $node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
is($node->safe_psql('postgres', "SELECT status FROM hydra_export.exports WHERE id = $id"), 'succeeded', 'exports go on');

# ---- the launcher, in a wait of the server

my $launcher = $node->safe_psql('postgres', q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'hydra_export launcher'));
$blocker = $node->background_psql('postgres');
$blocker->query_safe('BEGIN; LOCK TABLE pg_database; SELECT pg_reload_conf()');
until ($blocker->query_safe("SELECT count(*) FROM pg_locks WHERE pid = $launcher AND NOT granted") eq '1') { sleep 0.05 }
my $start = time;
kill TERM => $launcher;
cmp_ok(seconds_until_gone($launcher, $start), '<', $limit, 'the launcher ends in a wait for a lock');
$blocker->query_safe('ROLLBACK');
$blocker->quit;

done_testing();
