# First and later exports, of both kinds: the bucket equals the tables, a later export has the changed rows and no
# other, and manifest, history and bucket agree.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('exports', 'hydra_export.file_size' => '64kB');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'exports', prefix => 'production/daily');

# ---- several models, every common type

$site->sql(<<'SQL');
    CREATE TYPE mood AS ENUM ('glad', 'so "so"', 'trüb');
    CREATE TYPE point3 AS (x integer, "Y y" numeric, label text);
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        born date, mood mood, moods mood[], tags text[], matrix integer[][], place point3, places point3[],
        settings jsonb, raw json, photo bytea, rating numeric(12,4), ratio float8, small real, flag boolean,
        seen timestamptz, noted timestamp, alarm time, zoned timetz, span interval, code char(5), vname varchar(20),
        address inet, net cidr, mac macaddr, uid uuid, spans int4range, prices money, bits bit varying, doc xml,
        amount positive, letter "char", old_oid oid, vector tsvector, lsn pg_lsn, parts int4multirange);
    INSERT INTO customers (name) VALUES ('nothing else');
    INSERT INTO customers (name, born, mood, moods, tags, matrix, place, places, settings, raw, photo, rating, ratio,
        small, flag, seen, noted, alarm, zoned, span, code, vname, address, net, mac, uid, spans, prices, bits, doc,
        amount, letter, old_oid, vector, lsn, parts)
    VALUES (E'quotes " \' back\\slash, tab\t, line\nbreak, \u0001 control, ünïcödé 漢字 🐍', '0044-03-15 BC', 'so "so"',
        '{glad,NULL,trüb}', '{"a,b","c\"d",NULL,""}', '{{1,2},{3,NULL}}', '(1,2.50,"x ""y""")',
        ARRAY[ROW(1,NULL,'')::point3, NULL], '{"b": [1, 2.0, {"c": null}], "a": "\u00fc\"\\"}',
        '{"z":1,"a":[1,2],"z":2}', '\x00ff10', 'NaN', '-Infinity', 'NaN', true, '2024-02-29 23:59:59.999999+02',
        'infinity', '24:00', '12:00+05:30', '1 year -2 mons 3 days 04:05:06.000007', 'ab', 'vär', '10.1.2.3/8',
        '2001:db8::/32', '08:00:2b:01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[1,5)', '-12.34', B'1010',
        '<a b="c">d</a>', 7, 'x', 4294967295, 'fat:1A cat', '16/B374D848', '{[1,3),[5,7)}'),
        ('numbers', 'infinity', 'glad', '{}', '{}', '{}', NULL, '{}', '[]', '0', '', 123456.7891, 0.1::float8 + 0.2,
        1.1, false, '1970-01-01 00:00:00Z', '0001-01-01 00:00:00 BC', '00:00:00.5', '00:00-15:59', '-1 day', '', '',
        '::1', '10.0.0.0/8', 'ff:ff:ff:ff:ff:ff', '00000000-0000-0000-0000-000000000000', 'empty', 0, B'',
        NULL, 1, '', 0, '', '0/0', '{}');
    CREATE TABLE orders (
        id integer PRIMARY KEY, customer bigint REFERENCES customers, total numeric NOT NULL, note text,
        updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO orders SELECT i, 1 + i % 3, i * 1.5, repeat('note ' || i, 8) FROM generate_series(1, 3000) AS i;
    CREATE INDEX ON orders (updated_at);
    CREATE TABLE empty (id integer PRIMARY KEY, v text);
    CREATE TABLE pretty (id integer PRIMARY KEY, doc json, docs json[]);
    INSERT INTO pretty VALUES (1, E'{\n  "a" : "b  c",\r\n\t"d": [1,  2]\n}', ARRAY[E'[\n1 ]'::json]);
SQL
$site->add_model('customers');
$site->add_model('orders', name => q('orders by xmin'));
$site->add_model('orders', name => q('orders'), changed_by => q('updated_at'));
$site->add_model('empty');
$site->add_model('pretty');

my $first = $site->export;
is($first->{status}, 'succeeded', 'the first export succeeds') or diag($first->{messages}, $first->{error});
like($first->{folder}, qr/^\d{12}$/, 'its folder is a minute');
is($first->{models}, 5, 'it has all models');
$site->holds_table($_, "the first export holds $_") foreach 'customers', 'orders', 'orders by xmin', 'empty';
is(scalar $site->lines($first, $_), 3000, "$_: each row once") foreach 'orders', 'orders by xmin';
is_deeply([ $site->lines($first, 'pretty') ], ['{"id":1,"doc":{"a":"b  c","d":[1,2]},"docs":[[1]]}'],
    'json values lose whitespace outside strings, and so their line breaks');
is_deeply([ $site->objects($first, 'empty') ], [], 'a table without rows makes no object');
$site->is_consistent($first);
is($_->{kind}, 'full', "$_->{name} is full in the manifest") foreach @{ $site->manifest($first)->{models} };
is($site->model($first, 'orders')->{reason}, 'first export', 'history says why');
like($first->{messages}, qr/NOTICE: .*model "orders": full, 3000 rows/, 'progress comes as notices');

# ---- objects: closed at file_size, sorted by key, named by their first and last id

my @objects = $site->objects($first, 'orders');
cmp_ok(scalar @objects, '>', 5, 'a large table makes several objects');
foreach my $object (@{ $s3->list('exports', $site->folder_path($first) . '/orders/') })
{
    cmp_ok($object->{size}, '<', 64 * 1024 + 500, "$object->{key} is closed at file_size");
}
foreach my $key (@objects)
{
    my @ids = map { /^\{"id":(\d+),/; $1 } split /\n/, $s3->get('exports', $key);
    is(join(' ', @ids), join(' ', sort { $a <=> $b } @ids), "$key is sorted by key");
    like($key, qr{/orders/$ids[0]-$ids[-1]\.json$}, 'and has the range as its name');
}

# ---- nothing changed

my $second = $site->export;
is($second->{status}, 'succeeded', 'an export without changes succeeds');
is($second->{rows}, 0, 'and sends no row');
is_deeply([ grep { !/_claim/ } $s3->keys('exports', $site->folder_path($second) . '/') ], [ $site->folder_path($second) . '/_manifest.json' ],
    'but the manifest');
is($_->{kind}, 'incremental', "$_->{name} is incremental in the manifest") foreach @{ $site->manifest($second)->{models} };
is($_->{previous_folder}, $first->{folder}, "$_->{name} follows the first")
  foreach @{ $site->manifest($second)->{models} };
$site->is_consistent($second);

# ---- exactly what changed, once

my $touch = 'updated_at = clock_timestamp()';
$site->sql(qq{
    UPDATE orders SET note = 'changed', $touch WHERE id IN (7, 2999);
    INSERT INTO orders (id, customer, total) VALUES (-3, 1, 0), (90000, 2, 1);
    DELETE FROM orders WHERE id = 100;
    UPDATE orders SET id = 50000, $touch WHERE id = 200;
    BEGIN; UPDATE orders SET note = 'rolled back', $touch WHERE id = 300; ROLLBACK;
    UPDATE orders SET note = 'twice', $touch WHERE id = 400; UPDATE orders SET note = 'twice!', $touch WHERE id = 400;
    INSERT INTO orders VALUES (500, 1, 0) ON CONFLICT (id) DO UPDATE SET total = 17, updated_at = clock_timestamp();
    SELECT 1 FROM orders WHERE id = 600 FOR UPDATE;
    INSERT INTO empty VALUES (1, 'no longer');
});
my $third = $site->export;
is($third->{status}, 'succeeded', 'an incremental export succeeds');
foreach my $model ('orders', 'orders by xmin')
{
    $site->sent($third, $model, '-3 7 400 500 2999 50000 90000', "$model: just the changed rows, each once");
    $site->holds_table($model, "$model: the bucket equals the table", 100, 200);
}
$site->sent($third, 'empty',     '1', 'a row in a table that was empty');
$site->sent($third, 'customers', '',  'nothing of a table that did not change');
my ($object) = $site->objects($third, 'orders');
like($object, qr{/orders/-3-90000\.json$}, 'a negative id in a name');
$site->is_consistent($third);
is($site->model($third, 'orders')->{previous_export_id}, $second->{id}, 'history says what it starts from');

# ---- folders within one minute

my $minute = substr $first->{folder}, 0, 12;
my @folders = map { $_->{folder} } $site->exports;
is(scalar @folders, 3, 'history has each export');
is(join(' ', @folders), join(' ', sort @folders), 'folders sort in the order of exports');
foreach my $i (1 .. $#folders)
{
    my ($before, $after) = @folders[ $i - 1, $i ];
    next if substr($before, 0, 12) ne substr($after, 0, 12);
    my $number = $before =~ /_(\d{3})$/ ? $1 + 1 : 2;
    is($after, sprintf('%s_%03d', substr($before, 0, 12), $number), 'a second export within a minute has a suffix');
}

# ---- reset_model, other columns, other destinations

$site->sql("SELECT hydra_export.reset_model('empty')");
$site->sql("SELECT hydra_export.alter_model('customers', columns => '{id,name,rating}')");
$s3->make_bucket('other');
my $other = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'other', destination => 'Second "one"');
$other->add_model('orders');
my $fourth = $site->export;
$site->sent($fourth, 'empty',     '1',     'a model that was reset is sent whole');
$site->sent($fourth, 'customers', '1 2 3', 'so is one with other columns');
like(($site->lines($fourth, 'customers'))[0], qr/^\{"id":1,"name":"nothing else","rating":null\}$/, 'and has these alone');
$site->holds_table('customers', 'the bucket holds the chosen columns');
$site->sent($fourth, 'orders', '', 'other models go on as they were');
is($site->model($fourth, 'empty')->{reason}, 'reset', 'history says so');
my $elsewhere = $other->export;
is($elsewhere->{folder}, substr($elsewhere->{folder}, 0, 12), 'a destination counts its own folders');
$other->holds_table('orders', 'a second destination has the table whole');
$site->sql("UPDATE orders SET note = 'both', $touch WHERE id = 1");
$site->sent($site->export, 'orders', '1', 'each destination has its own baseline');
$other->sent($other->export, 'orders', '1', 'so the other sends the row too');

# ---- another place: everything again, and no old baseline comes back

$site->sql("UPDATE orders SET note = 'before', $touch WHERE id = 2");
my (undef, $notice) = $site->try("SELECT hydra_export.configure(prefix => 'moved')");
like($notice, qr/NOTICE: .*full/, 'a change of the prefix says that exports start over');
$site->{prefix} = 'moved/';
my $moved = $site->export;
is($site->model($moved, $_)->{kind}, 'full', "$_ is full in another place") foreach 'orders', 'customers';
$site->holds_table('orders', 'and whole');
$site->is_consistent($moved);

# ---- the rest

my (undef, $error) = $site->try(q{BEGIN; CREATE TABLE late (id int PRIMARY KEY); SELECT hydra_export.add_model('late');
    SELECT hydra_export.export_now()});
like($error, qr/changed in this transaction.*HINT:  COMMIT first/s, 'export_now after add_model wants a COMMIT');
like(($site->try(q{BEGIN; INSERT INTO orders VALUES (-99, 1, 1); SELECT hydra_export.export_now(); ROLLBACK}))[0],
    qr/^\d+$/m, 'export_now within a transaction');
$site->sent($site->last_export, 'orders', '', 'does not send what the caller has not committed');
my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
ok($node->poll_query_until('postgres', "SELECT status = 'succeeded' FROM hydra_export.exports WHERE id = $id"),
    'export_now without waiting returns the id of an export that goes on');

is(join(' ', sort map { $_->{status} } $site->exports), join(' ', ('succeeded') x 8), 'all exports succeeded');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/(PANIC|FATAL|TRAP|terminated by signal)/, 'the server is well');

done_testing();
