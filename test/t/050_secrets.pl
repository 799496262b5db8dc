# Secrets are not in the server's log, not in a dump, and not in anything that other roles may read. Also what a dump
# transfers to another server.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('secrets', 'hydra_export.first_export_delay' => '1h');
my $secret = 'SeCrEt/0123456789+abcdefghij';
my $token  = 'ToKeN/9876543210+zyxwvutsrq';
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'secrets', endpoint => $faults->endpoint);
$site->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2)');
$site->add_model('t');
configure($node, 'postgres', $s3, destination => 'taken', bucket => 'taken', prefix => 'x');

sub holds_no_secret
{
    my ($text, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    foreach my $word ($secret, $token, ($s3->writer)[1])
    {
        next if index($text, $word) < 0;
        fail($name);
        diag(substr $text, index($text, $word) > 200 ? index($text, $word) - 200 : 0, 400);
        return;
    }
    return pass($name);
}

sub log_of { return slurp_file($node->logfile) }

# ---- each bad input, with a secret in it

my @bad = (
    q(frequency_hours => 0), q(frequency_hours => 169), q(frequency_hours => -1), q(bucket => ''), q(bucket => 'Upper'),
    q(bucket => 'ab'), q(bucket => 's3://bucket'), q(endpoint => 'no url'), q(endpoint => 'http://s3.example.com'),
    q(endpoint => 'ftp://127.0.0.1'), q(access_key => ''), q(access_key => NULL, destination => 'new', bucket => 'abc'),
    q(prefix => '/x'), q(prefix => 'a//b'), q(region => 'no region'), q(credentials => 'magic'), q(addressing => 'sideways'),
    q(destination => ''), q(destination => NULL), qq(destination => 'other', bucket => 'taken', prefix => 'x/y', endpoint => '${\ $s3->endpoint }'),
    q(destination => 'no bucket'), q(access_key => E'line\nbreak'), qq(secret_key => E'$secret\\nX-Header: 1'));
my %forms = (
    'a statement'        => sub { return "SELECT hydra_export.configure($_[0])" },
    'a DO block'         => sub { return "DO \$\$ BEGIN PERFORM hydra_export.configure($_[0]); END \$\$" },
    'a function' => sub {
        return "CREATE OR REPLACE FUNCTION save() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT hydra_export.configure($_[0]); END; SELECT save()";
    },
    'a prepared statement' => sub { return "PREPARE p AS SELECT hydra_export.configure($_[0]); EXECUTE p" });
foreach my $bad (@bad)
{
    my %arguments = (access_key => "'KEY'", secret_key => "'$secret'", session_token => "'$token'");
    foreach my $name (keys %arguments) { delete $arguments{$name} if $bad =~ /\b$name =>/ }
    my $list = join ', ', $bad, map { "$_ => $arguments{$_}" } sort keys %arguments;
    foreach my $form (sort keys %forms)
    {
        my (undef, $messages) = $site->try($forms{$form}->($list));
        like($messages, qr/ERROR: .*HINT: /s, "$bad is refused in $form, with a hint") if $bad !~ /destination => NULL/;
        $messages =~ s/^(LINE|CONTEXT|QUERY).*//ms;
        holds_no_secret($messages, "the error of $bad in $form");
    }
}
$site->sql('DROP FUNCTION save()');
holds_no_secret(log_of(), 'the log after bad inputs');

# In a transaction that fails later, and one that is prepared.
$site->try("BEGIN; SELECT hydra_export.configure(access_key => 'KEY', secret_key => '$secret'); \n PREPARE TRANSACTION 'x'");
# While somebody else holds the settings locked.
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN');
$session->query_safe('LOCK TABLE hydra_export.settings');
my (undef, $timeout) = $site->try("SET lock_timeout = '100ms'; SELECT hydra_export.configure(access_key => 'KEY', secret_key => '$secret')");
like($timeout, qr/lock timeout/, 'a timeout');
$session->query_safe('ROLLBACK');

# ---- good input, good and bad exports, and who looks on

$site->sql("SELECT hydra_export.configure(access_key => 'KEY', secret_key => '$secret', session_token => '$token')");
$faults->plan({ fault => 'hang', path => '.' });
my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
for (1 .. 100) { last if grep { $_->{fault} eq 'hang' } $faults->requests; sleep 0.05 }
my $activity = $site->sql(q{SELECT a FROM pg_stat_activity a WHERE backend_type LIKE 'hydra%'});
like($activity, qr/hydra_export worker/, 'a worker is at work');
holds_no_secret($activity, 'pg_stat_activity');
my $pid = $site->sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'hydra_export worker'});
holds_no_secret(slurp_file("/proc/$pid/environ") . slurp_file("/proc/$pid/cmdline"), 'its environment and title');
$faults->release;
$node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id");
$faults->plan;
my $export = $site->export;
is($export->{status}, 'failed', 'an export with a wrong key');
holds_no_secret($export->{messages} . $export->{error}, 'its error');
configure($node, 'postgres', $s3, bucket => 'secrets', endpoint => $faults->endpoint);
$export = $site->export;
is($export->{status}, 'succeeded', 'one with the right key') or diag($export->{error});
holds_no_secret($s3->get('secrets', $site->folder_path($export) . '/_manifest.json'), 'the manifest');
# The last statement of a session can be seen by those who may see statistics.
$session->query("SELECT hydra_export.configure(access_key => 'KEY', secret_key => '$secret', session_token => '$token', destination => 'taken')");
holds_no_secret($site->sql('SELECT string_agg(query, E\'\n\') FROM pg_stat_activity'), 'the query shown of a session that saved settings');
$session->quit;

# Everything that an admin, and a monitor, may read.
foreach my $role (qw(hydra_export_monitor hydra_export_admin))
{
    my $text = '';
    foreach my $table (split /\n/, $site->sql(q{SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'hydra_export'::regnamespace}))
    {
        my ($rows, $error) = $site->try("SET ROLE $role; SELECT * FROM $table");
        $text .= $rows;
        like($error, qr/permission denied/, "$role may not read $table") if $table =~ /baselines/;
    }
    like($text, qr/secrets/, "$role reads settings and history");
    foreach my $view (qw(pg_user_mappings pg_user_mapping pg_foreign_server information_schema.user_mapping_options))
    {
        $text .= ($site->try("SET ROLE $role; SELECT * FROM $view"))[0];
    }
    holds_no_secret($text, 'and no secret');
    foreach my $function (split /\n/, $site->sql(
        q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'hydra_export'::regnamespace AND pronargs - pronargdefaults = 0
          AND has_function_privilege('public', oid, 'execute') AND prorettype <> 'trigger'::regtype}))
    {
        fail("$function is for everybody");
    }
}
holds_no_secret(log_of(), 'the log in the end');

# ---- dump and restore

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
my $dumped = slurp_file($dump);
holds_no_secret($dumped, 'a dump holds no secret');
unlike($dumped, qr/COPY hydra_export\.(baselines|destination_state|exports)|USER MAPPING/, 'nor baselines, nor history');
like($dumped, qr/COPY hydra_export\.settings/, 'but the settings');
# What pg_upgrade dumps has all, and so the mapping.
my ($binary) = run_command([ 'pg_dump', '--binary-upgrade', '--schema-only', '-d', $node->connstr('postgres') ]);
like($binary, qr/^CREATE USER MAPPING FOR public SERVER hydra_export OPTIONS \(\n.*\bsecret_key"? '\Q${\ ($s3->writer)[1] }\E'/ms,
    'pg_upgrade takes secrets along');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restore');
my $restored = bless { %$site, database => 'restored' }, 'HydraExport::Site';
is($restored->sql('SELECT string_agg(destination || bucket || prefix, $$ $$ ORDER BY 1) FROM hydra_export.settings'),
    'defaultsecrets takentakenx/', 'settings came along');
is($restored->sql('SELECT name, restored_relation FROM hydra_export.models'), 't|public.t', 'and models, by the names of their tables');
is($restored->sql('SELECT count(*) FROM pg_user_mapping'), '0', 'secrets did not');
is($restored->sql('SELECT count(*) FROM hydra_export.baselines'), '0', 'nor baselines');
like($restored->sql(q{SELECT why FROM hydra_export.schedule WHERE destination = 'default'}),
    qr/^paused: restored from a dump; hydra_export.resume\(\)/, 'the copy is paused, and says why');
like(($restored->try('SELECT hydra_export.export_now()'))[1], qr/ERROR/, 'export_now does not write where the original does');
like(($restored->try(q{SELECT hydra_export.configure(prefix => 'restored')}))[1], qr/access_key and secret_key are missing/,
    'configure() asks for keys');
like(($restored->try('SELECT hydra_export.resume()'))[1], qr/NOTICE:  no export of destination "default" is scheduled: access_key and secret_key are missing/,
    'resume() says that they are missing');
like($restored->sql(q{SELECT next_export_at, why FROM hydra_export.schedule WHERE destination = 'default'}),
    qr/^\|access_key and secret_key are missing/, 'and the schedule announces no export');
$export = $restored->export;
like($export->{error} // $export->{messages}, qr/no credentials.*access_key/s, 'so does an export');
configure($node, 'restored', $s3, bucket => 'secrets', prefix => 'restored');
$restored->{prefix} = 'restored/';
$export = $restored->export;
is($export->{status}, 'succeeded', 'with keys it exports') or diag($export->{error});
is($restored->model($export, 't')->{kind}, 'full', 'in full');
$restored->holds_table('t', 'to its own prefix');
$restored->sql('CREATE TABLE fresh (id integer PRIMARY KEY)');
$restored->add_model('fresh');
pass('and models can be added');

# ---- up to 0.1.0, secrets were in a table

$node->safe_psql('postgres', 'CREATE DATABASE old');
my $old = bless { %$site, database => 'old' }, 'HydraExport::Site';
$old->sql(qq{
    CREATE EXTENSION hydra_export VERSION '0.1.0';
    INSERT INTO hydra_export.settings (destination, bucket, region, endpoint, prefix, frequency_hours, credentials, role_arn,
        external_id, addressing, compression, conditional, object_headers)
    SELECT name, 'secrets', 'us-east-1', '${\ $s3->endpoint }', 'old/' || name || '/', 24, 'static', '', '', 'path', 'none', 'auto', '{}'
    FROM unnest('{default,temporary}'::text[]) AS name;
    INSERT INTO hydra_export.destination_state (destination, database, timeline)
    SELECT destination, (SELECT oid FROM pg_database WHERE datname = 'old'), 1 FROM hydra_export.settings;
    INSERT INTO hydra_export.secrets VALUES ('default', '${\ ($s3->writer)[0] }', '${\ ($s3->writer)[1] }', NULL),
        ('temporary', 'KEY', '$secret', '$token');
});
my $size = -s $node->logfile;
my ($output, $complaints) = $old->try(q{SET log_statement = 'all'; SET log_min_duration_statement = 0;
    ALTER EXTENSION hydra_export UPDATE TO '0.2.0'});
unlike($complaints, qr/ERROR/, 'the extension is updated') or diag($complaints);
holds_no_secret($output . $complaints . slurp_file($node->logfile, $size), 'which nobody sees a secret of');
is($old->sql(q{SELECT count(*) FROM pg_class WHERE relname = 'secrets'}), '0', 'the table is gone');
is($old->sql(q{SELECT string_agg(split_part(option_name, '.', 2) || '=' || option_value, ' ' ORDER BY split_part(option_name, '.', 2), option_value)
        FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export'}),
    join(' ', sort('access_key=KEY', "access_key=${\ ($s3->writer)[0] }"), 'destination=default', 'destination=temporary',
        sort("secret_key=$secret", "secret_key=${\ ($s3->writer)[1] }"), "session_token=$token"),
    'all secrets have moved');
like($old->sql(q{SELECT why FROM hydra_export.schedule WHERE destination = 'default'}), qr/^no model was added$/, 'nothing pauses');
$old->{prefix} = 'old/default/';
$old->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
$old->add_model('t');
is($old->export->{status}, 'succeeded', 'exports go on');
$old->sql('DROP EXTENSION hydra_export');
is($old->sql('SELECT count(*) FROM pg_user_mapping'), '0', 'DROP EXTENSION takes the secrets');
holds_no_secret(log_of(), 'the log has no secret');

done_testing();
