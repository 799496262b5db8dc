package HydraExport::Relay;

# Passes connections on as they are, and counts them. Without an ENDPOINT it is a proxy (CONNECT).
#
#     my $relay = HydraExport::Relay->start($dir, $s3->https_endpoint);
#     configure($node, 'postgres', $s3, endpoint => $relay->endpoint);
#     is($relay->connections, 2);
#
# A process for each connection. Everything ends with the process that started it.

use strict;
use warnings;

use Carp;
use IO::Select;
use IO::Socket::INET;
use POSIX ();

# start(DIR, ENDPOINT): the count is kept in DIR; connections go on to ENDPOINT, or where each asks for.
sub start
{
    my ($class, $dir, $endpoint) = @_;

    my ($scheme, $upstream) = ($endpoint // 'http://') =~ m{^(https?)://([^/]*)} or croak "not an endpoint: $endpoint";
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64) or croak "listen: $!";
    my $self = bless { dir => $dir, scheme => $scheme, upstream => $upstream, owner => $$, port => $listener->sockport }, $class;
    defined(my $pid = fork) or croak "fork: $!";
    if ($pid == 0)
    {
        open(STDOUT, '>', '/dev/null');
        open(STDERR, '>', '/dev/null');
        eval { $self->accept_connections($listener) };
        POSIX::_exit(0);
    }
    $self->{pid} = $pid;
    return $self;
}

sub stop
{
    my ($self) = @_;

    return if $self->{owner} != $$;
    $self->{owner} = 0;
    local $?;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

sub DESTROY { my ($self) = @_; $self->stop; return }

sub endpoint { return "$_[0]{scheme}://127.0.0.1:$_[0]{port}" }

sub connections { return -s "$_[0]{dir}/connections" // 0 }

sub accept_connections
{
    my ($self, $listener) = @_;

    $SIG{CHLD} = 'IGNORE';
    my $select = IO::Select->new($listener);
    while (getppid == $self->{owner})
    {
        next unless $select->can_read(0.2);
        my $client = $listener->accept or next;
        open(my $count, '>>', "$self->{dir}/connections") or die "connections: $!";
        syswrite $count, '.';
        close $count;
        defined(my $pid = fork) or die "fork: $!";
        next if $pid != 0;
        close $listener;
        pass($client, IO::Socket::INET->new(PeerAddr => $self->{upstream} || asked_for($client)));
        POSIX::_exit(0);
    }
    return;
}

# The place that a client asks to be connected to, with its answer sent.
sub asked_for
{
    my ($client) = @_;

    my $head = '';
    until ($head =~ /\r\n\r\n/) { sysread $client, $head, 65536, length $head or die "no request\n" }
    my ($place) = $head =~ /^CONNECT (\S+)/ or die "not a CONNECT\n";
    syswrite $client, "HTTP/1.1 200 Connected\r\n\r\n";
    return $place;
}

sub pass
{
    my ($client, $server) = @_;

    my $select = IO::Select->new($client, $server);
    while (1)
    {
        foreach my $from ($select->can_read)
        {
            my $to = $from == $client ? $server : $client;
            sysread($from, my $bytes, 65536) or return;
            my $done = 0;
            while ($done < length $bytes)
            {
                $done += syswrite($to, $bytes, length($bytes) - $done, $done) // return;
            }
        }
    }
    return;
}

1;
