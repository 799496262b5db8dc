# When scheduled exports run. An "hour" lasts six seconds here, twice as long as elsewhere, so that a slow machine can
# observe what happens in between.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $s3 = start_s3();
my $node = new_node(
    'schedule',
    'hydra_export.debug_seconds_per_hour' => 6,
    'hydra_export.first_export_delay'     => '3s',
    'hydra_export.retry_interval'         => '3s',
    'hydra_export.max_workers'            => 8);
my $hour = 6;
my $delay = 3;

# How much later than planned an export may start on a busy machine.
my $slack = 2.5;

# A database of its own with one table, exported to a bucket of its own.
sub database
{
    my ($name, %arguments) = @_;

    $node->safe_psql('postgres', "CREATE DATABASE $name");
    my $site = HydraExport::Site->new($node, $name, $s3, bucket => "bucket-$name", %arguments);
    $site->sql('CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT generate_series(1, 3)');
    return $site;
}

sub is_near
{
    my ($time, $planned, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $passed = ok($time >= $planned - 0.05 && $time < $planned + $slack, $name);
    diag(sprintf 'at %.2f, %.2f after the planned time', $time, $time - $planned) unless $passed;
    return $passed;
}

# Exports that the schedule started, with their times in seconds.
sub runs
{
    my ($site, $destination) = @_;

    $destination //= $site->{destination};
    return map { my %e; @e{qw(id start end status by rows error)} = split /\|/; \%e } split /\n/, $site->sql(
        "SELECT id, extract(epoch FROM started_at), extract(epoch FROM finished_at), status, started_by, rows, error"
          . " FROM hydra_export.exports WHERE destination = '$destination' AND started_by <> 'user' ORDER BY id");
}

sub wait_for
{
    my ($site, $count, $destination) = @_;
    wait_for_export($node, $site->{database}, $count, $destination // $site->{destination});
    return runs($site, $destination);
}

sub schedule
{
    my ($site, $destination) = @_;

    $destination //= 'default';
    my %row;
    @row{qw(enabled frequency last next why)} = split /\|/, $site->sql(
        'SELECT enabled, frequency_hours, last_status, extract(epoch FROM next_export_at), why FROM hydra_export_internal.schedule_rows()'
          . " WHERE destination = '$destination'");
    return \%row;
}

# ---- before anything is chosen

my $grid = database('grid', frequency_hours => 1);
is(schedule($grid)->{why}, 'no model was added', 'nothing is scheduled without a model');
is(schedule($grid)->{next}, '', 'at no time');

my $failing = database('failing', frequency_hours => 100, secret_key => 'wrong');
my $growing = database('growing', frequency_hours => 100);
my $two     = database('two', frequency_hours => 1);
$s3->make_bucket('bucket-second');
configure($node, 'two', $s3, bucket => 'bucket-second', destination => 'second', frequency_hours => 2);

my $added = time;
$_->add_model('t') foreach $grid, $failing, $growing, $two;
my (undef, $said) = $two->try(q{SELECT hydra_export.add_model('t', destination => 'second')});
is(schedule($grid)->{why}, 'first export', 'with a model, the first export is next');
is_near(schedule($grid)->{next}, $added + $delay, 'after first_export_delay');
my $next = $two->sql("SELECT date_trunc('second', added_at + interval '$delay s') FROM hydra_export.models WHERE destination = 'second'");
like($said, qr/NOTICE:  first export of destination "second" at \Q$next\E$/m, 'add_model() says when the first export comes');

# ---- the first export, then a grid without drift

my ($first) = wait_for($grid, 1);
is("$first->{by} $first->{status}", 'schedule succeeded', 'the first export runs by itself');
is_near($first->{start}, $added + $delay, 'after first_export_delay');
is(schedule($grid)->{why}, 'every hour', 'then the grid says when');
is_near(schedule($grid)->{next}, $first->{start} + $hour, 'an hour after the first');
$grid->sql(q{INSERT INTO t (v) VALUES ('second')});

$growing->sql(q{CREATE TABLE later (id integer PRIMARY KEY); INSERT INTO later VALUES (1), (2)});
wait_for($growing, 1);
my $late = time;
(undef, $said) = $growing->try(q{SELECT hydra_export.add_model('later')});
like($said, qr/NOTICE:  next export of destination "default" at \S+ \S+ \(model "later" was added\)$/m, 'and so with later ones');
is(schedule($growing)->{why}, 'model "later" was added', 'a model added later is next');

my @runs = wait_for($grid, 3);
foreach my $k (1 .. 2)
{
    is_near($runs[$k]{start}, $first->{start} + $k * $hour, "export $k runs on the grid");
}
is($runs[1]{rows}, 1, 'and sends what is new');

my @second = wait_for($two, 2, 'second');
is_near($second[1]{start}, $second[0]{start} + 2 * $hour, 'a second destination has a schedule of its own');
my @default = runs($two, 'default');
cmp_ok(scalar @default, '>=', 3, 'and the first one goes on');
is(scalar(grep { abs($_->{start} - $default[0]{start} - $hour) < $slack } @default), 1, 'on its own');
is(join(' ', sort map { $_->{status} } @second, @default) =~ s/ ?succeeded//gr, '', 'all of both succeed');
HydraExport::Site::holds_table($_, 't', "the bucket of $_->{destination} holds the table") foreach
  $two, bless { %$two, bucket => 'bucket-second', destination => 'second' }, 'HydraExport::Site';

my @grown = wait_for($growing, 2);
is($grown[1]{by}, 'schedule', 'it came with an extra export');
is_near($grown[1]{start}, $late + $delay, 'after first_export_delay, not after 100 hours');
is($grown[1]{rows}, 2, 'which sends its rows');
is_near(schedule($growing)->{next}, $grown[0]{start} + 100 * $hour, 'the grid stays');
$growing->sql('SELECT hydra_export.export_now()');
is_near(schedule($growing)->{next}, $grown[0]{start} + 100 * $hour, 'export_now does not move it either');

# ---- failures

@runs = wait_for($failing, 3);
is(join(' ', map { "$_->{by} $_->{status}" } @runs[ 0 .. 2 ]), 'schedule failed retry failed retry failed', 'a failed export is tried again');
like($runs[0]{error}, qr/SignatureDoesNotMatch/, 'history says why it failed');
is_near($runs[1]{start}, $runs[0]{end} + $delay, 'after retry_interval');
is_near($runs[2]{start}, $runs[1]{end} + 2 * $delay, 'then after twice as long');
is(schedule($failing)->{why}, 'retry: the last export did not succeed', 'the schedule says so');
is_near(schedule($failing)->{next}, $runs[2]{end} + 4 * $delay, 'and then after four times');
my $anchor = $runs[0]{start};
configure($node, 'failing', $s3);
@runs = wait_for($failing, 4);
is("$runs[3]{by} $runs[3]{status} $runs[3]{rows}", 'retry succeeded 3', 'once it can, it sends everything');
is_near(schedule($failing)->{next}, $anchor + 100 * $hour, 'and the grid is that of the first export, which failed');
is(schedule($failing)->{why}, 'every 100 hours', 'without further retries');

# ---- another frequency

$growing->sql('SELECT hydra_export.configure(frequency_hours => 5)');
is_near(schedule($growing)->{next}, $grown[0]{start} + 5 * $hour * int((time - $grown[0]{start}) / (5 * $hour) + 1),
    'a changed frequency keeps the anchor');

# ---- pause, resume

$grid->sql('SELECT hydra_export.pause()');
is(schedule($grid)->{why}, 'paused by hydra_export.pause()', 'paused');
is(schedule($grid)->{enabled} . schedule($grid)->{next}, 'f', 'nothing is next');
# One may just have begun.
sleep 0.5;
my $before = runs($grid);
sleep $hour;
is(scalar(my @paused = runs($grid)), $before, 'no export while it is paused');
my ($now) = time;
$grid->sql('SELECT hydra_export.resume()');
$grid->sql(q{INSERT INTO t (v) VALUES ('resumed')});
@runs = wait_for($grid, $before + 2);
is_near($runs[$before]{start}, $now, 'after resume() the export that was missed runs at once');
my $phase = ($runs[ $before + 1 ]{start} - $first->{start}) / $hour;
ok($phase - int $phase < $slack / $hour, 'and the grid is where it was') or diag($phase);

# ---- downtime

$node->stop('fast');
sleep 1.6 * $hour;
$before = time;
$node->start;
@runs = grep { $_->{start} > $before } wait_for($grid, scalar(@runs) + 2);
is($runs[0]{by}, 'schedule', 'after downtime an export runs at once');
cmp_ok($runs[0]{start}, '<', $before + 2 + $slack, 'and not at the next point of the grid');
$phase = ($runs[1]{start} - $first->{start}) / $hour;
ok($phase - int $phase < $slack / $hour, 'the next one is on the grid') or diag($phase);
cmp_ok(scalar(grep { $_->{start} < $runs[1]{start} } @runs), '==', 1, 'those that were missed are not made up for');

# ---- off

$node->append_conf('postgresql.conf', 'hydra_export.enabled = off');
$node->reload;
$node->poll_query_until('grid', q{SELECT why = 'hydra_export.enabled is off in this server' FROM hydra_export.schedule});
is(schedule($_)->{next}, '', "hydra_export.enabled = off stops $_->{database}") foreach $grid, $failing;
sleep 0.5;
$before = runs($grid);
sleep $hour;
is(scalar(my @off = runs($grid)), $before, 'no export while it is off');
like($grid->sql('SELECT hydra_export.export_now()'), qr/^\d+$/, 'but export_now works');

# Switched on while workers are being started that know only that it is off.
my ($postmaster) = split /\n/, PostgreSQL::Test::Utils::slurp_file($node->data_dir . '/postmaster.pid');
sub switch { $node->append_conf('postgresql.conf', "hydra_export.enabled = $_[0]"); kill HUP => $postmaster; return }
foreach my $milliseconds (4, 8, 12)
{
    my @before = map { scalar(my @r = runs($_)) } $grid, $two;
    switch('off');
    sleep $milliseconds / 1000;
    switch('on');
    foreach my $site ($grid, $two)
    {
        my $count = shift(@before) + 1;
        ok($node->poll_query_until($site->{database}, "SELECT count(*) >= $count FROM hydra_export.exports"
              . " WHERE destination = 'default' AND status <> 'running' AND started_by <> 'user'"),
            "switched on after $milliseconds ms, the schedule of $site->{database} goes on");
    }
}
$grid->holds_table('t', 'the bucket holds the table');

done_testing();
