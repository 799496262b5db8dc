# Tables whose rows an extension keeps outside of their heaps are refused, because their heaps contain no rows, or only
# some. Also keys whose text depends on settings.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('elsewhere', 'shared_preload_libraries' => 'hydra_export, hydra_export_custom_scan');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'elsewhere');
$site->sql(<<~'SQL');
    CREATE TABLE plain (id integer PRIMARY KEY, updated_at timestamptz DEFAULT now());
    INSERT INTO plain VALUES (1);
    CREATE TABLE distributed (id integer PRIMARY KEY, updated_at timestamptz DEFAULT now());
    CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
    CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
    INSERT INTO parts VALUES (1), (11);
    CREATE TABLE hypertable (id integer PRIMARY KEY);
    CREATE TABLE chunk (PRIMARY KEY (id)) INHERITS (hypertable);
    INSERT INTO chunk VALUES (1);
    SQL
my $why = qr/the rows of public\.distributed are not in the table itself.*DETAIL: .*"Elsewhere".*HINT: .*view/s;
my (undef, $error) = $site->try(q{SELECT hydra_export.add_model('distributed')});
like($error, $why, 'a table that a custom scan reads is refused');
(undef, $error) = $site->try(q{SELECT hydra_export.add_model('distributed', changed_by => 'updated_at')});
like($error, $why, 'by updated_at, too, as its rows would be read from the heap');
$site->add_model($_) foreach qw(plain parts);
$site->sql(q{SELECT hydra_export.add_model('hypertable', key_columns => '{id}')});
my $export = $site->export;
is($export->{status}, 'succeeded', 'others are exported, though a module plans') or diag($export->{error});

# Rows that move after the model was added.
$site->sql('ALTER TABLE part_2 RENAME TO distributed_2; ALTER TABLE chunk RENAME TO compressed_chunk');
$export = $site->export;
is($export->{status}, 'partial', 'they are looked at in each export');
like($site->model($export, 'parts')->{error}, qr/the rows of public\.distributed_2 are not in the table itself/, 'a partition');
like($site->model($export, 'hypertable')->{error}, qr/the rows of public\.compressed_chunk are not in the table itself/, 'a child');
is($site->model($export, 'plain')->{status}, 'succeeded', 'the others go on');
(undef, $error) = $site->try(q{SELECT hydra_export.add_model('parts', 'again')});
like($error, qr/the rows of public\.distributed_2/, 'and when a model is added');

# ---- keys whose text depends on settings

$site->sql(<<~'SQL');
    SELECT hydra_export.remove_model(name) FROM hydra_export.models;
    CREATE TABLE named (id regclass PRIMARY KEY, kind regtype);
    INSERT INTO named VALUES ('plain', 'integer'), ('named', 'text');
    SQL
$site->add_model('named');
my $first = $site->export;
my $ids = join ' ', $site->objects($first, 'named');
my $lines = join '', sort $site->lines($first, 'named');
like($ids, qr{/named/public\.}, 'a regclass as a key');
$site->sql(q{ALTER DATABASE postgres SET quote_all_identifiers = on; ALTER DATABASE postgres SET search_path = nowhere;
    SELECT hydra_export.reset_model('named')});
my $second = $site->export;
is((join ' ', $site->objects($second, 'named')) =~ s/\d{12}(_\d+)?/F/gr, $ids =~ s/\d{12}(_\d+)?/F/gr, 'has the same id whatever the database says');
is(join('', sort $site->lines($second, 'named')), $lines, 'and so do the lines');

done_testing();
