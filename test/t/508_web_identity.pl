# Web identity (IRSA): a token in a file, exchanged for keys by a store's own STS, which asks the token's issuer.

use strict;
use warnings;

use HydraExport::Issuer;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3(EXTRA_CONF => "rgw_s3_auth_use_sts = true\nrgw_sts_key = 0123456789abcdef\n");
my $dir = PostgreSQL::Test::Utils::tempdir('web_identity');
my $issuer = HydraExport::Issuer->start($dir);
my $subject = 'system:serviceaccount:db:postgres';

sub save_token
{
    my (%claims) = @_;
    open(my $file, '>', "$dir/token") or die "token: $!";
    print $file $issuer->token(sub => $subject, aud => 'sts.amazonaws.com', %claims), "\n";
    close $file;
    return;
}

# ---- the store's side: a provider, and a role that trusts it

sub admin
{
    system('radosgw-admin', '-c', "$s3->{dir}/ceph.conf", '-n', 'client.rgw', '--no-mon-config', @_) == 0 or die "radosgw-admin @_";
    return;
}

sub create_provider
{
    my %fields = (Action => 'CreateOpenIDConnectProvider', Version => '2010-05-08', Url => $issuer->url,
        'ClientIDList.member.1' => 'sts.amazonaws.com', 'ThumbprintList.member.1' => $issuer->thumbprint);
    my $body = join '&', map { "$_=" . HydraExport::S3::encode($fields{$_}, '') } sort keys %fields;
    my ($out, $err);
    IPC::Run::run([ qw(curl -sS --fail-with-body --aws-sigv4), 'aws:amz:us-east-1:iam', '--user', join(':', $s3->owner), '--data-raw',
            $body, $s3->endpoint . '/' ], '<', \undef, '>', \$out, '2>', \$err) or die "no provider: $out $err";
    return;
}

my $trust = <<~JSON;
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity"],
      "Principal": {"Federated": ["arn:aws:iam:::oidc-provider/@{[ $issuer->host ]}"]},
      "Condition": {"StringEquals": {"@{[ $issuer->host ]}:app_id": "sts.amazonaws.com"}}}]}
    JSON
my $may = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}]}';
$s3->make_bucket('data');
admin(qw(caps add --uid=owner), '--caps=oidc-provider=*');
create_provider();
admin(qw(role create --role-name=web), "--assume-role-policy-doc=$trust");
admin(qw(role-policy put --role-name=web --policy-name=put), "--policy-doc=$may");

# ---- ours

save_token();
my %environment = (
    AWS_WEB_IDENTITY_TOKEN_FILE => "$dir/token",
    AWS_ROLE_ARN                => 'arn:aws:iam:::role/web',
    AWS_ENDPOINT_URL_STS        => $s3->endpoint);
local @ENV{ keys %environment } = values %environment;
my $node = new_node('web_identity', 'hydra_export.server_credentials' => 'on', 'hydra_export.max_attempts' => 2);
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
configure($node, 'postgres', $s3, bucket => 'data', access_key => undef, secret_key => undef, credentials => 'web_identity');

# check_access(): what it finds, or why it does not.
sub check_access
{
    my ($code, $out, $err) = $node->psql('postgres',
        q(SELECT credentials, expires_at BETWEEN now() + interval '5 min' AND now() + interval '12 hours' FROM hydra_export.check_access()));
    return $code == 0 ? $out : $err;
}

is(check_access(), 'web_identity|t', 'keys for a token');
$node->safe_psql('postgres', q(SELECT hydra_export.add_model('t')));
my ($code, undef, $err) = $node->psql('postgres', 'SELECT hydra_export.export_now()');
is($code, 0, 'an export with them') or diag($err);
is_deeply([ map { $_->{id} } $s3->rows('data', '2') ], [1], 'is in the bucket');

save_token(exp => time - 60);
like(check_access(), qr/no credentials: STS AssumeRoleWithWebIdentity: 4\d\d/, 'a token that has expired');
save_token(aud => 'elsewhere.example');
like(check_access(), qr/no credentials: STS AssumeRoleWithWebIdentity: 4\d\d/, 'one for somebody else');
save_token();
is(check_access(), 'web_identity|t', 'the file is read anew each time');

open(my $file, '<', "$dir/token") or die "token: $!";
chomp(my $token = <$file>);
unlike(slurp_file($node->logfile), qr/\Q$token\E/, 'no token is in the log');

done_testing();
