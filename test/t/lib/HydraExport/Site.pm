package HydraExport::Site;

# One destination of one database, and the bucket that it is exported to: exports, and what they sent, held against
# the tables.
#
#     my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'first', prefix => 'p');
#     $site->add_model('orders');
#     my $export = $site->export;                      # { id, folder, status, error, messages }
#     is($site->ids($export, 'orders'), '1 2 3');      # what that export sent
#     $site->holds_table('orders', 'after inserts');   # what all exports sent, against the table
#
# Lines are byte strings. A key's columns are joined with '|'.

use strict;
use warnings;

use Carp;
use Digest::SHA qw(sha256_hex);
use Encode ();
use HydraExport::BucketCopy;
use HydraExport::Test;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

# What the worker's output is defined by.
my $settings = join '', map { "SET $_;\n" } (
    q(TimeZone = 'UTC'),
    q(DateStyle = 'ISO, YMD'),
    q(IntervalStyle = 'iso_8601'),
    q(extra_float_digits = 1),
    q(bytea_output = 'hex'),
    q(client_encoding = 'UTF8'),
    q(lc_monetary = 'C'),
    q(quote_all_identifiers = off),
    q(search_path = pg_catalog));

my $json = JSON::PP->new->allow_nonref->allow_bignum;

# new($node, DATABASE, $s3, bucket => …, …): makes the bucket, creates the extension, saves the settings; arguments are
# those of hydra_export.configure().
sub new
{
    my ($class, $node, $database, $s3, %arguments) = @_;

    my $self = bless { node => $node, database => $database, s3 => $s3, %arguments }, $class;
    $self->{destination} //= 'default';
    $self->{prefix} .= '/' if ($self->{prefix} //= '') ne '' && $self->{prefix} !~ m{/$};
    $s3->make_bucket($self->{bucket});
    $self->sql('SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS hydra_export');
    configure($node, $database, $s3, %arguments);
    return $self;
}

# ---- SQL

sub sql
{
    my ($self, $sql) = @_;
    return $self->{node}->safe_psql($self->{database}, $sql);
}

# look(SQL): the same for reads that change nothing, in a session that stays (HydraExport::Node).
sub look
{
    my ($self, $sql) = @_;
    return $self->{node}->query($self->{database}, $sql);
}

# try(SQL): (output, what went to stderr); an error is no failure.
sub try
{
    my ($self, $sql) = @_;

    my ($status, $output, $messages) = $self->{node}->psql($self->{database}, $sql);
    return ($output, $messages);
}

# add_model(RELATION, argument => SQL text…): e.g. key_columns => q('{id}').
sub add_model
{
    my ($self, $relation, %arguments) = @_;

    $arguments{destination} = "'$self->{destination}'";
    my $list = join '', map { ", $_ => $arguments{$_}" } sort keys %arguments;
    (my $literal = $relation) =~ s/'/''/g;
    $self->sql("SELECT hydra_export.add_model('$literal'$list)");
    return;
}

# export(): runs one now; { id, folder, status, error, messages } however it ended. Errors go to `messages`.
sub export
{
    my ($self) = @_;

    my $before = $self->last_export;
    my (undef, $messages) = $self->try("SELECT hydra_export.export_now('$self->{destination}')");
    my $export = $self->last_export;
    croak "no export was made: $messages" if !$export || ($before && $before->{id} == $export->{id});
    $export->{messages} = $messages;
    return $export;
}

sub last_export { my ($self) = @_; return $self->exports('ORDER BY id DESC LIMIT 1') }

# exports(CONDITION): the destination's history, as hashes.
sub exports
{
    my ($self, $condition) = @_;

    my $rows = $self->look("SELECT row_to_json(e) FROM (SELECT * FROM hydra_export.exports"
          . " WHERE destination = '$self->{destination}') e " . ($condition // 'ORDER BY id'));
    my @exports = map { decode_json($_) } split /\n/, $rows;
    return wantarray ? @exports : $exports[0];
}

# model(EXPORT, MODEL): the row of export_models.
sub model
{
    my ($self, $export, $model) = @_;

    (my $literal = $model) =~ s/'/''/g;
    return decode_json($self->look("SELECT row_to_json(m) FROM hydra_export.export_models m"
              . " WHERE export_id = $export->{id} AND model = '$literal'"));
}

# ---- the bucket

sub folder_path { my ($self, $export) = @_; return "$self->{prefix}$export->{folder}" }

sub encode_name
{
    my ($name) = @_;

    $name = HydraExport::S3::encode($name, '');
    $name =~ s/^([._])/sprintf '%%%02X', ord $1/e;
    return $name;
}

# objects(EXPORT, MODEL): keys, in their order; all models without MODEL. Manifest and claim are left out.
sub objects
{
    my ($self, $export, $model) = @_;

    my $prefix = $self->folder_path($export) . '/' . (defined $model ? encode_name($model) . '/' : '');
    return grep { !m{/_(manifest|claim)\.json$} } $self->{s3}->keys($self->{bucket}, $prefix);
}

# lines(EXPORT, MODEL): what the export sent of a model.
sub lines
{
    my ($self, $export, $model) = @_;
    return map { split /\n/, $self->{s3}->get($self->{bucket}, $_) } $self->objects($export, $model);
}

# ids(EXPORT, MODEL): the ids of the rows that the export sent, sorted as numbers where they are, in one string.
sub ids
{
    my ($self, $export, $model) = @_;

    my @key = $self->key_columns($model);
    my @ids = map { id_of($_, @key) } $self->lines($export, $model);
    my $numbers = !grep { !/^-?\d+$/ } @ids;
    @ids = $numbers ? sort { $a <=> $b } @ids : sort @ids;
    return join ' ', @ids;
}

sub manifest
{
    my ($self, $export) = @_;
    return $self->{s3}->manifest($self->{bucket}, $self->folder_path($export));
}

sub id_of
{
    my ($line, @key) = @_;

    # By far the most lines, and JSON::PP is slow.
    return $1 if @key == 1 && $line =~ /^\{"\Q$key[0]\E":(-?\d+)[,}]/;
    my $row = $json->decode(Encode::decode('UTF-8', $line));
    return join '|', map { my $id = "$row->{$_}"; utf8::encode($id); $id } @key;
}

# Of a model: the relation (as SQL writes it) and its key's columns.
sub relation { my ($self, $model) = @_; return $self->describe($model)->{relation} }

sub key_columns
{
    my ($self, $model) = @_;
    return map { Encode::decode('UTF-8', $_) } @{ $self->describe($model)->{key} };
}

sub describe
{
    my ($self, $model) = @_;

    (my $literal = $model) =~ s/'/''/g;
    my $sql = qq{SELECT format('%I.%I', n.nspname, c.relname), array_to_json(coalesce(m.key_columns, ARRAY(
        SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place), pg_attribute a
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number ORDER BY place))),
        array_to_string(ARRAY(SELECT quote_ident(column_name) FROM unnest(m.columns) AS u (column_name)), ',')
        FROM hydra_export.models m JOIN pg_class c ON c.oid = m.relation JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE m.name = '$literal' AND m.destination = '$self->{destination}'};
    my ($relation, $key, $columns) = split /\|/, $self->look($sql);
    croak "no model \"$model\"" unless defined $relation;
    # The bytes of names, as psql gives them.
    return { relation => $relation, key => JSON::PP->new->decode($key), columns => $columns };
}

# ---- comparisons

# table_lines(MODEL): what the server itself makes of the table's rows.
sub table_lines
{
    my ($self, $model) = @_;

    my $about = $self->describe($model);
    my $from = $about->{relation};
    $from = "(SELECT $about->{columns} FROM $from)" if defined $about->{columns} && $about->{columns} ne '';
    return split /\n/, $self->look("${settings}SELECT row_to_json(t) FROM $from t");
}

# bucket_lines(MODEL): the last line of each id, over all exports, as { id => line }.
sub bucket_lines
{
    my ($self, $model) = @_;

    my @key = $self->key_columns($model);
    $self->{copy_dir} //= PostgreSQL::Test::Utils::tempdir('copy');
    my $meets = HydraExport::BucketCopy::by_server(sub { $self->sql($_[0]) });
    my $rows = HydraExport::BucketCopy->take($self->{s3}, $self->{bucket}, $self->{copy_dir})
      ->rebuild($self->{prefix}, Encode::decode('UTF-8', $model), sub { id_of($_[0], @key) }, $meets);
    # Here a key is in one table only.
    return { map { my $id = $_; $id =~ s/^\d+\0//; ($id => $rows->{$_}) } keys %$rows };
}

# holds_table(MODEL, NAME, GONE…): passes when every row of the table is the last line of its id in the bucket, to the
# byte, and no other id is there but those of GONE.
sub holds_table
{
    my ($self, $model, $name, @gone) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @key = $self->key_columns($model);
    my %expected = map { id_of($_, @key) => $_ } $self->table_lines($model);
    my $found = $self->bucket_lines($model);
    my @wrong;
    foreach my $id (sort keys %expected)
    {
        push @wrong, "lost: $expected{$id}" and next unless defined $found->{$id};
        push @wrong, "stale: $found->{$id}\n   now: $expected{$id}" if $found->{$id} ne $expected{$id};
    }
    my %gone = map { $_ => 1 } @gone;
    push @wrong, "too much: $found->{$_}" foreach grep { !$expected{$_} && !$gone{$_} } sort keys %$found;
    my $passed = ok(!@wrong, $name // "the bucket holds $model");
    diag(join "\n", @wrong[ 0 .. ($#wrong > 9 ? 9 : $#wrong) ], scalar(@wrong) . ' rows differ') unless $passed;
    return $passed;
}

# sent(EXPORT, MODEL, IDS, NAME): passes when the export sent just these rows of the model, each once.
sub sent
{
    my ($self, $export, $model, $ids, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($self->ids($export, $model), $ids, $name // "export $export->{id} sent $ids");
}

# is_consistent(EXPORT, NAME): the bucket's listing and contents, the manifest and the history say the same.
sub is_consistent
{
    my ($self, $export, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %listed = map { $_->{key} => $_->{size} } @{ $self->{s3}->list($self->{bucket}, $self->folder_path($export) . '/') };
    my $manifest = $self->manifest($export);
    delete @listed{ map { $self->folder_path($export) . $_ } qw(/_manifest.json /_claim.json) };
    my @recorded = map { decode_json($_) } split /\n/, $self->look(
        "SELECT row_to_json(o) FROM hydra_export.export_objects o WHERE export_id = $export->{id} ORDER BY key");
    my @problems;
    push @problems, 'keys of bucket and history differ'
      if join("\n", sort keys %listed) ne join("\n", map { Encode::encode('UTF-8', $_->{key}) } @recorded);
    foreach my $object (@recorded)
    {
        my $key = Encode::encode('UTF-8', $object->{key});
        my $body = $self->{s3}->get($self->{bucket}, $key);
        push @problems, "$key: bytes" if $listed{$key} != $object->{bytes} || length $body != $object->{bytes};
        push @problems, "$key: rows" if ($body =~ tr/\n//) != $object->{rows} || $body !~ /\n\z/;
        push @problems, "$key: sha256" if sha256_hex($body) ne $object->{sha256};
        push @problems, "$key: ids" if $key !~ /~[0-9a-f]{64}\.json$/ && $key !~ m{/\Q$object->{first_id}-$object->{last_id}\E(~\d+)?\.json$};
    }
    push @problems, manifest_problems($manifest, $export, @recorded);
    foreach my $model (@{ $manifest->{models} })
    {
        my $row = $self->model($export, Encode::encode('UTF-8', $model->{name}));
        foreach my $field (qw(kind rows bytes status snapshot lsn relation))
        {
            push @problems, "model $model->{name}: $field" if ($model->{$field} // '') ne ($row->{$field} // '');
        }
    }
    my $passed = ok(!@problems, $name // "bucket, manifest and history of export $export->{id} agree");
    diag(join "\n", @problems) unless $passed;
    return $passed;
}

# check(): what the checks that users have find in history and bucket, as "export|key or model|problem" lines.
sub check
{
    my ($self) = @_;

    my $file = PostgreSQL::Test::Utils::tempdir('listing') . '/listing';
    open(my $listing, '>', $file) or croak "$file: $!";
    print $listing join("\t", @{$_}{qw(key size etag)}), "\n" foreach @{ $self->{s3}->list($self->{bucket}, '') };
    close $listing;
    return $self->sql("SET client_encoding = 'UTF8'; CREATE TEMP TABLE listing (key text, size bigint, etag text);\n\\copy listing FROM '$file'\n"
          . "SELECT * FROM hydra_export.check_history('$self->{destination}')\n"
          . "UNION ALL SELECT * FROM hydra_export.check_listing('listing', destination => '$self->{destination}')");
}

sub manifest_problems
{
    my ($manifest, $export, @recorded) = @_;

    my @problems;
    my @fields = qw(key rows bytes sha256 etag first_id last_id);
    my $text = sub { join "\n", sort map { my $object = $_; join ' ', map { $object->{$_} } @fields } @_ };
    push @problems, 'objects of manifest and history differ'
      if $text->(map { @{ $_->{objects} } } @{ $manifest->{models} }) ne $text->(@recorded);
    push @problems, 'status' if $manifest->{status} ne $export->{status};
    push @problems, 'folder' if $manifest->{folder} ne $export->{folder};
    push @problems, 'export_id' if $manifest->{export_id} != $export->{id};
    foreach my $sum (qw(rows bytes))
    {
        my $all = 0;
        $all += $_->{$sum} foreach @recorded;
        push @problems, $sum if $all != $export->{$sum};
    }
    push @problems, 'objects' if @recorded != $export->{objects};
    push @problems, 'models' if @{ $manifest->{models} } != $export->{models};
    return @problems;
}

1;
