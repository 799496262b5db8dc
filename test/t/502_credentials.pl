# Keys from sources of the server, and check_access(), against a real store.

use strict;
use warnings;

use File::Basename qw(dirname);
use HydraExport::FaultServer;
use HydraExport::KeyService;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $sts_key = '0123456789abcdef';
my $s3 = start_s3(EXTRA_CONF => "rgw_s3_auth_use_sts = true\nrgw_sts_key = $sts_key\n");
my ($key, $secret) = $s3->writer;
my $dir = PostgreSQL::Test::Utils::tempdir('keys');
my $service = HydraExport::KeyService->start($dir, key => $key, secret => $secret);

# The server's environment, as the postmaster is started with it.
my %environment = (
    AWS_SHARED_CREDENTIALS_FILE       => "$dir/credentials",
    AWS_EC2_METADATA_SERVICE_ENDPOINT => $service->endpoint,
    AWS_ACCESS_KEY_ID                 => $key,
    AWS_SECRET_ACCESS_KEY             => $secret,
    AWS_CONTAINER_CREDENTIALS_FULL_URI => $service->endpoint . '/container',
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE => "$dir/pod",
    AWS_WEB_IDENTITY_TOKEN_FILE       => "$dir/token",
    AWS_ROLE_ARN                      => 'arn:aws:iam::123456789012:role/web');
append_to_file("$dir/credentials", "[backup]\naws_access_key_id = $key\naws_secret_access_key = $secret\n");
append_to_file("$dir/pod", "pod-token\n");
append_to_file("$dir/token", "web-token\n");
local @ENV{ keys %environment } = values %environment;
local $ENV{AWS_ENDPOINT_URL_STS} = $service->endpoint . '/sts';
my $node = new_node('credentials', 'hydra_export.max_attempts' => 2);
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');

sub sql { return $node->safe_psql('postgres', $_[0]) }

# refused(SQL): the error that it ends in.
sub refused
{
    my ($code, undef, $err) = $node->psql('postgres', $_[0]);
    isnt($code, 0, 'refused') or diag($_[0]);
    return $err;
}

sub use_source
{
    my ($source, %more) = @_;
    configure($node, 'postgres', $s3, bucket => 'data', access_key => undef, secret_key => undef,
        credentials => $source, %more);
    return;
}

# ---- static, and what goes with it

configure($node, 'postgres', $s3, bucket => 'data', prefix => 'p');
is(sql('SELECT key, endpoint, region, credentials, expires_at IS NULL FROM hydra_export.check_access()'),
    'p/_hydra_export_check|' . $s3->endpoint . '/data|us-east-1|static|t', 'check_access says where to, and as whom');
is($s3->get('data', 'p/_hydra_export_check'), "hydra_export may write here\n", 'and the object is there');
is(sql('SELECT count(*) FROM hydra_export.check_access()'), 1, 'again');
sql(q(SELECT hydra_export.configure(conditional => 'on')));
is(sql('SELECT count(*) FROM hydra_export.check_access()'), 1, 'also where objects are not to be overwritten');
sql(q(SELECT hydra_export.configure(conditional => 'auto')));
like(refused(q(SELECT * FROM hydra_export.check_access('nowhere'))), qr/destination "nowhere" does not exist/, 'no such destination');
configure($node, 'postgres', $s3, bucket => 'missing', prefix => 'p');
like(refused('SELECT * FROM hydra_export.check_access()'),
    qr/could not write object "p\/_hydra_export_check": S3 answered 404 NoSuchBucket.*HINT:  Create the bucket/s,
    'what goes wrong is raised, with a hint');
configure($node, 'postgres', $s3, bucket => 'data', prefix => 'p');

# ---- the server's own are the administrator's to allow

foreach my $source (qw(environment profile profile:backup web_identity container instance auto))
{
    like(refused("SELECT hydra_export.configure(credentials => '$source')"),
        qr/credentials of the server are not allowed.*hydra_export.server_credentials/s, "$source without permission");
}
like(refused(q(SELECT hydra_export.configure('data', destination => 'x', prefix => 'x'))), qr/access_key and secret_key are missing.*file:.*server_credentials/s, 'who forgot the keys hears so');
$node->append_conf('postgresql.conf', 'hydra_export.server_credentials = on');
$node->reload;
like(refused(q(SELECT hydra_export.configure(credentials => 'sso'))), qr/credentials must be static, file:\/path, environment/, 'an unknown source');
like(refused(q(SELECT hydra_export.configure(external_id => 'x'))), qr/external_id is given without role_arn/, 'an id without a role');
like(refused(q(SELECT hydra_export.configure(role_arn => 'x'))), qr/role_arn must be the ARN of a role/, 'no role');
like(refused(q(SELECT hydra_export.configure(access_key => 'a', secret_key => 'b', credentials => 'auto'))), qr/cannot be combined with/, 'keys and auto');

# ---- each source

use_source('environment');
is(sql('SELECT umoptions IS NULL FROM pg_user_mapping'), 't', 'saved keys are gone when they are not used any more');
my %expected = (
    environment      => 'environment|t',
    'profile:backup' => 'profile:backup|t',
    web_identity     => 'web_identity|f',
    container        => 'container|f',
    instance         => 'instance|f',
    auto             => 'environment|t');
foreach my $source (sort keys %expected)
{
    use_source($source);
    is(sql('SELECT credentials, expires_at IS NULL FROM hydra_export.check_access()'), $expected{$source}, $source);
}
use_source('profile:missing');
like(refused('SELECT * FROM hydra_export.check_access()'), qr/no credentials: profile "missing" does not exist/, 'no such profile');
my @asked = $service->requests;
like($_, qr/^(PUT \/latest\/api\/token|GET \/latest\/meta-data\/|GET \/container|POST \/sts\/)/, "asked: $_") foreach @asked;
ok((grep { /security-credentials\/test-role token=IMDS/ } @asked), 'with the session token of IMDSv2');
ok((grep { /container auth=pod-token/ } @asked), "with the container's token");

# ---- a role, from the store's own STS

local $ENV{AWS_ENDPOINT_URL_STS} = '';
$node->restart;
my $conf = $s3->{dir} . '/ceph.conf';
my $trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/writer"]},"Action":["sts:AssumeRole"]}]}';
my $may = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}]}';
my @admin = ('radosgw-admin', '-c', $conf, '-n', 'client.rgw', '--no-mon-config');
foreach my $command (
    [ 'role', 'create', '--role-name=export', "--assume-role-policy-doc=$trust" ],
    [ 'role-policy', 'put', '--role-name=export', '--policy-name=put', "--policy-doc=$may" ])
{
    system(@admin, @$command) == 0 or diag("radosgw-admin @$command");
}
use_source('environment', role_arn => 'arn:aws:iam:::role/export');
my ($code, $out, $err) = $node->psql('postgres', 'SELECT credentials, expires_at > now() FROM hydra_export.check_access()');
is($out, 'environment, role arn:aws:iam:::role/export|t', "a role of the store's STS") or diag($err);
use_source('environment', role_arn => 'arn:aws:iam:::role/other');
like(refused('SELECT * FROM hydra_export.check_access()'), qr/no credentials: STS AssumeRole: \d+/, 'a role that is not there');

# ---- an export with them, and keys that end in its middle

sql('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
use_source('instance', role_arn => '');
sql(q(SELECT hydra_export.add_model('t')));
is(sql('SELECT hydra_export.export_now() > 0'), 't', 'an export with keys of the instance');
my $faults = start_faults($s3);
$faults->plan({ fault => 'status', status => 400, code => 'ExpiredToken', path => '_manifest' });
use_source('instance', endpoint => $faults->endpoint);
is(sql('SELECT hydra_export.export_now() > 0'), 't', 'keys that ended are fetched anew');
is(sql(q(SELECT bool_and(status = 'succeeded') FROM hydra_export.exports)), 't', 'and nothing failed');

# ---- the workers of an export sign with its keys

sql(q(CREATE TABLE large (id int PRIMARY KEY, v text); INSERT INTO large SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i));
sql(q(SELECT hydra_export.add_model('large'); ALTER SYSTEM SET hydra_export.parallel_workers = 2;
    ALTER SYSTEM SET hydra_export.file_size = '64kB'; ALTER SYSTEM SET min_parallel_table_scan_size = '64kB'));
$node->reload;
my $asked = () = $service->requests;
sql('SELECT hydra_export.export_now()');
my $workers = 'SELECT max(workers) FROM hydra_export.export_models WHERE export_id = (SELECT max(id) FROM hydra_export.exports)';
is(sql($workers), 2, 'an export with two workers');
is(scalar(() = $service->requests) - $asked, 3, 'asks for its keys once, in three steps');
$faults->plan({ fault => 'status', status => 400, code => 'ExpiredToken', path => '/large/' });
sql(q(UPDATE large SET v = v));
$asked = () = $service->requests;
my $last = 'SELECT status, rows FROM hydra_export.exports ORDER BY id DESC LIMIT 1';
sql('SELECT hydra_export.export_now()');
is(sql($last), 'succeeded|20000', 'keys that end in the middle are renewed for all');
is(scalar(() = $service->requests) - $asked, 6, 'once');
$faults->plan;
use_source('environment', role_arn => '');
sql(q(UPDATE large SET v = v));
sql('SELECT hydra_export.export_now()');
is(sql($last), 'succeeded|20001', 'keys that need no service are shared, too (in another place, so in full)');
configure($node, 'postgres', $s3, bucket => 'data', prefix => 'p', credentials => 'static');
sql(q(SELECT hydra_export.configure(role_arn => '')));
sql(q(UPDATE large SET v = v));
sql('SELECT hydra_export.export_now()');
is(sql($last), 'succeeded|20000', 'and keys that are saved');
is(sql($workers), 2, 'by workers');
sql(q(ALTER SYSTEM RESET ALL; SELECT hydra_export.remove_model('large')));
$node->reload;
use_source('instance', endpoint => $faults->endpoint);

# ---- the source hangs

$service->hang;
my $start = time;
$node->psql('postgres', q(SET statement_timeout = '1s'; SELECT * FROM hydra_export.check_access()));
cmp_ok(time - $start, '<', 5, 'a check can be cancelled while its source hangs');
$node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'))
  or fail('the worker is still there');

# ---- no secret anywhere

unlike(slurp_file($node->logfile), qr/\Q$secret\E|web-token|pod-token|\bIMDS\b/, 'no secret is in the log');

done_testing();
