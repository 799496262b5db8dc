package HydraExport::Torture;

# The torture test: writers, an administrator and a disturber at work while export follows export; then the bucket is
# compared with the tables, to the letter.
#
#     HydraExport::Torture::run(seed => 1, seconds => 60, mode => 'faults');
#
# Modes:
#     calm      nothing fails; row versions sent twice must be accounted for
#     faults    workers and writers are killed, the server is stopped, the S3 server misbehaves
#
# Processes: this one disturbs; of its children each writer, the administrator and the exporter have a session of their
# own. The seed decides what each of them does, one thing after another; when it happens is up to the machine.

use strict;
use warnings;

use Carp;
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use HydraExport::BucketCopy;
use HydraExport::Checker;
use HydraExport::Site;
use HydraExport::Test;
use HydraExport::Torture::Disturber;
use HydraExport::Torture::Judge qw(%destinations);
use HydraExport::Torture::Maintenance;
use HydraExport::Torture::Session;
use HydraExport::Torture::Tables qw(@names models_of create_sql);
use HydraExport::Torture::Writer;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $bucket = 'torture';

# run(seed =>, seconds =>, mode =>, writers =>, overflow => 0: no more than 64 subtransactions, looks => 0: no DDL that
# makes rows look different)
sub run
{
    my (%options) = @_;

    my $self = bless { writers => 3, overflow => 1, looks => 1, mode => 'faults', %options }, __PACKAGE__;
    croak "no mode \"$self->{mode}\"" unless $self->{mode} =~ /^(calm|faults)$/;
    $self->{dir} = ($ENV{TESTDIR} // '.') . "/$self->{mode}-$self->{seed}";
    remove_tree($self->{dir});
    make_path($self->{dir});
    $self->say('to repeat: ' . $self->command);
    $self->set_up;
    $self->torment;
    $self->calm_down;
    $self->last_exports;
    $self->keep;
    my $judge = HydraExport::Torture::Judge->new($self->{dir}, sub { $self->say(@_) });
    $judge->run;
    @{$self}{qw(totals exports)} = @{$judge}{qw(totals exports)};
    $self->report;
    if (Test::More->builder->is_passing) { remove_tree($self->{dir}) unless $ENV{KEEP} }
    else { diag("kept: $self->{dir}\nto repeat: " . $self->command) }
    return;
}

sub command
{
    my ($self) = @_;

    my @set = map { uc($_) . "=$self->{$_}" } qw(seed seconds mode writers overflow looks);
    return "make torture @set";
}

sub say
{
    my ($self, $text) = @_;

    note($text);
    open(my $report, '>>', "$self->{dir}/report") or croak "report: $!";
    print $report "$text\n";
    return;
}

# A source of numbers of its own for each process.
sub random_of
{
    my ($self, $number) = @_;

    my $state = (($self->{seed} * 1000003 + $number * 7919) & 0x7fffffff) || 1;
    return sub {
        my ($below) = @_;
        # xorshift, as rand() differs between versions of Perl.
        $state ^= ($state << 13) & 0xffffffff;
        $state ^= $state >> 17;
        $state ^= ($state << 5) & 0xffffffff;
        return $state % $below;
    };
}

# ---- before

sub set_up
{
    my ($self) = @_;

    $self->{s3} = start_s3();
    $self->{faults} = start_faults($self->{s3}) if $self->{mode} eq 'faults';
    $self->{node} = new_node(
        'torture',
        # The test harness turns it off.
        restart_after_crash                   => 'on',
        max_prepared_transactions             => 50,
        autovacuum_naptime                    => '2s',
        log_checkpoints                       => 'off',
        # Commits that nobody waited for stay in memory for long, for crashes to take back.
        wal_writer_delay                      => '10s',
        'hydra_export.debug_seconds_per_hour' => 4,
        'hydra_export.first_export_delay'     => '2s',
        'hydra_export.retry_interval'         => '1s',
        'hydra_export.max_workers'            => 4,
        'hydra_export.file_size'              => '64kB',
        'hydra_export.request_timeout'        => '1s',
        'hydra_export.max_attempts'           => 3,
        'hydra_export.lock_timeout'           => '1s',
        # With an odd seed models are read by workers, too, however small they are.
        'hydra_export.parallel_workers'       => $self->{seed} % 2,
        min_parallel_table_scan_size          => 0,
        max_worker_processes                  => 24);
    $self->{node}->safe_psql('postgres', 'ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf()')
      if $self->{node}->pg_version >= 17;
    my $sites = $self->{sites} = {};
    foreach my $name (sort keys %destinations)
    {
        $sites->{$name} = HydraExport::Site->new(
            $self->{node}, 'postgres', $self->{s3},
            bucket          => $bucket,
            prefix          => $destinations{$name},
            destination     => $name,
            frequency_hours => $name eq 'fast' ? 1 : 168,
            ($self->{faults} ? (endpoint => $self->{faults}->endpoint) : ()));
    }
    $sites->{default}->sql(join ";\n", create_sql(), HydraExport::Torture::Maintenance::create_sql());
    foreach my $site (values %$sites) { $self->add_models($site) }
    return;
}

sub add_models
{
    my ($self, $site) = @_;

    foreach my $name (@names)
    {
        my ($by_xmin, $by_updated_at) = models_of($name);
        $site->add_model($name, name => "'$by_xmin'");
        # Less than the writers' own times would hide what the cursor must find.
        $site->add_model($name, name => "'$by_updated_at'", changed_by => q('updated_at'), look_back => q('0'));
    }
    return;
}

# ---- during

sub torment
{
    my ($self) = @_;

    $self->{until} = time + $self->{seconds};
    my %children;
    foreach my $number (1 .. $self->{writers})
    {
        $children{ $self->child("writer$number", sub { $self->write($number, @_) }) } = "writer$number";
    }
    $children{ $self->child('maintenance', sub { $self->maintain(@_) }) } = 'maintenance';
    $children{ $self->child('exporter', sub { $self->export(@_) }) } = 'exporter';
    if ($self->{faults})
    {
        my $disturber = HydraExport::Torture::Disturber->new(
            node   => $self->{node},
            faults => $self->{faults},
            random => $self->random_of(0),
            until  => $self->{until});
        $disturber->run;
        $self->{disturbances} = $disturber->{counts};
        $self->{faults}->plan;
        $self->{faults}->release;
    }
    $self->reap(\%children);
    return;
}

sub child
{
    my ($self, $name, $work) = @_;

    defined(my $pid = fork) or croak "fork: $!";
    return $pid if $pid;
    my $log = "$self->{dir}/$name.log";
    open(STDOUT, '>>', $log);
    open(STDERR, '>>', $log);
    $SIG{TERM} = $SIG{INT} = 'DEFAULT';
    my $session = HydraExport::Torture::Session->new($self->{node}->connstr('postgres'), $log, '');
    my $counts = eval { $work->($session) };
    print STDERR "died: $@" unless $counts;
    open(my $file, '>', "$self->{dir}/$name.json");
    print $file encode_json($counts // { died => 1 });
    close $file;
    # The test's own END blocks are not for this process.
    POSIX::_exit(0);
}

sub write
{
    my ($self, $number, $session) = @_;

    my $writer = HydraExport::Torture::Writer->new(
        name     => "writer$number",
        session  => $session,
        random   => $self->random_of($number),
        until    => $self->{until},
        overflow => $self->{overflow},
        long     => $self->{seconds} / 3);
    $writer->run;
    return $writer->{counts};
}

sub maintain
{
    my ($self, $session) = @_;

    my $maintenance = HydraExport::Torture::Maintenance->new(
        session => $session,
        random  => $self->random_of(100),
        until   => $self->{until},
        dir     => $self->{dir},
        looks   => $self->{looks});
    $maintenance->run;
    return $maintenance->{counts};
}

sub export
{
    my ($self, $session) = @_;

    my $random = $self->random_of(101);
    my %counts = (calls => 0);
    while (time < $self->{until})
    {
        $session->run('SELECT hydra_export.export_now()');
        ++$counts{calls};
        sleep $random->(100) / 100;
    }
    $session->close;
    return \%counts;
}

sub reap
{
    my ($self, $children) = @_;

    my $give_up = $self->{until} + 180;
    while (%$children)
    {
        my $pid = waitpid -1, POSIX::WNOHANG;
        delete $children->{$pid} if $pid > 0;
        next if $pid > 0;
        if (time > $give_up)
        {
            fail('these end in time: ' . join ' ', values %$children);
            diag($self->sql('SELECT pid, backend_type, state, wait_event, query FROM pg_stat_activity'));
            kill KILL => keys %$children;
            last;
        }
        sleep 0.1;
    }
    return;
}

sub sql { my ($self, $sql) = @_; return $self->{node}->safe_psql('postgres', $sql) }

# ---- after

sub calm_down
{
    my ($self) = @_;

    my $node = $self->{node};
    $node->poll_query_until('postgres', 'SELECT true') or BAIL_OUT('the server did not come back');
    $self->sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
    my $random = $self->random_of(102);
    foreach my $name (split /\n/, $self->sql('SELECT gid FROM pg_prepared_xacts'))
    {
        $self->sql(($random->(3) ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$name'");
    }
    my $maintenance = HydraExport::Torture::Maintenance->new(
        session => HydraExport::Torture::Session->new($node->connstr('postgres'), "$self->{dir}/repair.log", ''));
    $maintenance->repair or fail('what the maintenance left half done can be repaired');
    $maintenance->{session}->close;
    $self->sql(q(SELECT hydra_export.pause('fast'), hydra_export.pause('default')));
    $node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'))
      or fail('exports end');
    return;
}

sub last_exports
{
    my ($self) = @_;

    foreach my $name (sort keys %destinations)
    {
        my $site = $self->{sites}{$name};
        my $export = $site->export;
        is($export->{status}, 'succeeded', "$name: the last export succeeds") or diag($export->{error} // $export->{messages});
        $export = $site->export;
        is("$export->{status}, $export->{rows} rows", 'succeeded, 0 rows', "$name: nothing comes again when nothing has happened")
          or diag($export->{error} // '');
    }
    return;
}

# All that is needed to judge the run.
sub keep
{
    my ($self) = @_;

    my $dir = $self->{dir};
    foreach my $name (sort keys %destinations)
    {
        is($self->{sites}{$name}->check, '', "$name: the checks that users have find nothing");
    }
    make_path("$dir/tables");
    HydraExport::BucketCopy->take($self->{s3}, $bucket, "$dir/bucket");
    $self->save('history.json', encode_json(HydraExport::Checker::read_history($self->{node}, 'postgres')));
    foreach my $name (@names)
    {
        $self->save("tables/$name", join '', map { "$_\n" } $self->{sites}{default}->table_lines($name));
    }
    $self->save('gone', $self->sql('SELECT DISTINCT relation, key FROM gone') . "\n");
    $self->save('events', $self->sql(q(SET TimeZone = 'UTC'; SELECT to_json(at), relation, what FROM events ORDER BY at)) . "\n");
    copy($self->{node}->logfile, "$dir/server.log");
    return;
}

sub save   { my ($self, $name, $text) = @_; return $self->append($name, $text, '>') }

sub append
{
    my ($self, $name, $text, $mode) = @_;

    open(my $file, $mode // '>>', "$self->{dir}/$name") or croak "$name: $!";
    print $file $text;
    close $file;
    return;
}

# ---- figures

sub report
{
    my ($self) = @_;

    my $total = $self->{totals};
    my %did;
    foreach my $file (glob "$self->{dir}/{writer*,maintenance,exporter}.json")
    {
        my $counts = decode_json(HydraExport::S3::slurp($file));
        $did{$_} += $counts->{$_} foreach keys %$counts;
    }
    my $list = sub { my ($counts) = @_; return join ', ', map { "$_ $counts->{$_}" } sort keys %$counts };
    my $versions = $self->sql('SELECT last_value FROM versions');
    $self->say("torture: seed $self->{seed}, $self->{mode}, $self->{seconds} s");
    $self->say("row versions written: about $versions; lines sent: $total->{sent}");
    $self->say("exports of $_: " . $list->($self->{exports}{$_})) foreach sort keys %{ $self->{exports} };
    $self->say('actions: ' . $list->(\%did));
    $self->say('disturbances: ' . $list->($self->{disturbances})) if $self->{disturbances};
    $self->say('sent twice: ' . ($list->($total->{twice}) || 'none'));
    $self->keep_figures($versions, \%did);
    $self->say("lost $total->{lost}, stale $total->{stale}, not known to be gone $total->{extra}, late $total->{late}, crashes $total->{crashes}");
    return;
}

# One line a run, so that many runs can be summed up.
sub keep_figures
{
    my ($self, $versions, $did) = @_;

    my %figures = (
        (map { $_ => $self->{$_} } qw(seed mode seconds writers overflow looks exports disturbances totals)),
        versions => $versions, actions => $did, passed => Test::More->builder->is_passing ? 1 : 0);
    open(my $file, '>>', ($ENV{TESTDIR} // '.') . '/figures') or croak "figures: $!";
    print $file encode_json(\%figures), "\n";
    close $file;
    return;
}

1;
