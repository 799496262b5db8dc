package HydraExport::BucketCopy;

# A whole bucket on disk, so that it is read once, looked at often, and kept when a test failed.
#
#     my $copy = HydraExport::BucketCopy->take($s3, 'bucket', $dir);
#     my $copy = HydraExport::BucketCopy->attach($dir);            # one that was kept
#     foreach my $folder ($copy->folders('prefix/')) { my $manifest = $copy->manifest('prefix/', $folder) }
#     my $last = $copy->rebuild('prefix/', 'orders', \&key_of, $meets);    # by the rule of README
#
# Keys, bodies and lines are byte strings.

use strict;
use warnings;

use Carp;
use Encode ();
use File::Path qw(make_path);
use File::Temp;
use HydraExport::S3;
use JSON::PP;
use List::Util qw(max);

my $folder_pattern = qr/\d{12}(?:_\d{3,})?/;

# take($s3, BUCKET, DIR): curl fetches all objects in one process, which is what makes thousands of them bearable. Where
# DIR has an older copy, only those that it lacks.
sub take
{
    my ($class, $s3, $bucket, $dir) = @_;

    make_path("$dir/objects");
    my %has = -e "$dir/listing.json" ? map { ("$_->{key} $_->{etag}" => $_->{file}) } values %{ $class->attach($dir)->{objects} } : ();
    my @objects = @{ $s3->list($bucket, '') };
    my $number = max(0, map { /(\d+)$/ } values %has);
    foreach my $object (@objects) { $object->{file} = $has{"$object->{key} $object->{etag}"} // sprintf 'objects/%06d', ++$number }
    my @new = grep { !$has{"$_->{key} $_->{etag}"} } @objects;
    fetch($s3, $bucket, $dir, @new) if @new;
    open(my $list, '>', "$dir/listing.json") or croak "listing: $!";
    print $list JSON::PP->new->canonical->latin1->encode($_), "\n" foreach @objects;
    close $list;
    return $class->attach($dir);
}

sub fetch
{
    my ($s3, $bucket, $dir, @objects) = @_;

    open(my $config, '>', "$dir/curl") or croak "curl: $!";
    foreach my $object (@objects)
    {
        my $path = HydraExport::S3::object_path($bucket, $object->{key});
        print $config qq{url = "$s3->{endpoint}$path"\noutput = "$dir/$object->{file}"\n};
    }
    close $config;
    my @command = (
        qw(curl --silent --show-error --globoff --fail --max-time 600 --aws-sigv4),
        "aws:amz:$s3->{region}:s3",
        '--user', join(':', $s3->owner),
        '--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD');
    system(@command, '--config', "$dir/curl") == 0 or croak "could not fetch the objects of $bucket";
    unlink "$dir/curl";
    return;
}

# attach(DIR): one that was taken before.
sub attach
{
    my ($class, $dir) = @_;

    open(my $list, '<', "$dir/listing.json") or croak "$dir/listing.json: $!";
    my @objects = map { JSON::PP->new->latin1->decode($_) } <$list>;
    my $self = bless { dir => $dir, objects => { map { $_->{key} => $_ } @objects } }, $class;
    foreach my $object (@objects)
    {
        my ($before) = $object->{key} =~ m{^((?:.*/)?)$folder_pattern/} or next;
        push @{ $self->{by_prefix}{$before} }, $object->{key};
    }
    return $self;
}

sub dir { return $_[0]{dir} }

# keys(PREFIX): in order; those of one destination.
sub keys
{
    my ($self, $prefix) = @_;
    return sort @{ $self->{by_prefix}{$prefix} // [] };
}

sub size { my ($self, $key) = @_; return $self->{objects}{$key}{size} }

sub body
{
    my ($self, $key) = @_;

    my $object = $self->{objects}{$key} or croak "no object $key";
    return HydraExport::S3::slurp("$self->{dir}/$object->{file}");
}

sub lines { my ($self, $key) = @_; return split /\n/, $self->body($key) }

# folders(PREFIX): in the order of exports.
sub folders
{
    my ($self, $prefix) = @_;

    my %seen;
    return grep { !$seen{$_}++ } map { m{^\Q$prefix\E($folder_pattern)/} ? $1 : () } $self->keys($prefix);
}

# The name of a model's folder, from its name as JSON has it.
sub encode_model
{
    my ($name) = @_;

    $name = HydraExport::S3::encode(Encode::encode('UTF-8', $name), '');
    $name =~ s/^([._])/sprintf '%%%02X', ord $1/e;
    return $name;
}

# objects(PREFIX, FOLDER, MODEL): keys; all models' without MODEL. The manifest is left out.
sub objects
{
    my ($self, $prefix, $folder, $model) = @_;

    # One pass over the keys serves all folders.
    $self->{in_folder}{$prefix} //= do
    {
        my %in;
        foreach my $key ($self->keys($prefix))
        {
            push @{ $in{$1}{$2} }, $key if $key =~ m{^\Q$prefix\E($folder_pattern)/([^/]+)/};
        }
        \%in;
    };
    my $models = $self->{in_folder}{$prefix}{$folder} // {};
    return @{ $models->{ encode_model($model) } // [] } if defined $model;
    return map { @$_ } @{$models}{ sort CORE::keys %$models };
}

# manifest(PREFIX, FOLDER): decoded; undef where there is none.
sub manifest
{
    my ($self, $prefix, $folder) = @_;

    my $key = "$prefix$folder/_manifest.json";
    return unless $self->{objects}{$key};
    return $self->{manifests}{$key} //= decode_json($self->body($key));
}

# The part of a manifest that is about MODEL.
sub entry
{
    my ($self, $prefix, $folder, $model) = @_;

    my $manifest = $self->manifest($prefix, $folder) or return;
    my ($entry) = grep { $_->{name} eq $model } @{ $manifest->{models} };
    return $entry;
}

# rebuild(PREFIX, MODEL, KEY, MEETS): { id => line }, to the letter of "To rebuild a table from the bucket" in README. KEY
# makes the id of a line; with inheritance, the OID of its table and a zero byte come before it. MEETS is needed for
# partitioned tables: it gets a condition in SQL, the columns as the manifest describes them, and lines; it returns the
# places of those that meet the condition.
sub rebuild
{
    my ($self, $prefix, $model, $key_of, $meets) = @_;

    my $table = { rows => {}, columns => '' };
    foreach my $folder ($self->folders($prefix))
    {
        my $entry = $self->entry($prefix, $folder, $model) or next;
        $self->apply($table, $entry, $key_of, $meets, $self->objects($prefix, $folder, $model));
    }
    return $table->{rows};
}

# rebuild_by_chain(PREFIX, MODEL, KEY, MEETS): the same from the folders that the newest success continues, one after the
# other, and from nothing in between.
sub rebuild_by_chain
{
    my ($self, $prefix, $model, $key_of, $meets) = @_;

    my ($folder) = grep { (($self->entry($prefix, $_, $model) // {})->{status} // '') eq 'succeeded' }
      reverse $self->folders($prefix);
    my @chain;
    while (defined $folder)
    {
        # Without a manifest there is nothing to begin with; the comparison shows what that costs.
        my $entry = $self->entry($prefix, $folder, $model) or last;
        unshift @chain, $entry;
        last if $entry->{kind} eq 'full';
        $folder = $entry->{previous_folder};
    }
    my $table = { rows => {}, columns => '' };
    $self->apply($table, $_, $key_of, $meets, map { $_->{key} } @{ $_->{objects} }) foreach @chain;
    return $table->{rows};
}

# One model of one folder.
sub apply
{
    my ($self, $table, $entry, $key_of, $meets, @objects) = @_;

    my $rows = $table->{rows};
    my %table_of = map { $_->{key} => $_->{relation_oid} } grep { $_->{relation_oid} } @{ $entry->{objects} };
    %$rows = () if ($entry->{kind} // '') eq 'full' && $entry->{status} ne 'failed';
    my @columns = map { JSON::PP->new->allow_nonref->utf8->encode($_->{name}) } @{ $entry->{columns} // [] };
    # A model that could not be locked has none.
    if (@columns && $table->{columns} ne "@columns")
    {
        $table->{columns} = "@columns";
        $_ = with_columns($_, @columns) foreach values %$rows;
    }
    forget_replaced($rows, $entry, $meets);
    foreach my $object (@objects)
    {
        # Keys of a table and of those that inherit from it may be the same.
        my $of = defined $table_of{$object} ? "$table_of{$object}\0" : '';
        $rows->{ $of . $key_of->($_) } = $_ foreach $self->lines($object);
    }
    return;
}

# Forgets what the entry says that it replaces. Lines have the entry's columns by now.
sub forget_replaced
{
    my ($rows, $entry, $meets) = @_;

    foreach my $replaced (@{ $entry->{replaced} // [] })
    {
        my @ids = sort CORE::keys %$rows;
        my @goes = defined $replaced->{condition}
          ? @ids[ $meets->($replaced->{condition}, $entry->{columns}, @$rows{@ids}) ]
          : grep { /^$replaced->{relation_oid}\0/ } @ids;
        delete @$rows{@goes};
    }
    return;
}

# by_server(SUB): an evaluator of conditions (see rebuild) that has a server do it. SUB runs SQL, as psql does, and returns
# the output.
sub by_server
{
    my ($sql) = @_;

    my $file = File::Temp->new;
    return sub {
        my ($condition, $columns, @lines) = @_;

        my $name = sub { my ($text) = @_; $text =~ s/"/""/g; return qq("$text") };
        my $shape = Encode::encode('UTF-8', join ', ', map { $name->($_->{name}) . " $_->{type}" } @$columns);
        open(my $to, '>', $file) or croak "$file: $!";
        foreach my $i (0 .. $#lines)
        {
            (my $line = $lines[$i]) =~ s/\\/\\\\/g;
            print $to "$i\t$line\n";
        }
        close $to;
        my $output = $sql->("SET client_encoding = 'UTF8'; CREATE TEMP TABLE shape ($shape);\n"
              . "CREATE TEMP TABLE lines (number integer, line json);\n\\copy lines FROM '$file'\n"
              . Encode::encode('UTF-8', "SELECT l.number FROM lines l, LATERAL (SELECT FROM"
                  . " json_populate_record(NULL::shape, l.line) WHERE $condition) AS found;"));
        return split /\n/, $output;
    };
}

# The line with these columns: null for those that it lacks, and without others.
sub with_columns
{
    my ($line, @columns) = @_;

    my %value;
    my $string = qr/"(?:[^"\\]|\\.)*+"/;
    my $nested = qr/(?<nested>[\[{](?:[^\[\]{}"]++|$string|(?&nested))*+[\]}])/;
    my $rest = substr $line, 1, -1;
    while ($rest =~ /\G,?($string):($string|$nested|[^,\[{"]++)/gc) { $value{$1} = $2 }
    return '{' . join(',', map { "$_:" . ($value{$_} // 'null') } @columns) . '}';
}

1;
