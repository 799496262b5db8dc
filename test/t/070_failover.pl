# A promoted standby continues, in full or incrementally; a server restored to a point in time pauses.

use strict;
use warnings;

use HydraExport::BucketCopy;
use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $primary = new_node(
    'primary',
    'init'                            => { allows_streaming => 1, has_archiving => 1 },
    'hydra_export.first_export_delay' => '1h');
my $site = HydraExport::Site->new($primary, 'postgres', $s3, bucket => 'failover', prefix => 'live');
$site->sql('CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t SELECT i, 0 FROM generate_series(1, 5) AS i');
$site->add_model('t');
$site->export;
$primary->backup('base');
$site->sql('UPDATE t SET v = 1 WHERE id = 1');
$site->sent($site->export, 't', '1', 'the primary exports what changed');
$site->sql(q(SELECT pg_create_restore_point('before the mistake')));
$site->sql('UPDATE t SET v = 2 WHERE id = 2; SELECT pg_switch_wal()');

sub standby
{
    my ($name, %settings) = @_;

    my $node = HydraExport::Node->new($name);
    $node->init_from_backup($primary, 'base', has_streaming => 1);
    $node->append_conf('postgresql.conf', "$_ = '$settings{$_}'") foreach sort keys %settings;
    $node->start;
    $primary->wait_for_catchup($node);
    return $node;
}

sub why { my ($node) = @_; return $node->safe_psql('postgres', 'SELECT why FROM hydra_export.schedule') }

# ---- standbys

my $first = standby('first');
my $second = standby('second', 'hydra_export.after_failover' => 'incremental');
is(why($first), 'this server is a standby', 'a standby says that it does not export');
my (undef, undef, $messages) = $first->psql('postgres', 'SELECT hydra_export.export_now()');
like($messages, qr/ERROR:  cannot export from a standby/, 'nor does it when asked');
$primary->stop('fast');

$first->promote;
$site->{node} = $first;
is(why($first), 'first export', 'after its promotion the schedule goes on');
$first->append_conf('postgresql.conf', q(hydra_export.first_export_delay = '1s'));
$first->reload;
wait_for_export($first, 'postgres', 3);
my $export = $site->last_export;
is($export->{started_by}, 'schedule', 'by itself');
is($export->{status}, 'succeeded', 'the promoted standby exports') or diag($export->{error});
cmp_ok($export->{folder}, 'gt', $site->sql(q(SELECT to_char(started_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI') || '_999'
    FROM hydra_export.exports ORDER BY id DESC LIMIT 1)), 'to a folder that the lost primary cannot have used');
is($site->model($export, 't')->{kind}, 'full', 'in full');
is($site->model($export, 't')->{reason}, 'promotion of a standby, or a restore', 'and says why');
$site->holds_table('t');
$site->sql('UPDATE t SET v = 3 WHERE id = 3');
$site->sent($site->export, 't', '3', 'then incrementally again');

# ---- after_failover = incremental, in a bucket of its own, as the first standby went on with the other

$second->promote;
my $incremental = HydraExport::Site->new($second, 'postgres', $s3, bucket => 'failover', prefix => 'live');
$export = $incremental->export;
is($incremental->model($export, 't')->{kind}, 'incremental', 'after_failover = incremental is obeyed');
is($incremental->model($export, 't')->{reason}, 'whole table read: another timeline', 'no rule about WAL is used');
is($incremental->manifest($export)->{models}[0]{rows}, 1, 'only what changed is sent');

# ---- a standby that lacks what its primary had exported

$first->backup('again');
my $behind = HydraExport::Node->new('behind');
$behind->init_from_backup($first, 'again', has_streaming => 1);
$behind->start;
$first->wait_for_catchup($behind);
$behind->append_conf('postgresql.conf', q(primary_conninfo = ''));
$behind->reload;
$behind->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_wal_receiver');
$site->sql('INSERT INTO t VALUES (77, 0); UPDATE t SET v = 77 WHERE id = 4; DELETE FROM t WHERE id = 5');
$site->sent($site->export, 't', '4 77', 'the primary exports what its standby does not get');
$first->stop('fast');
$behind->promote;
$site->{node} = $behind;
# The first failover was more than a minute ago.
$site->sql(q(UPDATE hydra_export.settings SET last_folder = to_char(now() AT TIME ZONE 'UTC' + interval '1 hour', 'YYYYMMDDHH24MI')));
$site->sql('UPDATE t SET v = 8 WHERE id = 1');
is($site->export->{status}, 'succeeded', 'the promoted standby exports');
$site->sql('UPDATE t SET v = 9 WHERE id = 2');
$site->export;
my %table = map { /"id":(\d+)/ ? ($1 => $_) : () } $site->table_lines('t');
my $bucket = HydraExport::BucketCopy->take($s3, 'failover', PostgreSQL::Test::Utils::tempdir('copy'));
foreach my $rule (qw(rebuild rebuild_by_chain))
{
    is_deeply($bucket->$rule('live/', 't', sub { $_[0] =~ /"id":(\d+)/ ? $1 : die }), \%table, "the table is rebuilt from the bucket ($rule)");
}

# ---- a point in time

my $restored = HydraExport::Node->new('restored');
$restored->init_from_backup($primary, 'base', has_restoring => 1);
$restored->append_conf('postgresql.conf', <<'CONF');
recovery_target_name = 'before the mistake'
recovery_target_action = 'promote'
CONF
$restored->start;
$restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is(why($restored), 'paused: restored to a point in time; hydra_export.resume() goes on here',
    'a server restored to a point in time pauses');
(undef, undef, $messages) = $restored->psql('postgres', 'SELECT hydra_export.export_now()');
like($messages, qr/ERROR:  destination "default" was restored to a point in time/, 'and refuses export_now()');
like($messages, qr/HINT:  Change bucket or prefix/, 'with a hint');
is($restored->safe_psql('postgres', 'SELECT umoptions IS NOT NULL FROM pg_user_mapping'), 't', 'it still has the credentials');

my $copy = HydraExport::Site->new($restored, 'postgres', $s3, bucket => 'failover', prefix => 'restored');
is(why($restored), 'paused: restored to a point in time; hydra_export.resume() goes on here', 'also with another prefix');
$copy->sql('SELECT hydra_export.resume()');
isnt(why($restored), '', 'resume() goes on');
$export = $copy->export;
is($copy->model($export, 't')->{kind}, 'full', 'in full');
$copy->holds_table('t', 'the bucket holds the restored table');

done_testing();
