package HydraExport::Relay;

# Passes connections on as they are, and counts them. Without an ENDPOINT it is a proxy (CONNECT).
#
#     my $relay = HydraExport::Relay->start($dir, $s3->https_endpoint);
#     configure($node, 'postgres', $s3, endpoint => $relay->endpoint);
#     is($relay->connections, 2);

use strict;
use warnings;

use Carp;
use IO::Select;
use IO::Socket::INET;

use parent 'HydraExport::Listener';

# start(DIR, ENDPOINT): the count is kept in DIR; connections go on to ENDPOINT, or where each asks for.
sub start
{
    my ($class, $dir, $endpoint) = @_;

    my ($scheme, $upstream) = ($endpoint // 'http://') =~ m{^(https?)://([^/]*)} or croak "not an endpoint: $endpoint";
    return $class->listen(dir => $dir, scheme => $scheme, upstream => $upstream)->run;
}

sub endpoint { return "$_[0]{scheme}://" . $_[0]->host }

sub connections { return -s "$_[0]{dir}/connections" // 0 }

sub serve
{
    my ($self, $client) = @_;

    open(my $count, '>>', "$self->{dir}/connections") or die "connections: $!";
    syswrite $count, '.';
    close $count;
    pass($client, IO::Socket::INET->new(PeerAddr => $self->{upstream} || asked_for($client)));
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
