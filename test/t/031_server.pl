# Events of the server while exports are scheduled or running: killed and stopped processes, dropped and copied
# databases and extensions, too few workers, no preloading.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'server',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.retry_interval'     => '1s',
    'restart_after_crash'             => 'on');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'server', endpoint => $faults->endpoint, prefix => 'a');
$site->sql('CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT generate_series(1, 3)');
$site->add_model('t');
$site->export;

sub launcher { return $node->safe_psql('template1', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'hydra_export launcher'}) }

sub workers { return $node->safe_psql('template1', q{SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'}) }

sub wait_until
{
    my ($sql, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok($node->poll_query_until('template1', $sql), $name);
}

sub no_workers { return wait_until(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'}, $_[0]) }

# Starts an export whose first request to `path` hangs, and waits until it does; the worker's pid.
sub hang
{
    my ($path) = @_;

    my $before = $faults->requests;
    $faults->plan({ fault => 'hang', path => $path });
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    for (1 .. 200)
    {
        last if grep { $_->{fault} eq 'hang' } ($faults->requests)[ $before .. $faults->requests - 1 ];
        sleep 0.05;
    }
    return workers();
}

my $i = 10;
sub insert { $site->sql('INSERT INTO t (id) VALUES (' . ++$i . ')'); return $i }

# ---- the launcher

my $launcher = launcher();
like($launcher, qr/^\d+$/, 'a launcher runs');
is($node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)"), 't', 'it can be terminated');
wait_until(qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hydra_export launcher' AND pid <> $launcher},
    'and comes back');
no_workers('no worker stays in an idle database');

# ---- a worker that is killed while objects are on their way, or between the manifest and its record

foreach my $path ('/t/', 'manifest')
{
    my $row = insert();
    my $pid = hang($path);
    like($pid, qr/^\d+$/, "an export hangs at $path");
    kill KILL => $pid;
    $node->poll_query_until('postgres', 'SELECT true');
    $faults->release;
    ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'}),
        'after a SIGKILL of its worker the export does not stay "running"');
    my $killed = $site->last_export;
    is($killed->{status}, 'failed', 'but is failed');
    like($killed->{error}, qr/killed, or the server stopped/, 'history says why');
    $faults->plan;
    my $export = $site->export;
    $site->sent($export, 't', $row, 'its row comes with the next export');
    isnt($export->{folder}, $killed->{folder}, 'in another folder');
    $site->holds_table('t');
}

# ---- the server stopped

foreach my $mode (qw(fast immediate))
{
    my $row = insert();
    hang('/t/');
    my $start = time;
    $node->stop($mode);
    cmp_ok(time - $start, '<', 5, "$mode stop does not wait for S3");
    $faults->release;
    $node->start;
    ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'}),
        "after a $mode stop the export does not stay \"running\"");
    is($site->last_export->{status}, 'failed', 'it failed');
    like($site->last_export->{error}, qr/the server stopped/, 'and history says why');
    $faults->plan;
    $site->sent($site->export, 't', $row, 'its row comes with the next export');
    $site->holds_table('t');
}

# ---- terminated and cancelled

insert();
my $pid = hang('/t/');
my $start = time;
$site->sql("SELECT pg_cancel_backend($pid)");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'}),
    'a cancelled export ends');
cmp_ok(time - $start, '<', 3, 'at once');
is($site->last_export->{status}, 'cancelled', 'as cancelled');
$faults->release;
$pid = hang('/t/');
$site->sql("SELECT pg_terminate_backend($pid)");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'}),
    'a terminated export ends');
is($site->last_export->{status}, 'failed', 'as failed');
$faults->release;
$faults->plan;

# The caller of export_now.
my $caller = $node->background_psql('postgres', on_error_stop => 0);
my $caller_pid = $caller->query_safe('SELECT pg_backend_pid()');
$faults->plan({ fault => 'hang', path => '/t/' });
$caller->query_until(qr/started/, "\\echo started\nSELECT hydra_export.export_now();\n\\echo over\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM hydra_export.exports WHERE status = 'running'});
sleep 0.3;
$start = time;
$site->sql("SELECT pg_cancel_backend($caller_pid)");
no_workers('when the caller of export_now is cancelled, the worker ends');
cmp_ok(time - $start, '<', 3, 'within a moment');
$caller->query_until(qr/over/, '');
is($site->last_export->{status}, 'cancelled', 'and the export with it');
$caller->quit;
$faults->release;
$faults->plan;
$site->export;
$site->holds_table('t', 'nothing is lost by all that');

# ---- databases dropped and copied

$node->safe_psql('postgres', 'CREATE DATABASE idle');
my $idle = HydraExport::Site->new($node, 'idle', $s3, bucket => 'idle');
$idle->sql('CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
$idle->add_model('t');
$idle->export;
no_workers('idle');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE idle');
ok(1, 'a database with the extension can be a template');
my $copy = bless { %$idle, database => 'copy' }, 'HydraExport::Site';
like($copy->sql('SELECT why FROM hydra_export.schedule'), qr/^paused: copied from another database; hydra_export.resume\(\)/,
    'the copy is paused, and says why');
is($copy->sql('SELECT next_export_at FROM hydra_export.schedule'), '', 'nothing is next');
like(($copy->try('SELECT hydra_export.export_now()'))[1], qr/ERROR: .*another database.*HINT: .*resume/s,
    'export_now does not write where the original does');
$copy->sql(q{SELECT hydra_export.configure(prefix => 'copy'); SELECT hydra_export.resume()});
$copy->{prefix} = 'copy/';
my $resumed = $copy->export;
is($resumed->{status}, 'succeeded', 'after resume() it exports') or diag($resumed->{messages});
is($copy->model($resumed, 't')->{kind}, 'full', 'in full');
$copy->holds_table('t', 'to its own prefix');
$idle->sql('INSERT INTO t VALUES (3)');
$idle->sent($idle->export, 't', '3', 'the original goes on');
no_workers('idle again');
$node->safe_psql('postgres', 'DROP DATABASE copy');
ok(1, 'an idle database can be dropped');

# ---- the extension dropped

$idle->sql('DROP EXTENSION hydra_export');
ok(1, 'the extension can be dropped while it is idle');
$idle->sql('CREATE EXTENSION hydra_export');
configure($node, 'idle', $s3, bucket => 'idle', prefix => 'again');
$idle->{prefix} = 'again/';
$idle->add_model('t');
$idle->export;
$idle->holds_table('t', 'created again, it starts over');

insert();
hang('/t/');
$start = time;
$site->sql('DROP EXTENSION hydra_export');
cmp_ok(time - $start, '<', 5, 'DROP EXTENSION does not wait for a running export');
$site->sql('CREATE EXTENSION hydra_export');
$faults->release;
no_workers('the export ends');
is($site->sql('SELECT count(*) FROM hydra_export.exports'), '0', 'and leaves nothing in the new extension');
is(launcher() =~ /^\d+$/, 1, 'the launcher is well');
configure($node, 'postgres', $s3, bucket => 'server', prefix => 'b');
$site->{prefix} = 'b/';
$site->add_model('t');
$site->export;
$site->holds_table('t', 'which works');

# ---- no room for a worker

$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
$node->restart;
my ($output, $error) = $site->try('SELECT hydra_export.export_now()');
like($error, qr/ERROR: .*could not start a worker.*HINT: .*max_worker_processes/s, 'without a free worker slot export_now says so');
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');

# ---- not preloaded

$node->append_conf('postgresql.conf', q{shared_preload_libraries = ''});
$node->restart;
(undef, $error) = $site->try(q{SELECT hydra_export.configure(frequency_hours => 12)});
like($error, qr/^\S* ?WARNING: .*shared_preload_libraries/m, 'without preloading configure() warns');
is($site->sql('SELECT why FROM hydra_export.schedule'), 'hydra_export is not in shared_preload_libraries', 'the schedule says so');
insert();
is($site->export->{status}, 'succeeded', 'export_now works all the same');
$site->holds_table('t', 'and the bucket holds the table');

my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
my @killed = $log =~ /was terminated by signal/g;
is(scalar @killed, 2, 'the server went down only when the test did it');
unlike($log, qr/PANIC|TRAP|could not abort|could not roll back/, 'and there was no other trouble');

done_testing();
