# Crashes at every step of an export: no row is lost, the bucket has no row that the table lost, and the files of an
# interrupted export can be distinguished from those that count.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../torture/lib";
use HydraExport::BucketCopy;
use HydraExport::Checker;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'crashes',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.file_size'          => '64kB',
    'hydra_export.memory_limit'       => '1MB',
    'hydra_export.lock_timeout'       => '1min',
    restart_after_crash               => 'on',
    # Only exports may flush asynchronous commits to disk.
    wal_writer_delay                  => '10s',
    autovacuum                        => 'off',
    checkpoint_timeout                => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'crashes', endpoint => $faults->endpoint);
$site->sql(q{
    CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1);
    CREATE TABLE b (id integer PRIMARY KEY, v text); INSERT INTO b SELECT i, repeat('x', 500) FROM generate_series(1, 5000) AS i;
});
$site->add_model($_) foreach qw(a b);
$site->export;

sub wait_for { my ($sql) = @_; return $node->poll_query_until('postgres', $sql) }

sub start_export { return $site->sql('SELECT hydra_export.export_now(wait => false)') }

# Another session that keeps a table locked, and the wait until an export is blocked by it.
sub lock_table
{
    my ($table) = @_;

    my $session = $node->background_psql('postgres', on_error_stop => 0);
    $session->query_safe('BEGIN');
    $session->query_safe("LOCK TABLE $table");
    return $session;
}

sub is_blocked { my ($table) = @_; return wait_for("SELECT count(*) = 1 FROM pg_locks WHERE relation = '$table'::regclass AND NOT granted") }

sub in_bucket { my ($key) = @_; return scalar grep { /$key/ } $s3->keys('crashes', '') }

# ---- a commit that nobody waited for, seen by the export's snapshot

$site->sql(q{SELECT hydra_export.reset_model('b')});
# The claim's own commit would take it to disk. The WAL marks are read after it, and before the snapshot is taken.
my $session = lock_table('hydra_export.wal_marks');
my $id = start_export();
ok(is_blocked('hydra_export.wal_marks'), 'an export is between its claim and its snapshot');
# So that no page of WAL is filled, and written because it is full.
$site->sql('SELECT pg_switch_wal()');
$site->sql('SET synchronous_commit = off; INSERT INTO a VALUES (90)');
$faults->plan({ fault => 'hang', path => '/b/', times => 1000 });
$session->query_safe('ROLLBACK');
$session->quit;
my $sent = 0;
for (1 .. 600) { last if $sent = in_bucket('/a/90-90'); sleep 0.1 }
ok($sent, 'the row is in the bucket');
$node->stop('immediate');
$faults->release;
$node->start;
is($site->sql('SELECT count(*) FROM a WHERE id = 90'), '1', 'no crash takes back a row that was sent');
wait_for(q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'});
$faults->plan;
$site->export;
$site->holds_table($_, "after a crash: $_") foreach qw(a b);

# ---- the worker killed

my $row = 10000;
my @steps = (
    # when, what keeps the export there, how it is seen to be there, whether its manifest stays
    [ 'before the snapshot',       'hydra_export.wal_marks',         undef,                                 0 ],
    [ 'before a model is read',    'b',                          undef,                                 0 ],
    [ 'before the objects arrive', undef,                        { fault => 'hang', path => '/b/' },    0 ],
    [ 'before the manifest',       undef,                        { fault => 'status', status => 503, path => 'manifest', times => 100 }, 0 ],
    [ 'before the record',         'hydra_export.export_objects', undef,                                1 ]);
foreach my $step (@steps)
{
    my ($name, $table, $fault, $has_manifest) = @$step;

    ++$row;
    $site->sql("INSERT INTO $_ VALUES ($row)") foreach qw(a b);
    $faults->plan($fault) if $fault;
    $session = $table ? lock_table($table) : undef;
    my $before = $faults->requests;
    $id = start_export();
    if ($table) { is_blocked($table) }
    else { for (1 .. 600) { last if grep { $_->{fault} eq $fault->{fault} } ($faults->requests)[ $before .. $faults->requests - 1 ]; sleep 0.1 } }
    my $pid = $site->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'});
    like($pid, qr/^\d+$/, "$name: the export is there");
    kill KILL => $pid;
    eval { $session->quit } if $session;
    wait_for("SELECT status = 'failed' FROM hydra_export.exports WHERE id = $id");
    my $killed = $site->exports("WHERE id = $id");
    like($killed->{error}, qr/killed, or the server stopped/, "$name: history says what happened");
    is(in_bucket("^$killed->{folder}/_manifest.json"), $has_manifest, "$name: the bucket has " . ($has_manifest ? 'its' : 'no') . ' manifest');
    $faults->plan;
    my $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the next export succeeds") or diag($export->{error});
    $site->sent($export, $_, $row, "$name: it sends $_ again, just what is new") foreach qw(a b);
    $site->holds_table($_, "$name: the bucket holds $_") foreach qw(a b);
}

# ---- what is left behind

my $copy = HydraExport::BucketCopy->take($s3, 'crashes', PostgreSQL::Test::Utils::tempdir('copy'));
my $result = HydraExport::Checker::check($copy, HydraExport::Checker::read_history($node, 'postgres'), 'default', '');
is(join("\n", @{ $result->{problems} }), '', 'bucket, manifests and history agree, object by object');
is($site->check, '', 'so say the checks that users have');
is($result->{counts}{abandoned}, 1 + @steps, 'also about the exports that were cut short');
foreach my $model (qw(a b))
{
    my %table = map { /"id":(\d+)/ ? ($1 => $_) : () } $site->table_lines($model);
    foreach my $rule (qw(rebuild rebuild_by_chain))
    {
        is_deeply($copy->$rule('', $model, sub { $_[0] =~ /"id":(\d+)/ ? $1 : die }), \%table, "$model is rebuilt by the rule of README ($rule)");
    }
}

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|could not abort|could not roll back/, 'there was no other trouble');
done_testing();
