# pg_upgrade from OLD_PG_CONFIG's server to this one's: after resume(), exports go on as if nothing had happened.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

chomp(my $old_bin = `$ENV{OLD_PG_CONFIG} --bindir`);
(my $install_path = $old_bin) =~ s{/bin$}{};

my $s3 = start_s3();
my $old = do
{
    local $ENV{TEMP_CONFIG} = $ENV{OLD_TEMP_CONFIG};
    new_node('old', new => { install_path => $install_path }, 'hydra_export.first_export_delay' => '1s', autovacuum => 'off');
};
my $site = HydraExport::Site->new($old, 'postgres', $s3, bucket => 'upgrade', frequency_hours => 1);
note($site->sql('SELECT version()'));

# What a fingerprint and a baseline are made of, with all that makes OIDs and column numbers odd.
$site->sql(q{
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    ALTER TYPE mood ADD VALUE 'so so' BEFORE 'sad';
    CREATE TYPE pair AS (a integer, gone integer, b mood);
    ALTER TYPE pair DROP ATTRIBUTE gone;
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE TABLE plain (id integer PRIMARY KEY, gone text, v text, mood mood[], pair pair, n positive, span int4range,
        double integer GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO plain SELECT i, 'x', 'v', '{glad}', (i, NULL)::pair, i, int4range(1, i) FROM generate_series(1, 200) AS i;
    ALTER TABLE plain DROP gone;
    ALTER TABLE plain ADD given text DEFAULT 'given';
    CREATE TABLE stamped (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT clock_timestamp());
    CREATE INDEX ON stamped (updated_at);
    INSERT INTO stamped SELECT i FROM generate_series(1, 200) AS i;
    CREATE TABLE parts (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
    INSERT INTO parts SELECT i FROM generate_series(1, 199) AS i;
});
my @models = qw(plain stamped parts);
$site->add_model('plain');
$site->add_model('stamped', changed_by => q('updated_at'));
$site->add_model('parts');

# The first one by the schedule, so that it has a grid to go on with.
wait_for_export($old, 'postgres', 1);
is($site->last_export->{status}, 'succeeded', 'the old server exports') or diag($site->last_export->{error});
$site->holds_table($_) foreach @models;

# Written before the upgrade, by transactions that the export did not see, also by one that was open then.
my $open = $old->background_psql('postgres');
$open->query_safe('BEGIN');
$open->query_safe(q{UPDATE plain SET v = 'open' WHERE id = 3});
$site->sql(q{UPDATE plain SET v = 'before' WHERE id = 2});
$site->sent($site->export, 'plain', '2', 'a transaction is open');
$open->query_safe('COMMIT');
$open->quit;
$site->sql(q{INSERT INTO stamped VALUES (301, 'before'); UPDATE parts SET v = 'before' WHERE id IN (7, 150); VACUUM FREEZE parts_1});
my $history = $site->sql('SELECT count(*) FROM hydra_export.export_objects');
my $next = $site->sql(q{SET TimeZone = 'UTC'; SELECT next_export_at, why FROM hydra_export.schedule});
$old->stop;

my $new = HydraExport::Node->new('new');
$new->init;
$new->append_conf('postgresql.conf', "hydra_export.first_export_delay = '1s'\nautovacuum = off\n");
chdir PostgreSQL::Test::Utils::tempdir('upgrade') or die;
command_ok(
    [
        'pg_upgrade', '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir, '--old-bindir', $old_bin,
        '--new-bindir', $new->config_data('--bindir'), '--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port
    ],
    'pg_upgrade');
$new->start;
$site->{node} = $new;
note($site->sql('SELECT version()'));

# The old cluster may still be there, and export.
like($site->sql('SELECT why FROM hydra_export.schedule'), qr/^paused: upgraded by pg_upgrade, or .*; hydra_export\.resume\(\) goes on here$/,
    'it pauses, and says why');
$site->sql('SELECT hydra_export.resume()');
is($site->sql(q{SELECT count(*) FROM pg_depend WHERE classid = 'pg_user_mapping'::regclass AND deptype = 'e'}), '1',
    'secrets are there, and the extension\'s again');
is($site->sql(q{SET TimeZone = 'UTC'; SELECT next_export_at, why FROM hydra_export.schedule}), $next, 'the schedule goes on');
is($site->sql('SELECT count(*) FROM hydra_export.export_objects'), $history, 'history is there');

sub incremental
{
    my ($name, %ids) = @_;

    my $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{error});
    foreach my $model (@models)
    {
        my $row = $site->model($export, $model);
        is($row->{kind}, 'incremental', "$name: $model is incremental") or diag($row->{reason});
        $site->sent($export, $model, $ids{$model} // '', "$name: $model sends just what changed");
        $site->holds_table($model, "$name: the bucket holds $model");
    }
    return $export;
}

$site->sql(q{UPDATE plain SET v = 'after' WHERE id = 4});
my $export = incremental('after the upgrade', plain => '3 4', stamped => '301', parts => '7 150');
like($site->model($export, 'plain')->{reason}, qr/^whole table read: another cluster$/, 'no WAL position of the old server is used');
incremental('nothing happened');
$site->sql(q{UPDATE plain SET mood = '{sad,so so}', pair = (1, 'sad') WHERE id = 5; UPDATE parts SET v = 'after' WHERE id = 8;
    INSERT INTO stamped VALUES (302, 'after'); VACUUM FREEZE});
$export = incremental('changes', plain => '5', stamped => '302', parts => '8');
is($site->model($export, 'plain')->{reason} // '', '', 'blocks are chosen again');

# An hour of the schedule lasts a moment: the next point of the grid is at hand.
$site->sql(q{INSERT INTO stamped VALUES (303, 'scheduled')});
$new->append_conf('postgresql.conf', 'hydra_export.debug_seconds_per_hour = 1');
$new->restart;
my $scheduled = q{FROM hydra_export.exports WHERE started_by = 'schedule' AND status = 'succeeded'};
ok($new->poll_query_until('postgres', "SELECT count(*) >= 2 $scheduled"), 'the next one comes by the schedule');
$site->holds_table('stamped', 'and has what changed');

unlike(slurp_file($new->logfile), qr/PANIC|TRAP|terminated by signal/, 'the server is well');
done_testing();
