package HydraExport::Torture::Disturber;

# Causes all kinds of failures around an export, one after another.

use strict;
use warnings;

use Time::HiRes qw(sleep time);

# new(node => …, faults => the FaultServer, random => sub, until => time)
sub new { my ($class, %self) = @_; return bless { %self, counts => {} }, $class }

sub random { my ($self, $below) = @_; return $self->{random}->($below) }

my @deck = (
    ('s3_misbehaves') x 10,
    ('s3_is_away') x 3,
    ('s3_hangs') x 3,
    ('answers_are_lost') x 4,
    ('kill_worker') x 4,
    ('kill_writer') x 1,
    ('cancel') x 3,
    ('terminate') x 3,
    ('stop_immediate') x 2,
    ('stop_fast') x 2);

sub run
{
    my ($self) = @_;

    while (time < $self->{until})
    {
        my $name = $deck[ $self->random(scalar @deck) ];
        ++$self->{counts}{$name};
        $self->can($name)->($self);
        $self->{faults}->release;
        $self->{faults}->plan;
        sleep 0.5 + $self->random(300) / 100;
    }
    return;
}

# ---- S3

sub a_path { my ($self) = @_; return ({ path => '_manifest' }, { path => '/\d+-' }, {}, {})[ $self->random(4) ] }

sub s3_misbehaves
{
    my ($self) = @_;

    my @plan;
    foreach (0 .. $self->random(5))
    {
        my $fault = (qw(status reset drop lose_answer slow pass))[ $self->random(6) ];
        my %fault = (fault => $fault, times => 1 + $self->random(4), %{ $self->a_path });
        $fault{seconds} = $self->random(150) / 100 if $fault eq 'slow';
        @fault{qw(status code)} = @{ ([ 503, 'SlowDown' ], [ 500, 'InternalError' ], [ 403, 'AccessDenied' ], [ 400, 'RequestTimeout' ])[ $self->random(4) ] }
          if $fault eq 'status';
        push @plan, \%fault;
    }
    return $self->plan_for(2 + $self->random(3), @plan);
}

sub plan_for
{
    my ($self, $seconds, @plan) = @_;

    $self->{faults}->plan(@plan);
    sleep $seconds;
    return;
}

sub s3_is_away { my ($self) = @_; return $self->plan_for(1 + $self->random(4), { fault => (qw(drop status))[ $self->random(2) ], status => 503, times => 10000 }) }
sub s3_hangs { my ($self) = @_; return $self->plan_for(1 + $self->random(4), { fault => 'hang', times => 1 + $self->random(6), %{ $self->a_path } }) }

# All attempts for an object, or for the manifest: it is stored, and the export fails.
sub answers_are_lost
{
    my ($self) = @_;
    return $self->plan_for(2, { fault => 'lose_answer', times => 3 + $self->random(6), %{ $self->a_path } });
}

# ---- processes

sub a_process
{
    my ($self, $condition) = @_;

    foreach (1 .. 40)
    {
        my $pid = '';
        $self->{node}->psql('postgres', "SELECT pid FROM pg_stat_activity WHERE $condition ORDER BY random() LIMIT 1", stdout => \$pid);
        if ($pid =~ /^\d+$/)
        {
            # Anywhere in what it does.
            sleep $self->random(30) / 100;
            return $pid;
        }
        sleep 0.05;
    }
    return;
}

sub a_worker { my ($self) = @_; return $self->a_process("backend_type = 'hydra_export worker'") }

sub kill_worker
{
    my ($self) = @_;

    my $pid = $self->a_worker or return;
    ++$self->{counts}{'workers killed'} if kill KILL => $pid;
    return $self->wait_for_server;
}

sub kill_writer
{
    my ($self) = @_;

    my $pid = $self->a_process("backend_type = 'client backend' AND application_name <> 'HydraExport::Node'") or return;
    kill KILL => $pid;
    return $self->wait_for_server;
}

# The postmaster ends all processes first.
sub wait_for_server
{
    my ($self) = @_;

    sleep 0.5;
    $self->{node}->poll_query_until('postgres', 'SELECT true') or die "the server did not come back\n";
    return;
}

sub signal
{
    my ($self, $function) = @_;

    my $pid = $self->a_worker or return;
    $self->{node}->psql('postgres', "SELECT $function($pid)");
    return;
}

sub terminate { my ($self) = @_; return $self->signal('pg_terminate_backend') }

sub cancel
{
    my ($self) = @_;

    return $self->signal('pg_cancel_backend') if $self->random(2);
    $self->{node}->psql('postgres', q(SELECT hydra_export.cancel_export(id) FROM hydra_export.exports WHERE status = 'running'));
    return;
}

# With requests on their way, some of which arrive after the server has ended.
sub stop
{
    my ($self, $mode) = @_;

    $self->{faults}->plan({ fault => 'hang', times => 2 }) if $self->random(2);
    sleep $self->random(100) / 100;
    $self->{node}->stop($mode);
    sleep $self->random(50) / 100;
    $self->{node}->start;
    return;
}

sub stop_immediate { my ($self) = @_; return $self->stop('immediate') }
sub stop_fast      { my ($self) = @_; return $self->stop('fast') }

1;
