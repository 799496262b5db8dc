# A store that accepts no data does not hold back VACUUM, nor does a session that waits for an export; and messages
# about failed uploads name the model that they belong to.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use IPC::Run ();
use Test::More;
use Time::HiRes qw(sleep time);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'unreachable',
    'autovacuum'                      => 'off',
    'min_parallel_table_scan_size'    => '64kB',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.memory_limit'       => '1MB',
    'hydra_export.file_size'          => '64kB',
    'hydra_export.max_snapshot_age'   => '3s');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'unreachable', endpoint => $faults->endpoint);
$site->sql(<<~'SQL');
    CREATE TABLE a (id integer PRIMARY KEY);
    INSERT INTO a VALUES (1), (2), (3);
    CREATE TABLE b (id integer PRIMARY KEY, v text);
    INSERT INTO b SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i;
    CREATE TABLE c (id integer PRIMARY KEY);
    INSERT INTO c VALUES (1);
    SQL
$site->add_model($_) foreach qw(a b c);

sub start_export
{
    my ($sql) = @_;
    my %call = (out => '', err => '', began => time);
    $call{psql} = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', $sql ],
        '<', \undef, '>', \$call{out}, '2>', \$call{err});
    return \%call;
}

sub wait_for_requests
{
    my ($number, $fault) = @_;
    for (1 .. 200) { return if grep({ $_->{fault} eq $fault } $faults->requests) >= $number; sleep 0.05 }
    die 'the store was not asked';
}

# ---- the snapshot

foreach my $workers (0, 2)
{
    $node->safe_psql('postgres', "ALTER SYSTEM SET hydra_export.parallel_workers = $workers");
    $node->reload;
    $faults->plan({ fault => 'hang', times => 1000 });
    my $start = time;
    my $export = $site->export;
    $faults->plan;
    $faults->release;
    cmp_ok(time - $start, '<', 15, "$workers workers: an export whose store takes nothing ends");
    is($export->{status}, 'failed', 'it has failed');
    like($export->{error}, qr/model "[ab]": object "[\d_]+\/.*": the store has accepted no data for 3 s/, 'with the reason');
    like($site->model($export, 'c')->{error}, qr/^the export ended early, as an object of model "[ab]" was not uploaded$/,
        'other models say where it happened') or diag($site->model($export, 'c')->{error});
}
$node->safe_psql('postgres', 'ALTER SYSTEM RESET hydra_export.parallel_workers');
$node->reload;

$faults->plan({ fault => 'slow', seconds => 2, times => 10 });
my $export = $site->export;
is($export->{status}, 'succeeded', 'a slow store is none of that kind') or diag($export->{error});
$site->holds_table($_, 'all rows are there') foreach qw(a b c);

# ---- whoever waits

sub waiting_caller
{
    my ($sql, $end) = @_;

    $site->sql('UPDATE c SET id = id + 1');
    $faults->plan({ fault => 'hang', times => 1000, path => '/c/' });
    my $before = grep { $_->{fault} eq 'hang' } $faults->requests;
    my $call = start_export($sql);
    wait_for_requests($before + 1, 'hang');
    $node->poll_query_until('postgres',
        q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker' AND backend_xmin IS NOT NULL}) or die;
    my $xmin = $site->sql(q{SELECT backend_xmin IS NOT NULL FROM pg_stat_activity
        WHERE query LIKE '%export_now%' AND pid <> pg_backend_pid() AND backend_type = 'client backend'});
    $site->sql('UPDATE a SET id = id');
    my (undef, $vacuum) = $site->try('VACUUM VERBOSE a');
    $faults->plan;
    $faults->release;
    $call->{psql}->finish;
    return ($call, $xmin, $vacuum);
}

my ($call, $xmin, $vacuum) = waiting_caller('SELECT hydra_export.export_now()');
is($xmin, 'f', 'who waits for export_now() has no snapshot');
like($vacuum, qr/[: ]0 (?:are dead but not yet removable|dead row versions cannot be removed)/, 'VACUUM removes what died meanwhile')
  or diag($vacuum);
like($call->{out}, qr/^\d+$/, 'and gets the answer');
is($call->{err} =~ /ERROR/ ? $call->{err} : '', '', 'without an error');
foreach my $sql (
    'BEGIN; DECLARE x CURSOR FOR SELECT * FROM a; SELECT hydra_export.export_now(); FETCH x; COMMIT',
    'SELECT hydra_export.export_now(), (SELECT count(*) FROM a)',
    'DO $$ BEGIN PERFORM hydra_export.export_now(); END $$')
{
    ($call, $xmin, $vacuum) = waiting_caller($sql);
    is($xmin, 't', "a snapshot that may be read with is kept: $sql");
    unlike($call->{err}, qr/ERROR/, 'it goes on');
}

# ---- what is said

$site->sql('UPDATE a SET id = id; UPDATE b SET id = id WHERE id < 100; UPDATE c SET id = id + 1');
$faults->plan({ fault => 'status', status => 503, code => 'SlowDown', times => 2, path => '/b/' });
$export = $site->export;
is($export->{status}, 'succeeded', 'an upload that is tried again');
like($export->{messages}, qr/NOTICE:  model "b": object ".*\/b\/1-\d+\.json" is tried again: .*SlowDown/, 'a notice tells of the first time');
is(scalar(() = $export->{messages} =~ /is tried again/g), 1, 'once');
like($export->{messages}, qr/NOTICE:  model "b": incremental, 99 rows read/, 'rows that are read are not said to be sent');

$site->sql('UPDATE a SET id = id; UPDATE b SET id = id; UPDATE c SET id = id + 1');
$faults->plan({ fault => 'slow', seconds => 6, times => 4, path => '/c/' });
$export = $site->export;
like($export->{messages}, qr/NOTICE:  2000[34] of 20004 rows sent/, 'while the last ones are sent, notices say how many were') or diag($export->{messages});

$site->sql('UPDATE a SET id = id; UPDATE b SET id = id; UPDATE c SET id = id + 1');
$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', times => 1000, path => '/a/' });
$export = $site->export;
is($export->{status}, 'failed', 'a refusal ends the export');
like($site->model($export, 'a')->{error}, qr/^object ".*\/a\/1-3\.json": .*AccessDenied/, 'the model whose object was refused says so');
is($site->model($export, 'b')->{error}, 'the export ended early, as an object of model "a" was not uploaded', 'the next one says why it ended');
is($site->model($export, 'c')->{error}, $site->model($export, 'b')->{error}, 'so do those that were not begun');
is(scalar(() = $export->{error} =~ /AccessDenied/g), 1, 'the whole has the reason once') or diag($export->{error});
like($export->{error}, qr/^model "a": object/, 'with the model');

$node->append_conf('postgresql.conf', "hydra_export.first_export_delay = '0'");
my $offset = -s $node->logfile;
$node->restart;
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM hydra_export.exports WHERE started_by = 'schedule' AND status = 'failed'}) or die;
my $log = '';
for (1 .. 100)
{
    $log = substr PostgreSQL::Test::Utils::slurp_file($node->logfile), $offset;
    last if $log =~ /hydra_export: export/;
    sleep 0.1;
}
like($log, qr/WARNING:  hydra_export: export \d+ of destination "default" in database "postgres" failed: model "a"/, 'the log warns of a failed scheduled export');

unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|could not abort/, 'the server is well');
done_testing();
