# An export ends within a second when it is told to, wherever the server on the other side hangs.

use strict;
use warnings;

use HydraExport::Test;
use IO::Socket::INET;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(sleep time);

my $limit = 1.0;
my $s3 = start_s3();
my $node = new_node('interrupts');

# Nobody accepts these connections. The kernel completes them, takes what fits into its buffers, and stays silent; or,
# where the queue is full, it does not even complete them.
my @listeners;

sub silent_port
{
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16) or die "listen: $!";
    setsockopt $listener, SOL_SOCKET, SO_RCVBUF, 4096;
    push @listeners, $listener;
    return $listener->sockport;
}

sub full_port
{
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "listen: $!";
    push @listeners, $listener;
    for (1 .. 8)
    {
        my $filler = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $listener->sockport, Proto => 'tcp', Blocking => 0);
        push @listeners, $filler if $filler;
    }
    return $listener->sockport;
}

my %places = (
    'in connect'        => [ 'small', 'http://127.0.0.1:' . full_port() ],
    'in TLS'            => [ 'small', 'https://127.0.0.1:' . silent_port() ],
    'in the body'       => [ 'large', 'http://127.0.0.1:' . silent_port() ],
    'before the answer' => [ 'small', 'http://127.0.0.1:' . silent_port() ]);

sub prepare
{
    my ($database, $place) = @_;
    my ($size, $endpoint) = @{ $places{$place} };
    my $rows = $size eq 'large' ? 30000 : 1;
    $node->safe_psql($database, <<~SQL);
        CREATE EXTENSION IF NOT EXISTS hydra_export;
        CREATE TABLE IF NOT EXISTS small (id int PRIMARY KEY, filler text);
        CREATE TABLE IF NOT EXISTS large (id int PRIMARY KEY, filler text);
        INSERT INTO $size SELECT g, repeat('x', 1000) FROM generate_series(1, $rows) AS g ON CONFLICT DO NOTHING;
        SQL
    configure($node, $database, $s3, bucket => 'data', endpoint => $endpoint);
    $node->safe_psql($database, "DELETE FROM hydra_export.models; SELECT hydra_export.add_model('$size', name => 'm')");
    return;
}

# Starts an export and returns its worker's pid once it waits for the network.
sub start_export
{
    my ($database) = @_;
    my ($out, $err) = ('', '');
    my $psql = IPC::Run::start(
        [ 'psql', '-XAt', '-d', $node->connstr($database), '-c', 'SELECT hydra_export.export_now()' ],
        '<', \undef, '>', \$out, '2>', \$err);
    my $worker = "FROM pg_stat_activity WHERE backend_type = 'hydra_export worker' AND datname = '$database'";
    $node->poll_query_until('postgres', "SELECT count(*) = 1 $worker AND wait_event_type = 'Extension'")
      or die "no worker waits: $err";
    return ($psql, $node->safe_psql('postgres', "SELECT pid $worker"));
}

# Also when its parent, which is dead itself, has not taken note of its end.
sub is_gone
{
    my ($pid) = @_;
    open(my $stat, '<', "/proc/$pid/stat") or return 1;
    return (<$stat> // '') =~ /\) [ZX] /;
}

# Seconds until a process is gone.
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

sub last_status
{
    # The visit at the server's start tells it of an export whose process is gone.
    $node->poll_query_until('postgres', q{SELECT status <> 'running' FROM hydra_export.exports ORDER BY id DESC LIMIT 1});
    return $node->safe_psql('postgres', 'SELECT status FROM hydra_export.exports ORDER BY id DESC LIMIT 1');
}

# Until the last of its processes is gone, the shared memory of a dead postmaster keeps the next from starting.
sub start_after_crash
{
    for (1 .. 100)
    {
        $node->{_pid} = undef;
        return if $node->start(fail_ok => 1);
        sleep 0.1;
    }
    die 'the server does not start again';
}

# ---- a check of access takes a place among max_workers, which is 2: its store may hang

prepare('postgres', 'before the answer');
my $check = 'SELECT * FROM hydra_export.check_access()';
my $workers = q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'hydra_export worker');
my @checks = map { IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', $check ], '<', \undef, '&>', \my $output) } 1 .. 2;
$node->poll_query_until('postgres', "$workers AND wait_event_type = 'Extension'", '2') or die 'the checks do not wait';
foreach my $call ($check, $check, 'SELECT hydra_export.export_now()')
{
    my (undef, undef, $messages) = $node->psql('postgres', "SET statement_timeout = '20s'; $call");
    like($messages, qr/ERROR:  2 exports are running already\nHINT:  Wait for one to end, or raise hydra_export\.max_workers/, "refused: $call");
}
cmp_ok($node->safe_psql('postgres', $workers), '<=', 3, 'the server has workers left');
$node->safe_psql('postgres', q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%check_access%' AND pid <> pg_backend_pid()));
$_->finish foreach @checks;
$node->poll_query_until('postgres', $workers, '0') or die 'the checks do not end';

# ---- a reload of the configuration is not for the middle of somebody's statement

$node->safe_psql('postgres', 'CREATE TABLE seen (work_mem text)');
my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(7)');
my $look = q{INSERT INTO seen VALUES (current_setting('work_mem')); PERFORM count(*) FROM hydra_export.preview();};
my $statement = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', "DO \$\$ BEGIN $look PERFORM pg_advisory_lock(7); $look $look END \$\$" ]);
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)) or die;
$node->append_conf('postgresql.conf', q(work_mem = '77MB'));
$node->reload;
$node->poll_query_until('postgres', q(SELECT current_setting('work_mem') = '77MB')) or die;
$gate->quit;
$statement->finish;
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT work_mem) FROM seen'), '3|1', 'a statement sees one configuration, also through preview()');

foreach my $place (sort keys %places)
{
    prepare('postgres', $place);

    # The caller gives up: its export does, too.
    my ($psql, $pid) = start_export('postgres');
    my $start = time;
    $node->safe_psql('postgres', q(SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT hydra_export.export_now%' AND pid <> pg_backend_pid()));
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "cancelled $place");
    $psql->finish;
    is(last_status(), 'cancelled', 'and recorded');

    ($psql, $pid) = start_export('postgres');
    $start = time;
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "terminated $place");
    $psql->finish;
    is(last_status(), 'failed', 'and recorded');

    ($psql, $pid) = start_export('postgres');
    $start = time;
    kill TERM => $pid;
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "SIGTERM $place");
    $psql->finish;
    is(last_status(), 'failed', 'and recorded');

    $node->safe_psql('postgres', 'CREATE DATABASE other');
    prepare('other', $place);
    ($psql, $pid) = start_export('other');
    $node->end_sessions;  # which takes its time
    $start = time;
    $node->safe_psql('postgres', 'DROP DATABASE other WITH (FORCE)');
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "its database dropped $place");
    $psql->finish;

    ($psql, $pid) = start_export('postgres');
    $start = time;
    kill INT => $node->{_pid};
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "fast shutdown $place");
    $psql->finish;
    $node->stop('fast', fail_ok => 1);
    $node->{_pid} = undef;
    $node->start;
    is(last_status(), 'failed', 'and recorded');

    # Nobody is left to tell it: it ends all the same.
    ($psql, $pid) = start_export('postgres');
    $start = time;
    kill KILL => $node->{_pid};
    cmp_ok(seconds_until_gone($pid, $start), '<', $limit, "the postmaster died $place");
    $psql->finish;
    start_after_crash();
    is(last_status(), 'failed', 'and recorded');
}

done_testing();
