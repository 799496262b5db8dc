# Where a secret could be seen, it is not; where the server's log will hold it, configure() says so.

use strict;
use warnings;

use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('secrets');
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
my ($key, $secret) = $s3->writer;
my $endpoint = $s3->endpoint;
my $call = "hydra_export.configure(bucket => 'data', endpoint => '$endpoint', access_key => '$key', secret_key =>";

# psql(SQL): what it prints to stderr.
sub psql
{
    my (undef, undef, $err) = $node->psql('postgres', $_[0]);
    return $err // '';
}

my $warning = qr/WARNING:  the server's log may hold secret_key/;
unlike(psql("SELECT $call '$secret')"), $warning, 'no warning where nothing is logged');
foreach my $quiet ('log_statement = ddl', 'log_statement = mod', 'log_duration = on', 'log_min_error_statement = debug5')
{
    unlike(psql("SET $quiet; SELECT $call '$secret')"), $warning, "nor with $quiet, which logs no SELECT");
}
unlike(slurp_file($node->logfile), qr/\Q$secret\E/, 'and the log does not hold it');
foreach my $loud (q(log_statement = 'all'), 'log_min_duration_statement = 0', 'log_min_duration_statement = 60000',
    'log_min_duration_sample = 0', 'log_transaction_sample_rate = 0.5')
{
    like(psql("SET $loud; SELECT $call '$secret')"), qr/$warning: \S+ logs this statement/, "a warning with $loud");
}
my $prepared = "PREPARE p(text) AS SELECT $call \$1)";
like(psql("SET log_statement = 'all'; $prepared; EXECUTE p('$secret')"), $warning, 'EXECUTE holds it as a literal');

unlike(psql(q(SET log_statement = 'all'; SELECT hydra_export.configure(prefix => 'p'))), $warning, 'no warning without a secret');

# ---- errors

my $size = -s $node->logfile;
foreach my $bad (
    "SELECT $call '$secret', bucket => 'x')",
    "SELECT $call '$secret', frequency_hours => 0)",
    "SELECT $call '$secret', region => 'a b')",
    "SELECT $call '$secret', object_headers => '{\"host\": \"x\"}')",
    "SELECT $call '$secret', session_token => E'a\\nb', destination => '')")
{
    my $err = psql("SET log_min_error_statement = error; $bad");
    like($err, qr/ERROR/, 'an error');
    unlike(join("\n", grep { !/^LINE|^psql.*error running/ } split /\n/, $err), qr/ERROR:.*\Q$secret\E/, 'without the secret');
}
my @log = grep { !/bucket => 'x'/ } split /\n/, slurp_file($node->logfile, $size);
unlike(join("\n", @log), qr/\Q$secret\E/, 'which is not in the log');

# ---- tables, views, dumps

$node->safe_psql('postgres', "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); SELECT hydra_export.add_model('t')");
$node->safe_psql('postgres', 'SELECT hydra_export.export_now()');
$node->safe_psql('postgres', 'CREATE ROLE boss IN ROLE hydra_export_admin');
foreach my $role (qw(boss hydra_export_monitor hydra_export_admin))
{
    like(psql("SET ROLE $role; SELECT * FROM hydra_export.secrets"), qr/permission denied/, "$role cannot read secrets");
}
foreach my $relation (qw(settings schedule recent_exports exports export_models export_objects))
{
    unlike($node->safe_psql('postgres', "SELECT * FROM hydra_export.$relation"), qr/\Q$secret\E/, "$relation holds none");
}
my ($dump, $errors) = run_command([ 'pg_dumpall', '-d', $node->connstr('postgres') ]);
like($dump, qr/COPY hydra_export.settings/, 'a dump has the settings');
unlike($dump, qr/\Q$secret\E/, 'and not the secret');

done_testing();
