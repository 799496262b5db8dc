# What the lines of unchanged rows depend on in addition to the columns of a heap: queries of views, options of foreign
# tables, earlier columns, casts, row types. A change of these makes the next export full, and nothing else does.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('definitions', 'hydra_export.max_attempts' => 1);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'definitions', endpoint => $faults->endpoint);

# after(MODEL, SQL, KIND, NAME): what the model's next export is after this; the bucket holds what the model shows.
sub after
{
    my ($model, $sql, $kind, $name, %options) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $site->sql($sql);
    my $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{messages});
    my $row = $site->model($export, $model);
    is($row->{kind}, $kind, "$name: $kind") or diag($row->{reason} // 'no reason');
    $site->holds_table($model, "$name: the bucket holds what it shows") unless $options{lines_differ};
    return $row;
}

# ---- views: rows of long ago, which only a full export sends again

$site->sql(q{
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TABLE base (id integer PRIMARY KEY, a text, b text, mood mood DEFAULT 'sad', updated_at timestamptz DEFAULT now() - interval '1 year');
    INSERT INTO base (id, a, b) SELECT i, 'a' || i, 'b' || i FROM generate_series(1, 5) AS i;
    CREATE FUNCTION shown(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1';
    CREATE FUNCTION through(x text) RETURNS text STABLE RETURN public.shown(x);
    CREATE VIEW inner_view AS SELECT id, a, b, mood::text AS mood, updated_at FROM base;
    CREATE VIEW v AS SELECT id, a, mood, updated_at FROM inner_view;
    CREATE VIEW calling AS SELECT id, through(a) AS a, updated_at FROM base;
});
$site->add_model('v', key_columns => q('{id}'), changed_by => q('updated_at'));
$site->add_model('calling', key_columns => q('{id}'), changed_by => q('updated_at'));
$site->export;
after('v', q{SELECT 1}, 'incremental', 'a view as it was');
after('v', q{CREATE OR REPLACE VIEW v AS SELECT id, a, mood, updated_at FROM inner_view}, 'incremental', 'the same view, created again');
after('v', q{CREATE OR REPLACE VIEW v AS SELECT id, a, mood, updated_at, b FROM inner_view}, 'full', 'a column added to a view');
after('v', q{CREATE OR REPLACE VIEW v AS SELECT id, upper(a) AS a, mood, updated_at, b FROM inner_view}, 'full', 'another expression');
after('v', q{CREATE OR REPLACE VIEW v AS SELECT id, upper(a) AS a, mood, updated_at, b FROM inner_view WHERE id < 100}, 'full',
    'another condition');
after('v', q{CREATE OR REPLACE VIEW inner_view AS SELECT id, a || '!' AS a, b, mood::text AS mood, updated_at FROM base}, 'full',
    'another view within');
after('v', q{ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'}, 'full', 'a label that the view shows as text');
after('v', q{ALTER TABLE base ADD more integer DEFAULT 1; ALTER TABLE base RENAME TO renamed; ALTER TABLE renamed RENAME TO base}, 'incremental',
    'changes of a table that the view does not show');
after('calling', q{CREATE OR REPLACE FUNCTION shown(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1 || 1'}, 'full',
    'a function replaced that a function of a view calls');
after('calling', q{CREATE OR REPLACE FUNCTION shown(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1 || 1'}, 'incremental',
    'the same function, created again');

# ---- foreign tables

my $files = PostgreSQL::Test::Utils::tempdir('files');
chmod 0755, $files;
foreach my $file (1, 2)
{
    append_to_file("$files/$file.csv", join '', map { "$_,v$file,2020-01-01,more\n" } 1 .. 3);
}
$site->sql(qq{
    CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE remote (id integer, v text, updated_at timestamptz, more text)
        SERVER files OPTIONS (filename '$files/1.csv', format 'csv');
    CREATE VIEW of_remote AS SELECT id, v, updated_at FROM remote;
});
$site->add_model($_, key_columns => q('{id}'), changed_by => q('updated_at')) foreach qw(remote of_remote);
$site->export;
after('remote', 'SELECT 1', 'incremental', 'a foreign table as it was');
my $row = after('remote', "ALTER FOREIGN TABLE remote OPTIONS (SET filename '$files/2.csv')", 'full', 'an option of a foreign table');
like($row->{reason}, qr/definition/, 'the reason says so');
is($site->model($site->last_export, 'of_remote')->{kind}, 'full', 'also of one that a view reads');
$site->holds_table('of_remote', 'the bucket holds what that view shows');
after('remote', q{ALTER FOREIGN TABLE remote ALTER v OPTIONS (ADD force_not_null 'true')}, 'full', 'an option of a column');
$site->sql(q{SELECT hydra_export.remove_model('remote'), hydra_export.remove_model('of_remote')});
$site->sql(qq{CREATE FOREIGN TABLE narrow (id integer, v text, updated_at timestamptz) SERVER files OPTIONS (filename '$files/3.csv', format 'csv')});
append_to_file("$files/3.csv", "1,x,2020-01-01\n");
$site->add_model('narrow', key_columns => q('{id}'), changed_by => q('updated_at'));
$site->export;
unlink "$files/3.csv";
append_to_file("$files/3.csv", "1,x,2020-01-01,y\n");
after('narrow', 'ALTER FOREIGN TABLE narrow ADD more text', 'full', 'a column of a foreign table that the remote side has had');
$site->sql(q{SELECT hydra_export.remove_model('narrow')});

# ---- columns that heaps had before

$site->sql(q{
    CREATE TABLE parent (id integer PRIMARY KEY, v text);
    CREATE TABLE child (PRIMARY KEY (id), own text) INHERITS (parent);
    INSERT INTO child SELECT i, 'v', 'own' FROM generate_series(1, 3) AS i;
    INSERT INTO parent VALUES (100, 'v');
    CREATE TABLE parted (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (10);
    INSERT INTO parted VALUES (1, 'x');
});
$site->add_model('parent');
$site->add_model('parted');
$site->export;
$row = after('parent', 'ALTER TABLE parent ADD own text', 'incremental', 'a parent\'s new column that a child has had');
like($row->{reason}, qr/1 of 2 tables in full/, 'the child comes in full');
after('parent', 'ALTER TABLE ONLY parent DROP own', 'incremental', 'a parent\'s column dropped, and kept by the child', lines_differ => 1);
$row = after('parent', 'ALTER TABLE parent ADD own text', 'incremental', 'and added again');
like($row->{reason}, qr/1 of 2 tables in full/, 'the child comes in full');
after('parent', 'ALTER TABLE parent ADD late text', 'incremental', 'a column that is new everywhere', lines_differ => 1);

# ---- casts and row types

$site->sql(q{
    CREATE TYPE colour AS ENUM ('red', 'blue');
    CREATE TABLE other (o text, gone integer);
    CREATE TABLE t (id integer PRIMARY KEY, colour colour DEFAULT 'red', other other DEFAULT ROW('o', 1)::other);
    INSERT INTO t SELECT generate_series(1, 3);
    CREATE FUNCTION to_json(colour) RETURNS json LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.to_json(1)$$;
});
$site->add_model('t');
$site->export;
after('t', 'CREATE CAST (colour AS json) WITH FUNCTION to_json(colour)', 'full', 'a cast to json made');
after('t', q{CREATE OR REPLACE FUNCTION to_json(colour) RETURNS json LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.to_json(2)$$}, 'full',
    'its function replaced');
after('t', 'DROP CAST (colour AS json)', 'full', 'the cast dropped');
after('t', 'ALTER TABLE other DROP gone; ALTER TABLE other ADD gone integer', 'full', 'an attribute of a row type dropped and added again');
after('t', q{CREATE TYPE fresh AS ENUM ('x'); CREATE CAST (fresh AS text) WITH INOUT; ALTER TABLE t ADD fresh fresh}, 'incremental',
    'a column of a type that is new to the table', lines_differ => 1);

# ---- updated_at: ALTER TABLE computes new values, and leaves the column alone

$site->sql(q{
    CREATE TABLE stamped (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT now() - interval '1 year');
    INSERT INTO stamped SELECT i, i FROM generate_series(1, 3) AS i;
});
$site->add_model('stamped', changed_by => q('updated_at'));
$site->export;
after('stamped', 'ALTER TABLE stamped ALTER n TYPE integer USING n + 1', 'full', 'values changed by ALTER TABLE, in updated_at mode');
after('stamped', 'VACUUM FULL stamped', 'incremental', 'a rewrite that changes no value');

# ---- an export that failed, and definitions that have nothing to do with its models

$faults->plan({ fault => 'status', status => 400, path => '/t/', times => 100 });
$site->sql('UPDATE t SET id = id WHERE id = 1');
is($site->export->{status}, 'partial', 'a model fails');
$faults->plan;
after('t', q{CREATE TYPE unrelated AS (a integer); CREATE TYPE unrelated_too AS ENUM ('x'); CREATE TABLE unrelated_table (x integer);
    CREATE INDEX ON t (colour)}, 'incremental', 'types of others');

# ---- tables that come and go between an export's snapshot and its locks

# while_blocked(CODE): an export whose first model waits for its lock while the code runs: its snapshot is taken.
my $session = $node->background_psql('postgres');
sub while_blocked
{
    my ($code) = @_;

    $session->query_safe('BEGIN');
    $session->query_safe('LOCK TABLE aaa');
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'aaa'::regclass AND NOT granted});
    $code->();
    $session->query_safe('COMMIT');
    $node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id") or die;
    return $site->exports("WHERE id = $id");
}

$site->sql(q{
    CREATE TABLE aaa (id integer PRIMARY KEY);
    CREATE TABLE moving (id integer, part integer, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE moving_1 PARTITION OF moving FOR VALUES IN (1);
    CREATE TABLE moving_2 PARTITION OF moving FOR VALUES IN (2, 3);
    INSERT INTO moving SELECT i, i % 2 + 1 FROM generate_series(1, 600) AS i;
    CREATE VIEW of_moving AS SELECT id, part, NULL::timestamptz AS updated_at FROM moving;
});
$site->add_model('aaa');
$site->add_model('moving');
$site->add_model('of_moving', key_columns => q('{id}'), changed_by => q('updated_at'));
my $export = while_blocked(sub { $site->sql(q{
    BEGIN; UPDATE moving SET part = 3 WHERE part = 1; DROP TABLE moving_1; COMMIT}) });
is($site->model($export, 'moving')->{rows}, 600, 'rows that moved out of a partition that was dropped: all are there');
is($site->model($export, 'of_moving')->{rows}, 600, 'through a view, too');
$site->holds_table('moving', 'the bucket holds the table');

# Rows that move back into a partition that is created again, and attached after the export has taken its snapshot.
$site->sql(q{SELECT hydra_export.reset_model('moving')});
$export = while_blocked(sub { $site->sql(q{
    BEGIN; CREATE TABLE moving_1 (LIKE moving INCLUDING ALL); INSERT INTO moving_1 SELECT id, 1 FROM moving WHERE part = 3;
    DELETE FROM moving WHERE part = 3; ALTER TABLE moving ATTACH PARTITION moving_1 FOR VALUES IN (1); COMMIT}) });
is($site->model($export, 'moving')->{rows}, 600, 'rows that moved into a partition that came: all are there');

# ---- a partition that is just being detached

$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM moving');
my $detacher = $node->background_psql('postgres', on_error_stop => 0);
$detacher->query_until(qr/started/, "\\echo started\nALTER TABLE moving DETACH PARTITION moving_1 CONCURRENTLY;\n");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_inherits WHERE inhdetachpending') or die;
$site->sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE moving%'});
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'ALTER TABLE moving%'});
$session->query_safe('COMMIT');
$export = $site->export;
is($site->model($export, 'moving')->{status}, 'succeeded', 'a detach that was broken off');
like($site->model($export, 'moving')->{reason}, qr/without .*moving_1, which is being detached/, 'history tells which rows are left out');
$detacher->quit;
$session->quit;

done_testing();
