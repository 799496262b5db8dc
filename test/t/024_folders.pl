# A folder belongs to one export, whoever created the destination, at any time and in any database. Destination and
# models are read from the same state.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

# Without claims in the bucket, which would keep exporters apart as well (510_claims).
my @place = (bucket => 'folders', prefix => 'p', conditional => 'off');
my $s3 = start_s3();
my $node = new_node('folders', 'hydra_export.first_export_delay' => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, @place);
$site->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5)');
$site->add_model('t');

# Long enough before the minute ends for some exports.
sub early_in_a_minute { sleep 61 - (time % 60) if time % 60 > 40; return }

# ---- other exporters in the same place

$node->safe_psql('postgres', 'CREATE DATABASE other');
my $other = HydraExport::Site->new($node, 'other', $s3, @place);
$other->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(6, 9)');
$other->add_model('t');
early_in_a_minute();
my ($one, $two) = ($site->export, $other->export);
is("$one->{status} $two->{status}", 'succeeded succeeded', 'two databases export to one place');
isnt($one->{folder}, $two->{folder}, 'each to a folder of its own');
is($site->ids($one, 't'), '1 2 3 4 5', 'the first has its rows');
is($other->ids($two, 't'), '6 7 8 9', 'the second has its own');
$other->sql('DROP EXTENSION hydra_export');

# Each minute with an export has one folder without a suffix among these.
early_in_a_minute();
$site->export;
my %taken = map { $_->{folder} => 1 } $site->exports, $one, $two;
$site->sql(q{SELECT hydra_export.remove_destination('default')});
configure($node, 'postgres', $s3, @place, destination => 'again');
$site->{destination} = 'again';
$site->add_model('t');
my $again = $site->export;
ok(!$taken{ $again->{folder} }++, 'a destination that was removed, and made again under another name, has another folder');

$site->sql(q{DROP EXTENSION hydra_export; CREATE EXTENSION hydra_export});
configure($node, 'postgres', $s3, @place);
$site->{destination} = 'default';
$site->add_model('t');
my $anew = $site->export;
ok(!$taken{ $anew->{folder} }, 'so has one of an extension that was created anew');

# ---- settings that are saved while an export claims its folder

# It waits with the first thing that it does, as an earlier export is to be marked as failed.
$site->sql(q{INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at)
    VALUES ('default', '200001010000', 'user', 'running', now())});
my $blocker = $node->background_psql('postgres');
$blocker->query_safe('BEGIN');
$blocker->query_safe(q{SELECT FROM hydra_export.exports WHERE folder = '200001010000' FOR UPDATE});
my $exporter = $node->background_psql('postgres', on_error_stop => 0);
$exporter->query_until(qr/started/, "\\echo started\nSELECT hydra_export.export_now();\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker' AND wait_event_type = 'Lock'});
my $saver = $node->background_psql('postgres', on_error_stop => 0);
$saver->query_until(qr/started/, "\\echo started\nSELECT hydra_export.configure(prefix => 'q');\n");
my $saving = q{FROM pg_stat_activity WHERE query LIKE '%hydra_export.configure(prefix%' AND pid <> pg_backend_pid()};
$node->poll_query_until('postgres', "SELECT count(*) = 1 $saving AND (state = 'idle' OR wait_event_type = 'Lock')");
is($site->sql("SELECT wait_event_type $saving"), 'Lock', 'who saves settings waits for an export that has begun to claim');
$blocker->query_safe('COMMIT');
$_->quit foreach $saver, $exporter, $blocker;
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'});
is($site->sql('SELECT prefix FROM hydra_export.settings'), 'q/', 'then they are saved');
$site->{prefix} = 'q/';
my $next = $site->export;
is($site->model($next, 't')->{kind}, 'full', 'the first export to the new place is full');
is($site->ids($next, 't'), '1 2 3 4 5', 'and has all rows');

done_testing();
