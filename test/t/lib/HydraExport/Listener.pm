package HydraExport::Listener;

# What servers of the tests' own share: a port on loopback, and a process for each connection. Everything ends with the
# process that started it.
#
#     use parent 'HydraExport::Listener';
#     sub start { my ($class, $dir) = @_; return $class->listen(dir => $dir)->run }
#     sub serve { my ($self, $client) = @_; … }       # in the connection's process; what it changes stays there

use strict;
use warnings;

use Carp;
use IO::Select;
use IO::Socket::INET;
use POSIX ();

# listen(NAME => VALUE…): has a port; connections wait until run().
sub listen
{
    my ($class, %members) = @_;

    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or croak "listen: $!";
    return bless { %members, listener => $listener, port => $listener->sockport, owner => $$ }, $class;
}

sub run
{
    my ($self) = @_;

    defined(my $pid = fork) or croak "fork: $!";
    in_child(sub { $self->accept_connections }) if $pid == 0;
    close delete $self->{listener};
    $self->{pid} = $pid;
    return $self;
}

sub stop
{
    my ($self) = @_;

    return if $self->{owner} != $$ || !$self->{pid};
    local $?;
    kill TERM => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY { my ($self) = @_; $self->stop; return }

sub host     { return "127.0.0.1:$_[0]{port}" }
sub endpoint { return 'http://' . $_[0]->host }

# Without this the test's own END blocks would run in the child, and prove would wait for its output to close.
sub in_child
{
    my ($work) = @_;

    open(STDIN,  '<', '/dev/null');
    open(STDOUT, '>', '/dev/null');
    open(STDERR, '>', '/dev/null');
    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = 'DEFAULT';
    eval { $work->() };
    POSIX::_exit(0);
}

sub accept_connections
{
    my ($self) = @_;

    my $listener = $self->{listener};
    my $select = IO::Select->new($listener);
    my %children;
    $SIG{TERM} = sub { kill TERM => keys %children; POSIX::_exit(0) };
    while (getppid == $self->{owner})
    {
        while ((my $ended = waitpid -1, POSIX::WNOHANG) > 0) { delete $children{$ended} }
        next unless $select->can_read(0.2);
        my $client = $listener->accept or next;
        defined(my $pid = fork) or die "fork: $!";
        in_child(sub { close $listener; $self->serve($client) }) if $pid == 0;
        $children{$pid} = 1;
    }
    kill TERM => keys %children;
    return;
}

1;
