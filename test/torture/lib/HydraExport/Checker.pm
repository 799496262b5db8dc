package HydraExport::Checker;

# Holds a bucket's listing and bodies, its manifests, and the history in the database against each other, object by
# object.
#
#     my $history = HydraExport::Checker::read_history($node, 'postgres');   # or read from a file that was kept
#     my $result = HydraExport::Checker::check($copy, $history, 'default', 'prefix/');
#     print "$_\n" foreach @{ $result->{problems} };
#
# What holds, export by export:
#
#     ended            manifest   models and objects
#     succeeded        is there   bucket, manifest and history hold the same objects
#     partial          is there   likewise; of a model that failed the bucket may hold more (an upload whose answer
#                                 was lost each time)
#     failed,          may be     what history records is in the bucket; the bucket may hold more. A manifest that is
#     cancelled        there      there says more than history: it arrived, and the answer did not
#     abandoned        may be     history records nothing
#
# A folder belongs to one export. A model's previous_folder is that of its last success before.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use Encode ();
use HydraExport::BucketCopy;
use JSON::PP;

my $abandoned = qr/^the worker ended before the export did/;

# read_history($node, DATABASE): { exports, models, objects } as lists of rows.
sub read_history
{
    my ($node, $database) = @_;

    my %history;
    my %table = (exports => 'exports ORDER BY id', models => 'export_models ORDER BY export_id, model',
        objects => 'export_objects ORDER BY export_id, key');
    foreach my $list (keys %table)
    {
        my ($from, $order) = $table{$list} =~ /^(\w+)(.*)/;
        my $rows = $node->safe_psql($database, "SET client_encoding = 'UTF8';"
              . " SELECT row_to_json(t) FROM (SELECT * FROM hydra_export.$from$order) t");
        $history{$list} = [ map { decode_json($_) } split /\n/, $rows ];
    }
    return \%history;
}

sub check
{
    my ($copy, $history, $destination, $prefix) = @_;

    my $self = bless { copy => $copy, prefix => $prefix, problems => [], counts => {} }, __PACKAGE__;
    $self->sort_history($history, $destination);
    my %known = map { $_->{folder} => 1 } @{ $self->{exports} };
    $self->problem("folder $_ belongs to no export") foreach grep { !$known{$_} } $copy->folders($prefix);
    $self->check_export($_) foreach @{ $self->{exports} };
    return { problems => $self->{problems}, counts => $self->{counts} };
}

sub problem { my ($self, $text) = @_; push @{ $self->{problems} }, $text; return }

sub sort_history
{
    my ($self, $history, $destination) = @_;

    $self->{exports} = [ grep { $_->{destination} eq $destination } @{ $history->{exports} } ];
    $self->{export}{ $_->{id} } = $_ foreach @{ $self->{exports} };
    push @{ $self->{models}{ $_->{export_id} } }, $_ foreach @{ $history->{models} };
    foreach my $object (@{ $history->{objects} })
    {
        $object->{bytes_key} //= Encode::encode('UTF-8', $object->{key});
        push @{ $self->{objects}{ $object->{export_id} } }, $object;
    }
    return;
}

sub check_export
{
    my ($self, $export) = @_;

    my $status = $export->{status};
    $status = 'abandoned' if ($export->{error} // '') =~ $abandoned;
    ++$self->{counts}{$status};
    my $name = "export $export->{id} ($status, $export->{folder})";
    return $self->problem("$name is still running") if $status eq 'running';
    my @objects = @{ $self->{objects}{ $export->{id} } // [] };
    my @models = @{ $self->{models}{ $export->{id} } // [] };
    $self->check_sums($name, $export, \@models, \@objects);
    $self->check_object($name, $_) foreach @objects;
    $self->check_listing($name, $export, \@models, \@objects);
    $self->check_continuation($name, $export, $_) foreach @models;
    my $manifest = $self->{copy}->manifest($self->{prefix}, $export->{folder});
    my $whole = $status eq 'succeeded' || $status eq 'partial';
    return $self->check_manifest($name, $manifest, $export, \@models, \@objects) if $manifest && $whole;
    $self->problem("$name has no manifest") if $whole;
    ++$self->{counts}{'manifests of exports that history does not call ended'} if $manifest;
    $self->check_objects_of_manifest($name, $manifest) if $manifest;
    return;
}

sub check_sums
{
    my ($self, $name, $export, $models, $objects) = @_;

    foreach my $sum (qw(rows bytes))
    {
        my ($of_objects, $of_models) = (0, 0);
        $of_objects += $_->{$sum} foreach @$objects;
        $of_models += $_->{$sum} foreach @$models;
        $self->problem("$name: $sum $export->{$sum}, of models $of_models, of objects $of_objects")
          if $of_objects != $export->{$sum} || $of_models != $export->{$sum};
    }
    $self->problem("$name: objects") if @$objects != $export->{objects};
    $self->problem("$name: models") if @$models != $export->{models};
    return;
}

# An object that history or a manifest records.
sub check_object
{
    my ($self, $name, $object) = @_;

    my $key = $object->{bytes_key} // Encode::encode('UTF-8', $object->{key});
    my $size = $self->{copy}->size($key);
    return $self->problem("$name: $key is not in the bucket") unless defined $size;
    my $body = $self->{copy}->body($key);
    $self->problem("$name: $key: bytes") if $size != $object->{bytes} || length $body != $size;
    $self->problem("$name: $key: rows") if ($body =~ tr/\n//) != $object->{rows} || $body !~ /\n\z/;
    $self->problem("$name: $key: sha256") if sha256_hex($body) ne $object->{sha256};
    (my $etag = $object->{etag}) =~ tr/"//d;
    $self->problem("$name: $key: etag") if $etag =~ /^[0-9a-f]{32}\z/ && $etag ne md5_hex($body);
    my $ids = Encode::encode('UTF-8', "$object->{first_id}-$object->{last_id}");
    $self->problem("$name: $key: ids") if $key !~ /~[0-9a-f]{64}\.json$/ && $key !~ m{/\Q$ids\E(~\d+)?\.json$};
    return;
}

# Nothing is in the folder that history does not know, but for what it could not know.
sub check_listing
{
    my ($self, $name, $export, $models, $objects) = @_;

    my %recorded = map { $_->{bytes_key} => 1 } @$objects;
    my %unsure = map { HydraExport::BucketCopy::encode_model($_->{model}) => 1 } grep { $_->{status} ne 'succeeded' } @$models;
    foreach my $key ($self->{copy}->objects($self->{prefix}, $export->{folder}))
    {
        next if $recorded{$key};
        my ($model) = $key =~ m{/([^/]+)/[^/]+$};
        if ($unsure{$model} || !@$models) { ++$self->{counts}{'objects that history does not know'} }
        else { $self->problem("$name: $key is in the bucket, and not in history") }
    }
    return;
}

# An incremental model starts from its last success.
sub check_continuation
{
    my ($self, $name, $export, $model) = @_;

    my $last = $self->{last_success}{ $model->{model} };
    $self->{last_success}{ $model->{model} } = $export if $model->{status} eq 'succeeded';
    return if ($model->{kind} // '') ne 'incremental';
    my $previous = $model->{previous_export_id} // 'none';
    $self->problem("$name: model $model->{model} continues export $previous, and the last success is "
          . ($last ? $last->{id} : 'none'))
      if !$last || $previous ne $last->{id};
    return;
}

sub check_manifest
{
    my ($self, $name, $manifest, $export, $models, $objects) = @_;

    foreach my $field (qw(status folder destination))
    {
        $self->problem("$name: manifest: $field") if $manifest->{$field} ne $export->{$field};
    }
    $self->problem("$name: manifest: export_id") if $manifest->{export_id} != $export->{id};
    my @fields = qw(key rows bytes sha256 etag first_id last_id);
    my $text = sub { join "\n", sort map { my $object = $_; join ' ', map { $object->{$_} } @fields } @_ };
    $self->problem("$name: objects of manifest and history differ")
      if $text->(map { @{ $_->{objects} } } @{ $manifest->{models} }) ne $text->(@$objects);
    my %entry = map { $_->{name} => $_ } @{ $manifest->{models} };
    $self->problem("$name: models of manifest and history differ")
      if join("\n", sort keys %entry) ne join("\n", sort map { $_->{model} } @$models);
    foreach my $row (@$models)
    {
        my $entry = $entry{ $row->{model} } or next;
        foreach my $field (qw(kind rows bytes status error snapshot lsn relation))
        {
            $self->problem("$name: model $row->{model}: $field of manifest and history differ")
              if ($entry->{$field} // '') ne ($row->{$field} // '');
        }
        my $previous = $self->{export}{ $row->{previous_export_id} // 0 } or next;
        $self->problem("$name: model $row->{model}: previous_folder")
          if ($entry->{previous_folder} // '') ne $previous->{folder};
    }
    return;
}

# Of a manifest that history does not confirm: what it promises must be there all the same.
sub check_objects_of_manifest
{
    my ($self, $name, $manifest) = @_;

    foreach my $entry (@{ $manifest->{models} })
    {
        $self->check_object("$name, by its manifest", $_) foreach @{ $entry->{objects} };
    }
    return;
}

1;
