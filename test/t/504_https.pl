# HTTPS: which certificates are accepted, and what is said about the others.

use strict;
use warnings;

use HydraExport::Relay;
use HydraExport::Test;
use IO::Socket::INET;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3(TLS => 1);
my $node = new_node('https', 'hydra_export.max_attempts' => 2);
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
my $dir = PostgreSQL::Test::Utils::tempdir('https');

sub check_access
{
    my ($endpoint) = @_;
    configure($node, 'postgres', $s3, bucket => 'data', endpoint => $endpoint);
    my ($code, $out, $err) = $node->psql('postgres', 'SELECT endpoint FROM hydra_export.check_access()', timeout => 60);
    return $code == 0 ? $out : $err;
}

sub use_ca
{
    my ($file) = @_;
    $node->append_conf('postgresql.conf', "hydra_export.ca_file = '$file'");
    $node->reload;
    return;
}

sub openssl
{
    my @command = @_;
    IPC::Run::run([ 'openssl', @command ], '<', '/dev/null', '>', "$dir/openssl.out", '2>&1') or die "openssl @command";
    return;
}

# certificate(NAME, SAN, DAYS): signed by the test's CA.
sub certificate
{
    my ($name, $san, $days) = @_;
    openssl(qw(req -newkey rsa:2048 -nodes -subj /CN=test -keyout), "$dir/$name.key", '-out', "$dir/$name.csr");
    append_to_file("$dir/$name.ext", "subjectAltName=$san\n");
    (my $ca = $s3->ca_file) =~ s/\.crt$//;
    openssl('x509', '-req', '-days', $days, '-in', "$dir/$name.csr", '-CA', "$ca.crt", '-CAkey', "$ca.key",
        '-CAcreateserial', '-CAserial', "$dir/$name.srl", '-extfile', "$dir/$name.ext", '-out', "$dir/$name.crt");
    return;
}

# A server that does the handshake; no test comes further than that. Returns its endpoint and handle.
sub tls_server
{
    my ($name, @options) = @_;
    my $probe = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die;
    my $port = $probe->sockport;
    close $probe;
    my $server = IPC::Run::start(
        [ 'openssl', 's_server', '-accept', "127.0.0.1:$port", '-cert', "$dir/$name.crt", '-key', "$dir/$name.key", @options ],
        '<', \undef, '>', "$dir/$name.out", '2>&1');
    for (1 .. 100)
    {
        last if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
        select undef, undef, undef, 0.05;
    }
    return ("https://127.0.0.1:$port", $server);
}

# ---- the store's own

like(check_access($s3->https_endpoint), qr/the server's certificate is from an unknown CA.*HINT:.*hydra_export.ca_file/s,
    'a CA that the system does not know is refused, and the hint says where to name it');
use_ca('/nowhere/ca.crt');
like(check_access($s3->https_endpoint), qr/HINT:.*hydra_export.ca_file/s, 'a CA file that is not there');
use_ca($s3->ca_file);
is(check_access($s3->https_endpoint), $s3->https_endpoint . '/data', 'with its CA the store is accepted');
(my $named = $s3->https_endpoint) =~ s/127\.0\.0\.1/s3.localhost/;
$node->safe_psql('postgres', q(SELECT hydra_export.configure(addressing => 'virtual')));
(my $bucket = $named) =~ s/s3\.localhost/data.s3.localhost/;
is(check_access($named), $bucket, 'also with the bucket in the name');
$node->safe_psql('postgres', q(SELECT hydra_export.configure(addressing => 'auto')));

# ---- others

certificate('good', 'IP:127.0.0.1', 2);
certificate('wrong_name', 'DNS:elsewhere.example', 2);
certificate('expired', 'IP:127.0.0.1', 0);
my ($endpoint, $server) = tls_server('wrong_name');
like(check_access($endpoint), qr/no answer from 127\.0\.0\.1:\d+: .*(does not match|no alternative certificate subject name matches).*HINT:.*endpoint to the name/s,
    'a certificate for another name is refused');
$server->kill_kill;
($endpoint, $server) = tls_server('expired');
like(check_access($endpoint), qr/the server's certificate has expired/, 'one that has expired');
$server->kill_kill;
foreach my $version (qw(-tls1 -tls1_1))
{
    ($endpoint, $server) = tls_server('good', $version, '-cipher', 'ALL:@SECLEVEL=0');
    like(check_access($endpoint), qr/no answer from 127\.0\.0\.1:\d+: .*(SSL|TLS|alert|protocol)/i, "$version is refused");
    $server->kill_kill;
}

# ---- an export, over few connections

$node->append_conf('postgresql.conf', "hydra_export.file_size = '64kB'\nhydra_export.upload_concurrency = 2");
$node->reload;
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $s3->https_endpoint);
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE t AS SELECT g AS id, repeat('x', 1000) AS filler FROM generate_series(1, 3000) AS g;
    ALTER TABLE t ADD PRIMARY KEY (id);
    SELECT hydra_export.add_model('t');
    SQL
$node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
is($node->safe_psql('postgres', 'SELECT status, rows FROM hydra_export.exports'), 'succeeded|3000', 'an export over HTTPS');
my @lines = $s3->lines('data', $node->safe_psql('postgres', 'SELECT folder FROM hydra_export.exports') . '/t/');
is(scalar @lines, 3000, 'is whole');

# Each connection begins with a handshake, so these are counted, too.
my $relay = HydraExport::Relay->start($dir, $s3->https_endpoint);
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $relay->endpoint, prefix => 'counted');
$node->safe_psql('postgres', q(INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(3001, 15000) AS g));
$node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
cmp_ok($node->safe_psql('postgres', 'SELECT objects FROM hydra_export.exports ORDER BY id DESC LIMIT 1'), '>', 200,
    'an export of hundreds of objects');
cmp_ok($relay->connections, '>', 0, 'over connections');
cmp_ok($relay->connections, '<=', 2, 'of which there are no more than uploads at once');

# ---- a proxy, as the server's environment names it

my $proxy = HydraExport::Relay->start(PostgreSQL::Test::Utils::tempdir('proxy'));
{
    local @ENV{qw(https_proxy no_proxy)} = ($proxy->endpoint, 'other.example');
    $node->restart;
    is(check_access($s3->https_endpoint), $s3->https_endpoint . '/data', 'a store behind a proxy');
    is($proxy->connections, 1, 'which is asked');
    local $ENV{no_proxy} = '127.0.0.1';
    $node->restart;
    is(check_access($s3->https_endpoint), $s3->https_endpoint . '/data', 'a store to which no_proxy applies');
    is($proxy->connections, 1, 'is asked directly');
}

unlike(slurp_file($node->logfile), qr/\Q@{[ ($s3->writer)[1] ]}\E/, 'no secret is in the log');

done_testing();
