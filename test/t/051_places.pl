# Where data may go: no connection is made to places that allowed_places refuses, through any names, redirects or
# roles.

use strict;
use warnings;

use HydraExport::Relay;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Socket qw(inet_ntoa);
use Sys::Hostname qw(hostname);
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
$s3->make_bucket($_) foreach qw(exports mine);
# Each represents a server that an attacker would like to reach through this one.
my $other = HydraExport::Relay->start(PostgreSQL::Test::Utils::tempdir('other'), $s3->endpoint);
my ($port) = $other->endpoint =~ /:(\d+)$/;
my $store = $faults->endpoint . '/exports';
my $node = new_node(
    'places',
    'hydra_export.allowed_places' => $store,
    'hydra_export.allow_http'     => 'on',
    'hydra_export.max_attempts'   => 3);
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hydra_export;
CREATE ROLE admin LOGIN IN ROLE hydra_export_admin;
CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t VALUES (1);
SQL
configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $faults->endpoint);
$node->safe_psql('postgres', q{SELECT hydra_export.add_model('t')});

sub allow
{
    my ($list) = @_;

    $node->safe_psql('postgres', "ALTER SYSTEM SET hydra_export.allowed_places = '$list'; SELECT pg_reload_conf()");
    # The launcher's workers and new sessions have it at once; a session that is open, with its next statement.
    $node->poll_query_until('postgres', "SELECT setting = '$list' FROM pg_settings WHERE name = 'hydra_export.allowed_places'");
    return;
}

# try(SQL): what it answers, or the error.
sub try
{
    my ($sql, %options) = @_;

    my ($status, $output, $error) = $node->psql('postgres', $sql, timeout => 60, %options);
    return $status == 0 ? $output : $error;
}

my @as_admin = (extra_params => [ '-U', 'admin' ]);
my $refused = qr/ERROR: .*bucket "\w+" at this endpoint is not among the allowed places/;

sub check_access { return try('SELECT endpoint FROM hydra_export.check_access()', @_) }

# ---- settings

like(try("SELECT hydra_export.configure(endpoint => '" . $other->endpoint . "')", @as_admin),
    $refused, 'an admin cannot keep the bucket, and point its endpoint to another server');
like(try("SELECT hydra_export.configure(bucket => 'mine')", @as_admin), $refused, 'nor keep the endpoint, and name another bucket');
is(check_access(@as_admin), $store, 'what is allowed is reached');

# Settings that were saved before the list was.
$node->safe_psql('postgres', "UPDATE hydra_export.settings SET endpoint = '" . $other->endpoint . "'");
like(check_access(@as_admin), $refused, 'a check asks again');
like(try('SELECT hydra_export.export_now()', @as_admin), $refused, 'and so does an export');
$node->safe_psql('postgres', "UPDATE hydra_export.settings SET endpoint = 'http://127.0.0.1:1'");
like(check_access(@as_admin), $refused, 'a port where nothing listens is told the same');
is($other->connections, 0, 'nothing was connected to');

# ---- names

# A name of this machine, other than localhost, that leads to loopback.
my ($name) = grep { my $ip = gethostbyname($_); $ip && inet_ntoa($ip) =~ /^127\./ } 'localhost.localdomain', 'ip4-localhost', hostname();
SKIP:
{
    skip 'no name here leads to loopback', 8 unless $name;
    my $by_name = "http://$name:$port";
    my $not_there = qr/no answer from \Q$name\E:\d+: data may not be sent to its address.*HINT:.*allowed_places/s;
    allow('http://*:*/*');
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $by_name);
    like(check_access(@as_admin), $not_there, 'a name that leads to loopback is refused when it is looked up');
    allow('');
    like(check_access(@as_admin), $not_there, 'without a list, too');
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => "http://$name:1");
    like(check_access(@as_admin), $not_there, 'and whether anything listens there or not');
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $by_name, role_arn => 'arn:aws:iam::123456789012:role/r');
    like(check_access(@as_admin), qr/STS AssumeRole: data may not be sent to its address/, 'a role is not asked for there, either');
    is($other->connections, 0, 'nothing was connected to');
    allow("$by_name/exports");
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $by_name, role_arn => '', external_id => '');
    is(check_access(@as_admin), "$by_name/exports", 'a host that the list names may have such an address');
    is($other->connections, 1, 'and is connected to');

    allow("$store, https://*:*/exports");
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $faults->endpoint);
    $faults->plan({ fault => 'status', status => 307, code => 'TemporaryRedirect', headers => "Location: https://$name:$port/exports/_hydra_export_check" });
    like(check_access(@as_admin), $not_there, 'nor does a redirect lead there');
    is($other->connections, 1, 'and nothing is connected to');
}

# ---- redirects

my $before = $other->connections;
my $redirect = { fault => 'status', status => 307, code => 'TemporaryRedirect', headers => 'Location: ' . $other->endpoint . '/exports/_hydra_export_check' };
allow($store);
configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $faults->endpoint);
$faults->plan($redirect);
like(check_access(@as_admin), qr/S3 answered 307/, 'a store cannot send us where data may not go');
is($other->connections, $before, 'nothing was connected to');
allow("$store, http://127.0.0.1:$port/exports");
$faults->plan($redirect);
is(check_access(@as_admin), $other->endpoint . '/exports', 'elsewhere it can');
is($other->connections, $before + 1, 'and is followed');
$faults->plan;

# ---- a proxy of the server's environment: it looks up the name, and its own address is the administrator's choice

{
    my $proxy = HydraExport::Relay->start(PostgreSQL::Test::Utils::tempdir('proxy'));
    local $ENV{https_proxy} = $proxy->endpoint;
    allow('https://*.example/*');
    $node->restart;
    configure($node, 'postgres', $s3, bucket => 'exports', endpoint => 'https://no.such.host.example');
    unlike(check_access(@as_admin), qr/sent to its address/, 'a proxy on loopback is not refused');
    cmp_ok($proxy->connections, '>', 0, 'but asked');
}

# ---- a list that the server cannot read when it starts, as it only warns of that

$node->safe_psql('postgres', 'ALTER SYSTEM RESET hydra_export.allowed_places');
my $unknown = qr/ERROR:  the server's settings do not say where data may go/;
foreach my $conf ("hydra_export.allowed_places = 'exports'", "hydra_export.allowed_places = ''\nhydra_export.allowed_buckets = 'exports'")
{
    $node->append_conf('postgresql.conf', $conf);
    $node->restart;
    (my $shown = $conf) =~ s/\n/, /;
    like(check_access(@as_admin), $unknown, "$shown allows nothing");
    like(try("SELECT hydra_export.configure(endpoint => 'https://s3.example.com')", @as_admin), $unknown, 'and nothing can be saved');
}
allow($store);
configure($node, 'postgres', $s3, bucket => 'exports', endpoint => $faults->endpoint);
is(check_access(@as_admin), $store, 'until the list is there');

done_testing();
