# Rows that are gone without a DELETE: TRUNCATE, partitions that are dropped, detached, emptied or exchanged, children
# that no longer inherit. A reader that follows README has the table's rows, no more and no fewer.

use strict;
use warnings;

use HydraExport::BucketCopy;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('gone', 'hydra_export.max_attempts' => 1, 'hydra_export.file_size' => '64kB', 'min_parallel_table_scan_size' => '8kB');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'gone', endpoint => $faults->endpoint);

# export_of(MODEL, NAME, kind => …, rows => …, reason => …): one export, after which both ways of README to rebuild the
# table give the table.
sub export_of
{
    my ($model, $name, %expected) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $export = $site->export;
    my $found = $site->model($export, $model);
    is($found->{status}, 'succeeded', "$name: exported") or diag($export->{error});
    is($found->{kind}, $expected{kind}, "$name: $expected{kind}") or diag($found->{reason}) if $expected{kind};
    is($found->{rows}, $expected{rows}, "$name: $expected{rows} rows are sent") or diag($found->{reason}) if defined $expected{rows};
    like($found->{reason} // '', $expected{reason}, "$name: history says why") if $expected{reason};
    rebuilds($model, $name);
    return $export;
}

my $copy_dir = PostgreSQL::Test::Utils::tempdir('copy');

sub key_of { my ($line) = @_; return $line =~ /^(\{"id":\d+(?:,"(?:day|country|word|part)":[^,}]*)*)/ ? $1 : die $line }

sub rebuilds
{
    my ($model, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $copy = HydraExport::BucketCopy->take($s3, 'gone', $copy_dir);
    my $meets = HydraExport::BucketCopy::by_server(sub { $site->sql($_[0]) });
    foreach my $rule (qw(rebuild rebuild_by_chain))
    {
        my $rows = $copy->$rule('', $model, \&key_of, $meets);
        is(join("\n", sort values %$rows), join("\n", sort $site->table_lines($model)), "$name: the copy is the table ($rule)");
    }
    return;
}

# replaced(EXPORT, MODEL): the names of the tables that it replaces, in order.
sub replaced
{
    my ($export, $model) = @_;

    my ($entry) = grep { $_->{name} eq $model } @{ $site->manifest($export)->{models} };
    return join ' ', map { $_->{relation} } @{ $entry->{replaced} };
}

# ---- one table

$site->sql('CREATE TABLE plain (id integer PRIMARY KEY, v text); INSERT INTO plain SELECT i FROM generate_series(1, 1000) AS i');
$site->add_model('plain');
export_of('plain', 'at first', kind => 'full', rows => 1000);
export_of('plain', 'unchanged', kind => 'incremental', rows => 0);
$site->sql('TRUNCATE plain');
export_of('plain', 'TRUNCATE', kind => 'full', rows => 0, reason => qr/^there are no rows; whole table read: relation rewritten$/);
$site->sql('INSERT INTO plain SELECT i FROM generate_series(500, 600) AS i');
export_of('plain', 'the first rows again', kind => 'full', rows => 101, reason => qr/^all rows were changed$/);
$site->sql('BEGIN; TRUNCATE plain; INSERT INTO plain SELECT i FROM generate_series(1, 50) AS i; COMMIT');
export_of('plain', 'TRUNCATE and reload', kind => 'full', rows => 50);
$site->sql('UPDATE plain SET v = 1 WHERE id > 1');
export_of('plain', 'all rows but one', kind => 'incremental', rows => 49);
$site->sql('DELETE FROM plain');
export_of('plain', 'DELETE of all rows', kind => 'full', rows => 0);
$site->sql(q{INSERT INTO plain SELECT i FROM generate_series(1, 20000) AS i; ALTER SYSTEM SET hydra_export.parallel_workers = 2; SELECT pg_reload_conf()});
$site->export;
$site->sql('TRUNCATE plain; INSERT INTO plain SELECT i FROM generate_series(3, 20000) AS i');
my $export = export_of('plain', 'by several processes', kind => 'full', rows => 19998);
cmp_ok($site->model($export, 'plain')->{workers}, '>', 0, 'they were there');
$site->sql('UPDATE plain SET v = 1 WHERE id > 9999');
export_of('plain', 'by several processes, some rows', kind => 'incremental');
$site->sql(q{SELECT hydra_export.remove_model('plain'); ALTER SYSTEM RESET hydra_export.parallel_workers; SELECT pg_reload_conf()});

# ---- partitions whose rows a condition tells

$site->sql(q{
    CREATE TABLE days (id integer, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (MINVALUE) TO ('2026-01-02');
    CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-01-02') TO ('2026-01-03');
    CREATE TABLE days_3 (day date NOT NULL, id integer NOT NULL, note text);
    ALTER TABLE days ATTACH PARTITION days_3 FOR VALUES FROM ('2026-01-03') TO ('2026-01-04');
    CREATE TABLE days_rest PARTITION OF days DEFAULT;
    INSERT INTO days SELECT i, '2026-01-01'::date + i % 6, 'a\b"c' FROM generate_series(1, 600) AS i;
});
$site->add_model('days');
export_of('days', 'partitions', kind => 'full', rows => 600);
$site->sql('DROP TABLE days_1');
export_of('days', 'a dropped partition', kind => 'incremental', rows => 0, reason => qr/^gone: public\.days_1$/);
export_of('days', 'the export after that', kind => 'incremental', rows => 0);
$site->sql('ALTER TABLE days DETACH PARTITION days_2');
export_of('days', 'a detached partition', kind => 'incremental', rows => 0);
$site->sql('DELETE FROM days_2 WHERE id % 4 = 1; ALTER TABLE days ATTACH PARTITION days_2 FOR VALUES FROM (\'2026-01-02\') TO (\'2026-01-03\')');
export_of('days', 'attached again', kind => 'incremental', rows => 50, reason => qr/^1 of 3 tables in full: new partition/);
$site->sql('TRUNCATE days_3');
export_of('days', 'an emptied partition', kind => 'incremental', rows => 0);
$site->sql(q{INSERT INTO days SELECT i, '2026-01-03' FROM generate_series(1001, 1010) AS i});
export_of('days', 'filled again', kind => 'incremental', rows => 10);
$site->sql(q{CREATE TABLE days_new (LIKE days INCLUDING ALL); INSERT INTO days_new VALUES (7, '2026-01-03', 'exchanged'), (1003, '2026-01-03', 'exchanged');
    BEGIN; ALTER TABLE days DETACH PARTITION days_3; ALTER TABLE days ATTACH PARTITION days_new FOR VALUES FROM ('2026-01-03') TO ('2026-01-04'); COMMIT});
export_of('days', 'an exchanged partition', kind => 'incremental', rows => 2);
$site->sql(q{BEGIN; ALTER TABLE days DETACH PARTITION days_new; DELETE FROM days_new WHERE id = 7; INSERT INTO days_new VALUES (8, '2026-01-03');
    ALTER TABLE days ATTACH PARTITION days_new FOR VALUES FROM ('2026-01-03') TO ('2026-01-04'); UPDATE days SET note = 'all' WHERE day = '2026-01-03'; COMMIT});
$site->sql(q{DELETE FROM days WHERE day >= '2026-01-04'});
export_of('days', 'a default partition without rows', kind => 'incremental');
$site->sql(q{INSERT INTO days SELECT i, '2026-01-05' FROM generate_series(1, 5) AS i});
$site->export;
$site->sql('DROP TABLE days_rest');
export_of('days', 'a dropped default partition', kind => 'incremental', rows => 0);
$site->sql('DROP TABLE days_2, days_new');
export_of('days', 'no partition left', kind => 'full', rows => 0);
$site->sql(q{SELECT hydra_export.remove_model('days')});

# ---- lists of texts, partitions of partitions

$site->sql(q{
    CREATE TABLE lists (id integer, country text, at timestamptz, PRIMARY KEY (id, country, at)) PARTITION BY LIST (country);
    CREATE TABLE lists_a PARTITION OF lists FOR VALUES IN ('it''s', 'Ärger') PARTITION BY RANGE (at);
    CREATE TABLE lists_a_1 PARTITION OF lists_a FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
    CREATE TABLE lists_a_2 PARTITION OF lists_a DEFAULT;
    CREATE TABLE lists_b PARTITION OF lists FOR VALUES IN ('other');
    CREATE TABLE lists_rest PARTITION OF lists DEFAULT;
    INSERT INTO lists SELECT i, (ARRAY['it''s', 'Ärger', 'other', ''])[1 + i % 4],
        '2026-01-15 00:00+00'::timestamptz + i % 3 * interval '1 month' FROM generate_series(1, 240) AS i;
});
$site->add_model('lists');
export_of('lists', 'lists', kind => 'full', rows => 240);
foreach my $table (qw(lists_a_1 lists_b lists_rest))
{
    $site->sql("DROP TABLE $table");
    export_of('lists', "$table dropped", kind => 'incremental', rows => 0);
}
$site->sql(q{SELECT hydra_export.remove_model('lists')});

# ---- partitions whose condition only PostgreSQL can evaluate

$site->sql(q{
    CREATE TABLE hashed (id integer PRIMARY KEY, v text) PARTITION BY HASH (id);
    CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO hashed SELECT i FROM generate_series(1, 100) AS i;
});
$site->add_model('hashed');
export_of('hashed', 'hash partitions', kind => 'full', rows => 100);
$site->sql('TRUNCATE hashed_0');
is($site->model($site->export, 'hashed')->{rows}, 0, 'an emptied hash partition: nothing to send');
export_of('hashed', 'the next export', kind => 'full', reason => qr/^public\.hashed_0 was truncated or rewritten, and no condition tells its rows$/);
export_of('hashed', 'the one after that', kind => 'incremental', rows => 0);
$site->sql('ALTER TABLE hashed DETACH PARTITION hashed_0');
export_of('hashed', 'a detached hash partition', kind => 'full', reason => qr/^public\.hashed_0 was dropped or detached, and no condition tells its rows$/);
$site->sql(q{SELECT hydra_export.remove_model('hashed')});

$site->sql(q{
    CREATE TABLE odd (id integer, word text COLLATE "en-x-icu", PRIMARY KEY (id, word)) PARTITION BY RANGE (word);
    CREATE TABLE odd_1 PARTITION OF odd FOR VALUES FROM ('a') TO ('m');
    CREATE TABLE odd_2 PARTITION OF odd FOR VALUES FROM ('m') TO ('z');
    INSERT INTO odd VALUES (1, 'b'), (2, 'n'), (3, 'B'), (4, 'N');
});
$site->add_model('odd');
$site->export;
$site->sql('DROP TABLE odd_1');
export_of('odd', 'ranges in the order of a collation', kind => 'full', rows => 2);
$site->sql(q{SELECT hydra_export.remove_model('odd')});

# ---- inheritance: objects name their table

$site->sql(q{
    CREATE TABLE parent (id integer PRIMARY KEY, v text);
    CREATE TABLE child_1 (PRIMARY KEY (id)) INHERITS (parent);
    CREATE TABLE child_2 (PRIMARY KEY (id)) INHERITS (parent);
    INSERT INTO parent SELECT i FROM generate_series(1, 10) AS i;
    INSERT INTO child_1 SELECT i FROM generate_series(1, 10) AS i;
    INSERT INTO child_2 SELECT i FROM generate_series(1, 10) AS i;
});
$site->add_model('parent');
export_of('parent', 'children', kind => 'full', rows => 30);
$site->sql('TRUNCATE child_1');
export_of('parent', 'an emptied child', kind => 'incremental', rows => 0);
$site->sql('ALTER TABLE child_1 NO INHERIT parent');
export_of('parent', 'a child that was let go', kind => 'incremental', rows => 0, reason => qr/^gone: public\.child_1$/);
$site->sql('TRUNCATE ONLY parent');
export_of('parent', 'the parent itself', kind => 'incremental', rows => 0);
$site->sql('DROP TABLE child_2');
export_of('parent', 'the last child', kind => 'full', rows => 0);
$site->sql(q{SELECT hydra_export.remove_model('parent')});

# ---- an empty table is no news

$site->sql(q{
    CREATE TABLE months (id integer, part integer, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE months_1 PARTITION OF months FOR VALUES IN (1);
    CREATE TABLE months_2 PARTITION OF months FOR VALUES IN (2);
    INSERT INTO months SELECT i, 1 FROM generate_series(1, 10) AS i;
});
$site->add_model('months');
$site->export;
$export = export_of('months', 'a partition without rows', kind => 'incremental', rows => 0);
is(replaced($export, 'months'), '', 'is not replaced');
$site->sql('INSERT INTO months VALUES (1, 2)');
is(replaced($site->export, 'months'), 'public.months_2', 'but with its first row');
$site->sql('TRUNCATE months');
export_of('months', 'all of it truncated', kind => 'full', rows => 0);
export_of('months', 'and still empty', kind => 'incremental', rows => 0);
$site->sql(q{SELECT hydra_export.remove_model('months')});

# ---- rows that move between tables with the times that they had, in updated_at mode

$site->sql(q{
    CREATE TABLE moved (id integer, part integer, updated_at timestamptz DEFAULT now() - interval '30 days', PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE INDEX ON moved (updated_at);
    CREATE TABLE moved_1 PARTITION OF moved FOR VALUES IN (1);
    CREATE TABLE moved_2 PARTITION OF moved FOR VALUES IN (2);
    CREATE TABLE moved_3 PARTITION OF moved FOR VALUES IN (3);
    CREATE TABLE moved_rest PARTITION OF moved DEFAULT;
    INSERT INTO moved SELECT i, 1 + i % 3 FROM generate_series(1, 30) AS i;
});
$site->add_model('moved', changed_by => q('updated_at'));
export_of('moved', 'by updated_at', kind => 'full', rows => 30);
$site->sql('BEGIN; ALTER TABLE moved DETACH PARTITION moved_1; INSERT INTO moved SELECT * FROM moved_1; DROP TABLE moved_1; COMMIT');
export_of('moved', 'rows of a dropped partition in the default one', rows => 10);
$site->sql('BEGIN; ALTER TABLE moved DETACH PARTITION moved_2; ALTER TABLE moved DETACH PARTITION moved_3; INSERT INTO moved_2 TABLE moved_3;'
      . ' TRUNCATE moved_3; ALTER TABLE moved ATTACH PARTITION moved_2 FOR VALUES IN (2, 3); ALTER TABLE moved ATTACH PARTITION moved_3 FOR VALUES IN (9); COMMIT');
export_of('moved', 'rows of one partition in another that took its bounds', rows => 10);
$site->sql('CREATE TEMP TABLE kept AS SELECT * FROM moved_2 WHERE id > 5; TRUNCATE moved_2; INSERT INTO moved_2 TABLE kept');
export_of('moved', 'a partition truncated, and filled with old times');
$site->sql(q{SELECT hydra_export.remove_model('moved')});

# ---- bounds that change between the snapshot and the lock

$site->sql(q{
    CREATE TABLE bounds (id integer, part integer, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE bounds_1 PARTITION OF bounds FOR VALUES IN (1);
    CREATE TABLE bounds_2 PARTITION OF bounds FOR VALUES IN (2);
    CREATE TABLE bounds_rest PARTITION OF bounds DEFAULT;
    INSERT INTO bounds SELECT i, 2 + i % 2 FROM generate_series(1, 10) AS i;
});
$site->add_model('bounds');
$site->export;
my $session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe(q{BEGIN; ALTER TABLE bounds DETACH PARTITION bounds_1; INSERT INTO bounds_1 SELECT * FROM bounds_rest; DELETE FROM bounds_rest;
    ALTER TABLE bounds ATTACH PARTITION bounds_1 FOR VALUES IN (1, 3)});
my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'bounds'::regclass)}) or die 'the export does not wait';
$session->query_safe('COMMIT');
$session->quit;
wait_for_export($node, 'postgres', $id);
rebuilds('bounds', 'bounds that changed after the snapshot');
$site->sql(q{SELECT hydra_export.remove_model('bounds')});

# ---- constants as every system reads them

$site->sql(q{
    CREATE TABLE words (id integer, word text, PRIMARY KEY (id, word)) PARTITION BY LIST (word);
    CREATE TABLE words_1 PARTITION OF words FOR VALUES IN (E'a\\\\b');
    CREATE TABLE words_rest PARTITION OF words DEFAULT;
    INSERT INTO words VALUES (1, E'a\\\\b'), (2, 'c');
    ALTER DATABASE postgres SET standard_conforming_strings = off;
});
$site->add_model('words');
$site->export;
$site->sql('TRUNCATE words_rest');
$node->safe_psql('postgres', 'ALTER DATABASE postgres RESET standard_conforming_strings');
export_of('words', 'a backslash in a bound, and settings of the database', rows => 0);
$site->sql(q{SELECT hydra_export.remove_model('words')});

# ---- a hash partition that is truncated, and full for another reason

$site->sql(q{
    CREATE TABLE h (id integer PRIMARY KEY) PARTITION BY HASH (id);
    CREATE TABLE h_0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE h_1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO h SELECT generate_series(1, 20);
});
$site->add_model('h');
$site->export;
$site->sql('ALTER TABLE h ADD w integer; TRUNCATE h_0');
$site->export;
export_of('h', 'after it', kind => 'full');
$site->sql(q{SELECT hydra_export.remove_model('h')});

# ---- an export that fails says nothing

$site->sql(q{
    CREATE TABLE parts (id integer, part integer, at timestamptz DEFAULT now(), PRIMARY KEY (id, part)) PARTITION BY LIST (part);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
    INSERT INTO parts SELECT i, 1 + i % 2 FROM generate_series(1, 20) AS i;
});
$site->add_model('parts', changed_by => q('updated_at'), updated_at_column => q('at'));
export_of('parts', 'by updated_at', kind => 'full', rows => 20);
$site->sql('DROP TABLE parts_1; INSERT INTO parts VALUES (100, 2)');
$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', path => '/parts/' });
is($site->export->{status}, 'failed', 'an export fails');
$faults->plan;
export_of('parts', 'a dropped partition after a failed export', kind => 'incremental');


# ---- rows that only a failed export has sent

$site->sql(q{SELECT hydra_export.remove_model('parts'); CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3)});
$site->add_model('parts');
$site->export;
$site->sql(q{CREATE TABLE parts_4 PARTITION OF parts FOR VALUES IN (4); INSERT INTO parts SELECT i, 4 FROM generate_series(1000, 2999) AS i});
$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', path => 'manifest' });
is($site->export->{status}, 'failed', 'an export fails at its manifest');
$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', path => '/parts/2', times => 1 });
$site->sql('INSERT INTO parts VALUES (2000000, 3)');
$site->export;
$faults->plan;
$site->sql('DROP TABLE parts_4');
export_of('parts', 'a partition dropped that only exports that failed have seen');

# parts_5 was empty at the last success, and is empty again.
$site->sql(q{CREATE TABLE parts_5 PARTITION OF parts FOR VALUES IN (5)});
export_of('parts', 'an empty partition');
$site->sql(q{INSERT INTO parts SELECT i, 5 FROM generate_series(5000, 6999) AS i});
$faults->plan({ fault => 'status', status => 400, code => 'BadDigest', message => 'x', path => '/parts/', times => 1 });
$export = $site->export;
is($site->model($export, 'parts')->{status}, 'failed', 'an export fails');
cmp_ok(scalar $site->objects($export, 'parts'), '>', 0, 'that has sent rows of it');
$faults->plan;
$site->sql('TRUNCATE parts_5');
export_of('parts', 'a partition emptied that was empty before an export that failed');

done_testing;
