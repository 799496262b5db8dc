# Settings and state that arrive by logical replication, as with a publication FOR ALL TABLES: the copy does not write
# where the original does, although its database has the same OID, and it has no secrets.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my %settings = ('hydra_export.first_export_delay' => '1s', 'hydra_export.debug_seconds_per_hour' => 1, wal_level => 'logical');
my $publisher = new_node('publisher', init => { allows_streaming => 'logical' }, %settings);
my $site = HydraExport::Site->new($publisher, 'postgres', $s3, bucket => 'replicated');
my $table = 'CREATE TABLE t (id integer PRIMARY KEY, v text)';
$site->sql("$table; INSERT INTO t SELECT i FROM generate_series(1, 10) AS i");
$site->add_model('t');
wait_for_export($publisher, 'postgres', 1);
# Not a moment longer than needed, so that what the subscriber does can be told apart.
$site->sql('SELECT hydra_export.pause()');
$publisher->poll_query_until('postgres', q{SELECT count(*) = 0 FROM hydra_export.exports WHERE status = 'running'});
$site->sql('CREATE PUBLICATION p FOR ALL TABLES; SELECT hydra_export.resume()');
$publisher->append_conf('postgresql.conf', 'hydra_export.enabled = off');
$publisher->reload;

my $subscriber = new_node('subscriber', %settings);
my $copy = bless { %$site, node => $subscriber }, 'HydraExport::Site';
$copy->sql("CREATE EXTENSION hydra_export; $table");
is($copy->sql(q{SELECT oid FROM pg_database WHERE datname = 'postgres'}), $site->sql(q{SELECT oid FROM pg_database WHERE datname = 'postgres'}),
    'both databases have one OID');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '${\ $publisher->connstr } dbname=postgres' PUBLICATION p");

# synced(): waits for what the publisher has.
sub synced { return $publisher->wait_for_catchup('s') }

$subscriber->poll_query_until('postgres', q{SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel});
synced();
is($copy->sql(q{SELECT count(*) FROM hydra_export.settings}), '1', 'settings have come');
is($copy->sql(q{SELECT count(*) FROM hydra_export.models}), '1', 'and models');
is($copy->sql(q{SELECT count(*) FROM hydra_export.destination_state}), '1', 'and what the schedule remembers');
is($copy->sql(q{SELECT count(*) FROM hydra_export.baselines}), '1', 'and baselines');
is($copy->sql('SELECT count(*) FROM pg_user_mapping'), '0', 'no secret has');

my $paused = qr/^paused: copied from another cluster; hydra_export\.resume\(\) goes on here$/;
like($copy->sql('SELECT why FROM hydra_export.schedule'), $paused, 'the copy pauses, and says why');
# Also after the visit at a start of the server, and when more comes.
$subscriber->restart;
$site->sql('INSERT INTO t VALUES (11)');
is($site->export->{status}, 'succeeded', 'the original goes on');
synced();
like($copy->sql('SELECT why FROM hydra_export.schedule'), $paused, 'it still does when the original has exported again');
like(($copy->try('SELECT hydra_export.export_now()'))[1], qr/ERROR:  destination "default" was copied from another cluster\n.*HINT:/s,
    'and refuses export_now()');
is($copy->sql(q{SELECT count(*) FROM hydra_export.exports}), $site->sql('SELECT count(*) FROM hydra_export.exports'), 'nothing was exported here');

# It is made a database of its own: its exports begin anew, as transaction ids of the original mean nothing here.
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION s');
$copy->sql('SELECT setval(pg_get_serial_sequence($$hydra_export.exports$$, $$id$$), (SELECT max(id) FROM hydra_export.exports))');
$subscriber->append_conf('postgresql.conf', 'hydra_export.enabled = off');
$subscriber->reload;
like(($copy->try(q{SELECT hydra_export.configure(prefix => 'copy')}))[1], qr/access_key and secret_key are missing/, 'it has no keys');
configure($subscriber, 'postgres', $s3, bucket => 'replicated', prefix => 'copy');
$copy->{prefix} = 'copy/';
like(($copy->try('SELECT hydra_export.export_now()'))[1], qr/was copied from another cluster/, 'only resume() ends the pause');
is($copy->sql('SELECT count(*) FROM hydra_export.baselines'), '0', 'another place is a new start');

# Baselines that come with it are dropped by resume(), whatever the row's counters happen to be.
$copy->sql(q{INSERT INTO hydra_export.baselines SELECT id, 't'::regclass, '3:3:', now(), '0/0', '{}', 1, 1, 1, '0/0', '0/0' FROM hydra_export.models});
$copy->sql('SELECT hydra_export.resume()');
is($copy->sql('SELECT count(*) FROM hydra_export.baselines'), '0', 'resume() drops baselines of another cluster');
my $export = $copy->export;
is($export->{status}, 'succeeded', 'then it exports') or diag($export->{error} // $export->{messages});
is($copy->model($export, 't')->{kind}, 'full', 'in full');
$copy->holds_table('t', 'to its own prefix');
$copy->sql('INSERT INTO t VALUES (12)');
$copy->sent($copy->export, 't', '12', 'and then what changed');

# The files of another cluster, as after pg_upgrade: the row is still the version that was written.
$copy->sql(q{BEGIN; ALTER TABLE hydra_export.destination_state DISABLE TRIGGER state_written;
    UPDATE hydra_export.destination_state SET system_identifier = 1, written_by = pg_current_xact_id();
    ALTER TABLE hydra_export.destination_state ENABLE ALWAYS TRIGGER state_written; COMMIT});
like(($copy->try('SELECT hydra_export.export_now()'))[1], qr/was upgraded by pg_upgrade, or copied with its files to another cluster/,
    'files of another cluster pause, too');
$copy->sql('INSERT INTO t VALUES (13); SELECT hydra_export.resume()');
$copy->sent($copy->export, 't', '13', 'but after resume() baselines hold');
# A row that arrived in another way, even in a transaction with the id that it names.
for my $triggers (qw(origin replica)) {
    $copy->sql("SET session_replication_role = $triggers; BEGIN;
        UPDATE hydra_export.destination_state SET system_identifier = 1, written_by = pg_current_xact_id(); COMMIT");
    like(($copy->try('SELECT hydra_export.export_now()'))[1], qr/was copied from another cluster/,
        "a row that came otherwise, in a session of role $triggers");
    $copy->sql('SELECT hydra_export.resume()');
    is($copy->model($copy->export, 't')->{kind}, 'full', 'is a new start');
}

my $folders = $site->sql(q{SELECT string_agg(folder, ' ' ORDER BY folder) FROM hydra_export.exports});
my %seen = map { m{^(\d[^/]*)/} ? ($1 => 1) : () } $s3->keys('replicated');
is(join(' ', sort keys %seen), $folders, "the original's place has the original's folders alone");

done_testing();
