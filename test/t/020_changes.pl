# Which rows an export sends: exactly those that the previous export could not see. Each case is one in which a simpler
# rule loses rows or sends them repeatedly.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('changes', track_activities => 'on');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'changes');

# One table, exported both ways.
$site->sql(q{
    CREATE TABLE t (id integer PRIMARY KEY, v text, updated_at timestamptz DEFAULT clock_timestamp());
    CREATE INDEX ON t (updated_at);
    INSERT INTO t SELECT i FROM generate_series(1, 20) AS i;
});
$site->add_model('t', name => q('by xmin'));
$site->add_model('t', name => q('by updated_at'), changed_by => q('updated_at'));
my @models = ('by xmin', 'by updated_at');
$site->export;

# sends(IDS, NAME, gone => […]): the next export sends just these, and then the bucket holds the table.
sub sends
{
    my ($ids, $name, %options) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{messages});
    foreach my $model (@models)
    {
        $site->sent($export, $model, $ids, "$name: $model sends " . ($ids eq '' ? 'nothing' : $ids));
        $site->holds_table($model, "$name: $model has the table", 1 .. 999) unless $options{unfinished};
    }
    return $export;
}

sub session { return $node->background_psql('postgres') }

my $i = 100;
sub insert { return 'INSERT INTO t (id) VALUES (' . ++$i . ')' }

# ---- open transactions

my $open = session();
$open->query_safe('BEGIN');
$open->query_safe(insert());
$open->query_safe('UPDATE t SET v = \'open\', updated_at = clock_timestamp() WHERE id = 1');
$site->sql(insert());
sends('102', 'a transaction is open', unfinished => 1);
$open->query_safe('COMMIT');
sends('1 101', 'it has committed');
sends('', 'nothing happened');

my $sql = insert();
$open->query_safe('BEGIN');
$open->query_safe('SAVEPOINT one');
$open->query_safe($sql);
$open->query_safe('SAVEPOINT two');
$open->query_safe(insert());
$open->query_safe('RELEASE two');
$open->query_safe('SAVEPOINT three');
$open->query_safe(insert());
$open->query_safe('ROLLBACK TO three');
# So that the ids above are below the snapshot's end.
$site->sql(insert());
sends('106', 'subtransactions are open', unfinished => 1);
$open->query_safe('COMMIT');
sends('103 104', 'they have committed');

# A block that is still being run.
my $gate = session();
$gate->query_safe('SELECT pg_advisory_lock(1)');
$open->query_until(qr/waiting/, q{\echo waiting
    DO $$ BEGIN
      BEGIN
        INSERT INTO t (id) VALUES (201);
        PERFORM pg_advisory_xact_lock(1);
      EXCEPTION WHEN division_by_zero THEN NULL;
      END;
    END $$;
    \echo done
});
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted});
$site->sql(insert());
sends('107', 'an EXCEPTION block is open', unfinished => 1);
$gate->query_safe('SELECT pg_advisory_unlock(1)');
$open->query_until(qr/done/, '');
sends('201', 'it has committed');

# Ids of subtransactions beyond the snapshot's end.
$sql = insert();
$open->query_safe('BEGIN');
$open->query_safe($sql);
$site->sql(insert());
$open->query_safe('SAVEPOINT s');
$open->query_safe(insert());
sends('109', 'a subtransaction is newer than all that has ended', unfinished => 1);
$open->query_safe('COMMIT');
sends('108 110', 'it has committed');

# More subtransactions than a snapshot holds.
$open->query_safe('BEGIN');
$open->query_safe($_) foreach map { ("SAVEPOINT s$_", "INSERT INTO t (id) VALUES ($_)") } 300 .. 370;
$site->sql('INSERT INTO t (id) VALUES (371)');
sends('371', 'a snapshot overflowed', unfinished => 1);
like($site->sql('SELECT snapshot FROM hydra_export.baselines LIMIT 1'), qr/^(\d+):\1:$/, 'and says that it knows nothing');
$open->query_safe('COMMIT');
my $ids = join ' ', 300 .. 371;
sends($ids, 'the rows of that transaction come, and what came with it comes again');
sends('', 'but once');

# Prepared transactions; also with a time from long ago.
$site->sql(q{BEGIN; INSERT INTO t VALUES (400, 'prepared', now()), (401, 'old', now() - interval '3 days'); PREPARE TRANSACTION 'p'});
sends('', 'a transaction is prepared', unfinished => 1);
$gate->quit;
$open->quit;
$node->restart;
$open = session();
sends('', 'and outlives the server', unfinished => 1);
$site->sql(q{COMMIT PREPARED 'p'});
sends('400 401', 'it has committed');

# Rolled back, or without effect.
$open->query_safe('BEGIN');
$open->query_safe(insert());
$site->export;
$open->query_safe('ROLLBACK');
sends('', 'a transaction was rolled back');

# The caller of an export, whose transaction is open.
$open->query_safe('BEGIN; SET LOCAL client_min_messages = warning');
$open->query_safe(q{UPDATE t SET v = 'caller', updated_at = clock_timestamp() WHERE id = 5});
$open->query_safe('SELECT hydra_export.export_now()');
is($site->last_export->{rows}, 0, 'what the caller has not committed is not sent');
$open->query_safe('COMMIT');
sends('5', 'the caller has committed');

# ---- freezing and rewriting

$sql = insert();
$site->sql("$sql; VACUUM FREEZE t");
sends($i, 'a row was frozen before it was sent');
$site->sql('VACUUM FREEZE t');
sends('', 'a frozen table');
$site->sql(insert());
$site->sql('VACUUM FULL t');
sends($i, 'VACUUM FULL');
$site->sql('CLUSTER t USING t_pkey');
sends('', 'CLUSTER');
$site->sql('VACUUM (FREEZE, FULL) t');
sends('', 'VACUUM FREEZE FULL');
$open->query_safe('BEGIN');
$open->query_safe(insert());
$open->query_safe('SAVEPOINT s');
$open->query_safe(insert());
sends('', 'open before a VACUUM', unfinished => 1);
$open->query_safe('COMMIT');
$site->sql('VACUUM FREEZE t; VACUUM FULL t');
sends(($i - 1) . " $i", 'rows frozen after the transaction that was open at the baseline');

my @before = split /\n/, $site->sql('SELECT id FROM t ORDER BY id');
$site->sql(q{BEGIN; CREATE TEMP TABLE copy AS TABLE t; TRUNCATE t; INSERT INTO t TABLE copy; COMMIT});
my $export = $site->export;
$site->sent($export, 'by xmin', join(' ', @before), 'TRUNCATE and reload: all rows are new');
$site->holds_table($_, "$_ has the reloaded table", 1 .. 999) foreach @models;
my $data = $node->basedir . '/copy.txt';
$site->sql(qq{COPY t TO '$data'});
$site->sql(qq{BEGIN; TRUNCATE t; COPY t FROM '$data' (FREEZE); COMMIT; UPDATE t SET updated_at = clock_timestamp() WHERE id = 1});
$export = $site->export;
$site->sent($export, 'by xmin', join(' ', @before), 'COPY FREEZE: all rows are new');
$site->holds_table($_, "$_ has the table of COPY FREEZE", 1 .. 999) foreach @models;
sends('', 'nothing after COPY FREEZE');

# ---- updated_at

@models = ('by updated_at');
$site->sql(q{INSERT INTO t VALUES (500, 'null', NULL), (501, 'future', '2099-01-01'), (502, 'behind', now() - interval '50 minutes'),
    (503, 'infinity', 'infinity')});
sends('500 501 502 503', 'updated_at is NULL, in the future, behind');
sends('', 'nothing of them comes again');
$site->sql(q{UPDATE t SET v = 'again' WHERE id IN (500, 501, 502, 503)});
sends('500 501 502 503', 'changed again');
$site->sql(q{UPDATE t SET v = 'mass update', updated_at = now() - interval '2 hours' WHERE id < 10;
    UPDATE t SET v = 'untouched' WHERE id = 401});
$export = $site->export;
$site->sent($export, 'by updated_at', '', 'writes that set updated_at behind look_back, or leave it there, are not seen, as README says');
$site->sent($export, 'by xmin', '1 2 3 4 5 6 7 8 9 401', 'in xmin mode they are');
$site->sql(q{SELECT hydra_export.reset_model('by updated_at')});
$site->export;

# A transaction that has begun, but has no id yet: its now() lies before the baseline.
$open->query_safe('BEGIN');
my $start = $open->query_safe('SELECT now()');
$site->export;
my $cursor = q{SELECT cursor <= '%s' FROM hydra_export.baselines b JOIN hydra_export.models m ON m.id = model_id
    WHERE name = 'by updated_at'};
is($site->sql(sprintf $cursor, $start), 't', 'the cursor stands before the start of a transaction without an id');
$open->query_safe('INSERT INTO t VALUES (510, \'late\', now())');
$open->query_safe('COMMIT');
sends('510', 'it has committed');
$open->query_safe('SET track_activities = off');
$open->query_safe('BEGIN');
$open->query_safe('SELECT now()');
$site->export;
is($site->sql(sprintf $cursor, '-infinity'), 't', 'a session that shows nothing sets the cursor back');
$open->query_safe(q{INSERT INTO t VALUES (511, 'hidden', now() - interval '1 year')});
$open->query_safe('COMMIT; SET track_activities = on');
sends('511', 'it has committed');

# Columns without a time zone, written at both ends of the world.
$site->sql(q{
    CREATE TABLE local (id integer PRIMARY KEY, updated_at timestamp DEFAULT localtimestamp);
    CREATE TABLE days (id integer PRIMARY KEY, updated_at date DEFAULT current_date);
    CREATE DOMAIN stamp AS timestamp; CREATE TABLE domains (id integer PRIMARY KEY, updated_at stamp DEFAULT localtimestamp);
});
@models = qw(local days domains);
$site->add_model($_, changed_by => q('updated_at'), look_back => q('0')) foreach @models;
$site->export;
foreach my $zone ('Pacific/Kiritimati', 'Etc/GMT+12')
{
    my @ids = map { ++$i } 1 .. 2;
    $site->sql("SET TimeZone = '$zone'; " . join '; ', map { my $t = $_; map { "INSERT INTO $t VALUES ($_)" } @ids } @models);
    sends("@ids", "written in $zone");
    sends('', "nothing comes again in $zone");
}

is(PostgreSQL::Test::Utils::slurp_file($node->logfile) =~ /(PANIC|TRAP|terminated by signal.*)/ ? $1 : '', '', 'the server is well');
$open->quit;

done_testing();
