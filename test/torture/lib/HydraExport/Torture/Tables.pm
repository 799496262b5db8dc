package HydraExport::Torture::Tables;

# The tables that are written to, and the statements that write. Each table has
#
#     key columns   first, so that a line's beginning is its key
#     n             its type changes now and then; literals fit all of them
#     v             text, at times a long one
#     xid           the top-level transaction that wrote the row
#     ver           a number that no other write has, so that a row version can be told in the bucket
#     updated_at    set by every write
#
# Every statement that makes a key disappear notes it in `gone`, in the same transaction: what is rolled back leaves no
# note.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(%tables @names models_of key_of create_sql write values_for gone_sql meets partitions);

# span: ids are below it. full: DDL that changes the look of all rows may happen to the table.
our %tables = (
    items  => { span => 3000, key => ['id'],       kind => 'plain' },
    steady => { span => 3000, key => ['id'],       kind => 'plain' },
    parts  => { span => 4000, key => ['id'],       kind => 'partitioned' },
    texts  => { span => 600,  key => [ 'a', 'b' ], kind => 'plain' });
our @names = sort keys %tables;

# Each is exported both ways.
sub models_of { my ($name) = @_; return ($name, "$name by updated_at") }

# meets(CONDITION, COLUMNS, LINES…): the places of lines in the range of a partition of `parts`, or in none of several
# ranges. There may be no server any more that could tell.
sub meets
{
    my ($condition, undef, @lines) = @_;

    my $range = qr/\(\(id IS NOT NULL\) AND \(id >= '(\d+)'::bigint\) AND \(id < '(\d+)'::bigint\)\)/;
    $condition =~ /^(?:NOT \($range(?: OR $range)*\)|$range)$/ or die "cannot evaluate $condition";
    my $none = $condition =~ /^NOT/;
    my @ranges;
    push @ranges, [ $1, $2 ] while $condition =~ /$range/g;
    return grep {
        my $id = key_of($lines[$_]);
        my $in = grep { $id >= $_->[0] && $id < $_->[1] } @ranges;
        $none ? !$in : $in;
    } 0 .. $#lines;
}

# The partitions of `parts`. The middle two come and go.
sub partitions { return map { { name => "parts_$_", from => 1000 * $_, to => 1000 * $_ + 1000, moves => $_ == 1 || $_ == 2 } } 0 .. 3 }

sub create_sql
{
    my $columns = 'n integer, mood mood, v text, xid bigint NOT NULL, ver bigint NOT NULL, updated_at timestamptz NOT NULL';
    my @sql = (
        'CREATE SEQUENCE versions',
        q(CREATE TYPE mood AS ENUM ('calm', 'cross', 'wild')),
        'CREATE TABLE gone (relation text NOT NULL, key text NOT NULL)',
        # What the maintenance did, for the account of what was sent twice.
        'CREATE TABLE events (at timestamptz NOT NULL DEFAULT clock_timestamp(), relation text, what text)',
        "CREATE TABLE items (id bigint PRIMARY KEY, $columns)",
        # No DDL may touch its rows' looks, so not even an enum.
        'CREATE TABLE steady (id bigint PRIMARY KEY, ' . ($columns =~ s/mood mood/mood text/r) . ')',
        "CREATE TABLE texts (a text, b integer, $columns, PRIMARY KEY (a, b))",
        "CREATE TABLE parts (id bigint PRIMARY KEY, $columns) PARTITION BY RANGE (id)",
        (map { "CREATE TABLE $_->{name} PARTITION OF parts FOR VALUES FROM ($_->{from}) TO ($_->{to})" } partitions()),
        'CREATE INDEX ON items (updated_at)',
        'CREATE INDEX ON parts (updated_at)');
    push @sql, map { insert_sql($_, 0, int($tables{$_}{span} / 2)) } @names;
    return @sql;
}

# The key of a line, as JSON has it: keys are first. The same text is noted in `gone`.
sub key_of
{
    my ($line) = @_;

    return $1 if $line =~ /^\{"id":(-?\d+),/ || $line =~ /^\{"a":("(?:[^"\\]|\\.)*","b":-?\d+),/;
    die "no key in $line";
}

sub gone_key { my ($name, $alias) = @_; return $name eq 'texts' ? qq(to_json($alias.a)::text || ',"b":' || $alias.b) : "$alias.id::text" }

sub xid { return 'pg_current_xact_id()::text::bigint' }

# The keys of a table from a number: composite ones hold what names of objects must not.
sub key_expression
{
    my ($name, $number) = @_;

    return $number if $name ne 'texts';
    return "(ARRAY['a-b', 'a', '_x', 'ä/ö', '.', 'q\"uote', 'line' || chr(10) || 'break', ''])[1 + ($number) % 8], ($number) / 8";
}

sub range_condition
{
    my ($name, $alias, $from, $count) = @_;

    my $to = $from + $count - 1;
    return "$alias.id BETWEEN $from AND $to" if $name ne 'texts';
    return "$alias.b BETWEEN " . int($from / 8) . ' AND ' . int($to / 8);
}

# Values for all columns but the key.
sub values_for
{
    my ($random) = @_;

    my $long = $random->(20) == 0 ? 'repeat(md5(random()::text), ' . (1 + $random->(300)) . ')' : q(md5(random()::text));
    my $mood = '(enum_range(NULL::mood))[' . (1 + $random->(3)) . ']';
    my $n = $random->(1000000);
    return { n => "'$n'", mood => $mood, v => $random->(30) == 0 ? 'NULL' : $long, xid => xid(),
        ver => q(nextval('versions')), updated_at => 'clock_timestamp()' };
}

my @columns = qw(n mood v xid ver updated_at);

sub insert_sql
{
    my ($name, $from, $count, $random, $conflict) = @_;

    my $values = values_for($random // sub { int rand $_[0] });
    my $keys = join ', ', @{ $tables{$name}{key} };
    my $to = $from + $count - 1;
    return "INSERT INTO $name ($keys, " . join(', ', @columns) . ') SELECT ' . key_expression($name, 'i') . ', '
      . join(', ', map { $values->{$_} } @columns) . " FROM generate_series($from, $to) AS i " . ($conflict // '');
}

sub assignments { my ($values) = @_; return join ', ', map { "$_ = $values->{$_}" } @columns }

# write(NAME, RANDOM): one statement.
sub write
{
    my ($name, $random) = @_;

    my $table = $tables{$name};
    my $from = $random->($table->{span});
    my $count = 1 + ($random->(8) == 0 ? $random->(200) : $random->(6));
    my $values = values_for($random);
    my $keys = join ', ', @{ $table->{key} };
    my $set = assignments($values);
    my $range = range_condition($name, 't', $from, $count);
    my $gone = gone_key($name, 'd');
    my $choice = $random->(100);
    return insert_sql($name, $from, $count, $random, 'ON CONFLICT DO NOTHING') if $choice < 22;
    # Fails where one of them is there.
    return insert_sql($name, $from, 1, $random) if $choice < 26;
    return insert_sql($name, $from, $count, $random, "ON CONFLICT ($keys) DO UPDATE SET $set") if $choice < 45;
    return "UPDATE $name t SET $set WHERE $range" if $choice < 80;
    return "WITH d AS (DELETE FROM $name t WHERE $range RETURNING *) INSERT INTO gone SELECT '$name', $gone FROM d"
      if $choice < 90;
    return change_keys($name, $range, $set, $random);
}

# Fails where the new key is there.
sub change_keys
{
    my ($name, $range, $set, $random) = @_;

    my $key = $name eq 'texts' ? 'b' : 'id';
    my $distance = 1 + $random->($tables{$name}{span});
    my $same = join ' AND ', map { "t.$_ = d.$_" } @{ $tables{$name}{key} };
    my $gone = gone_key($name, 'd');
    my $columns = join ', ', map { "d.$_" } @{ $tables{$name}{key} };
    return "WITH d AS (SELECT * FROM $name t WHERE $range LIMIT 3 FOR UPDATE),"
      . " c AS (UPDATE $name t SET $key = (t.$key + $distance) % $tables{$name}{span}, $set FROM d WHERE $same RETURNING $columns)"
      . " INSERT INTO gone SELECT '$name', $gone FROM c d";
}

# Notes all keys of a table, or of one of its partitions.
sub gone_sql
{
    my ($name, $from) = @_;
    return "INSERT INTO gone SELECT '$name', " . gone_key($name, 'd') . ' FROM ' . ($from // $name) . ' d';
}

1;
