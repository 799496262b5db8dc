# A session that waits for anything that an export holds gets it within about a second, whatever the export is doing.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;
use Time::HiRes qw(sleep time);

# A second, plus the time that a busy machine needs for the statement itself.
my $limit = 4;
my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'giving_way',
    'autovacuum'                     => 'off',
    'min_parallel_table_scan_size'   => '64kB',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.retry_interval'    => '1h',
    'hydra_export.file_size'         => '64kB');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'giving', endpoint => $faults->endpoint);
$site->sql(<<~'SQL');
    CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT now());
    INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i;
    CREATE INDEX t_updated_at ON t (updated_at);
    CREATE TABLE p (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE middle PARTITION OF p FOR VALUES FROM (0) TO (100000) PARTITION BY RANGE (id);
    CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (50000);
    CREATE TABLE empty_leaf PARTITION OF middle FOR VALUES FROM (50000) TO (100000);
    INSERT INTO p SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i;
    CREATE TABLE bloated (id integer PRIMARY KEY, v text) WITH (fillfactor = 10);
    INSERT INTO bloated SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i;
    CREATE VIEW slow AS SELECT id, updated_at, pg_sleep(CASE WHEN id = 5 THEN 100 END)::text AS v FROM t;
    CREATE FUNCTION stubborn() RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(100);
        RETURN 1;
    EXCEPTION WHEN query_canceled THEN
        RETURN 2;
    END $$;
    CREATE VIEW catching AS SELECT id, updated_at, stubborn() AS v FROM t LIMIT 1;
    CREATE TABLE z (id integer PRIMARY KEY);
    INSERT INTO z VALUES (1);
    SQL

sub set
{
    my ($name, $value) = @_;
    $node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'; SELECT pg_reload_conf()");
    $node->poll_query_until('postgres', "SELECT current_setting('$name') = '$value'");
    return;
}

sub worker_where
{
    my ($condition) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity a"
          . " WHERE backend_type = 'hydra_export worker' AND $condition") or die "no worker where $condition";
    return;
}

# Each: the model's relation and arguments, and the settings and faults with which its reading takes very long.
my %reading = (
    throttled => { relation => 't', settings => { 'hydra_export.throttle' => '16kB' } },
    partitions => { relation => 'p', settings => { 'hydra_export.throttle' => '16kB' } },
    'by index' => { relation => 't', changed_by => q('updated_at'), settings => { 'hydra_export.throttle' => '16kB' } },
    workers => { relation => 't', settings => { 'hydra_export.throttle' => '16kB', 'hydra_export.parallel_workers' => '2' } },
    'a view' => { relation => 'slow', changed_by => q('updated_at'), key_columns => q('{id}') },
    'a view that catches cancels' => { relation => 'catching', changed_by => q('updated_at'), key_columns => q('{id}') },
    'no memory' => { relation => 't', hang => 1, settings => { 'hydra_export.memory_limit' => '1MB' } });

# An export that did not give way would take minutes.
sub wait_for_end
{
    my ($id) = @_;
    my $start = time;
    sleep 0.1 while $site->sql("SELECT status FROM hydra_export.exports WHERE id = $id") eq 'running' && time - $start < 30;
    $site->sql("SELECT hydra_export.cancel_export($id)");
    $node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id") or die;
    return $site->exports("WHERE id = $id");
}

# An export of the model m, read like that, and of z, which is started and reads.
sub start_reading
{
    my ($name) = @_;

    my %how = %{ $reading{$name} };
    my ($relation, $settings, $hang) = delete @how{qw(relation settings hang)};
    $site->sql('ALTER SYSTEM RESET ALL');
    $node->reload;
    $site->sql('SELECT hydra_export.remove_model(name) FROM hydra_export.models');
    $site->add_model($relation, name => q('m'), %how);
    $site->add_model('z');
    # Rows by the index need a baseline.
    if ($how{changed_by} && !$how{key_columns})
    {
        $site->export;
        $site->sql(q{UPDATE t SET updated_at = now()});
    }
    $site->sql("ALTER SYSTEM SET $_ = '$settings->{$_}'") foreach keys %$settings;
    $node->reload;
    $faults->plan({ fault => 'hang', times => 1000 }) if $hang;
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    worker_where(q{EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation IN ('t'::regclass, 'p'::regclass))});
    worker_where(q{wait_event IN ('PgSleep', 'Extension', 'HydraExportUpload')});
    if ($name eq 'workers')
    {
        $node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}) or die;
    }
    return $id;
}

sub gives_way
{
    my ($name, $statement, $reason) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $id = start_reading($name);
    my $start = time;
    my (undef, $messages) = $site->try("SET statement_timeout = '60s'; $statement");
    my $took = time - $start;
    cmp_ok($took, '<', $limit, "$statement does not wait for an export ($name)") or diag($messages);
    $faults->plan;
    $faults->release;
    my $export = wait_for_end($id);
    like($site->model($export, 'm')->{error}, qr/^gave way to process \d+, which waits $reason/, 'the model says to whom it gave way');
    is($site->model($export, 'z')->{status}, 'succeeded', 'the next model is not in its way') or diag($export->{error});
    is($export->{status}, 'partial', 'the export is partial');
    return;
}

gives_way('throttled',  'ALTER TABLE t ALTER id SET DEFAULT 0', 'to lock public.t \(AccessExclusiveLock\)');
gives_way('throttled',  'CREATE INDEX CONCURRENTLY t_v ON t (v)',  'for older transactions to end');
gives_way('throttled',  'DROP INDEX CONCURRENTLY t_v',             'for older transactions to end');
gives_way('throttled',  'CREATE TABLE IF NOT EXISTS other (id integer); CREATE INDEX CONCURRENTLY ON other (id)',
    'for older transactions to end');
gives_way('workers',    'BEGIN; LOCK TABLE t; COMMIT',                            'to lock public.t \(AccessExclusiveLock\)');
gives_way('workers',    'REINDEX TABLE CONCURRENTLY t',            'for older transactions to end');
gives_way('by index',   'REINDEX INDEX t_updated_at',              'to lock public.t_updated_at \(AccessExclusiveLock\)');
gives_way('by index',   'ALTER INDEX t_updated_at SET (fillfactor = 80); REINDEX TABLE t', 'to lock public.\w+ \(AccessExclusiveLock\)');
gives_way('by index',   'DROP INDEX t_updated_at; CREATE INDEX t_updated_at ON t (updated_at)', 'to lock public.\w+ \(AccessExclusiveLock\)');
gives_way('partitions', 'ALTER TABLE middle DETACH PARTITION empty_leaf', 'to lock public.middle \(AccessExclusiveLock\)');
gives_way('partitions', 'ALTER TABLE middle DETACH PARTITION leaf CONCURRENTLY', 'for older transactions to end');
$site->sql('ALTER TABLE middle ATTACH PARTITION leaf FOR VALUES FROM (0) TO (50000)');
gives_way('a view',     'BEGIN; LOCK TABLE t; COMMIT',                            'to lock public.t \(AccessExclusiveLock\)');
gives_way('a view',     'CREATE INDEX CONCURRENTLY ON z (id)',     'for older transactions to end');
gives_way('a view that catches cancels', 'BEGIN; LOCK TABLE t; COMMIT',           'to lock public.t \(AccessExclusiveLock\)');
gives_way('no memory',  'TRUNCATE t',                              'to lock public.t \(AccessExclusiveLock\)');
$site->sql(q{INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i});

# ---- who waits, but not for the export

my $writer = $node->background_psql('postgres');
$writer->query_safe('BEGIN');
$writer->query_safe('UPDATE z SET id = id');
my $id = start_reading('throttled');
my $behind = $node->background_psql('postgres');
$behind->query_until(qr/begun/, "\\echo begun\nBEGIN; LOCK TABLE z IN SHARE MODE;\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE NOT granted});
sleep 2;
is($site->sql("SELECT status FROM hydra_export.exports WHERE id = $id"), 'running', 'who waits for others does not end the export');
$site->sql("ALTER SYSTEM RESET ALL; SELECT hydra_export.cancel_export($id)");
is(wait_for_end($id)->{status}, 'cancelled', 'and a user may cancel it');
$writer->query_safe('COMMIT');
$_->quit foreach $writer, $behind;

# ---- the extension and the database

foreach my $wait ('true', 'false')
{
    start_reading('throttled');
    $site->sql('SELECT hydra_export.cancel_export(id) FROM hydra_export.exports');
    $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'});
    $node->safe_psql('postgres', 'CREATE DATABASE copy');
    my $copy = HydraExport::Site->new($node, 'copy', $s3, bucket => "copy-$wait");
    $copy->sql(q{CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i});
    $copy->add_model('t');
    my $caller = $node->background_psql('copy', on_error_stop => 0);
    $caller->query_until(qr/begun/, "\\echo begun\nSELECT hydra_export.export_now(wait => $wait);\n");
    worker_where(q{datname = 'copy' AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.database = a.datid)});
    worker_where(q{datname = 'copy' AND wait_event IN ('Extension', 'HydraExportUpload')});
    my $start = time;
    my (undef, $messages) = $copy->try(q{SET statement_timeout = '60s'; DROP EXTENSION hydra_export CASCADE});
    cmp_ok(time - $start, '<', $limit, "DROP EXTENSION does not wait for an export (wait => $wait)") or diag($messages);
    $node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'});
    $caller->quit;
    cmp_ok(time - $start, '<', $limit + 1, 'which ends');
    is(scalar(grep { /_manifest/ } $s3->keys("copy-$wait", '')), 0, 'without a manifest');
    $node->safe_psql('postgres', 'DROP DATABASE copy');
    like(PostgreSQL::Test::Utils::slurp_file($node->logfile),
        qr/hydra_export: export \d+ of destination "default" in database "copy" failed: .*process \d+ drops the extension/,
        'the log says why');
}

unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not abort|own a lock/, 'the server is well');
done_testing();
