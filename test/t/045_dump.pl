# Models in dumps: a table and a role are found by their names or not at all. No OID of one database is taken for an
# object of another, and a missing object affects only its own model.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('origin', 'hydra_export.first_export_delay' => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'dumps', prefix => 'origin');
$site->sql(q{
    CREATE ROLE reader;
    CREATE ROLE leaver;
    GRANT hydra_export_admin TO reader, leaver;
    CREATE SCHEMA "Sales, East";
    CREATE TABLE "Sales, East"."Orders.2024 ""new""" (id integer PRIMARY KEY, what text);
    CREATE TABLE plain (id integer PRIMARY KEY, what text);
    CREATE TABLE one (id integer PRIMARY KEY, what text);
    CREATE TABLE two (id integer PRIMARY KEY, what text);
    CREATE TABLE missing (id integer PRIMARY KEY, what text);
    CREATE TABLE of_leaver (id integer PRIMARY KEY, what text);
    CREATE TABLE of_gone_role (id integer PRIMARY KEY, what text);
    CREATE TABLE dropped (id integer PRIMARY KEY, what text);
    INSERT INTO "Sales, East"."Orders.2024 ""new""" VALUES (1, 'orders');
    INSERT INTO plain VALUES (1, 'plain');
    INSERT INTO one VALUES (1, 'one');
    INSERT INTO two VALUES (1, 'two');
    INSERT INTO missing VALUES (1, 'missing');
    INSERT INTO of_leaver VALUES (1, 'leaver');
    GRANT USAGE ON SCHEMA "Sales, East" TO reader;
    GRANT SELECT ON plain, "Sales, East"."Orders.2024 ""new""" TO reader;
    GRANT SELECT ON of_leaver TO leaver;
    SET ROLE reader;
    SELECT hydra_export.add_model('plain', look_back => '2 hours', key_columns => '{id}');
    SELECT hydra_export.add_model('"Sales, East"."Orders.2024 ""new"""', name => 'orders');
    SET ROLE leaver;
    SELECT hydra_export.add_model('of_leaver');
});
$site->add_model($_) foreach qw(one two missing dropped);
# Their roles are known by name only.
$site->sql(q{CREATE ROLE passing; GRANT hydra_export_admin TO passing; GRANT SELECT ON of_gone_role TO passing;
    SET ROLE passing; SELECT hydra_export.add_model('of_gone_role'); RESET ROLE;
    REVOKE SELECT ON of_gone_role FROM passing; DROP ROLE passing; DROP TABLE dropped});
is($site->sql('SELECT count(*) FROM hydra_export.models WHERE problem IS NOT NULL'), '0', 'nobody has looked at the models since');
my @oids = split /\n/, $site->sql('SELECT relation::oid FROM hydra_export.models UNION SELECT added_by::oid FROM hydra_export.models');

# ---- dumps, in every form

my $dir = PostgreSQL::Test::Utils::tempdir('dumps');
my @connection = ('-d', $node->connstr('postgres'));
my %dumps = (plain => [], inserts => ['--inserts'], columns => [ '--column-inserts', '--quote-all-identifiers' ], custom => ['-Fc'],
    folder => [ '-Fd', '-j', '2' ]);
$node->command_ok([ 'pg_dump', @{ $dumps{$_} }, '-f', "$dir/$_", @connection ], "pg_dump: $_") foreach sort keys %dumps;
$node->command_ok([ 'pg_dumpall', '-f', "$dir/all", @connection ], 'pg_dumpall');
my ($rows) = slurp_file("$dir/plain") =~ /^COPY hydra_export\.models .*?;\n(.*?)^\\\.$/ms;
is(scalar(() = $rows =~ /\n/g), 8, 'a dump has all models');
foreach my $oid (grep { $_ >= 16384 } @oids) { unlike($rows, qr/\b\Q$oid\E\b/, "no OID: $oid") }

# ---- a database in which a table and a role are missing, two tables have each other's names, and others their OIDs

# restored(NAME, DUMP): a database of the origin's server.
sub restored
{
    my ($name, $dump) = @_;

    $node->safe_psql('postgres', "CREATE DATABASE $name");
    my @to = ('-d', $node->connstr($name));
    $node->command_ok($dump =~ /custom|folder/ ? [ 'pg_restore', '--exit-on-error', @to, "$dir/$dump" ]
        : [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @to, '-f', "$dir/$dump" ], "restore: $dump");
    return bless { %$site, database => $name, prefix => "$name/" }, 'HydraExport::Site';
}

my $listing = q{SELECT name, relation, added_by, look_back, key_columns, restored_relation, restored_role, problem FROM hydra_export.models ORDER BY name};
my $came = 'it came with a dump, and hydra_export.resume() has not looked for its table yet';
my $owner = $site->sql('SELECT current_user');
my %listings = map { ($_ => restored("from_$_", $_)->sql($listing)) } sort keys %dumps;
is($listings{plain}, join("\n",
    "dropped|||01:00:00|||$owner|its table was dropped in the database that was dumped",
    "missing|||01:00:00||public.missing|$owner|$came",
    "of_gone_role|||01:00:00||public.of_gone_role||the role that added it was dropped in the database that was dumped",
    "of_leaver|||01:00:00||public.of_leaver|leaver|$came",
    "one|||01:00:00||public.one|$owner|$came",
    qq(orders|||01:00:00||"Sales, East"."Orders.2024 ""new"""|reader|$came),
    "plain|||02:00:00|{id}|public.plain|reader|$came",
    "two|||01:00:00||public.two|$owner|$came"), 'models come back by names');
is($listings{$_}, $listings{plain}, "the same by $_") foreach qw(inserts custom folder);
is($listings{columns} =~ tr/"//dr, $listings{plain} =~ tr/"//dr, 'and where all names are quoted');
$node->psql('from_columns', 'SELECT hydra_export.resume()');
is($node->safe_psql('from_columns', 'SELECT string_agg(name, $$ $$ ORDER BY name) FROM hydra_export.models WHERE problem IS NULL'),
    'missing of_leaver one orders plain two', 'which are the same names');

my $copy = restored('copy', 'inserts');
like($copy->sql('SELECT why FROM hydra_export.schedule'), qr/^paused: restored from a dump/, 'the copy is paused');
$copy->sql(q{DROP TABLE missing; ALTER TABLE one RENAME TO other; ALTER TABLE two RENAME TO one; ALTER TABLE other RENAME TO two});
$node->safe_psql('postgres', 'ALTER ROLE leaver RENAME TO somebody');
$copy->sql('CREATE TABLE payroll (id integer PRIMARY KEY, what text)');
$copy->sql(q(INSERT INTO payroll VALUES (1, 'secret')));
configure($node, 'copy', $s3, bucket => 'dumps', prefix => 'copy');

my $resume = q(SELECT hydra_export.resume());
my (undef, $messages) = $copy->try($resume);
foreach my $problem (
    [ 'missing',      'there is no public\.missing, which a dump names as its table',            'Create what is missing' ],
    [ 'of_leaver',    'there is no role leaver, which a dump names as the one that added it',    'Create what is missing' ],
    [ 'dropped',      'its table was dropped in the database that was dumped',                   'Remove the model' ],
    [ 'of_gone_role', 'the role that added it was dropped in the database that was dumped',      'Remove the model' ])
{
    my ($model, $text, $hint) = @$problem;
    like($messages, qr/WARNING:  model "$model" cannot be exported: $text\nHINT:  $hint/, "resume() says what is missing: $model");
}
is(scalar(() = $messages =~ /WARNING/g), 4, 'and no more');
is($copy->sql(q{SELECT name, relation, added_by FROM hydra_export.models WHERE problem IS NULL ORDER BY name}), join("\n",
    "one|one|$owner", q(orders|"Sales, East"."Orders.2024 ""new"""|reader), 'plain|plain|reader', "two|two|$owner"), 'the others are here');
like($copy->sql('SELECT why FROM hydra_export.schedule'), qr/; 4 models cannot be exported, see problem in hydra_export\.models$/,
    'the schedule says so');

my $export = $copy->export;
is($export->{status}, 'partial', 'an export does what it can');
$copy->holds_table($_, "what has the name is what is exported: $_") foreach qw(one two plain orders);
is(join(' ', $copy->lines($export, 'one')), '{"id":1,"what":"two"}', 'swapped names are names');
is(join(' ', $copy->objects($export, $_)), '', "nothing under the name $_") foreach qw(missing of_leaver dropped of_gone_role);
like($copy->model($export, 'missing')->{error}, qr/there is no public\.missing.*Create what is missing and run hydra_export\.resume/, 'history says why');
is($copy->model($export, 'missing')->{relation}, 'public.missing', 'and which table it was');
like($export->{error}, qr/model "of_leaver": .*there is no role leaver/, 'in the export, too');
like($copy->sql(q{SELECT reason FROM hydra_export.preview() WHERE model = 'missing'}), qr/there is no public\.missing/, 'preview() says so');
like(($copy->try(q{SELECT hydra_export.alter_model('missing', look_back => '3 hours')}))[1], qr/ERROR:  model "missing" cannot be exported/, 'alter_model() too');
like(($copy->try(q{SELECT hydra_export.add_model('payroll', name => 'missing')}))[1],
    qr/already exists|exists already.*\nDETAIL:  It cannot be exported: there is no public\.missing/s, 'and add_model()');

# What was missing comes later; a dump of the copy knows as much as the copy.
$node->command_ok([ 'pg_dump', '-f', "$dir/again", '-d', $node->connstr('copy') ], 'a dump of the copy');
$copy->sql(q{CREATE TABLE missing (id integer PRIMARY KEY, what text); INSERT INTO missing VALUES (5, 'came later')});
(undef, $messages) = $copy->try($resume);
unlike($messages, qr/"missing"/, 'resume() may be run again');
is($copy->sql(q{SELECT relation, added_by, restored_relation, restored_role FROM hydra_export.models WHERE name = 'missing'}), "missing|$owner||",
    'and finds what came');
$export = $copy->export;
is(join(' ', $copy->lines($export, 'missing')), '{"id":5,"what":"came later"}', 'it is exported');
$copy->sent($export, 'plain', '', 'the others go on');
my $third = restored('third', 'again');
is($third->sql(q{SELECT string_agg(name || ': ' || problem, E'\n' ORDER BY name) FROM hydra_export.models WHERE name IN ('missing', 'one')}),
    "missing: there is no public.missing, which a dump names as its table\none: $came", 'a dump of a dump');
$third->sql($resume);
is($third->sql(q{SELECT name FROM hydra_export.models WHERE problem IS NULL ORDER BY name}), "one\norders\nplain\ntwo", 'and what it brings');

# ---- another server

my $other = new_node('other', 'hydra_export.first_export_delay' => '1h');
$other->command_ok([ 'psql', '-X', '-q', '-d', $other->connstr('postgres'), '-f', "$dir/all" ], 'a dump of a whole server');
is($other->safe_psql('postgres', 'SELECT count(*), count(problem) FROM hydra_export.models'), '8|8', 'has all models');
$other->safe_psql('postgres', $resume);
is($other->safe_psql('postgres', 'SELECT name, relation, added_by FROM hydra_export.models WHERE problem IS NULL ORDER BY name'), join("\n",
    "missing|missing|$owner", 'of_leaver|of_leaver|leaver', "one|one|$owner", q(orders|"Sales, East"."Orders.2024 ""new"""|reader),
    'plain|plain|reader', "two|two|$owner"), 'by their names');
cmp_ok($other->safe_psql('postgres', 'SELECT count(*) FROM pg_class WHERE oid IN (' . join(',', @oids) . ')'), '>', 0,
    'where their old numbers are those of others');
is($other->safe_psql('postgres', q(SELECT shobj_description('hydra_export_monitor'::regrole, 'pg_authid'))) =~ /values of key columns/, 1,
    'the role says what it gets to see');

$node->safe_psql('postgres', 'ALTER ROLE somebody RENAME TO leaver');

# ---- an admin who restores nothing of its own cannot have exported what it may not read

my $taken = restored('taken', 'plain');
$taken->sql('CREATE ROLE admin LOGIN; GRANT hydra_export_admin TO admin');
my @as_admin = (extra_params => [ '-U', 'admin' ]);
my ($key, $secret) = $s3->writer;
$node->safe_psql('taken', "SELECT hydra_export.configure(prefix => 'admins', access_key => '$key', secret_key => '$secret')", @as_admin);
my (undef, undef, $refusal) = $node->psql('taken', $resume, @as_admin);
like($refusal, qr/ERROR:  permission denied to change where objects go, or who may read them, for destination "default"\nDETAIL:  Model "\S+": permission denied for/,
    'resume() needs the right to read what it has exported');
is($taken->sql('SELECT count(*) FROM hydra_export.models WHERE problem IS NULL'), '0', 'and nothing has changed');

# ---- a dump of 0.1.0, in which a dropped table is the number that another one has here

my $old = restored('old', 'plain');
my $number = $old->sql(q(CREATE TABLE payroll (id integer PRIMARY KEY); SELECT 'payroll'::regclass::oid));
$old->sql(qq{
    DELETE FROM hydra_export.models;
    COPY hydra_export.models (destination, name, relation, changed_by, look_back, added_by) FROM stdin;
default\tlost\t$number\txmin\t01:00:00\t$owner
default\tone\tpublic.one\txmin\t01:00:00\t$owner
\\.
});
configure($node, 'old', $s3, bucket => 'dumps', prefix => 'old');
(undef, $messages) = $old->try($resume);
like($messages, qr/WARNING:  model "lost" cannot be exported: a dump of version 0\.1\.0 names public\.payroll, perhaps by an OID/, 'it is not trusted');
$export = $old->export;
is($export->{status}, 'failed', 'nor exported');
is(join(' ', $old->objects($export)), '', 'nothing is sent');

# ---- a table that is dropped in a live database lets go of its OID, which another one may get

$site->export;
is($site->sql(q{SELECT relation IS NULL, problem FROM hydra_export.models WHERE name = 'dropped'}), 't|the table no longer exists', 'no OID stays');
is($site->sql(q{SELECT added_by IS NULL, problem FROM hydra_export.models WHERE name = 'of_gone_role'}), 't|the role that added it no longer exists',
    'nor one of a role');
$site->sql('CREATE TABLE dropped (id integer PRIMARY KEY)');
$site->sql($resume);
is($site->sql(q{SELECT relation IS NULL FROM hydra_export.models WHERE name = 'dropped'}), 't', 'nor does another table of the name take its place');
done_testing();
