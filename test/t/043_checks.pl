# The checks for users: they find nothing if all is well, and each inconsistency that exists.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('checks', 'hydra_export.max_attempts' => 1, 'hydra_export.retry_interval' => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'checks', endpoint => $faults->endpoint, prefix => 'p');
$site->sql('CREATE TABLE a (id integer PRIMARY KEY, v text); INSERT INTO a VALUES (1); CREATE TABLE "b%" AS TABLE a; ALTER TABLE "b%" ADD PRIMARY KEY (id)');
$site->add_model($_) foreach 'a', '"b%"';

sub insert { my ($id) = @_; return $site->sql(qq{INSERT INTO a VALUES ($id); INSERT INTO "b%" VALUES ($id)}) }

my $first = $site->export;
insert(2);
my $second = $site->export;
insert(3);
$faults->plan({ fault => 'lose_answer', path => '/a/', times => 100 });
my $partial = $site->export;
is($partial->{status}, 'partial', 'an export is partial, and its folder holds more than history knows');
$faults->plan({ fault => 'status', status => 500, times => 100 });
is($site->export->{status}, 'failed', 'one fails');
$faults->plan;
is($site->check, '', 'all is well');
$site->sql('CREATE ROLE watcher IN ROLE hydra_export_monitor');
is($site->sql('SET ROLE watcher; SELECT count(*) FROM hydra_export.check_history()'), '0', 'a monitor may ask');

# ---- the bucket

my ($key) = $site->objects($second, 'a');
my $manifest = $site->folder_path($second) . '/_manifest.json';
my $etag = $site->sql("SELECT etag FROM hydra_export.export_objects WHERE key = '$key'");
my %body = map { $_ => $s3->get('checks', $_) } $key, $manifest;

# finds(DO, UNDO, FOUND, NAME): what is found after DO, which is SQL or a sub; then it is undone.
sub finds
{
    my ($do, $undo, $found, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ref $do ? $do->() : $site->sql($do);
    is($site->check, $found, $name);
    ref $undo ? $undo->() : $site->sql($undo);
    return;
}

sub remove { my ($gone) = @_; return sub { $s3->request('DELETE', HydraExport::S3::object_path('checks', $gone)) } }

sub put { my ($name, $body) = @_; return sub { $s3->put('checks', $name, $body) } }

my $id = $second->{id};
finds(remove($key), put($key, $body{$key}), "$id|$key|is not in the bucket", 'an object that is gone');
finds(put($key, 'x'), put($key, $body{$key}), "$id|$key|has another size in the bucket", 'another size');
finds(put($key, $body{$key} =~ tr/2/3/r), put($key, $body{$key}), "$id|$key|has another etag in the bucket", 'other contents');
finds(remove($manifest), put($manifest, $body{$manifest}), "$id|$manifest|is not in the bucket", 'a manifest that is gone');
my $stranger = $site->folder_path($second) . '/a/7-7.json';
finds(put($stranger, 'x'), remove($stranger), "$id|$stranger|is not in history", 'an object that history does not know');
$stranger = 'p/209901010000/a/7-7.json';
finds(put($stranger, 'x'), remove($stranger), "|$stranger|is in a folder of no export", 'an export that history does not know');
finds(put('p/other/file', 'x'), remove('p/other/file'), '', 'what is in no folder of an export is not ours');
is($site->sql(q{CREATE TEMP TABLE l (key text, size bigint, etag text); SELECT count(*) FROM hydra_export.check_listing('l', since => now())}),
    '0', 'objects of older exports may have been removed');

finds(map({ "UPDATE hydra_export.export_objects SET etag = '$_' WHERE key = '$key'" } '', $etag), '', 'an answer, and its etag, that was lost');

# ---- history

sub finds_in_history
{
    my ($table, $set, $back, $found, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $where = $table eq 'exports' ? "id = $id" : "export_id = $id AND model = 'a'";
    return finds(map({ "UPDATE hydra_export.$table SET $_ WHERE $where" } $set, $back), $found, $name);
}

my $finished_at = $second->{finished_at};
finds_in_history('exports', 'rows = rows + 1', 'rows = rows - 1', "$id||its counts are not those of its models", 'counts of an export');
finds_in_history('export_models', 'objects = objects + 1', 'objects = objects - 1',
    "$id|a|its counts are not those of its objects\n$id||its counts are not those of its models", 'counts of a model');
finds_in_history('exports', q(status = 'partial'), q(status = 'succeeded'), "$id||its status is not that of its models", 'a status');
finds_in_history('exports', 'finished_at = NULL', "finished_at = '$finished_at'", "$id||it has no time at which it finished", 'an end');
finds_in_history('export_models', "previous_export_id = $id", "previous_export_id = $first->{id}",
    "$id|a|it does not continue its last success", 'a break');
$site->sql(qq{UPDATE hydra_export.exports SET status = 'running', finished_at = NULL WHERE id = $id});
like($site->check, qr/^$id\|\|it is running, and no process exports$/m, 'an export that runs no more');

# ---- a long one

$site->sql(<<~'SQL');
    TRUNCATE hydra_export.exports CASCADE;
    INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at, finished_at, models)
      SELECT 'default', i, 'user', 'succeeded', now(), now(), 1 FROM generate_series(1, 40000) AS i ORDER BY i;
    INSERT INTO hydra_export.export_models (export_id, model, relation, kind, status, objects, rows, bytes, previous_export_id)
      SELECT id, 'a', 'a', CASE WHEN previous IS NULL THEN 'full' ELSE 'incremental' END, 'succeeded', 0, 0, 0, previous
      FROM (SELECT id, lag(id) OVER (ORDER BY id) AS previous FROM hydra_export.exports) AS e;
    SQL
is($site->sql(q{SET statement_timeout = '20s'; SELECT count(*) FROM hydra_export.check_history()}), '0',
    'a history of 40,000 exports is checked in some seconds');

done_testing();
