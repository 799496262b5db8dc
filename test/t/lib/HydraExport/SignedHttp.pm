package HydraExport::SignedHttp;

# Signed requests to an S3 server over plain HTTP, without a process for each.
#
#     my $http = HydraExport::SignedHttp->new('http://127.0.0.1:8000', 'us-east-1');
#     my $answer = $http->request('GET', '/bucket/key', keys => [ $access_key, $secret_key ]);     # { status, body }
#
# The connection stays open between requests. HTTP::Tiny would do, if it did not send a request again that got no
# answer: a test wants to know. Signatures are made here, so that the extension's are not checked with its own code.

use strict;
use warnings;

use Carp;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use IO::Socket::INET;
use POSIX qw(strftime);
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_RCVTIMEO SO_SNDTIMEO TCP_QUICKACK);

my $seconds = 60;

# new(ENDPOINT, REGION): connects with the first request.
sub new
{
    my ($class, $endpoint, $region) = @_;

    my ($host) = $endpoint =~ m{^http://([^/]+)$} or croak "not a plain http endpoint: $endpoint";
    return bless { host => $host, region => $region }, $class;
}

# request(METHOD, TARGET, keys => [access key, secret], body => bytes): dies without an answer. TARGET is sent as it is.
sub request
{
    my ($self, $method, $target, %options) = @_;

    my $body = $options{body} // '';
    my $head = $self->head($method, $target, defined $options{body}, length $body, @{ $options{keys} });
    local $SIG{PIPE} = 'IGNORE';
    my $answer = $self->exchange_kept($method, $head . $body);
    return $answer if $answer;
    $self->connect;
    return $self->exchange($method, $head . $body) // die "the connection ended without an answer\n";
}

# ---- connections

# The server may have closed a connection that was kept; then it has not looked at the request. Processes that a test
# forked have connections of their own.
sub exchange_kept
{
    my ($self, $method, $bytes) = @_;

    return if !$self->{socket} || $self->{process} != $$;
    return $self->exchange($method, $bytes);
}

sub connect
{
    my ($self) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => $self->{host}, Timeout => $seconds) or die "$self->{host}: $@\n";
    $socket->setsockopt(SOL_SOCKET, $_, pack 'l!l!', $seconds, 0) foreach SO_RCVTIMEO, SO_SNDTIMEO;
    @{$self}{qw(socket process buffer)} = ($socket, $$, '');
    return;
}

# The answer, or undef where the connection ended before it began.
sub exchange
{
    my ($self, $method, $bytes) = @_;

    $self->send($bytes);
    my $head = $self->read_head;
    if (!defined $head)
    {
        delete $self->{socket};
        return;
    }
    my ($status) = $head =~ m{^HTTP/1\.\d (\d+)} or die "not an answer: $head\n";
    my $body = $method eq 'HEAD' || $status =~ /^(204|304)$/ ? '' : $self->read_body($head);
    delete $self->{socket} if $head =~ /^Connection:\s*close/mi;
    return { status => $status + 0, head => $head, body => $body };
}

# What cannot be sent may have an answer nevertheless.
sub send
{
    my ($self, $bytes) = @_;

    my $offset = 0;
    while ($offset < length $bytes)
    {
        $offset += syswrite($self->{socket}, $bytes, 1 << 20, $offset) // return;
    }
    return;
}

sub read_head
{
    my ($self) = @_;

    for (;;)
    {
        while ($self->{buffer} !~ /\r\n\r\n/) { $self->read_more or return }
        $self->{buffer} =~ s/\A(.*?\r\n)\r\n//s;
        my $head = $1;
        return $head if $head !~ m{^HTTP/1\.\d 1\d\d};
    }
}

sub read_body
{
    my ($self, $head) = @_;

    return $self->read_chunks if $head =~ /^Transfer-Encoding:\s*chunked/mi;
    return $self->take($1) if $head =~ /^Content-Length:\s*(\d+)/mi;
    1 while $self->read_more;
    delete $self->{socket};
    return $self->{buffer};
}

sub read_chunks
{
    my ($self) = @_;

    my $body = '';
    while (my $length = hex $self->take_line)
    {
        $body .= $self->take($length);
        $self->take_line;
    }
    1 while $self->take_line ne '';
    return $body;
}

sub take
{
    my ($self, $length) = @_;

    while (length $self->{buffer} < $length) { $self->read_more or $self->cut_off }
    return substr $self->{buffer}, 0, $length, '';
}

sub take_line
{
    my ($self) = @_;

    while ($self->{buffer} !~ /\r\n/) { $self->read_more or $self->cut_off }
    $self->{buffer} =~ s/\A(.*?)\r\n//s;
    return $1;
}

sub cut_off
{
    my ($self) = @_;

    delete $self->{socket};
    die "the answer was cut off\n";
}

# 0 at the end; what takes too long is none. The gateway sends head and body apart, and the body only when the head has
# been acknowledged, which would take 40 ms.
sub read_more
{
    my ($self) = @_;

    $self->{socket}->setsockopt(IPPROTO_TCP, TCP_QUICKACK, 1);
    my $read = sysread $self->{socket}, $self->{buffer}, 1 << 20, length $self->{buffer};
    return $read if defined $read;
    delete $self->{socket};
    die "no answer: $!\n" if $!{EAGAIN};
    return 0;
}

# ---- signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

sub head
{
    my ($self, $method, $target, $has_body, $length, $key, $secret) = @_;

    my $time = strftime('%Y%m%dT%H%M%SZ', gmtime);
    my %signed = (host => $self->{host}, 'x-amz-content-sha256' => 'UNSIGNED-PAYLOAD', 'x-amz-date' => $time);
    $signed{'content-type'} = 'application/octet-stream' if $has_body;
    my @lines = map { "$_:$signed{$_}\r\n" } sort keys %signed;
    push @lines, 'Authorization: ' . $self->authorization($method, $target, $key, $secret, %signed) . "\r\n";
    push @lines, "Content-Length: $length\r\n" if $has_body || $method =~ /^P/;
    return join '', "$method $target HTTP/1.1\r\n", @lines, "\r\n";
}

sub authorization
{
    my ($self, $method, $target, $key, $secret, %signed) = @_;

    my ($path, $query) = split /\?/, $target, 2;
    my $names = join ';', sort keys %signed;
    my $parameters = join '&', sort map { /=/ ? $_ : "$_=" } split /&/, $query // '';
    my $headers = join '', map { "$_:$signed{$_}\n" } sort keys %signed;
    my $canonical = join "\n", $method, $path, $parameters, $headers, $names, $signed{'x-amz-content-sha256'};
    my $day = substr $signed{'x-amz-date'}, 0, 8;
    my @scope = ($day, $self->{region}, 's3', 'aws4_request');
    my $text = join "\n", 'AWS4-HMAC-SHA256', $signed{'x-amz-date'}, join('/', @scope), sha256_hex($canonical);
    my $signing_key = "AWS4$secret";
    $signing_key = hmac_sha256($_, $signing_key) foreach @scope;
    my $signature = hmac_sha256_hex($text, $signing_key);
    return "AWS4-HMAC-SHA256 Credential=$key/" . join('/', @scope) . ", SignedHeaders=$names, Signature=$signature";
}

1;
