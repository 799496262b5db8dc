# What tables, keys and models may be called, and which kinds of relations there are.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('names');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'names');

sub sql { return $site->sql(@_) }

# ---- keys

sql(<<'SQL');
CREATE TABLE composite (tenant text, day date, number integer, v text, PRIMARY KEY (tenant, day, number));
INSERT INTO composite VALUES ('a-b', '2024-01-02', -5, 'x'), ('a_b', '2024-01-02', 7, 'x'), ('', '0044-03-15 BC', 0, 'x'),
    ('ü/%', 'infinity', 1, 'x');
CREATE TABLE text_key (code text PRIMARY KEY);
INSERT INTO text_key VALUES ('Zebra'), ('apple'), ('-'), ('.hidden'), ('%41'), ('a b"c\d'), ('漢字'), (E'tab\tnewline\n'), ('');
CREATE TABLE uuid_key (id uuid PRIMARY KEY, v integer);
INSERT INTO uuid_key VALUES ('ffffffff-0000-0000-0000-000000000001', 1), ('00000000-0000-0000-0000-000000000002', 2);
CREATE TABLE big_key (id bigint PRIMARY KEY);
INSERT INTO big_key VALUES (-9223372036854775808), (9223372036854775807), (0), (9), (10);
CREATE TABLE numeric_key (id numeric PRIMARY KEY);
INSERT INTO numeric_key VALUES (1.50), (-2), ('NaN'), (1e30);
CREATE TABLE time_key (at timestamptz PRIMARY KEY);
INSERT INTO time_key VALUES ('2024-05-06 07:08:09.123+00'), ('1999-01-01 00:00+00');
CREATE TABLE long_key (id text PRIMARY KEY);
INSERT INTO long_key VALUES (repeat('ü', 900)), (repeat('ü', 899) || 'x');
CREATE TABLE unique_key (a integer NOT NULL, b text NOT NULL, c text, UNIQUE (b, a));
INSERT INTO unique_key VALUES (1, 'one', 'x'), (2, 'two', 'y');
CREATE TABLE case_key (id text COLLATE "C" PRIMARY KEY);
INSERT INTO case_key VALUES ('b'), ('B'), ('a'), ('A');
SQL
my @keys = qw(composite text_key uuid_key big_key numeric_key time_key long_key case_key);
$site->add_model($_) foreach @keys;
$site->add_model('unique_key', key_columns => q('{b,a}'));

# ---- names

sql(<<'SQL');
CREATE SCHEMA "Sales ""EU""";
CREATE TABLE "Sales ""EU"""."Or'ders.2024" ("Id" integer PRIMARY KEY, "it's ""x""" text, "ü\n" text);
INSERT INTO "Sales ""EU"""."Or'ders.2024" VALUES (1, 'x', 'y');
CREATE TABLE "Ünï" ("ïd" integer PRIMARY KEY, "日本" text);
INSERT INTO "Ünï" VALUES (1, 'ü');
CREATE TABLE "select" ("from" integer PRIMARY KEY, "order" text);
INSERT INTO "select" VALUES (1, 'y');
SQL
$site->add_model(q{"Sales ""EU"""."Or'ders.2024"});
$site->add_model(q{"Ünï"});
$site->add_model(q{"select"});
$site->add_model('uuid_key', name => q('_hidden "model" 100%'));
$site->add_model('uuid_key', name => q('.dot'));
$site->add_model('uuid_key', name => q('_manifest.json'));
$site->add_model('uuid_key', name => q('Uuid_Key'));

# ---- kinds of tables

sql(<<'SQL');
CREATE TABLE columns (dropped1 text, id integer GENERATED ALWAYS AS IDENTITY, dropped2 integer NOT NULL DEFAULT 3, a integer,
    twice bigint GENERATED ALWAYS AS (a * 2) STORED, b text, PRIMARY KEY (id));
INSERT INTO columns (dropped1, a, b) VALUES ('x', 1, 'one'), ('y', NULL, NULL);
ALTER TABLE columns DROP dropped1, DROP dropped2, ADD late text DEFAULT 'for "all"';
INSERT INTO columns (a, late) VALUES (3, 'own');
CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY);
INSERT INTO unlogged VALUES (1);
CREATE TABLE source (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT now());
INSERT INTO source VALUES (1, 'a'), (2, 'b');
CREATE MATERIALIZED VIEW matview AS SELECT id, v FROM source;
CREATE UNIQUE INDEX ON matview (id);
CREATE VIEW view AS SELECT id, upper(v) AS v, updated_at FROM source;
CREATE EXTENSION postgres_fdw;
SQL
my $port = $node->port;
my $host = $node->host;
sql(<<"SQL");
CREATE DATABASE remote;
CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'remote');
CREATE USER MAPPING FOR CURRENT_USER SERVER remote;
CREATE FOREIGN TABLE foreign_table (id integer, v text, updated_at timestamptz) SERVER remote;
SQL
$node->safe_psql('remote', q{CREATE TABLE foreign_table (id integer, v text, updated_at timestamptz);
    INSERT INTO foreign_table VALUES (1, 'far', now()), (2, 'away', now())});
sql(<<'SQL');
CREATE TABLE parted (id integer, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parted_2023 PARTITION OF parted FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (id);
CREATE TABLE parted_2024_other PARTITION OF parted_2024 DEFAULT;
-- Its columns stand in another order.
CREATE TABLE parted_2022 (v text, gone text, day date NOT NULL, id integer NOT NULL);
ALTER TABLE parted_2022 DROP gone;
INSERT INTO parted_2022 VALUES ('old', '2022-05-05', 1), ('older', '2022-05-05', 2);
INSERT INTO parted VALUES (1, '2023-02-02', 'x'), (2, '2024-02-02', 'y');
CREATE TABLE parent (id integer PRIMARY KEY, v text);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE grandchild (PRIMARY KEY (id)) INHERITS (child);
INSERT INTO parent VALUES (1, 'p'), (2, 'p');
INSERT INTO child VALUES (3, 'c', 'only here');
INSERT INTO grandchild VALUES (5, 'g');
SQL
my @kinds = qw(columns unlogged parted parent);
$site->add_model($_) foreach @kinds;
$site->add_model('matview', key_columns => q('{id}'));
$site->add_model('view', changed_by => q('updated_at'), key_columns => q('{id}'));
$site->add_model('foreign_table', changed_by => q('updated_at'), key_columns => q('{id}'));

my $first = $site->export;
is($first->{status}, 'succeeded', 'everything is exported') or diag($first->{messages});
my @models = split /\n/, sql('SELECT name FROM hydra_export.models ORDER BY name');
is($first->{models}, scalar @models, 'every model is in it');
$site->holds_table($_) foreach @models;
$site->is_consistent($first);

# names_of(MODEL): the names of its objects.
sub names_of
{
    my ($export, $model) = @_;
    return join ' ', map { m{([^/]+)$} } $site->objects($export, $model);
}

is(names_of($first, 'composite'), '_0044-03-15%20BC_0-%C3%BC%2F%25_infinity_1.json' =~ s/^_/%5F/r, 'a composite key');
like(names_of($first, 'text_key'), qr/^(|-.*)\S+\.json$/, 'an empty text key');
is(names_of($first, 'uuid_key'), '00000000-0000-0000-0000-000000000002-ffffffff-0000-0000-0000-000000000001.json', 'a uuid key');
is(names_of($first, 'big_key'), '-9223372036854775808-9223372036854775807.json', 'a negative id');
is(names_of($first, 'numeric_key'), '-2-NaN.json', 'a numeric key');
is(names_of($first, 'case_key'), 'A-b.json', 'the order is that of the column\'s collation');
is(names_of($first, 'time_key'), '1999-01-01%2000%3A00%3A00%2B00-2024-05-06%2007%3A08%3A09.123%2B00.json', 'a timestamp key');
is(names_of($first, 'unique_key'), 'one_1-two_2.json', 'key_columns in the order given');
my ($long) = map { $_->{key} } grep { $_->{key} =~ m{/long_key/} } @{ $s3->list('names') };
cmp_ok(length $long, '<=', 1024, 'a long name is cut');
like($long, qr/~[0-9a-f]{64}\.json$/, 'and ends in a hash');

my @folders = map { m{^\d+/([^/]+)/} } $s3->keys('names');
my %folders = map { $_ => 1 } @folders;
foreach my $folder (
    'Sales%20%22EU%22.Or%27ders.2024', '%C3%9Cn%C3%AF', 'select', '%5Fhidden%20%22model%22%20100%25', '%2Edot',
    '%5Fmanifest.json', 'Uuid_Key', 'uuid_key')
{
    ok($folders{$folder}, "folder $folder");
}

like(names_of($first, $_), qr/^\S+~1\.json$/, "objects of $_ have a number, as nothing enforces its key")
  foreach qw(view foreign_table);
is(names_of($first, 'parent'), '1-2~1.json 3-3~2.json 5-5~3.json', 'so have those of a parent, each of them of one table');
unlike(names_of($first, $_), qr/~/, "those of $_ have none") foreach qw(parted matview columns);
is(($site->lines($first, 'columns'))[0], '{"id":1,"a":1,"twice":2,"b":"one","late":"for \"all\""}',
    'dropped columns are gone, generated ones and late defaults are there');
is(join(' ', sort map { /"id":(\d)/ } $site->lines($first, 'parent')), '1 2 3 5', 'children belong to their parent');

# ---- changes in each of them

sql(<<'SQL');
UPDATE composite SET v = 'y' WHERE number = 7;
UPDATE columns SET a = 5 WHERE id = 1;
INSERT INTO unlogged VALUES (2);
INSERT INTO source VALUES (3, 'c', clock_timestamp());
INSERT INTO parted VALUES (3, '2024-03-03', 'z');
UPDATE parted SET day = '2024-06-06' WHERE id = 1;
INSERT INTO child VALUES (6, 'c', '');
UPDATE grandchild SET v = 'gg';
REFRESH MATERIALIZED VIEW CONCURRENTLY matview;
UPDATE "Sales ""EU"""."Or'ders.2024" SET "it's ""x""" = 'z';
SQL
$node->safe_psql('remote', q{INSERT INTO foreign_table VALUES (3, 'new', now()), (4, 'backdated', '2020-01-01')});
my $second = $site->export;
is($second->{status}, 'succeeded', 'an incremental export of everything') or diag($second->{messages});
$site->sent($second, 'composite', 'a_b|2024-01-02|7');
$site->sent($second, 'columns',   '1');
$site->sent($second, 'unlogged',  '2');
$site->sent($second, 'parted',    '1|2024-06-06 3|2024-03-03');
$site->sent($second, 'parent',    '5 6');
$site->sent($second, 'matview',   '3', 'a concurrent refresh of a materialized view sends what it changed');
$site->sent($second, 'text_key',  '');
like($site->ids($second, 'view'), qr/\b3$/, 'a new row of a view');
like($site->ids($second, 'foreign_table'), qr/\b3$/, 'a new row of a foreign table');
unlike($site->ids($second, 'foreign_table'), qr/\b4$/, 'a view cannot see what is written far back');
$site->holds_table($_) foreach grep { !/^(parted|foreign_table)$/ } @models;
$site->holds_table('parted', 'parted, but for the old key of the row that moved', '1|2023-02-02');
$site->is_consistent($second);
sql('REFRESH MATERIALIZED VIEW matview');
my $refreshed = $site->export;
$site->holds_table('matview', 'after a plain refresh');

# ---- partitions and children that come and go

sql(q{ALTER TABLE parted ATTACH PARTITION parted_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')});
my $attached = $site->export;
$site->sent($attached, 'parted', '1|2022-05-05 2|2022-05-05', 'a partition attached with old rows is sent whole');
is($site->model($attached, 'parted')->{kind}, 'incremental', 'that is no full export');
like($site->model($attached, 'parted')->{reason}, qr/^1 of 3 tables in full: new partition$/, 'history says why');
sql('ALTER TABLE parted DETACH PARTITION parted_2022');
$site->sent($site->export, 'parted', '', 'a detached partition sends nothing');
sql(q{UPDATE parted_2022 SET v = 'while detached' WHERE id = 1; VACUUM FREEZE parted_2022;
    ALTER TABLE parted ATTACH PARTITION parted_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')});
$site->sent($site->export, 'parted', '1|2022-05-05 2|2022-05-05', 'attached again, it is sent whole');
sql(q{ALTER TABLE parted DETACH PARTITION parted_2022; UPDATE parted_2022 SET v = 'again' WHERE id = 2;
    ALTER TABLE parted ATTACH PARTITION parted_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01')});
$site->sent($site->export, 'parted', '2|2022-05-05', 'detached and attached between two exports, just its changes are');
sql(q{CREATE TABLE orphan (id integer PRIMARY KEY, v text); INSERT INTO orphan VALUES (7, 'o');
    UPDATE parent SET v = 'pp' WHERE id = 1});
$site->export;
sql('ALTER TABLE orphan INHERIT parent');
$site->sent($site->export, 'parent', '7', 'so with a child that joins');
sql('DROP TABLE parted_2023');
is($site->export->{status}, 'succeeded', 'a partition that was dropped is no fault');
$site->holds_table('parted', 'the bucket has all partitions', '1|2023-02-02');
$site->holds_table('parent', 'and all children');

# ---- other encodings

foreach my $encoding (qw(LATIN1 SQL_ASCII))
{
    my $database = lc $encoding;
    $node->safe_psql('postgres',
        "CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
    my $e = HydraExport::Site->new($node, $database, $s3, bucket => "enc$database" =~ s/_/-/r);
    my $client = $encoding eq 'LATIN1' ? 'SET client_encoding = UTF8;' : '';
    $e->sql(qq{$client CREATE TABLE "tä" ("ïd" text PRIMARY KEY, j jsonb); INSERT INTO "tä" VALUES ('ü', '"é"'), ('z', '{"ö": 1}')});
    $e->sql(qq{$client SELECT hydra_export.add_model('"tä"')});
    my $export = $e->export;
    is($export->{status}, 'succeeded', "a database in $encoding") or diag($export->{messages});
    is_deeply([ $e->lines($export, 'tä') ], [ '{"ïd":"z","j":{"ö": 1}}', '{"ïd":"ü","j":"é"}' ], 'comes in UTF-8');
    like(($e->objects($export))[0], qr{/t%C3%A4/z-%C3%BC\.json$}, 'so do the names');
    next if $encoding eq 'LATIN1';
    $e->sql(qq{INSERT INTO "t\xC3\xA4" VALUES (E'bad \\xff', NULL)});
    $e->sql('CREATE TABLE good (id integer PRIMARY KEY); INSERT INTO good VALUES (1)');
    $e->add_model('good');
    my $bad = $e->export;
    is($bad->{status}, 'partial', 'bytes that are no UTF-8 fail the model, not the export') or diag($bad->{error});
    like($bad->{error}, qr/invalid byte sequence.*id bad/, 'with the row\'s id');
    $e->holds_table('good', 'the other model goes on');
    $e->sql(qq{DELETE FROM "t\xC3\xA4" WHERE "\xC3\xAFd" > 'bad' AND "\xC3\xAFd" < 'c'});
    is($e->export->{status}, 'succeeded', 'and the next export goes on');
}

done_testing();
