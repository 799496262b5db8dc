package HydraExport::Torture::Maintenance;

# What an administrator does to the tables while they are written to and exported. One operation after another; each
# gives up if a lock takes too long.

use strict;
use warnings;

use HydraExport::Torture::Tables qw(%tables @names gone_sql partitions values_for);
use Time::HiRes qw(sleep time);

# new(session => …, random => sub, until => time, dir => for files of COPY, looks => may rows look different without
# being written)
sub new { my ($class, %self) = @_; return bless { %self, counts => {} }, $class }

sub random { my ($self, $below) = @_; return $self->{random}->($below) }

my %operations = (
    vacuum         => 14,
    vacuum_freeze  => 12,
    vacuum_full    => 6,
    cluster        => 5,
    checkpoint     => 8,
    truncate       => 4,
    copy_freeze    => 4,
    detach         => 8,
    attach         => 8,
    rename         => 4,
    add_column     => 3,
    drop_column    => 3,
    replace_column => 2,
    change_type    => 3,
    rename_value   => 2);
my %changes_looks = map { $_ => 1 } qw(add_column drop_column replace_column change_type rename_value);

# What `attach` needs when the parent has changed meanwhile; what `repair` finds after a crash.
sub create_sql
{
    return <<'SQL';
CREATE FUNCTION attach(part text, low integer, high integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  c record;
BEGIN
  FOR c IN SELECT p.attname, format_type(p.atttypid, p.atttypmod) AS type, d.attname IS NULL AS missing
    FROM pg_attribute p LEFT JOIN pg_attribute d ON d.attrelid = part::regclass AND d.attname = p.attname
    WHERE p.attrelid = 'parts'::regclass AND p.attnum > 0 AND NOT p.attisdropped
      AND (d.attname IS NULL OR d.atttypid <> p.atttypid)
  LOOP
    IF c.missing THEN
      EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s', part, c.attname, c.type);
    ELSE
      EXECUTE format('ALTER TABLE %I ALTER %I TYPE %s USING %I::text::%s', part, c.attname, c.type, c.attname, c.type);
    END IF;
  END LOOP;
  FOR c IN SELECT d.attname FROM pg_attribute d WHERE d.attrelid = part::regclass AND d.attnum > 0 AND NOT d.attisdropped
    AND NOT EXISTS (SELECT FROM pg_attribute p WHERE p.attrelid = 'parts'::regclass AND p.attname = d.attname)
  LOOP
    EXECUTE format('ALTER TABLE %I DROP COLUMN %I', part, c.attname);
  END LOOP;
  EXECUTE format('ALTER TABLE parts ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, low, high);
END
$$;
SQL
}

sub run
{
    my ($self) = @_;

    $self->{session}{start} = "SET lock_timeout = '1500ms'; SET statement_timeout = '15s'; SET deadlock_timeout = '5s'";
    my @deck = map { ($_) x $operations{$_} } grep { $self->{looks} || !$changes_looks{$_} } sort keys %operations;
    while (time < $self->{until})
    {
        my $name = $deck[ $self->random(scalar @deck) ];
        ++$self->{counts}{$name};
        $self->note($name);
        $self->can($name)->($self);
        $self->repair;
        sleep $self->random(80) / 100;
    }
    $self->{session}->close;
    return;
}

# What it does, and the table whose rows get new transaction ids without being written.
sub note
{
    my ($self, $what, $rewritten) = @_;

    my $relation = defined $rewritten ? "'$rewritten'" : 'NULL';
    return $self->sql("SET synchronous_commit = on; INSERT INTO events (relation, what) VALUES ($relation, '$what')");
}

sub sql { my ($self, @sql) = @_; return $self->{session}->run(join ";\n", @sql) }

# A whole table, or one partition.
sub a_table { my ($self) = @_; return $names[ $self->random(scalar @names) ] }

sub a_heap
{
    my ($self) = @_;

    my $name = $self->a_table;
    return $name eq 'parts' ? (map { $_->{name} } partitions())[ $self->random(4) ] : $name;
}

# A table on which DDL may change all lines at any time. The others are exported in full only once, so that nothing
# hides what an incremental export missed.
sub a_changing_table { my ($self) = @_; return (qw(items parts texts))[ $self->random(3) ] }

sub vacuum        { my ($self) = @_; return $self->sql('VACUUM ' . $self->a_table) }
sub vacuum_freeze { my ($self) = @_; return $self->sql('VACUUM (FREEZE, INDEX_CLEANUP on) ' . $self->a_table) }
sub vacuum_full   { my ($self) = @_; return $self->sql('VACUUM (FULL' . ($self->random(2) ? ', FREEZE' : '') . ') ' . $self->a_heap) }
sub checkpoint    { my ($self) = @_; return $self->sql('CHECKPOINT') }

sub cluster
{
    my ($self) = @_;

    my $heap = $self->a_heap;
    return $self->sql("CLUSTER $heap USING ${heap}_pkey");
}

# A tenth of the rows goes, the rest comes back as new row versions. Nobody notes which rows go: exports have to tell.
sub reload
{
    my ($self, $heap, $load) = @_;

    my $name = $heap =~ /^parts/ ? 'parts' : $heap;
    my $values = values_for($self->{random});
    my @key = @{ $tables{$name}{key} };
    my $columns = join ', ', @key, 'n', 'mood', 'v', 'xid', 'ver', 'updated_at';
    my $goes = "($key[-1] + " . $self->random(10) . ') % 10 = 0';
    my $select = join ', ', @key, 'n', 'mood', 'v', map { $values->{$_} } qw(xid ver updated_at);
    return $self->sql(
        'BEGIN', "LOCK TABLE $heap",
        $load->("SELECT $select FROM $heap WHERE NOT ($goes)", "$heap ($columns)"),
        $self->random(8) ? 'COMMIT' : 'ROLLBACK');
}

sub truncate
{
    my ($self) = @_;

    return $self->reload($self->a_table,
        sub {
            my ($select, $table) = @_;
            my ($name) = $table =~ /^(\w+)/;
            return ("CREATE TEMP TABLE kept ON COMMIT DROP AS $select", "TRUNCATE $name", "INSERT INTO $table TABLE kept");
        });
}

sub copy_freeze
{
    my ($self) = @_;

    my $file = "$self->{dir}/copy";
    return $self->reload($self->a_heap,
        sub {
            my ($select, $table) = @_;
            my ($name) = $table =~ /^(\w+)/;
            return ("COPY ($select) TO '$file'", "TRUNCATE $name", "COPY $table FROM '$file' (FREEZE)");
        });
}

# ---- partitions

sub a_moving_partition { my ($self) = @_; return (grep { $_->{moves} } partitions())[ $self->random(2) ] }

sub detach
{
    my ($self) = @_;

    my $part = $self->a_moving_partition->{name};
    $self->sql("ALTER TABLE parts DETACH PARTITION $part" . ($self->random(2) ? ' CONCURRENTLY' : ''));
    return $self->change_detached($part) if $self->random(2);
    return;
}

# Old rows that change, and keys that go, while nobody looks.
sub change_detached
{
    my ($self, $part) = @_;

    my $detached = $self->sql("SELECT NOT relispartition FROM pg_class WHERE relname = '$part'") // '';
    return if $detached ne "t\n";
    my $values = values_for($self->{random});
    my $set = join ', ', map { "$_ = $values->{$_}" } qw(v xid ver updated_at);
    $self->sql("UPDATE $part SET $set WHERE id % 7 = " . $self->random(7));
    return $self->sql("WITH d AS (DELETE FROM $part WHERE id % 31 = " . $self->random(31) . ' RETURNING *) '
          . gone_sql('parts', 'd'));
}

sub attach
{
    my ($self) = @_;

    my $part = $self->a_moving_partition;
    return $self->sql("SELECT attach('$part->{name}', $part->{from}, $part->{to})"
          . " FROM pg_class WHERE relname = '$part->{name}' AND NOT relispartition");
}

# ---- definitions

sub rename
{
    my ($self) = @_;

    my $name = $self->a_table;
    $self->sql("ALTER TABLE $name RENAME TO ${name}_away");
    sleep $self->random(50) / 100;
    return;
}

# With a value for old rows that is kept beside them, or written into them, or without one.
sub add_column
{
    my ($self) = @_;

    my $name = $self->a_changing_table;
    my $type = ('text', q(text DEFAULT 'added'), q(bigint DEFAULT nextval('versions')))[ $self->random(3) ];
    $self->note('rewrite', $name) if $type =~ /nextval/;
    return $self->sql("ALTER TABLE $name ADD COLUMN extra $type");
}

sub drop_column { my ($self) = @_; return $self->sql('ALTER TABLE ' . $self->a_changing_table . ' DROP COLUMN IF EXISTS extra') }

sub replace_column
{
    my ($self) = @_;

    my $name = $self->a_changing_table;
    return $self->sql("ALTER TABLE $name DROP COLUMN extra, ADD COLUMN extra text DEFAULT 'again'") if $self->random(2);
    return $self->sql("ALTER TABLE $name RENAME extra TO more", "ALTER TABLE $name RENAME more TO extra");
}

sub change_type
{
    my ($self) = @_;

    my $name = $self->a_changing_table;
    my $type = (qw(integer bigint numeric text))[ $self->random(4) ];
    $self->note('rewrite', $name);
    return $self->sql("ALTER TABLE $name ALTER n TYPE $type USING n::text::$type");
}

sub rename_value
{
    my ($self) = @_;

    my ($from, $to) = $self->random(2) ? qw(wild mad) : qw(mad wild);
    return $self->sql("ALTER TYPE mood RENAME VALUE '$from' TO '$to'");
}

# Undoes what a crash or a lock left half done. Until it succeeds.
sub repair
{
    my ($self) = @_;

    foreach (1 .. 60)
    {
        my $sql = $self->sql(
            q(SELECT format('ALTER TABLE %I RENAME TO %I;', relname, replace(relname, '_away', '')) FROM pg_class WHERE relname LIKE '%\_away'),
            q(SELECT format('ALTER TABLE parts DETACH PARTITION %I FINALIZE;', inhrelid::regclass) FROM pg_inherits WHERE inhdetachpending)
        ) // next;
        return 1 if $sql !~ /ALTER/;
        $self->sql($sql);
        sleep 0.2;
    }
    return 0;
}

1;
