package HydraExport::FaultServer;

# A proxy between a client and an S3 server that misbehaves as planned.
#
#     my $faults = HydraExport::FaultServer->start($dir, $s3->endpoint);
#     $faults->plan({ fault => 'status', status => 503, code => 'SlowDown', times => 3 }, { fault => 'lose_answer' });
#     configure($node, 'postgres', $s3, bucket => 'b', endpoint => $faults->endpoint);
#     is(scalar $faults->requests, 5);
#
# Each request takes the first fault of the plan that fits it; without one it is passed on. A fault has:
#
#     fault        pass          passed on (a place in the plan for a good answer)
#                  status        answered here with `status`, `code`, `message` (optional: `headers`, a text of lines, and
#                                `body`, in place of S3's XML)
#                  reset         read whole, then the connection is reset
#                  drop          the connection ends before the body is read
#                  hang          read whole, then no answer until release(); after it, passed on
#                  slow          passed on after `seconds`
#                  lose_answer   passed on, and the connection ends without the answer
#     times        for how many requests; default 1
#     path         a pattern that the request's target must match; without one, anything but an export's claim of its folder
#     method       the request's method
#
# Faults do not hold up each other, as each connection has a process of its own (HydraExport::Listener). The plan is a
# file, so that all of them see it.

use strict;
use warnings;

use Carp;
use Fcntl qw(:flock);
use IO::Socket::INET;
use JSON::PP;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use parent 'HydraExport::Listener';

my %faults = (
    pass        => \&pass,
    status      => \&answer_status,
    reset       => \&reset_connection,
    drop        => sub { return 0 },
    hang        => \&hang,
    slow        => \&slow,
    lose_answer => \&lose_answer);

# start(DIR, ENDPOINT): plan and log are kept in DIR, requests go on to ENDPOINT (http://host:port).
sub start
{
    my ($class, $dir, $endpoint) = @_;

    my ($upstream) = $endpoint =~ m{^http://([^/]+)} or croak "not a plain http endpoint: $endpoint";
    my $self = $class->listen(dir => $dir, upstream => $upstream);
    $self->plan;
    write_file("$dir/log", '');
    return $self->run;
}

# plan(FAULT…): replaces what is left of the plan; without faults, everything is passed on.
sub plan
{
    my ($self, @plan) = @_;

    foreach my $fault (@plan)
    {
        croak "unknown fault \"$fault->{fault}\"" unless $faults{ $fault->{fault} };
    }
    my $now = microseconds();
    $self->with_plan(sub { return map { +{ %$_, planned => $now } } @plan });
    return;
}

# release(): requests that hang, or would by the plan that there is, are passed on now.
sub release
{
    my ($self) = @_;
    write_file("$self->{dir}/released.new", microseconds());
    rename "$self->{dir}/released.new", "$self->{dir}/released" or croak "released: $!";
    return;
}

# requests(): { method, target, fault } of each request so far, in the order of arrival.
sub requests
{
    my ($self) = @_;

    open(my $file, '<', "$self->{dir}/log") or croak "log: $!";
    return map { decode_json($_) } <$file>;
}

# ---- the plan

# Calls $change with the plan, under a lock, and keeps what it returns.
sub with_plan
{
    my ($self, $change) = @_;

    open(my $file, '+>>', "$self->{dir}/plan") or croak "plan: $!";
    flock $file, LOCK_EX;
    seek $file, 0, 0;
    my @plan = $change->(map { decode_json($_) } <$file>);
    truncate $file, 0;
    print $file map { encode_json($_) . "\n" } @plan;
    close $file;
    return;
}

sub take_fault
{
    my ($self, $request) = @_;

    my $taken = { fault => 'pass' };
    $self->with_plan(
        sub {
            my @plan = @_;
            my ($fault) = grep { fits($_, $request) } @plan or return @plan;
            $taken = $fault;
            $fault->{times} = ($fault->{times} // 1) - 1;
            return grep { !defined $_->{times} || $_->{times} > 0 } @plan;
        });
    return $taken;
}

sub fits
{
    my ($fault, $request) = @_;

    return 0 if defined $fault->{method} && $fault->{method} ne $request->{method};
    return $request->{target} =~ /$fault->{path}/ if defined $fault->{path};
    return $request->{target} !~ m{/_claim\.json$};
}

sub note
{
    my ($self, $request, $fault) = @_;

    my $line = encode_json({ method => $request->{method}, target => $request->{target}, fault => $fault->{fault} });
    open(my $file, '>>', "$self->{dir}/log") or die "log: $!";
    syswrite $file, "$line\n";
    close $file;
    return;
}

# ---- requests

sub serve
{
    my ($self, $socket) = @_;

    my $client = { socket => $socket, buffer => '' };
    while (my $request = read_head($client))
    {
        my $fault = $self->take_fault($request);
        $self->note($request, $fault);
        $faults{ $fault->{fault} }->($self, $client, $request, $fault) or last;
    }
    close $socket;
    return;
}

# ---- faults: each returns whether the connection goes on

sub pass
{
    my ($self, $client, $request) = @_;

    read_body($client, $request);
    write_all($client->{socket}, $self->forward($request));
    return 1;
}

sub answer_status
{
    my ($self, $client, $request, $fault) = @_;

    read_body($client, $request);
    my ($code, $message) = ($fault->{code} // 'InternalError', $fault->{message} // 'planned by the test');
    my $body = $fault->{body} // qq{<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>$code</Code><Message>$message</Message>}
      . '<RequestId>FAULT0000000001</RequestId></Error>';
    my @lines = ("HTTP/1.1 $fault->{status} $code", 'Content-Type: application/xml', 'Content-Length: ' . length $body);
    push @lines, split /\r?\n/, $fault->{headers} // '';
    write_all($client->{socket}, join("\r\n", @lines, '', $body));
    return 1;
}

# Closing with a linger time of zero sends RST instead of FIN.
sub reset_connection
{
    my ($self, $client, $request) = @_;

    read_body($client, $request);
    setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    return 0;
}

sub hang
{
    my ($self, $client, $request, $fault) = @_;

    read_body($client, $request);
    my $parent = getppid;
    until ($self->released >= $fault->{planned})
    {
        return 0 if getppid != $parent;
        sleep 0.05;
    }
    return $self->pass($client, $request);
}

# When release() was called last.
sub released
{
    my ($self) = @_;

    open(my $file, '<', "$self->{dir}/released") or return 0;
    return <$file>;
}

sub microseconds { return int(1e6 * time) }

sub slow
{
    my ($self, $client, $request, $fault) = @_;

    read_body($client, $request);
    sleep $fault->{seconds};
    return $self->pass($client, $request);
}

sub lose_answer
{
    my ($self, $client, $request) = @_;

    read_body($client, $request);
    $self->forward($request);
    return 0;
}

# ---- HTTP, as much of it as a client of S3 uses

# The next request's head as { method, target, head, length }, or undef at the end of the connection.
sub read_head
{
    my ($client) = @_;

    until ($client->{buffer} =~ /\r\n\r\n/)
    {
        read_more($client) or return;
    }
    $client->{buffer} =~ s/^(.*?\r\n)\r\n//s;
    my $head = $1;
    my ($method, $target) = $head =~ /^(\S+) (\S+)/;
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    return { method => $method, target => $target, head => $head, length => $length // 0 };
}

# A client that asks before it sends a large body gets its answer here, as the body has to come first.
sub read_body
{
    my ($client, $request) = @_;

    return if defined $request->{body};
    write_all($client->{socket}, "HTTP/1.1 100 Continue\r\n\r\n") if $request->{head} =~ s/^Expect:.*?\r\n//mi;
    while (length $client->{buffer} < $request->{length})
    {
        read_more($client) or die "the client ended\n";
    }
    $request->{body} = substr $client->{buffer}, 0, $request->{length}, '';
    return;
}

# The whole answer as bytes. The connection to the server is closed after each request, the client's is not.
sub forward
{
    my ($self, $request) = @_;

    my $server = IO::Socket::INET->new(PeerAddr => $self->{upstream}) or die "connect: $!";
    write_all($server, "$request->{head}Connection: close\r\n\r\n$request->{body}");
    my $answer = { socket => $server, buffer => '' };
    1 while read_more($answer);
    $answer->{buffer} =~ s/\A((?:[^\r\n]+\r\n)*?)Connection:[^\r\n]*\r\n/$1/i;
    return $answer->{buffer};
}

sub read_more
{
    my ($stream) = @_;
    return sysread $stream->{socket}, $stream->{buffer}, 65536, length $stream->{buffer};
}

sub write_all
{
    my ($socket, $bytes) = @_;

    my $offset = 0;
    while ($offset < length $bytes)
    {
        $offset += syswrite($socket, $bytes, length($bytes) - $offset, $offset) // die "write: $!\n";
    }
    return;
}

sub write_file
{
    my ($path, $text) = @_;

    open(my $file, '>', $path) or croak "$path: $!";
    print $file $text;
    close $file;
    return;
}

1;
