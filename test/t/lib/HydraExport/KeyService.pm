package HydraExport::KeyService;

# The services that hand out keys on a machine in the cloud, as one HTTP server on loopback: the instance metadata
# service (version 2 only), a container's agent, and STS.
#
#     my $service = HydraExport::KeyService->start($dir, key => …, secret => …);
#     local $ENV{AWS_EC2_METADATA_SERVICE_ENDPOINT} = $service->endpoint;
#
# Each hands out the given pair, good for an hour. requests() are those so far, with the tokens that came with them.

use strict;
use warnings;

use Carp;
use POSIX ();
use Time::HiRes qw(sleep);

use parent 'HydraExport::Listener';

sub start
{
    my ($class, $dir, %keys) = @_;

    my $self = $class->listen(dir => $dir, %keys);
    append($self, 'requests', '');
    return $self->run;
}

# From now on requests are read, and not answered.
sub hang { return append($_[0], 'hang', '') }

sub requests
{
    my ($self) = @_;
    open(my $file, '<', "$self->{dir}/requests") or croak "requests: $!";
    chomp(my @lines = <$file>);
    return @lines;
}

sub append
{
    my ($self, $name, $text) = @_;
    open(my $file, '>>', "$self->{dir}/$name") or croak "$name: $!";
    syswrite $file, $text;
    close $file;
    return;
}

sub serve
{
    my ($self, $client) = @_;

    my $head = '';
    while ($head !~ /\r\n\r\n/) { sysread $client, $head, 65536, length $head or last }
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    while (length($head) < index($head, "\r\n\r\n") + 4 + ($length // 0))
    {
        sysread $client, $head, 65536, length $head or last;
    }
    my ($line) = $head =~ /^(\S+ \S+)/;
    my ($token) = $head =~ /^x-aws-ec2-metadata-token: (\S+)/mi;
    my ($auth) = $head =~ /^authorization: (\S+)/mi;
    append($self, 'requests', $line . (defined $token ? " token=$token" : '') . (defined $auth ? " auth=$auth" : '') . "\n");
    sleep 1 while -e "$self->{dir}/hang";
    my ($status, $body) = $self->answer($line, $token // '', $auth // '', $head);
    syswrite $client, "HTTP/1.1 $status X\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
    return;
}

sub answer
{
    my ($self, $line, $token, $auth, $request) = @_;

    my $end = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 3600));
    my $json = qq({"Code": "Success", "AccessKeyId": "$self->{key}", "SecretAccessKey": "$self->{secret}", "Expiration": "$end"});
    my $path = '/latest/meta-data/iam/security-credentials/';
    return (200, 'IMDS') if $line eq 'PUT /latest/api/token' && $request =~ /token-ttl-seconds: 21600/i;
    return (401, '') if $line =~ m{^GET $path} && $token ne 'IMDS';
    return (200, 'test-role') if $line eq "GET $path";
    return (200, $json) if $line eq "GET ${path}test-role";
    return (200, $json) if $line eq 'GET /container' && $auth eq 'pod-token';
    return (200, "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>$self->{key}</AccessKeyId>"
        . "<SecretAccessKey>$self->{secret}</SecretAccessKey><Expiration>$end</Expiration></Credentials>"
        . '</AssumeRoleWithWebIdentityResponse>')
      if $line eq 'POST /sts/' && $request =~ /WebIdentityToken=web-token/;
    return (404, '');
}

1;
