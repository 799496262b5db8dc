# Models that several processes read: every row is sent once, and nothing is left behind when one of them ends early.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use IPC::Run ();
use Test::More;
use Time::HiRes qw(sleep time);

my $limit = 1.0;
my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('parallel',
    'autovacuum' => 'off',
    'restart_after_crash' => 'on',
    'min_parallel_table_scan_size' => '64kB',
    'max_worker_processes' => 16,
    'hydra_export.parallel_workers' => 2,
    'hydra_export.file_size' => '64kB',
    'hydra_export.max_attempts' => 1);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'parallel', endpoint => $faults->endpoint);

sub workers { my ($export, $model) = @_; return $site->model($export, $model)->{workers} }

sub set
{
    my ($name, $value) = @_;
    $node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'; SELECT pg_reload_conf()");
    $node->poll_query_until('postgres', "SELECT setting = '$value' FROM pg_settings WHERE name = '$name'");
    return;
}

# Ends when its caller stops waiting for an answer of S3.
sub start_export
{
    my ($out, $err) = ('', '');
    my $psql = IPC::Run::start(
        [ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', 'SELECT hydra_export.export_now()' ],
        '<', \undef, '>', \$out, '2>', \$err);
    return $psql;
}

my $scan_workers = "FROM pg_stat_activity WHERE backend_type = 'parallel worker'";

sub hanging_export
{
    $faults->plan({ fault => 'hang', times => 1000 });
    my $psql = start_export();
    $node->poll_query_until('postgres', "SELECT count(*) = 2 $scan_workers AND wait_event_type = 'Extension'")
      or die 'no two workers wait for S3';
    return $psql;
}

sub end_hanging
{
    my ($psql) = @_;
    $faults->plan;
    $faults->release;
    $psql->finish;
    return;
}

# ---- every row once

$site->sql(<<~SQL);
    CREATE TABLE plain (id integer PRIMARY KEY, v integer, filler text);
    INSERT INTO plain SELECT i, 0, repeat('x', 100) FROM generate_series(1, 20000) AS i;
    SQL
$site->add_model('plain');
my $export = $site->export;
is($export->{status}, 'succeeded', 'a first export') or diag($export->{error});
is(workers($export, 'plain'), 2, 'by two workers and the export itself');
is($export->{rows}, 20000, 'sends every row once');
$site->holds_table('plain', 'and the bucket holds the table');
$site->is_consistent($export, 'history, manifest and bucket agree');
my $model = $site->model($export, 'plain');
is($model->{blocks_read}, $model->{blocks_total}, 'every block is read once');

$site->sql('UPDATE plain SET v = 1 WHERE id % 7 = 0');
$export = $site->export;
is(workers($export, 'plain'), 2, 'changed rows are looked for by workers, too');
is($export->{rows}, 2857, 'they are sent once');
$site->holds_table('plain', 'and the bucket holds the table');
$model = $site->model($export, 'plain');
is($model->{blocks_read} + $model->{blocks_skipped_by_map} + $model->{blocks_skipped_by_lsn},
    $model->{blocks_total}, 'every block is accounted for');

$site->sql('VACUUM plain');
$site->export;
$export = $site->export;
is(workers($export, 'plain'), 0, 'no worker is started when the map shows that nothing changed');
is($export->{rows}, 0, 'and nothing is sent');

$site->sql(<<~SQL);
    CREATE TABLE parts (id integer, part integer, filler text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TABLE parts_2 (filler text, part integer NOT NULL, dropped integer, id integer NOT NULL);
    ALTER TABLE parts_2 DROP dropped;
    ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
    CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3);
    INSERT INTO parts SELECT i, 1 + i % 2, repeat('y', 100) FROM generate_series(1, 10000) AS i;
    CREATE TABLE stamped (id integer PRIMARY KEY, updated_at timestamptz DEFAULT now(), filler text);
    INSERT INTO stamped (id, filler) SELECT i, repeat('z', 100) FROM generate_series(1, 10000) AS i;
    CREATE TABLE parent (id integer PRIMARY KEY, filler text);
    CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
    INSERT INTO parent SELECT i, repeat('p', 100) FROM generate_series(1, 5000) AS i;
    INSERT INTO child SELECT i, repeat('c', 100) FROM generate_series(5001, 10000) AS i;
    SQL
$site->add_model('parts');
$site->add_model('stamped', changed_by => "'updated_at'");
$site->add_model('parent', key_columns => q('{id}'));
$export = $site->export;
is($export->{status}, 'succeeded', 'several models') or diag($export->{error});
foreach my $name (qw(parts stamped parent))
{
    is(workers($export, $name), 2, "$name is read by workers");
    is($site->model($export, $name)->{rows}, 10000, 'every row is sent once');
    $site->holds_table($name, 'and the bucket holds the table');
}
$site->is_consistent($export, 'history, manifest and bucket agree');
$site->sql('UPDATE parts SET filler = 1 WHERE id < 100; UPDATE stamped SET filler = 2, updated_at = now() WHERE id < 100');
$export = $site->export;
is($export->{rows}, 198, 'their changed rows are sent once');
$site->holds_table($_, "and the bucket holds $_") foreach qw(parts stamped parent);

# ---- what workers must not do

$site->sql(<<~SQL);
    CREATE TYPE pair AS (a integer, b integer);
    CREATE FUNCTION pair_json(pair) RETURNS json LANGUAGE sql RETURN json_build_array(\$1.a, \$1.b);
    CREATE CAST (pair AS json) WITH FUNCTION pair_json(pair);
    CREATE TABLE pairs (id integer PRIMARY KEY, pairs pair[]);
    INSERT INTO pairs SELECT i, ARRAY[(i, i)::pair] FROM generate_series(1, 10000) AS i;
    SQL
$site->add_model('pairs');
$export = $site->export;
is(workers($export, 'pairs'), 0, 'a function that is not PARALLEL SAFE is kept out of workers');
$site->holds_table('pairs', 'and its rows are exported');
$site->sql('ALTER FUNCTION pair_json PARALLEL SAFE; UPDATE pairs SET id = id');
is(workers($site->export, 'pairs'), 2, 'one that is safe is not');
$site->holds_table('pairs', 'and its rows are exported');

# ---- fewer workers than asked for

sub all_rows
{
    my ($workers, $name) = @_;
    $site->sql(q(SELECT hydra_export.reset_model('plain')));
    my $all = $site->export;
    is(workers($all, 'plain'), $workers, $name);
    is($site->model($all, 'plain')->{rows}, 20000, 'and every row is sent once');
    return;
}

set('max_parallel_workers', 1);
all_rows(1, 'the server has one worker to give');
set('max_parallel_workers', 0);
all_rows(0, 'the server has none to give');
set('max_parallel_workers', 8);
set('hydra_export.file_size', 2048);
set('hydra_export.memory_limit', 3072);
all_rows(1, 'memory_limit is enough for two processes');
set('hydra_export.file_size', 64);
set('hydra_export.memory_limit', 262144);
set('hydra_export.throttle', 8192);
all_rows(2, 'a throttle is shared by the workers');
set('hydra_export.throttle', 0);

# ---- faults

# The export's own process has to stop for want of memory, so that something is left for the workers.
set('hydra_export.memory_limit', 1024);
$site->sql('UPDATE plain SET v = 2');
$faults->plan({ fault => 'pass', times => 5 },
    { fault => 'status', status => 403, code => 'AccessDenied', message => 'not now', times => 1000 });
$export = $site->export;
is($export->{status}, 'failed', 'S3 refuses');
like($site->model($export, 'plain')->{error}, qr/AccessDenied/, 'the model has the reason');
$faults->plan({ fault => 'pass', times => 3 }, { fault => 'status', status => 400, code => 'BadDigest', message => 'x' });
$export = $site->export;
isnt($export->{status}, 'succeeded', 'S3 refuses one object');
$faults->plan;
$export = $site->export;
is($export->{status}, 'succeeded', 'S3 is well again');
$site->holds_table('plain', 'and the bucket holds the table');

$site->sql('UPDATE plain SET v = 3');
my $psql = hanging_export();
is($node->safe_psql('postgres', 'SELECT count(DISTINCT model), count(*), max(export_id) = min(export_id) FROM hydra_export.progress'),
    '5|5|t', 'progress has a row a model');
is($node->safe_psql('postgres', q(SELECT count(*) FROM hydra_export.progress WHERE phase = 'reading' AND rows > 0 AND pid > 0)),
    '1', 'one is being read');
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) $scan_workers LIMIT 1");
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM hydra_export.progress WHERE phase = 'failed'));
end_hanging($psql);
$export = $site->last_export;
is($export->{status}, 'partial', 'a worker is terminated: its model fails');
like($site->model($export, 'plain')->{error}, qr/terminat/, 'and has the reason');
$export = $site->export;
is($export->{status}, 'succeeded', 'the next export');
$site->holds_table('plain', 'sends what that one did not');

$site->sql('UPDATE plain SET v = 4');
$psql = hanging_export();
my $start = time;
$node->safe_psql('postgres', "SELECT hydra_export.cancel_export(id) FROM hydra_export.exports WHERE status = 'running'");
$node->poll_query_until('postgres', "SELECT count(*) = 0 $scan_workers");
cmp_ok(time - $start, '<', $limit + 1, 'cancelled: the workers end');
end_hanging($psql);
is($site->last_export->{status}, 'cancelled', 'the export is cancelled');

$psql = hanging_export();
my @pids = split /\n/, $node->safe_psql('postgres', "SELECT pid $scan_workers");
$node->stop('fast');
end_hanging($psql);
ok(!(grep { kill 0, $_ } @pids), 'fast shutdown: the workers end');
$node->start;

$psql = hanging_export();
@pids = split /\n/, $node->safe_psql('postgres', "SELECT pid $scan_workers");
kill KILL => $pids[0];
end_hanging($psql);
$node->poll_query_until('postgres', 'SELECT true');
$node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'));
is($site->last_export->{status}, 'failed', 'a worker is killed: the export is written down as failed');
$export = $site->export;
is($export->{status}, 'succeeded', 'the next export') or diag($export->{error});
$site->holds_table('plain', 'sends what those did not');
$site->is_consistent($export, 'history, manifest and bucket agree');

done_testing();
