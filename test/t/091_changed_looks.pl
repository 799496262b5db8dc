# Rows whose lines change without a write: by DDL, and by DDL that is reverted after a failed export has shown the rows
# to readers.

use strict;
use warnings;

use HydraExport::BucketCopy;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('looks', 'hydra_export.max_attempts' => 2, 'hydra_export.request_timeout' => '2s', 'hydra_export.file_size' => '64kB');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'looks', endpoint => $faults->endpoint);

sub key_of { my ($line) = @_; $line =~ /^\{"id":(\d+)/ or die $line; return $1 }

# Both of README's methods to rebuild a table give the table.
sub rebuilds
{
    my ($model, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $copy = HydraExport::BucketCopy->take($s3, 'looks', PostgreSQL::Test::Utils::tempdir('copy'));
    my %table = map { key_of($_) => $_ } $site->table_lines($model);
    foreach my $rule (qw(rebuild rebuild_by_chain))
    {
        my $found = $copy->$rule('', $model, \&key_of);
        my @wrong = grep { ($found->{$_} // '') ne $table{$_} } sort { $a <=> $b } keys %table;
        is(scalar @wrong, 0, "$name ($rule)")
          or diag('is ' . ($found->{ $wrong[0] } // 'lost') . "\nand should be $table{ $wrong[0] }");
    }
    return;
}

# ---- updated_at: DDL that writes into all rows leaves the column alone

$site->sql(q{
    CREATE TABLE stamped (id integer PRIMARY KEY, updated_at timestamptz);
    INSERT INTO stamped SELECT i, now() - interval '1 day' FROM generate_series(1, 10) AS i;
});
$site->add_model('stamped', changed_by => q('updated_at'));
$site->export;
$site->sql('ALTER TABLE stamped ADD COLUMN number serial');
$site->export;
$site->holds_table('stamped', 'a column whose default was written into the rows');
$site->sql('ALTER TABLE stamped ADD COLUMN none text');
my $export = $site->export;
is($site->model($export, 'stamped')->{kind}, 'incremental', 'a column without a value leaves the rows as they were')
  or diag($site->model($export, 'stamped')->{reason});
$site->sql('SELECT hydra_export.remove_model(\'stamped\')');

# ---- DDL that is taken back

$site->sql(q{
    CREATE TYPE mood AS ENUM ('calm', 'wild');
    CREATE TYPE pair AS (a integer, b integer);
    CREATE TABLE other (o integer);
    CREATE TABLE t (id integer CONSTRAINT t_pkey PRIMARY KEY, extra text DEFAULT 'old', mood mood DEFAULT 'wild',
        pair pair DEFAULT (1, 2), other other DEFAULT ROW(3)::other, code integer NOT NULL, filler text);
    INSERT INTO t (id, code, filler) SELECT i, 1000 + i, repeat('x', 1000) FROM generate_series(1, 500) AS i;
});
$site->add_model('t');
$site->export;
rebuilds('t', 'at first');

my @changes = (
    [ 'a column was renamed', 'ALTER TABLE t RENAME extra TO more', 'ALTER TABLE t RENAME more TO extra' ],
    [ 'a column was added', q(ALTER TABLE t ADD COLUMN brief integer DEFAULT 1), 'ALTER TABLE t DROP COLUMN brief' ],
    [ 'an enum label was renamed', q(ALTER TYPE mood RENAME VALUE 'wild' TO 'mad'), q(ALTER TYPE mood RENAME VALUE 'mad' TO 'wild') ],
    [ 'an attribute was renamed', 'ALTER TYPE pair RENAME ATTRIBUTE b TO c', 'ALTER TYPE pair RENAME ATTRIBUTE c TO b' ],
    [ 'a row type was changed', 'ALTER TABLE other RENAME o TO p', 'ALTER TABLE other RENAME p TO o' ],
    [ 'the key was another', 'ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT other_pkey PRIMARY KEY (code)',
        'ALTER TABLE t DROP CONSTRAINT other_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (id)' ]);
foreach my $change (@changes)
{
    my ($name, $do, $undo) = @$change;

    $site->sql($do);
    $faults->plan({ fault => 'lose_answer', path => '_manifest', times => 20 });
    is($site->export->{status}, 'failed', "$name: the manifest's answers are lost");
    $faults->plan;
    $site->sql($undo);
    is($site->export->{status}, 'succeeded', "$name: and undone");
    rebuilds('t', "$name, and back, around an export whose manifest history does not know");

    $site->sql($do);
    # The third object; the first two are there by then.
    $faults->plan({ fault => 'pass', path => '/t/', times => 2 }, { fault => 'status', status => 400, path => '/t/', times => 100 });
    is($site->export->{status}, 'failed', "$name: some objects arrive");
    $faults->plan;
    $site->sql($undo);
    is($site->export->{status}, 'succeeded', "$name: and undone");
    rebuilds('t', "$name, and back, around a model that failed");
}

# A full export that was asked for, failed, and is no longer asked for.
$site->sql(q{SELECT hydra_export.alter_model('t', full_every_hours => 1)});
$site->sql(q{UPDATE hydra_export.model_state SET full_at = full_at - interval '2 hours'});
$faults->plan({ fault => 'pass', path => '/t/', times => 2 }, { fault => 'status', status => 400, path => '/t/', times => 100 });
is($site->export->{status}, 'failed', 'a full export fails');
$faults->plan;
$site->sql(q{SELECT hydra_export.alter_model('t', full_every_hours => 0)});
is($site->export->{status}, 'succeeded', 'an incremental one follows');
rebuilds('t', 'after a full export that failed, and an incremental one');

# ---- types that are changed, and changed back, while a model is being read: nobody waits for a reader's lock

# Reading stops at a closed gate; the row at which it stops is written after the gate opens. Labels are looked up when
# the first row with one is written.
$site->sql(q{
    CREATE TABLE people (id integer PRIMARY KEY, mood mood, pair pair, updated_at timestamptz DEFAULT now() - interval '1 day');
    INSERT INTO people SELECT i, CASE WHEN i > 1000 THEN 'wild' END::mood, CASE WHEN i > 1000 THEN (1, 2)::pair END
      FROM generate_series(1, 3000) AS i;
    CREATE FUNCTION gate(id integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(id); RETURN id; END';
    CREATE VIEW gated AS SELECT id, mood, pair, updated_at, CASE WHEN id % 1000 = 1 THEN gate(id) END AS gate FROM people;
});
$site->add_model('gated', changed_by => q('updated_at'), key_columns => q('{id}'));
$site->export;
my $keeper = $node->background_psql('postgres');

# A full export, with each statement run at its own gate.
sub export_around
{
    my (@statements) = @_;

    my @gates = map { 1 + 1000 * $_ } 1 .. @statements;
    $keeper->query_safe("SELECT pg_advisory_lock($_)") foreach @gates;
    $site->sql(q{SELECT hydra_export.reset_model('gated')});
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    foreach my $gate (@gates)
    {
        $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $gate AND NOT granted");
        $site->sql(shift @statements);
        $keeper->query_safe("SELECT pg_advisory_unlock($gate)");
    }
    $node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id");
    return $site->exports("WHERE id = $id");
}

foreach my $change (grep { $_->[1] =~ /ALTER TYPE/ } @changes)
{
    my ($name, $do, $undo) = @$change;

    $export = export_around($do, $undo);
    is($site->model($export, 'gated')->{status}, 'failed', "$name, and back, while it was read: the model failed");
    like($export->{error}, qr/lines of public\.gated depend on changed while it was read/, 'with the reason');
    $export = $site->export;
    is($site->model($export, 'gated')->{kind}, 'full', 'the next export is full');
    rebuilds('gated', "$name, and back, while it was read");
}
$export = export_around(q(ALTER TYPE mood ADD VALUE 'new' BEFORE 'calm'));
is($site->model($export, 'gated')->{status}, 'succeeded', 'a label that is added changes no line') or diag($export->{error});
rebuilds('gated', 'a label was added while the model was read');
$keeper->quit;

done_testing();
