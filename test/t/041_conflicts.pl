# What other sessions do to tables and settings while an export runs: a failure affects only its own model, whose rows
# are in the next export, and no session waits for an export.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;
use Time::HiRes qw(sleep time);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'conflicts',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.lock_timeout'       => '1500ms');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'conflicts', endpoint => $faults->endpoint, prefix => 'p');
$site->sql(q{
    CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1);
    CREATE TABLE m (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT clock_timestamp());
    INSERT INTO m SELECT i FROM generate_series(1, 5) AS i;
    CREATE TABLE z (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT clock_timestamp());
    INSERT INTO z SELECT i, 'z', now() - interval '1 year' FROM generate_series(1, 5) AS i;
});
$site->add_model($_) foreach qw(a m z);
$site->add_model('z', name => q('z by time'), changed_by => q('updated_at'));
my @models = ('a', 'm', 'z', 'z by time');
$site->export;

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $i = 100;
sub insert { ++$i; $site->sql("INSERT INTO $_ VALUES ($i)") foreach qw(a m z); return $i }

sub holds
{
    my ($name, @gone) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $site->holds_table($_, "$name: $_", @gone) foreach @models;
    return;
}

sub status { my ($export) = @_; return join ' ', map { "$_:" . $site->model($export, $_)->{status} } @models }

sub wait_for_end
{
    my ($id) = @_;
    $node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id") or die;
    return $site->exports("WHERE id = $id");
}

# during(SQL SUB, path => …): an export whose requests to `path` hang while the code runs; the export.
sub during
{
    my ($path, $code) = @_;

    my $before = $faults->requests;
    $faults->plan({ fault => 'hang', path => $path, times => 100 });
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    for (1 .. 200)
    {
        last if grep { $_->{fault} eq 'hang' } ($faults->requests)[ $before .. $faults->requests - 1 ];
        sleep 0.05;
    }
    $code->();
    $faults->release;
    $faults->plan;
    return wait_for_end($id);
}

# while_blocked(CODE): an export that waits for a lock on `a`, its snapshot taken, while the code runs; the export.
sub while_blocked
{
    my ($code) = @_;

    $session->query_safe('BEGIN');
    $session->query_safe('LOCK TABLE a');
    my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'a'::regclass AND NOT granted});
    $code->();
    $session->query_safe('COMMIT');
    return wait_for_end($id);
}

# ---- one model fails, the others go on

my $row = insert();
$session->query_safe('BEGIN');
$session->query_safe('LOCK TABLE m');
my $export = $site->export;
$session->query_safe('COMMIT');
is($export->{status}, 'partial', 'a locked table makes the export partial');
is(status($export), 'a:succeeded m:failed z:succeeded z by time:succeeded', 'the other models succeed');
like($export->{messages}, qr/WARNING:  export \d+ is partial: .*model "m": .*lock.*1500 ms.*locked by process \d+/, 'export_now warns');
is($site->manifest($export)->{status}, 'partial', 'the manifest says so');
is(scalar(() = $export->{error} =~ /could not lock/g), 1, 'its error gives the reason, once') or diag($export->{error});
is((map { $_->{status} } grep { $_->{name} eq 'm' } @{ $site->manifest($export)->{models} })[0], 'failed', 'by model');
$site->is_consistent($export);
my $next = $site->export;
$site->sent($next, 'm', $row, 'its row comes with the next export');
$site->sent($next, 'z', '', 'those of the others do not come again');
holds('after a lock');

# The caller's own lock.
my ($output, $messages) = $site->try(q{BEGIN; LOCK TABLE m; SELECT hydra_export.export_now(); ROLLBACK});
like($messages, qr/WARNING: .*model "m": .*lock/, 'a caller that holds the lock does not wait for itself for ever');

$site->sql(q{CREATE ROLE reader; GRANT hydra_export_admin TO reader; GRANT SELECT ON m TO reader;
    SELECT hydra_export.remove_model('m'); SET ROLE reader; SELECT hydra_export.add_model('m')});
is($site->export->{status}, 'succeeded', 'a model of a role that may read the table');
$site->sql('REVOKE SELECT ON m FROM reader');
$row = insert();
$export = $site->export;
is(status($export), 'a:succeeded m:failed z:succeeded z by time:succeeded', 'SELECT revoked: the model fails');
like($export->{error}, qr/permission denied.*m.*"reader".*Grant SELECT/, 'with the reason');
$site->sql('GRANT SELECT ON m TO reader');
$site->sent($site->export, 'm', $row, 'granted again, its row comes');
holds('after a revoked privilege');

# The right to read a partitioned table is that to read its partitions.
$site->sql(q{CREATE TABLE rows (id integer PRIMARY KEY, updated_at timestamptz DEFAULT clock_timestamp()) PARTITION BY RANGE (id);
    CREATE TABLE rows_1 PARTITION OF rows FOR VALUES FROM (0) TO (10); CREATE INDEX ON rows (updated_at);
    GRANT SELECT ON rows TO reader; INSERT INTO rows VALUES (1);
    SET ROLE reader; SELECT hydra_export.add_model('rows', changed_by => 'updated_at')});
$site->export;
$site->sql('INSERT INTO rows VALUES (2)');
$export = $site->export;
is($export->{status}, 'succeeded', 'partitions are read with the right to read their parent') or diag($export->{error});
$site->sent($export, 'rows', '2', 'changed rows too');
$site->sql(q{SELECT hydra_export.remove_model('rows')});

$site->sql('CREATE TABLE lost (id integer PRIMARY KEY)');
$site->add_model('lost');
$site->export;
$site->sql('DROP TABLE lost');
insert();
$export = $site->export;
is($export->{status}, 'partial', 'a table was dropped');
like($export->{error}, qr/model "lost": the table .*no longer exists.*remove_model/, 'history says so');
holds('after a dropped table');
$site->sql(q{SELECT hydra_export.remove_model('lost')});
is($site->export->{status}, 'succeeded', 'without the model all is well');

# ---- one export at a time

$export = during('/m/', sub {
    insert();
    my (undef, $error) = $site->try('SELECT hydra_export.export_now()');
    like($error, qr/ERROR: .*being exported already.*HINT: .*recent_exports/s, 'export_now while one runs says so');
}) if insert();
is($export->{status}, 'succeeded', 'and the first goes on');
$site->sent($site->export, 'm', $i, 'what was written meanwhile comes with the next');
holds('after two at once');

# ---- tables rewritten between the snapshot and their turn

my $data = $node->basedir . '/z.txt';
my @ids = split /\n/, $site->sql('SELECT id FROM z ORDER BY id');
foreach my $case (
    [ 'VACUUM FULL',         'VACUUM FULL z' ],
    [ 'ALTER TABLE',         'ALTER TABLE z ALTER v TYPE varchar(100), ADD stamp timestamptz DEFAULT clock_timestamp()' ],
    [ 'TRUNCATE and reload', 'BEGIN; CREATE TEMP TABLE c AS TABLE z; TRUNCATE z; INSERT INTO z TABLE c; COMMIT' ],
    [ 'COPY FREEZE',         "COPY z TO '$data'; BEGIN; TRUNCATE z; COPY z FROM '$data' (FREEZE); COMMIT" ],
    [ 'CLUSTER',             'CLUSTER z USING z_pkey' ])
{
    my ($name, $sql) = @$case;
    $site->sql(q{SELECT hydra_export.reset_model('z'); SELECT hydra_export.reset_model('z by time')});
    $export = while_blocked(sub { $site->sql($sql) });
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{error});
    foreach my $model ('z', 'z by time')
    {
        $site->sent($export, $model, "@ids", "$name before the table's turn: the full export of $model has all rows");
        like((grep { $_->{name} eq $model } @{ $site->manifest($export)->{models} })[0]{note}, qr/separate snapshot/,
            'and the manifest says how');
    }
    $site->export;
    holds("after $name");
}

# Incremental, too: rows whose updated_at lies before the snapshot, in a table that was rewritten after it.
$site->sql(q{UPDATE z SET v = 'before', updated_at = clock_timestamp() WHERE id = 2});
$export = while_blocked(sub { $site->sql('ALTER TABLE z ALTER v TYPE text') });
holds('after a rewrite before an incremental export');
$site->export;
holds('and one more');

# A snapshot whose list of subtransactions has an id beyond its end: given to an open transaction after that of the last
# one to end.
my @others = map { $node->background_psql('postgres') } 1 .. 2;
$export = while_blocked(sub {
    $others[0]->query_safe('BEGIN');
    $others[0]->query_safe('INSERT INTO m VALUES (900)');
    $others[1]->query_safe('BEGIN');
    $others[1]->query_safe('ALTER TABLE z ALTER v TYPE varchar(50)');
    $others[0]->query_safe('SAVEPOINT s');
    $others[0]->query_safe('INSERT INTO m VALUES (901)');
    $others[1]->query_safe('COMMIT');
});
is($export->{status}, 'succeeded', 'an id beyond the end of a snapshot') or diag($export->{error});
$others[0]->query_safe('COMMIT');
$_->quit foreach @others;
$site->sent($site->export, 'm', '900 901', 'its rows come when it has committed');
holds('after that');

# The table of a view.
$site->sql(q{CREATE VIEW v AS SELECT id, v, updated_at FROM z});
$site->add_model('v', changed_by => q('updated_at'), key_columns => q('{id}'));
$export = while_blocked(sub { $site->sql('VACUUM FULL z') });
$site->holds_table('v', 'a view whose table was rewritten by VACUUM FULL before its turn');
$site->sql(q{SELECT hydra_export.reset_model('v')});
$export = while_blocked(sub {
    $site->sql('BEGIN; CREATE TEMP TABLE c AS TABLE z; TRUNCATE z; INSERT INTO z TABLE c; COMMIT') });
$site->sent($export, 'v', "@ids", 'a view whose table was reloaded before its turn');

# Partitions that join before the turn of their table.
$site->sql(q{CREATE TABLE p (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    INSERT INTO p VALUES (1); CREATE TABLE p2 (id integer NOT NULL); INSERT INTO p2 VALUES (11)});
$site->add_model('p');
$site->export;
$export = while_blocked(sub { $site->sql(q{ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
    CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30); INSERT INTO p VALUES (21)}) });
$site->export;
$site->holds_table('p', 'partitions that join between the snapshot and the turn of their table');

# ---- ALTER TABLE does not wait for an export that reads

$site->sql(q{INSERT INTO m SELECT i, repeat('x', 100) FROM generate_series(10000, 12000) AS i});
$export = during('/a/', sub {
    my $start = time;
    $site->sql('ALTER TABLE m ADD late integer; ALTER TABLE z ADD late integer; TRUNCATE a');
    cmp_ok(time - $start, '<', 4, 'tables that have been read are not locked while S3 hangs');
}) if insert();
$site->export;
$site->sql('SELECT hydra_export.reset_model(name) FROM hydra_export.models');
$site->export;
$site->holds_table($_, "after ALTER TABLE: $_", 1 .. 99999) foreach @models;

# ---- settings that change while an export runs

sub kinds { my ($export, @of) = @_; return join ' ', map { "$_:" . $site->model($export, $_)->{kind} } @of }

$row = insert();
during('manifest', sub { $site->sql(q{SELECT hydra_export.reset_model('m')}) });
$export = $site->export;
is(kinds($export, 'm', 'z'), 'm:full z:incremental', 'a model reset during an export is full in the next');

insert();
during('manifest', sub { $site->sql(q{SELECT hydra_export.remove_model('m'); SELECT hydra_export.add_model('m')}) });
is(kinds($site->export, 'm', 'z'), 'm:full z:incremental', 'so is one removed and added again');

insert();
during('manifest', sub { $site->sql(q{SELECT hydra_export.alter_model('m', columns => '{id,v}')}) });
is(kinds($site->export, 'm', 'z'), 'm:full z:incremental', 'and one whose columns changed');
$site->sql(q{SELECT hydra_export.alter_model('m', columns => '{}')});
$site->export;

insert();
during('manifest', sub { $site->sql(q{SELECT hydra_export.configure(prefix => 'q')}) });
$site->{prefix} = 'q/';
is(kinds($site->export, 'm', 'z'), 'm:full z:full', 'in another place all are');
holds('in another place');

# The same in a transaction that is still open when the export is recorded, and commits after it.
foreach my $change (
    [ q{SELECT hydra_export.reset_model('m')},                       'm:full z:incremental', 'q/', 'reset' ],
    [ q{SELECT hydra_export.configure(prefix => 'r')},               'm:full z:full',        'r/', 'moved' ],
    [ q{SELECT hydra_export.alter_model('m', columns => '{id}')},    'm:full z:incremental', 'r/', 'altered' ])
{
    my ($sql, $kinds, $prefix, $name) = @$change;
    insert();
    my $id;
    my $before = $faults->requests;
    $faults->plan({ fault => 'hang', path => 'manifest' });
    $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
    for (1 .. 200) { last if grep { $_->{fault} eq 'hang' } ($faults->requests)[ $before .. $faults->requests - 1 ]; sleep 0.05 }
    $session->query('BEGIN');
    $session->query($sql);
    $faults->release;
    $node->poll_query_until('postgres', "SELECT status <> 'running' OR EXISTS (SELECT FROM pg_stat_activity"
          . " WHERE wait_event_type = 'Lock' AND backend_type = 'hydra_export worker') FROM hydra_export.exports WHERE id = $id")
      or die 'the export neither ends nor waits';
    $faults->plan;
    $session->query('COMMIT');
    wait_for_end($id);
    $site->{prefix} = $prefix;
    is(kinds($site->export, 'm', 'z'), $kinds, "$name in a transaction that commits after the export was recorded");
}
$site->sql(q{SELECT hydra_export.alter_model('m', columns => '{}')});
$site->export;
holds('in yet another place');

$session->quit;

# ---- wal_level = minimal, where a rewrite may write no WAL

my $minimal = new_node('minimal', wal_level => 'minimal', max_wal_senders => 0);
my $bare = HydraExport::Site->new($minimal, 'postgres', $s3, bucket => 'minimal');
$bare->sql('CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE z (id integer PRIMARY KEY, v integer); INSERT INTO z SELECT i, 0 FROM generate_series(1, 99) AS i');
$bare->add_model($_) foreach qw(a z);
$bare->export;
my $first = $node;
($site, $node) = ($bare, $minimal);
$session = $node->background_psql('postgres');
foreach my $turn (1 .. 2)
{
    $bare->sql("UPDATE z SET v = $turn WHERE id = 7");
    my $reload = "BEGIN; TRUNCATE z; INSERT INTO z SELECT i, 10 * $turn FROM generate_series(1, 99) AS i; COMMIT";
    $export = while_blocked(sub { $bare->sql($reload) });
    is($export->{status}, 'succeeded', 'wal_level = minimal: truncated and reloaded before its turn') or diag($export->{error});
    $bare->holds_table('z');
    $bare->sent($bare->export, 'z', '', 'and nothing comes again');
}
$session->quit;

foreach my $server ($first, $minimal)
{
    unlike(PostgreSQL::Test::Utils::slurp_file($server->logfile), qr/PANIC|TRAP|terminated by signal|could not abort/, 'the server is well');
}
done_testing();
