# A secret does not appear where it could; if the server's log will contain it, configure() warns.

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

# However the literal is written, and whether or not anything logs it.
my $warning = qr/WARNING:  secret_key is part of the statement's text.*HINT:  .*credentials => 'file:/s;
like(psql("SELECT $call '$secret')"), $warning, 'a warning for a literal');
(my $octal = $secret) =~ s/(.)/sprintf '\\%03o', ord $1/ge;
my ($half, $other) = (substr($secret, 0, 5), substr $secret, 5);
foreach my $literal ("E'$octal'", "'$half' || '$other'", "\$x\$$secret\$x\$", "upper('$half') || '$other'")
{
    like(psql("SELECT $call $literal)"), $warning, 'also as ' . substr $literal, 0, 8);
    like(psql("DO \$do\$ BEGIN PERFORM $call $literal); END \$do\$"), $warning, 'and in a DO block');
}
my $prepared = "PREPARE p(text) AS SELECT $call \$1)";
like(psql("$prepared; EXECUTE p('$secret')"), $warning, 'EXECUTE holds it as a literal');
like(psql("PREPARE p AS SELECT $call '$secret'); EXECUTE p"), $warning, 'and what was prepared can, too');
like(psql("SELECT hydra_export.configure(access_key => '$key', secret_key => '$secret', session_token => '$octal')"), $warning, 'a session token');
foreach my $quiet ('hydra_export.configure(frequency_hours => 2)', "hydra_export.configure(access_key => '', secret_key => '')")
{
    unlike(psql("SELECT $quiet"), $warning, "no warning without a secret: $quiet");
}
# A value that comes from elsewhere.
$node->safe_psql('postgres', 'CREATE TABLE vault (secret text)');
$node->safe_psql('postgres', "COPY vault FROM PROGRAM 'echo $secret'");
unlike(psql("SELECT $call secret) FROM vault"), $warning, 'nor with one from a table');
$node->safe_psql('postgres', 'DROP TABLE vault');
unlike(slurp_file($node->logfile), qr/\Q$half\E|\Q$other\E/, 'and the log does not hold it');

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
    like(psql("SET ROLE $role; SELECT * FROM pg_user_mapping"), qr/permission denied/, "$role cannot read secrets");
}
foreach my $relation (qw(settings schedule recent_exports exports export_models export_objects))
{
    unlike($node->safe_psql('postgres', "SELECT * FROM hydra_export.$relation"), qr/\Q$secret\E/, "$relation holds none");
}
my ($dump, $errors) = run_command([ 'pg_dumpall', '-d', $node->connstr('postgres') ]);
like($dump, qr/COPY hydra_export.settings/, 'a dump has the settings');
unlike($dump, qr/\Q$secret\E/, 'and not the secret');

done_testing();
