# Keys that are equal but print differently, or differ but print the same: no object is overwritten, and no row
# silently replaces another.

use strict;
use warnings;

use HydraExport::BucketCopy;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('keys', 'hydra_export.file_size' => '64kB', 'min_parallel_table_scan_size' => '8kB');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'keys');

sub fails_with
{
    my ($model, $pattern, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $export = $site->export;
    is($site->model($export, $model)->{status}, 'failed', "$name: the model fails");
    like($export->{error}, $pattern, "$name: with the reason");
    return;
}

# ---- arrays: JSON has no bounds

$site->sql(q{
    CREATE TABLE arrays (id integer[] PRIMARY KEY);
    INSERT INTO arrays VALUES ('{1,2}'), ('{}');
});
$site->add_model('arrays');
is($site->export->{status}, 'succeeded', 'arrays as keys');
$site->sql(q{INSERT INTO arrays VALUES ('[0:1]={1,2}')});
fails_with('arrays', qr/key column "id" contains an array whose subscripts do not start at 1.*row with id \[0:1\]=\{1,2\}/, 'an array with other bounds');
$site->sql(q{SELECT hydra_export.remove_model('arrays')});

# ---- a table and those that inherit from it

$site->sql(q{
    CREATE TABLE parent (id integer PRIMARY KEY, v text);
    CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
    INSERT INTO parent SELECT i, 'parent' FROM generate_series(1, 3000) AS i;
    INSERT INTO child SELECT i, 'child' FROM generate_series(1, 3000) AS i;
});
$site->add_model('parent');

# By the rule of README, told apart by table; by `id` alone, half of the rows would be gone.
sub rebuilds_all
{
    my ($name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $copy = HydraExport::BucketCopy->take($s3, 'keys', PostgreSQL::Test::Utils::tempdir('copy'));
    foreach my $rule (qw(rebuild rebuild_by_chain))
    {
        my $rows = $copy->$rule('', 'parent', sub { $_[0] =~ /"id":(\d+)/; $1 });
        is(join("\n", sort values %$rows), join("\n", sort $site->table_lines('parent')), "$name ($rule)");
    }
    return;
}
$site->export;
rebuilds_all('the same keys in a table and its child');
$site->sql(q{UPDATE child SET v = 'changed' WHERE id = 1; UPDATE ONLY parent SET v = 'changed, too' WHERE id = 2});
$site->export;
rebuilds_all('changes of either');
$site->sql(q{ALTER SYSTEM SET hydra_export.parallel_workers = 2; SELECT pg_reload_conf(); ALTER TABLE child RENAME TO renamed});
$site->sql(q{SELECT hydra_export.reset_model('parent')});
my $export = $site->export;
is($export->{status}, 'succeeded', 'by several processes');
rebuilds_all('by several processes');
$site->sql(q{UPDATE renamed SET v = 'later' WHERE id = 3});
$site->export;
rebuilds_all('the child under another name');
$site->sql(q{ALTER TABLE parent ADD late text; CREATE TABLE loose () INHERITS (parent); INSERT INTO loose VALUES (1), (1)});
fails_with('parent', qr/key columns "id" of public\.loose are not unique/, 'a child whose key nothing enforces');
$site->sql(q{DROP TABLE loose; DROP TABLE renamed});
is($site->model($site->export, 'parent')->{kind}, 'full', 'without a child, rows are known by their key alone');
rebuilds_all('the last child dropped');
$site->sql(q{SELECT hydra_export.remove_model('parent')});

# ---- values that differ, and print alike

$site->sql(q{
    CREATE TYPE flag;
    CREATE FUNCTION flag_in(cstring) RETURNS flag LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'charin';
    CREATE FUNCTION flag_out(flag) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'boolout';
    CREATE TYPE flag (INPUT = flag_in, OUTPUT = flag_out, LIKE = "char");
    CREATE FUNCTION flag_lt(flag, flag) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'charlt';
    CREATE FUNCTION flag_le(flag, flag) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'charle';
    CREATE FUNCTION flag_eq(flag, flag) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'chareq';
    CREATE FUNCTION flag_ge(flag, flag) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'charge';
    CREATE FUNCTION flag_gt(flag, flag) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'chargt';
    CREATE FUNCTION flag_cmp(flag, flag) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'btcharcmp';
    CREATE OPERATOR < (LEFTARG = flag, RIGHTARG = flag, PROCEDURE = flag_lt);
    CREATE OPERATOR <= (LEFTARG = flag, RIGHTARG = flag, PROCEDURE = flag_le);
    CREATE OPERATOR = (LEFTARG = flag, RIGHTARG = flag, PROCEDURE = flag_eq);
    CREATE OPERATOR >= (LEFTARG = flag, RIGHTARG = flag, PROCEDURE = flag_ge);
    CREATE OPERATOR > (LEFTARG = flag, RIGHTARG = flag, PROCEDURE = flag_gt);
    CREATE OPERATOR CLASS flag_ops DEFAULT FOR TYPE flag USING btree AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 flag_cmp(flag, flag);
    CREATE TABLE flags (id flag PRIMARY KEY, v text);
    INSERT INTO flags SELECT chr(96 + i)::flag, repeat('x', 100000) FROM generate_series(1, 6) AS i;
});
$site->add_model('flags');
fails_with('flags', qr/two objects would have the name .*: different values of the key columns have the same text/, 'keys that look equal');
$site->sql('ALTER SYSTEM RESET hydra_export.parallel_workers; SELECT pg_reload_conf()');
fails_with('flags', qr/two objects would have the name/, 'in one process');
$site->sql(q{SELECT hydra_export.remove_model('flags')});

# ---- types that compare by functions that run queries

$site->sql(q{
    CREATE TYPE num;
    CREATE FUNCTION num_in(cstring) RETURNS num LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
    CREATE FUNCTION num_out(num) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
    CREATE TYPE num (INPUT = num_in, OUTPUT = num_out, LIKE = integer);
    CREATE CAST (num AS integer) WITHOUT FUNCTION;
    CREATE TABLE public.signs (sign integer); INSERT INTO signs VALUES (1);
    CREATE FUNCTION num_cmp(num, num) RETURNS integer LANGUAGE plpgsql STABLE AS
        'BEGIN RETURN (SELECT sign * btint4cmp($1::integer, $2::integer) FROM public.signs); END';
    CREATE FUNCTION num_lt(num, num) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT public.num_cmp($1, $2) < 0';
    CREATE FUNCTION num_eq(num, num) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT public.num_cmp($1, $2) = 0';
    CREATE OPERATOR < (LEFTARG = num, RIGHTARG = num, PROCEDURE = num_lt);
    CREATE OPERATOR = (LEFTARG = num, RIGHTARG = num, PROCEDURE = num_eq);
    CREATE OPERATOR CLASS num_ops DEFAULT FOR TYPE num USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 num_cmp(num, num);
    CREATE TABLE nums (id num PRIMARY KEY);
    INSERT INTO nums SELECT i::text::num FROM generate_series(20, 1, -1) AS i;
});
$site->add_model('nums');
$export = $site->export;
is($site->model($export, 'nums')->{status}, 'succeeded', 'a key that compares by queries') or diag($export->{error});
is(join(' ', map { /"id":"?(\d+)/ } $site->lines($export, 'nums')), join(' ', 1 .. 20), 'all rows are there, in the order of the key');
$site->sql(q{SELECT hydra_export.remove_model('nums')});

# ---- history that takes nothing

$site->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
$site->add_model('t');
$site->sql('ALTER TABLE hydra_export.export_objects ADD CONSTRAINT none CHECK (false) NOT VALID');
$export = $site->export;
is($export->{status}, 'failed', 'history does not take the objects: the export failed');
like($export->{error}, qr/the history could not be written: .*violates check constraint "none"/, 'with the reason');
$site->sql('ALTER TABLE hydra_export.export_objects DROP CONSTRAINT none');
$site->sent($site->export, 't', '1', 'the row comes with the next export');

# ---- an encoding with two codes for one character

$ENV{PGCLIENTENCODING} = 'UTF8';

$node->safe_psql('postgres', q{CREATE DATABASE euc ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
my $euc = HydraExport::Site->new($node, 'euc', $s3, bucket => 'keys', prefix => 'euc');
$euc->sql(q{CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t VALUES (convert_from('\xa2e5', 'EUC_JP'))});
$euc->add_model('t');
is($euc->export->{status}, 'succeeded', 'a character that has two codes');
$euc->sql(q{INSERT INTO t VALUES (convert_from('\xadf5', 'EUC_JP'))});
$export = $euc->export;
is($export->{status}, 'failed', 'by its other code: the model fails');
like($export->{error}, qr/key column "id" contains a character with several codes in the database's encoding.*EUC_JP/, 'with the reason');

done_testing();
