# Clocks, ids and WAL that go back, sessions that hide their start time, the grid of full exports, settings of a
# database, and names that are taken by other tables.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('clocks', 'hydra_export.first_export_delay' => '1h');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'clocks');

$site->sql(q{
    CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT now());
    INSERT INTO t SELECT i, 'v' FROM generate_series(1, 5) AS i;
    CREATE VIEW v AS SELECT * FROM t;
});
$site->add_model('t');
$site->add_model('t', name => q('by time'), changed_by => q('updated_at'), look_back => q('1 second'));
$site->add_model('v', key_columns => q('{id}'), changed_by => q('updated_at'), look_back => q('1 second'));
$site->export;

# ---- a clock that was ahead at an export, and is right again

$site->sql(q{UPDATE hydra_export.baselines SET cursor = cursor + interval '5 hours'});
$site->sql(q{UPDATE t SET v = 'later', updated_at = now() WHERE id = 1});
my $export = $site->export;
$site->sent($export, 'by time', '1', 'a row that was written after the clock was set back comes');
like($site->model($export, 'by time')->{reason}, qr/whole table read: the clock was set back/, 'history says why the cursor was of no use');
$site->holds_table($_, "after the clock was set back: $_") foreach 't', 'by time', 'v';

# ---- a transaction that hides when it began: switched on within it, track_activities shows no start

my $hidden = $node->background_psql('postgres');
$hidden->query_safe('SET track_activities = off');
$hidden->query_safe('BEGIN');
$hidden->query_safe('SELECT now()');
$hidden->query_safe('SET track_activities = on');
$site->export;
# As if it had begun two minutes ago: at least a minute is always subtracted.
$hidden->query_safe(q{UPDATE t SET v = 'hidden', updated_at = now() - interval '2 minutes' WHERE id = 2});
$hidden->query_safe('COMMIT');
$hidden->quit;
$site->sent($site->export, 'by time', '2', 'what it wrote, with the time of its beginning, comes');

# ---- ids and WAL that went back

$site->sql(q{UPDATE hydra_export.baselines b SET snapshot = (pg_snapshot_xmin(b.snapshot)::text || ':'
    || pg_snapshot_xmax(b.snapshot)::text::bigint + 1000000 || ':')::pg_snapshot FROM hydra_export.models m WHERE m.id = b.model_id AND m.name = 't'});
$export = $site->export;
is($site->model($export, 't')->{kind}, 'full', 'transaction ids below the baseline\'s: full');
is($site->model($export, 't')->{reason}, 'transaction ids went back', 'with the reason');
$site->sql(q{UPDATE hydra_export.baselines SET wal_map = wal_map + 1000000000});
$export = $site->export;
is($site->model($export, 't')->{kind}, 'full', 'a WAL position below the baseline\'s: full');
is($site->model($export, 't')->{reason}, 'WAL went back', 'with the reason');

# ---- another table under the name

$site->sql(q{CREATE TABLE t_new (LIKE t INCLUDING ALL); ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t});
my $start = -s $node->logfile;
$export = $site->export;
like($site->model($export, 't')->{reason}, qr/public\.t_old was public\.t at the previous export, and another table has that name now/,
    'a table that another took the name of: history says so');
$node->wait_for_log(qr/WARNING:  hydra_export: model "t": public\.t_old was public\.t/, $start);
$export = $site->export;
is($site->model($export, 't')->{reason}, undef, 'once');
$site->sql(q{DROP TABLE t; ALTER TABLE t_old RENAME TO t});
$export = $site->export;
is($site->model($export, 't')->{reason}, undef, 'a name that nobody else has is no reason to say anything');

# ---- settings of a database and its roles

my $owner = $site->sql('SELECT current_user');
$site->sql(q{CREATE ROLE app; GRANT hydra_export_admin, hydra_export_monitor TO app; ALTER DATABASE postgres SET role = 'app'});
is($site->export->{status}, 'succeeded', 'a role that is set for the database changes nothing');
$site->sql(qq{SET ROLE NONE; ALTER DATABASE postgres RESET role; ALTER ROLE "$owner" SET role = 'app'});
is($site->export->{status}, 'succeeded', 'nor does one of the role') or diag($export->{error});
$site->sql(qq{SET ROLE NONE; ALTER ROLE "$owner" RESET role});

# ---- full_every_hours as often as exports run: each is full, however late the one before it was

$node->safe_psql('postgres', 'CREATE DATABASE grid');
my $grid = HydraExport::Site->new($node, 'grid', $s3, bucket => 'clocks', prefix => 'grid', frequency_hours => 1);
$grid->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
$grid->add_model('t', full_every_hours => 1);
$node->append_conf('postgresql.conf', "hydra_export.debug_seconds_per_hour = 4\nhydra_export.first_export_delay = '1s'");
$node->restart;
wait_for_export($node, 'grid', 1);
# As if the export had begun a quarter of an hour behind its point of the grid.
$grid->sql(q{UPDATE hydra_export.model_state SET full_at = full_at + interval '1 second'});
wait_for_export($node, 'grid', 3);
is($grid->sql(q{SELECT string_agg(kind, ' ' ORDER BY export_id) FROM (SELECT * FROM hydra_export.export_models ORDER BY export_id LIMIT 3) m}),
    'full full full', 'every scheduled export is full');

# A clock that was a year ahead when settings were saved, models added and exports made.
$grid->sql(q{SELECT hydra_export.pause()});
my $many = $grid->sql('SELECT count(*) FROM hydra_export.exports');
$grid->sql(q{UPDATE hydra_export.settings SET saved_at = saved_at + interval '1 year'; UPDATE hydra_export.models SET added_at = added_at + interval '1 year';
    UPDATE hydra_export.destination_state SET anchor = anchor + interval '1 year', last_start = last_start + interval '1 year',
        last_finish = last_finish + interval '1 year'});
$grid->sql(q{SELECT hydra_export.resume()});
wait_for_export($node, 'grid', $many + 2);
pass('exports go on by the right clock');
$grid->sql(q{SELECT hydra_export.pause(); UPDATE hydra_export.destination_state SET anchor = NULL});
$many = $grid->sql('SELECT count(*) FROM hydra_export.exports');
$grid->sql(q{SELECT hydra_export.resume()});
wait_for_export($node, 'grid', $many + 1);
pass('so does a first one');

done_testing();
