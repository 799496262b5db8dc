package HydraExport::Issuer;

# An identity provider (OpenID Connect) on loopback: it publishes its key, and signs tokens with it.
#
#     my $issuer = HydraExport::Issuer->start($dir);
#     my $token = $issuer->token(sub => 'system:serviceaccount:db:postgres', aud => 'sts.amazonaws.com');

use strict;
use warnings;

use IPC::Run ();
use JSON::PP;
use MIME::Base64 qw(encode_base64 encode_base64url);

use parent 'HydraExport::Listener';

sub start
{
    my ($class, $dir) = @_;

    my $self = $class->listen(dir => $dir);
    openssl('', qw(req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=issuer -keyout), "$dir/issuer.key", '-out', "$dir/issuer.crt");
    $self->{x5c} = encode_base64(openssl('', qw(x509 -outform DER -in), "$dir/issuer.crt"), '');
    return $self->run;
}

# The "iss" of its tokens.
sub url { return $_[0]->endpoint }

# Of its certificate, as IAM wants it.
sub thumbprint
{
    my ($self) = @_;
    my ($digits) = openssl('', qw(x509 -noout -fingerprint -sha1 -in), "$self->{dir}/issuer.crt") =~ /=(.*)/;
    return $digits =~ s/://gr;
}

# token(CLAIM => VALUE…): a signed token (JWT, RS256), good for an hour unless `exp` says otherwise.
sub token
{
    my ($self, %claims) = @_;

    my $now = time;
    %claims = (iss => $self->url, iat => $now - 10, nbf => $now - 10, exp => $now + 3600, %claims);
    my $text = join '.', map { encode_base64url(encode_json($_)) } { alg => 'RS256', typ => 'JWT', kid => 'k1' }, \%claims;
    return "$text." . encode_base64url(openssl($text, qw(dgst -sha256 -sign), "$self->{dir}/issuer.key"));
}

sub openssl
{
    my ($input, @command) = @_;

    my ($out, $err);
    IPC::Run::run([ 'openssl', @command ], '<', \$input, '>', \$out, '2>', \$err) or die "openssl @command: $err";
    return $out;
}

sub serve
{
    my ($self, $client) = @_;

    my %documents = (
        '/.well-known/openid-configuration' => { issuer => $self->url, jwks_uri => $self->url . '/keys' },
        '/keys' => { keys => [ { kty => 'RSA', use => 'sig', alg => 'RS256', kid => 'k1', x5c => [ $self->{x5c} ] } ] });
    my $head = '';
    until ($head =~ /\r\n\r\n/) { sysread $client, $head, 65536, length $head or last }
    my ($path) = $head =~ /^GET (\S+)/;
    my $document = $documents{ $path // '' };
    my $body = $document ? encode_json($document) : '';
    my $status = $document ? '200 OK' : '404 Not Found';
    syswrite $client, "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: " . length($body)
      . "\r\nConnection: close\r\n\r\n$body";
    return;
}

1;
