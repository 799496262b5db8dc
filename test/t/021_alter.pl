# Changes of columns, types and keys that change the lines of rows that no transaction wrote. Such a change makes the
# next export full; other changes do not.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('alter');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'alter');

$site->sql(q{
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE DOMAIN any_mood AS mood;
    CREATE TYPE colour AS ENUM ('red', 'blue');
    CREATE TYPE inner_place AS (x integer, c colour);
    CREATE TYPE place AS (label text, inside inner_place[]);
    CREATE TABLE other (id integer PRIMARY KEY, o text);
    CREATE DOMAIN small AS integer;
    CREATE TABLE t (
        id integer PRIMARY KEY, code integer NOT NULL UNIQUE, a integer, b varchar(10), n numeric(10,2), moods any_mood[],
        spot place, o other, s small, gone text, twice text);
    INSERT INTO t SELECT i, 10 + i, i, 'b' || i, i, '{glad,sad}', ROW('l', ARRAY[ROW(i, 'red')::inner_place])::place,
        ROW(i, 'o')::other, 1, 'gone', 'x' FROM generate_series(1, 3) AS i;
    CREATE TABLE parted (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (10);
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
    INSERT INTO parted VALUES (1, 'x'), (11, 'x');
});
$site->add_model('t', name => q('t'));
$site->add_model('parted');
$site->export;

# after(SQL, KIND, IDS, NAME): what the next export is after this.
sub after
{
    my ($sql, $kind, $ids, $name, %options) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $model = $options{model} // 't';
    $site->sql($sql);
    my $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{messages});
    is($site->model($export, $model)->{kind}, $kind, "$name: $kind");
    $site->sent($export, $model, $ids, $name . ($ids eq '' ? ': nothing is sent' : ": $ids is sent"));
    $site->holds_table($model, "$name: the bucket holds the table") unless $options{lines_differ};
    return $export;
}

sub full { my ($sql, $name) = @_; return after($sql, 'full', '1 2 3', $name) }

sub nothing { my ($sql, $name, %options) = @_; return after($sql, 'incremental', '', $name, %options) }

# ---- columns

my $export = full(q{ALTER TABLE t ADD given text DEFAULT 'given'}, 'a column with a default');
like($site->model($export, 't')->{reason}, qr/columns/, 'history says why');
nothing(q{ALTER TABLE t ALTER given SET DEFAULT 'another'}, 'another default for new rows');
nothing(q{ALTER TABLE t ALTER given DROP DEFAULT}, 'no default for new rows');
nothing(q{VACUUM FULL t}, 'the default written into the rows');
nothing(q{ALTER TABLE t ADD late text}, 'a column without a default', lines_differ => 1);
after(q{UPDATE t SET late = 'l' WHERE id = 2}, 'incremental', '2', 'a value in it', lines_differ => 1);
nothing(q{ALTER TABLE t DROP gone}, 'a column dropped', lines_differ => 1);
full(q{ALTER TABLE t DROP twice; ALTER TABLE t ADD twice text}, 'a column dropped and added again');
full(q{ALTER TABLE t DROP late; ALTER TABLE t ADD late text; UPDATE t SET late = 'new' WHERE id = 1},
    'a column dropped and added again between two writes');
full(q{ALTER TABLE t RENAME late TO later}, 'a column renamed');
full(q{ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME code TO a; ALTER TABLE t RENAME x TO code},
    'two columns that swapped their names');
full(q{ALTER TABLE t RENAME code TO x; ALTER TABLE t RENAME a TO code; ALTER TABLE t RENAME x TO a}, 'and back');
full(q{ALTER TABLE t ADD sum integer GENERATED ALWAYS AS (a + code) STORED}, 'a generated column');
full(q{ALTER TABLE t ADD stamp timestamptz DEFAULT clock_timestamp()}, 'a column whose default differs from row to row');
full(q{ALTER TABLE t ADD kept text DEFAULT 'kept'; VACUUM FULL t}, 'a column with a default that a rewrite wrote into the rows');
full(q{ALTER TABLE t ADD kept_too text DEFAULT 'kept'; CLUSTER t USING t_pkey}, 'or CLUSTER did');

# ---- types

full(q{ALTER TABLE t ALTER b TYPE text}, 'a type changed without a rewrite');
full(q{ALTER TABLE t ALTER n TYPE numeric(12,4)}, 'a type\'s modifier');
full(q{ALTER TABLE t ALTER s TYPE bigint}, 'a type changed with a rewrite');
after(q{ALTER TABLE t ALTER s TYPE bigint USING s + 1}, 'full', '1 2 3', 'values changed by ALTER TABLE');
full(q{ALTER TYPE mood RENAME VALUE 'sad' TO 'very sad'}, 'an enum value renamed, in an array of a domain');
nothing(q{ALTER TYPE mood ADD VALUE 'new' BEFORE 'glad'}, 'an enum value added');
full(q{ALTER TYPE colour RENAME VALUE 'red' TO 'crimson'}, 'an enum value renamed, in a composite in an array in a composite');
full(q{ALTER TYPE place RENAME ATTRIBUTE label TO title}, 'an attribute renamed');
full(q{ALTER TYPE inner_place ADD ATTRIBUTE y integer}, 'an attribute added, deep inside');
full(q{ALTER TYPE inner_place DROP ATTRIBUTE x}, 'an attribute dropped');
full(q{ALTER TABLE other ADD p integer}, 'the row type of another table');
nothing(q{ALTER TYPE mood RENAME TO temper; ALTER TYPE place RENAME TO spot; ALTER DOMAIN small ADD CHECK (VALUE < 1000)},
    'a type renamed or constrained');

# ---- keys, and what leaves the lines alone

nothing(q{ALTER TABLE t ALTER a SET NOT NULL; ALTER TABLE t SET (fillfactor = 50); CREATE INDEX ON t (b);
    ALTER TABLE t ALTER b SET STORAGE EXTERNAL; ANALYZE t; ALTER TABLE t REPLICA IDENTITY FULL; COMMENT ON TABLE t IS 'x'},
    'constraints, indexes, storage');
nothing(q{ALTER TABLE t RENAME TO renamed}, 'the table renamed');
nothing(q{CREATE SCHEMA s; ALTER TABLE renamed SET SCHEMA s}, 'the table in another schema');
is(($site->manifest($site->last_export)->{models}[1]{relation}), 's.renamed', 'the manifest has its new name');
after(q{ALTER TABLE s.renamed SET UNLOGGED}, 'full', '1 2 3', 'SET UNLOGGED rewrites all rows');
$site->sql('ALTER TABLE s.renamed SET LOGGED');
$export = $site->export;
$site->holds_table('t', 'SET LOGGED: the bucket holds the table');
$site->sql('ALTER TABLE s.renamed DROP CONSTRAINT t_pkey; ALTER TABLE s.renamed ADD PRIMARY KEY (code)');
$export = $site->export;
is($site->model($export, 't')->{kind}, 'full', 'another primary key makes the export full');
$site->sent($export, 't', '11 12 13', 'and the ids are new ones');

# ---- partitions

after(q{ALTER TABLE parted ADD given integer DEFAULT 7}, 'full', '1 11', 'a default in every partition', model => 'parted');
after(q{ALTER TABLE parted ADD late integer; ALTER TABLE ONLY parted ALTER late SET DEFAULT 3; VACUUM FULL parted_1}, 'incremental', '1',
    'a default for new rows alone, and a rewrite', model => 'parted', lines_differ => 1);
after(q{INSERT INTO parted VALUES (2, 'y')}, 'incremental', '2', 'a row with it', model => 'parted', lines_differ => 1);
after(q{ALTER TABLE parted DETACH PARTITION parted_2; DROP TABLE parted_2;
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20); INSERT INTO parted VALUES (12, 'new')},
    'incremental', '12', 'a partition made anew', model => 'parted', lines_differ => 1);

is(join(' ', grep { $_ ne 'succeeded' } map { $_->{status} } $site->exports), '', 'all exports succeeded');

done_testing();
