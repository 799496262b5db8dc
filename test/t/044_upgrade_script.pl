# A database that was created with an older version: each upgrade script results in the objects of a fresh
# installation, the library refuses to work before the script has run, and exports continue where they were.

use strict;
use warnings;

use FindBin;
use HydraExport::Catalog;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('upgrade', 'hydra_export.first_export_delay' => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'upgrade');
my $current = $site->sql(q(SELECT extversion FROM pg_extension WHERE extname = 'hydra_export'));
my $oldest = '0.1.0';
# Versions that can be installed: those with a script of their own.
my @older = grep { $_ ne $current } map { /--([^-]+)\.sql$/ } glob "$FindBin::Bin/../../sql/hydra_export--*.sql";
is(scalar(grep { $_ eq $oldest } @older), 1, 'the oldest version can be installed');

# ---- every older version becomes the current one

my @fresh = extension_catalog($node, 'postgres');
cmp_ok(scalar @fresh, '>', 300, 'the catalogs are compared by ' . @fresh . ' lines');

# What is different, as lines of diff.
sub differences
{
    my ($database) = @_;

    my @upgraded = extension_catalog($node, $database);
    my (%fresh, %upgraded);
    @fresh{@fresh} = ();
    @upgraded{@upgraded} = ();
    return join "\n", (map { "- $_" } grep { !exists $upgraded{$_} } @fresh), (map { "+ $_" } grep { !exists $fresh{$_} } @upgraded);
}

foreach my $version (@older)
{
    $node->safe_psql('postgres', qq(CREATE DATABASE "from_$version"));
    $node->safe_psql("from_$version", "CREATE EXTENSION hydra_export VERSION '$version'; ALTER EXTENSION hydra_export UPDATE");
    is(differences("from_$version"), '', "from $version: the objects are those of a fresh installation");
}

# The comparison sees what it should.
$node->safe_psql('postgres', q(CREATE DATABASE changed));
foreach my $change (
    'ALTER TABLE hydra_export.models ALTER look_back DROP NOT NULL',
    'ALTER TABLE hydra_export.models ALTER look_back SET DEFAULT \'1 day\'',
    'ALTER TABLE hydra_export.models DROP CONSTRAINT models_known_check',
    'ALTER TABLE hydra_export.settings DISABLE TRIGGER schedule_changed',
    'COMMENT ON COLUMN hydra_export.models.name IS NULL',
    'ALTER FUNCTION hydra_export.resume RESET search_path',
    'CREATE INDEX ON hydra_export.exports (folder)',
    'GRANT SELECT ON hydra_export.destination_state TO hydra_export_monitor',
    q(UPDATE pg_extension SET extcondition[1] = 'WHERE true' WHERE extname = 'hydra_export'))
{
    $node->safe_psql('changed', "DROP EXTENSION IF EXISTS hydra_export; CREATE EXTENSION hydra_export; $change");
    isnt(differences('changed'), '', "seen: $change");
}

# ---- default privileges give nothing of what the update makes

$node->safe_psql('changed', "
    DROP EXTENSION IF EXISTS hydra_export;
    CREATE EXTENSION hydra_export VERSION '$oldest';
    CREATE ROLE privileged;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, privileged;
    ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO privileged;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, privileged;
    ALTER EXTENSION hydra_export UPDATE");
is($node->safe_psql('changed', q{
    SELECT string_agg(object || ': ' || granted.grantee::regrole::text, ', ') FROM (
        SELECT 'schema ' || nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = 'hydra_export_internal'
        UNION ALL SELECT oid::regclass::text, relacl, relowner FROM pg_class WHERE relnamespace = 'hydra_export'::regnamespace
        UNION ALL SELECT oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)), proowner FROM pg_proc
            WHERE pronamespace IN ('hydra_export'::regnamespace, 'hydra_export_internal'::regnamespace)
    ) AS objects (object, acl, owner), aclexplode(acl) AS granted
    WHERE granted.grantee NOT IN (owner, 'hydra_export_admin'::regrole, 'hydra_export_monitor'::regrole)}), '', 'nobody else has rights');
$node->safe_psql('changed', '
    ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC, privileged;
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM privileged;
    ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC, privileged');

# ---- a database as 0.1.0 left it: settings, models, history, baselines

$site->sql(q{
    CREATE TABLE plain (id integer PRIMARY KEY, v text);
    INSERT INTO plain SELECT i, 'v' FROM generate_series(1, 100) AS i;
    CREATE TABLE stamped (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT clock_timestamp());
    INSERT INTO stamped SELECT i FROM generate_series(1, 100) AS i;
    CREATE TABLE gone (id integer PRIMARY KEY)});
$site->add_model('plain');
$site->add_model('stamped', changed_by => q('updated_at'), look_back => q('1 minute'));
$site->add_model('gone');
is($site->export->{status}, 'succeeded', 'an export');

# Its rows, by the columns that the old tables have.
my @tables = qw(settings destination_state models model_state baselines wal_marks exports export_models export_objects);
$site->sql('CREATE SCHEMA kept');
$site->sql("CREATE TABLE kept.$_ AS TABLE hydra_export.$_") foreach @tables;
$site->sql("DROP EXTENSION hydra_export; CREATE EXTENSION hydra_export VERSION '$oldest'");
my %old_names = (wal_marks => 'notes');
foreach my $kept (@tables)
{
    my $table = $old_names{$kept} // $kept;
    my $columns = $site->sql(qq(SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = 'hydra_export.$table'::regclass AND attnum > 0 AND NOT attisdropped));
    $site->sql("INSERT INTO hydra_export.$table ($columns) OVERRIDING SYSTEM VALUE SELECT $columns FROM kept.$kept");
}
my ($key, $secret) = $site->{s3}->writer;
$site->sql("INSERT INTO hydra_export.secrets VALUES ('default', '$key', '$secret')");
$site->sql(q{
    SELECT setval('hydra_export.models_id_seq', max(id)) FROM hydra_export.models;
    SELECT setval('hydra_export.exports_id_seq', max(id)) FROM hydra_export.exports});
my $history = $site->sql('SELECT count(*), sum(rows) FROM hydra_export.export_objects WHERE export_id = 1');

# ---- the library does not work with it, and says what to do

my $message = qr/hydra_export's SQL objects are of version \Q$oldest\E, its library of \Q$current\E/;
my $hint = qr/Run ALTER EXTENSION hydra_export UPDATE\./;
my @calls = split /\n/, $site->sql(q{
    SELECT format('SELECT * FROM %s(%s)', p.oid::regproc, (
        SELECT string_agg(format('%L::%s', CASE WHEN type IN ('text', 'name') THEN 'x' WHEN type = 'bigint' THEN '1'
            WHEN type = 'regclass' THEN 'plain' END, type), ', ' ORDER BY place)
        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (oid, place), format_type(a.oid, NULL) AS type))
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang
    WHERE pronamespace = 'hydra_export'::regnamespace AND lanname = 'c' AND prorettype <> 'trigger'::regtype ORDER BY 1});
cmp_ok(scalar @calls, '>', 13, 'functions of the library');
foreach my $call (@calls, 'TABLE hydra_export.schedule', 'TABLE hydra_export.progress')
{
    my (undef, $error) = $site->try($call);
    like($error, qr/ERROR:  $message\nHINT:  $hint/, "refused: $call");
}
is($site->sql('SELECT count(*), sum(rows) FROM hydra_export.export_objects WHERE export_id = 1'), $history, 'nothing was written');

# The schedule reports it each time that it has a reason to check, and not repeatedly. An export has been due for long.
sub complaints { return scalar(() = slurp_file($node->logfile) =~ /\] LOG:  $message/g) }
$node->stop;
$node->append_conf('postgresql.conf', "hydra_export.first_export_delay = 0\nhydra_export.debug_seconds_per_hour = 1");
my $before = complaints();
$node->start;
$node->poll_query_until('postgres', 'SELECT true');
ok(wait_for_complaint($before), 'the schedule says so in the log');
sub wait_for_complaint
{
    my ($seen) = @_;

    for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
    {
        return 1 if complaints() > $seen;
        select undef, undef, undef, 0.1;
    }
    return 0;
}
$before = complaints();
# A commit in another database wakes the launcher, which then visits what is due: if this database were, it would
# report the error again.
$node->safe_psql('changed', 'DROP EXTENSION IF EXISTS hydra_export; CREATE EXTENSION hydra_export');
configure($node, 'changed', $s3, bucket => 'upgrade', prefix => 'elsewhere', frequency_hours => 1);
$node->safe_psql('changed', q(CREATE TABLE t (id integer PRIMARY KEY); SELECT hydra_export.add_model('t')));
wait_for_export($node, 'changed', 2);
is(complaints(), $before, 'once');
unlike(slurp_file($node->logfile), qr/\] ERROR:  $message/, 'and no worker fails');
$node->safe_psql('changed', 'SELECT hydra_export.pause()');

# ---- ALTER EXTENSION UPDATE

# What is written meanwhile is not lost.
$site->sql(q{UPDATE plain SET v = 'before' WHERE id = 7; INSERT INTO stamped VALUES (101); DROP TABLE gone});
$site->sql('BEGIN; ALTER EXTENSION hydra_export UPDATE; ROLLBACK');
like(($site->try('SELECT hydra_export.resume()'))[1], $message, 'an update that is rolled back is none');
$site->sql('ALTER EXTENSION hydra_export UPDATE');
is(differences('postgres'), '', 'with rows in its tables, too, the objects are those of a fresh installation');
is($site->sql('SELECT count(*), sum(rows) FROM hydra_export.export_objects WHERE export_id = 1'), $history, 'history is there');

wait_for_export($node, 'postgres', 2);
$site->sql('SELECT hydra_export.pause()');
my ($export) = $site->exports('WHERE id = 2');
is($export->{started_by}, 'schedule', 'the commit of the update has the schedule look, and export');
is($export->{status}, 'partial', 'what is there') or diag($export->{error});
foreach my $model (qw(plain stamped))
{
    is($site->model($export, $model)->{kind}, 'incremental', "$model goes on incrementally") or diag($site->model($export, $model)->{reason});
    $site->holds_table($model);
}
$site->sent($export, 'plain', '7');
like($site->model($export, 'gone')->{error}, qr/the table of model "gone" no longer exists/, 'a dropped table is told');

# ---- a library that is older than the objects

$site->sql(q(UPDATE pg_extension SET extversion = '0.10.0' WHERE extname = 'hydra_export'));
like(($site->try('SELECT hydra_export.resume()'))[1],
    qr/objects are of version 0\.10\.0, its library of \Q$current\E\nHINT:  Install that version, and restart the server/,
    'the hint is another one');
done_testing();
