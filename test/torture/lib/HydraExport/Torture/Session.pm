package HydraExport::Torture::Session;

# A session of psql that lives as long as the server does, and comes back after it. Only for the process that made it.
#
#     my $session = HydraExport::Torture::Session->new($connstr, "$dir/writer1.log", q{SET lock_timeout = '2s'});
#     my $output = $session->run('BEGIN; …');      # undef: the server went away meanwhile
#
# Errors of statements are expected, and go to the log.

use strict;
use warnings;

use IPC::Open3;
use Time::HiRes qw(sleep time);

sub new
{
    my ($class, $connstr, $log, $start, $deadline) = @_;
    return bless { connstr => $connstr, log => $log, start => $start, number => 0, deadline => $deadline }, $class;
}

# Waits for a server that is down; dies if it does not start again.
sub connect
{
    my ($self) = @_;

    my $give_up = time + 120;
    until ($self->{in})
    {
        die "the server did not come back\n" if time > $give_up;
        $self->start;
        last if defined $self->send_and_wait($self->{start});
        sleep 0.1;
    }
    return;
}

sub start
{
    my ($self) = @_;

    open(my $log, '>>', $self->{log}) or die "$self->{log}: $!";
    my @command = (qw(psql -X -q -A -t -d), $self->{connstr});
    $self->{pid} = open3(my $in, my $out, '>&' . fileno $log, @command);
    $in->autoflush(1);
    @{$self}{qw(in out)} = ($in, $out);
    return;
}

sub send_and_wait
{
    my ($self, $sql) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $mark = 'done ' . ++$self->{number};
    my $output = '';
    if (print { $self->{in} } "$sql\n;\n\\echo $mark\n")
    {
        while (defined(my $line = readline $self->{out}))
        {
            return $output if $line eq "$mark\n";
            $output .= $line;
        }
    }
    $self->close;
    return;
}

sub run
{
    my ($self, $sql) = @_;

    $self->connect;
    return $self->send_and_wait($sql);
}

sub close
{
    my ($self) = @_;

    return unless $self->{in};
    close $self->{in};
    close $self->{out};
    waitpid $self->{pid}, 0;
    delete @{$self}{qw(in out pid)};
    return;
}

1;
