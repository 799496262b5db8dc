package HydraExport::Hostile;

# Random values for arguments of SQL functions: mostly hostile, and often enough such as the argument is meant to have,
# so that calls get further than the first check.
#
#     my $hostile = HydraExport::Hostile->new(names => { destination => [ 'default' ], … }, endpoints => [ … ]);
#     my $sql = $hostile->value('integer', 'frequency_hours');      # an expression of SQL
#     my $sql = $hostile->safe_value('text', 'prefix');             # one that the parser takes, whatever the settings
#
# Values come from Perl's rand: srand makes them the same again.

use strict;
use warnings;
use utf8;

use Encode ();
use Exporter 'import';

our @EXPORT_OK = qw(pick chance);

# What arguments of these names are meant to have.
my %meant = (
    addressing        => [ 'auto', 'path', 'virtual' ],
    bucket            => [ 'lake', 'a.b.c', map { "exports-$_" } 1 .. 9 ],
    changed_by        => [ 'xmin', 'updated_at' ],
    columns           => [ '{id}', '{id,updated_at}', '{}' ],
    compression       => [ 'none', 'gzip', 'zstd' ],
    conditional       => [ 'auto', 'on', 'off' ],
    credentials       => [ 'static', 'auto', 'profile:x', 'file:/etc/passwd' ],
    external_id       => [ '', 'x' ],
    frequency_hours   => [ 1, 24, 168 ],
    full_every_hours  => [ 1, 24, 0 ],
    key_columns       => [ '{id}', '{}', '{id,updated_at}' ],
    look_back         => [ '1 hour', '0' ],
    object_headers    => [ '{}', '{"x-amz-storage-class": "STANDARD_IA"}', '{"x-amz-meta-a": "b"}' ],
    prefix            => [ '', 'a', 'b/c', 'd/' ],
    region            => [ 'us-east-1', 'eu-central-1', 'cn-north-1', '' ],
    role_arn          => [ '', 'arn:aws:iam::123456789012:role/name' ],
    start_window      => [ '', '22:00-04:30' ],
    updated_at_column => [ 'updated_at', 'id' ]);

my @texts = (
    '', ' ', '.', '..', '/', '//', '\\', "'", "''", '"', '""', '`', "\n", "\r\n", "\t", "\x1f", "\x7f", '%s', '%n%n%n', '%1$s', '%00',
    '$1', '${aws:username}', '*', '?', '~', '-', '_', '{}', '{', '[5:6]={a,b}', 'NULL', 'null', '0', '-1', '1e1000', 'NaN',
    'x y', "a\nb", "a'b", 'a"b', 'a\\b', "\\'", "'; DROP TABLE hydra_export.settings; --", '"; DROP SCHEMA hydra_export CASCADE; --',
    "') OR true --", "/* ", ' */', '-- ', "\\'; SELECT 1; --", '$$', '$body$', ':x', ':\'x\'', 'é', 'Größe', 'ключ', '日本語', '😀', "e\x{301}", "\x{202e}x",
    "\x{feff}", "\x{fffd}", "\x{10ffff}", "\x{80}", 'a/b/../c', '../../etc/passwd', '/etc/passwd', 's3://bucket/x', 'arn:aws:s3:::b',
    "x\r\nX-Header: 1", '<xml>&amp;', '{"a": 1}', 'default', 'pg_catalog', 'pg_temp', 'hydra_export', 'postgres', 'public', 'ctid');

my %values = (
    integer => [ 0, 1, -1, 24, 168, 169, 2147483647, "'-2147483648'", "'2147483648'", '1.5', "'x'", "'0x10'", "''", 'NULL', 'NULL::integer' ],
    bigint  => [ 0, 1, 2, 3, -1, '9223372036854775807', '-9223372036854775808', '99999999999999999999', "'x'", 'NULL', '1.5', '4294967296' ],
    boolean => [ 'true', 'false', 'NULL', "'maybe'", "''", '1' ],
    interval => [
        "'1 hour'", "'0'", "'-1 hour'", "'300000 years'", "'-300000 years'", "'178000000 years'", "'-178000000 years'", "'2147483647 months'",
        "'2147483647 days'", "'9223372036854775807 us'", "'-2562047788:00:54.775808'", "'1 mon -30 days'", "'infinity'", "'soon'", "''", "'P1Y2M'",
        "'-00:00:00.000001'", 'NULL', '1', "interval '1' year" ],
    'timestamp with time zone' => [
        "'-infinity'", "'infinity'", "'epoch'", "'294276-12-31 23:59:59.999999+00'", "'4713-01-01 00:00:00+00 BC'", "'now'", "'2024-02-30'",
        "''", 'NULL', 'now()', "'2026-01-31 04:00 Europe/Berlin'" ],
    jsonb => [
        "'{}'", "'[]'", "'null'", "'1'", "'\"x\"'", "'{'", "''", "'{\"a\": {\"b\": [1]}}'", "'{\"\": \"\"}'", "'{\"x-amz-meta-a\": null}'",
        "'{\"x-amz-meta-a\": 1e1000}'", "'{\"x-amz-meta-a\": 1, \"x-amz-meta-a\": 2}'", q(E'{"x-amz-meta-a": "\\\\u0000"}'), q(E'{"x-amz-meta-a": "\\\\n"}'),
        q(E'{"host": "x", "x-amz-meta-\\\\u00e9": "y"}'), "'{\"x-amz-acl\": \"public-read\"}'", "'{\"authorization\": \"x\"}'", 'NULL', "'nope'",
        "(repeat('[', 3000) || repeat(']', 3000))::jsonb", "(repeat('[', 30000) || repeat(']', 30000))::jsonb",
        "(SELECT jsonb_object_agg('x-amz-meta-' || g, g::text) FROM generate_series(1, 3000) AS g)",
        "jsonb_build_object('x-amz-meta-a', repeat('x', 100000))", "jsonb_build_object(repeat('x', 100000), 'a')" ],
    'name[]' => [
        "'{}'", "'{id}'", "'{id,NULL}'", "'{NULL}'", "'{nope}'", "'{{id,updated_at},{id,updated_at}}'", "'[5:6]={id,updated_at}'", "'{'", "'{\"\"}'", "'{ctid}'",
        "'{tableoid}'", "'{xmin}'", "'{id,id}'", "''", 'NULL', "'id'", q(E'{"a\\\\"b","c,d"," "}'), 'ARRAY[]::name[]', "ARRAY[NULL]::name[]",
        "(SELECT array_agg(('c' || g)::name) FROM generate_series(1, 2000) AS g)", "ARRAY[repeat('x', 1000)::name]", "ARRAY['id', NULL]" ],
    oid => [ 0, 1, 1259, 4294967295, 'NULL', '-1' ]);
$values{regclass} = [
    0, 1, 1259, 1255, 2619, 4294967295, '2147483648::oid', '(-1)::int', 'NULL', "''", "'nope'", "'pg_class'", "'pg_toast.nope'", "'a.b.c.d'", "'\"'", "'\"\"'",
    "'pg_statistic'", "'pg_authid'", "'pg_settings'", "'pg_stat_activity'", "'information_schema.tables'", "'pg_am'", "'-1'", "'99999999999'",
    "(SELECT max(oid) FROM pg_class)", "(SELECT oid FROM pg_proc ORDER BY oid LIMIT 1)", "(SELECT oid FROM pg_type ORDER BY oid DESC LIMIT 1)" ];
$values{smallint} = $values{integer};

# What the parser refuses already, and logs the statement for.
my $unsafe = qr/^'(x|0x10|maybe|soon|infinity|\{|nope|2147483648|)'$|^1\.5$|u0000|repeat\('\['/;

sub new
{
    my ($class, %members) = @_;
    return bless { ascii => 0, earnest => 0, %members }, $class;
}

sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < $_[0] }

# From now on most values are such as arguments are meant to have, or few.
sub be_earnest { my ($self, $earnest) = @_; $self->{earnest} = $earnest; return }

# An expression for an argument of this type and name.
sub value
{
    my ($self, $type, $name) = @_;

    return $self->endpoint if $name eq 'endpoint';
    my $meant = $self->meant($name);
    return $self->meant_value($type, pick(@$meant)) if $meant && chance($self->{earnest} ? 0.95 : 0.5);
    return 'NULL' if chance(0.05);
    return pick(@{ $values{$type} }) if $values{$type} && chance(0.9);
    return $self->text;
}

# One that the parser takes.
sub safe_value
{
    my ($self, $type, $name) = @_;

    return $self->endpoint if $name eq 'endpoint';
    my $meant = $self->meant($name);
    return $self->meant_value($type, pick(@$meant)) if $meant && chance($self->{earnest} ? 0.95 : 0.5);
    return $type eq 'text' ? $self->safe_text : 'NULL' unless $values{$type};
    return pick(grep { !/$unsafe/ } @{ $values{$type} });
}

# The first is a good one.
sub endpoint
{
    my ($self) = @_;

    my ($good, @others) = @{ $self->{endpoints} };
    return $self->quote(chance($self->{earnest} ? 0.95 : 0.3) ? $good : pick(@others));
}

sub meant
{
    my ($self, $name) = @_;
    return $self->{names}{$name} // $meant{$name};
}

sub meant_value
{
    my ($self, $type, $value) = @_;
    return $type =~ /^(big)?int/ ? $value : $self->quote($value);
}

# Hostile text, with what a parser refuses.
sub text
{
    my ($self) = @_;

    return pick("E'\\000'", "E'\\xff'", "E'\\uD800'", "U&'\\0000'", "X'1F'", "B'1'", "'x'::bytea", '1', 'now()', 'ARRAY[1]', 'ROW(1, 2)', "E'\\u0000'")
      if chance(0.05);
    return $self->safe_text;
}

sub safe_text
{
    my ($self) = @_;

    my $text = chance(0.3) ? $self->known_name : pick(@texts);
    $text .= pick(@texts) if chance(0.2);
    return 'repeat(' . $self->quote($text) . ', ' . pick(2, 100, 201, 1024, 100_000) . ')' if chance(0.08);
    return $self->quote($text x int(100_000 / length $text)) if $text ne '' && chance(0.01);
    return $self->quote($text);
}

sub known_name
{
    my ($self) = @_;
    return pick(map { @$_ } map { $self->{names}{$_} } sort keys %{ $self->{names} });
}

# A literal that reads the same whatever standard_conforming_strings and client_encoding are.
sub quote
{
    my ($self, $text) = @_;

    my $ascii = $self->{ascii} || chance(0.5);
    return "'" . ($text =~ s/'/''/gr) . "'" if $text !~ /[\\\n\r]/ && ($text !~ /[^\x00-\x7f]/ || !$ascii);
    $text =~ s/(['\\])/$1$1/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/([^\x00-\x7f])/sprintf '\\U%08X', ord $1/ge if $ascii;
    return "E'$text'";
}

1;
