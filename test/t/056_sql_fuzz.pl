# Random calls of every function of the extension with hostile values, by a role of each kind: the server responds,
# nothing crashes, and no secret appears anywhere. SEED repeats a run, CALLS makes it longer: see `make fuzz-sql`.

use strict;
use warnings;
use utf8;

use Encode ();
use HydraExport::Hostile qw(pick);
use HydraExport::SqlFuzz;
use HydraExport::Test;
use IO::Socket::INET;
use IPC::Run ();
use List::Util qw(max min uniq);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed  = $ENV{SEED}  || 1 + $$ % 100_000;
my $calls = $ENV{CALLS} || 1500;
my $calls_a_session = 25;
srand $seed;
my $record_file = "$PostgreSQL::Test::Utils::log_path/056_sql_fuzz_calls.sql";
open(my $record, '>', $record_file) or die "$record_file: $!";
$record->autoflush;
note("to repeat: SEED=$seed CALLS=$calls; what was called: $record_file");

my $node = new_node(
    'fuzz',
    # To continue after a crash.
    restart_after_crash                => 'on',
    shared_preload_libraries           => 'hydra_export,pg_stat_statements',
    statement_timeout                  => '20s',
    lock_timeout                       => '2s',
    'hydra_export.first_export_delay'  => '1h',
    'hydra_export.lock_timeout'        => '200ms',
    'hydra_export.max_attempts'        => 1,
    'hydra_export.request_timeout'     => '1s');
my @roles = (
    { name => 'fuzz_superuser', super => 1, admin => 1 },
    { name => 'fuzz_admin',   admin => 1 },
    { name => 'fuzz_monitor', group => 'hydra_export_monitor' },
    { name => 'fuzz_owner' },
    { name => 'fuzz_nobody' });

# No server listens there, and none can be started there.
my $reserved = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp') or die "socket: $!";
my $closed = '127.0.0.1:' . $reserved->sockport;
my @endpoints = ("http://$closed", "https://$closed", "http://$closed/path/%2e%2e/", "HTTP://$closed", 'no url', 'ftp://127.0.0.1', "http://$closed/?x=1",
    "http://user:password\@$closed", "http://$closed#x", "http://$closed\n", 'http://127.0.0.1:99999', 'http://127.0.0.1:-1', 'http://', 'http://[::1]:1',
    "http://$closed/" . 'x' x 5000, 'http://169.254.169.254', 'https://x.invalid/', "http://$closed@", "http://\x{e9}.invalid", '%s');

# What would be found if it leaked: words that look like keys, and are in no other text.
my @letters = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
my @secrets = map { 'Canary' . join('', map { pick(@letters) } 1 .. 30) . '/+' } 1 .. 4;

# Texts of calls by their numbers, the first call of each kind of error, and what went wrong.
my (%texts, %messages, @faults);

# ---- what there is to name

sub sql { return $node->safe_psql('postgres', join ";\n", @_) }

my @relations = map { "app.$_" } qw(plain other keyless strange parts parts_1 parent child view matview far unlogged guarded generated domains composite
    "Größe/""2""" plain_pkey a_sequence wide no_rows);
sub set_up
{
    sql('CREATE EXTENSION hydra_export', 'CREATE EXTENSION pg_stat_statements', map { "CREATE ROLE $_->{name} LOGIN" } @roles);
    sql('ALTER ROLE fuzz_superuser SUPERUSER', 'GRANT hydra_export_admin TO fuzz_admin', 'GRANT hydra_export_monitor TO fuzz_monitor', 'GRANT pg_read_all_stats TO fuzz_monitor',
        'CREATE SCHEMA app AUTHORIZATION fuzz_owner', 'CREATE SCHEMA hostile AUTHORIZATION fuzz_nobody', 'GRANT USAGE ON SCHEMA app, hostile TO PUBLIC',
        'CREATE FOREIGN DATA WRAPPER nothing', 'CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing', 'GRANT USAGE ON FOREIGN SERVER nowhere TO fuzz_owner');
    $node->safe_psql('postgres', Encode::encode_utf8(<<~'SQL'), extra_params => [ '-U', 'fuzz_owner' ]);
        CREATE TABLE app.plain (id int PRIMARY KEY, updated_at timestamptz DEFAULT now(), t text);
        INSERT INTO app.plain SELECT g, now(), 'x' FROM generate_series(1, 100) AS g;
        CREATE TABLE app.other (id text PRIMARY KEY, updated_at timestamp);
        INSERT INTO app.other VALUES ('', NULL), ('a-b_c/../%', now()), (repeat('ж', 600), 'infinity');
        CREATE TABLE app.keyless (id int, updated_at date);
        INSERT INTO app.keyless VALUES (NULL, '-infinity'), (1, now());
        CREATE TABLE app.strange (id numeric PRIMARY KEY, b bytea, j json, updated_at timestamptz);
        INSERT INTO app.strange VALUES ('NaN', '\x00ff', '{"a" : 1}', 'infinity'), ('-Infinity', '', NULL, '-infinity');
        ALTER TABLE app.strange DROP COLUMN j;
        CREATE TABLE app.parts (id int, updated_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);
        CREATE TABLE app.parts_2 PARTITION OF app.parts DEFAULT;
        CREATE TABLE app.parent (id int PRIMARY KEY, updated_at timestamptz);
        CREATE TABLE app.child (extra text) INHERITS (app.parent);
        CREATE VIEW app.view AS SELECT id, updated_at FROM app.plain;
        CREATE MATERIALIZED VIEW app.matview AS SELECT id, updated_at FROM app.plain WITH NO DATA;
        CREATE FOREIGN TABLE app.far (id int, updated_at timestamptz) SERVER nowhere;
        CREATE UNLOGGED TABLE app.unlogged (id int PRIMARY KEY, updated_at timestamptz);
        CREATE TABLE app.guarded (id int PRIMARY KEY, updated_at timestamptz);
        ALTER TABLE app.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE TABLE app.generated (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice int GENERATED ALWAYS AS (1 / (id - id)) STORED, updated_at timestamptz);
        CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
        CREATE TABLE app.domains (id app.positive PRIMARY KEY, updated_at timestamptz);
        CREATE TYPE app.pair AS (a int, b text);
        CREATE TABLE app.composite (id app.pair PRIMARY KEY, pairs app.pair[], updated_at timestamptz);
        INSERT INTO app.composite VALUES (ROW(1, 'x'), ARRAY[ROW(1, NULL)::app.pair, NULL]);
        CREATE TABLE app."Größe/""2""" (id int PRIMARY KEY, "a,""b" text, updated_at timestamptz);
        CREATE SEQUENCE app.a_sequence;
        DO $$ BEGIN EXECUTE 'CREATE TABLE app.wide (id int PRIMARY KEY, ' || (SELECT string_agg('c' || g || ' int', ', ') FROM generate_series(1, 1500) AS g) || ')'; END $$;
        CREATE TABLE app.no_rows ();
        CREATE TABLE app.races (id int PRIMARY KEY, updated_at timestamptz);
        CREATE TABLE app.dropped ();
        GRANT SELECT ON ALL TABLES IN SCHEMA app TO fuzz_admin;
        SQL
    # What the extension's own queries would find in a session's search_path if they did not name schemas.
    $node->safe_psql('postgres', <<~'SQL', extra_params => [ '-U', 'fuzz_nobody' ]);
        CREATE FUNCTION hostile.trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            IF session_user !~ '^fuzz_' OR current_user <> session_user THEN RAISE LOG 'hostile code was found, as %', current_user; END IF;
            RETURN true; END $$;
        CREATE FUNCTION hostile.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap()';
        CREATE FUNCTION hostile.same(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap()';
        CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.same);
        CREATE OPERATOR hostile.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = hostile.same);
        CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT CASE WHEN hostile.trap() THEN pg_catalog.now() END';
        CREATE FUNCTION hostile.current_database() RETURNS name LANGUAGE sql AS 'SELECT CASE WHEN hostile.trap() THEN ''x''::name END';
        CREATE FUNCTION hostile.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT CASE WHEN hostile.trap() THEN ''x'' END';
        CREATE VIEW hostile.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE hostile.trap();
        CREATE VIEW hostile.pg_database AS SELECT * FROM pg_catalog.pg_database WHERE hostile.trap();
        CREATE VIEW hostile.settings AS SELECT 1 AS destination WHERE hostile.trap();
        SQL
    my $dropped = sql("SELECT 'app.dropped'::regclass::oid", 'DROP TABLE app.dropped');
    configure_again();
    return $dropped;
}

# Destinations and models to name, of which calls take some away.
my @destinations = ('default', 'lake', 'Größe "2"; --');
sub configure_again
{
    my $client = "SET client_min_messages = error;\n";
    foreach my $destination (@destinations)
    {
        (my $bucket = 'bucket-' . lc $destination) =~ s/[^a-z-]+/-/g;
        $bucket =~ s/-+$//;
        my $secret = pick(@secrets);
        $client .= "SELECT hydra_export.configure(destination => '$destination', bucket => '$bucket', endpoint => 'http://$closed', prefix => '', access_key => 'A', secret_key => '$secret');\n";
        foreach my $relation ('app.plain', 'app.other', 'app.parts')
        {
            $client .= "SELECT hydra_export.remove_model(name, destination) FROM hydra_export.models WHERE destination = '$destination' AND relation = '$relation'::regclass;\n"
              . "SELECT hydra_export.add_model('$relation', destination => '$destination');\n";
        }
    }
    finish_session(start_session({ name => 'fuzz_admin' }, "$client\\echo #end\nSELECT 'it answers';\n"));
    return;
}

my $dropped = set_up();
my $hostile = HydraExport::Hostile->new(
    endpoints => \@endpoints,
    names     => {
        destination => \@destinations,
        name        => [ 'app.plain', 'app.other', 'app.parts' ],
        relation    => \@relations,
        listing     => \@relations,
        role        => [ map { $_->{name} } @roles ] });
my $fuzz = HydraExport::SqlFuzz->new(
    $node, 'postgres', $hostile,
    secrets => \@secrets,
    monitor => 'psql -XAtq -U fuzz_monitor -d "' . $node->connstr('postgres') . '"');
push @{ $hostile->{names}{relation} }, $dropped, $fuzz->relations;

# ---- sessions, one after another

sub psql_command { return ('psql', '-XAtq', '-d', $node->connstr('postgres'), '-U', $_[0], '-f', '-') }

sub start_session
{
    my ($role, $script) = @_;

    my $session = { role => $role->{name}, out => '', err => '' };
    $session->{run} = IPC::Run::start([ psql_command($role->{name}) ], '<', \Encode::encode_utf8($script), '>', \$session->{out}, '2>', \$session->{err},
        IPC::Run::timer(300));
    return $session;
}

sub finish_session
{
    my ($session) = @_;

    my $in_time = eval { $session->{run}->finish; 1 };
    if (!$in_time) { $session->{run}->kill_kill }
    my ($last) = reverse $session->{out} =~ /^#(\d+)$/mg;
    if (!$in_time || $session->{out} !~ /^#end\nit answers\n\z/m)
    {
        fault('the session of ' . $session->{role} . ($in_time ? ' ended early' : ' did not end'), $last, $session->{err});
        $node->poll_query_until('postgres', 'SELECT true');
    }
    look_at_output($session);
    look_at_errors($session);
    return;
}

sub fault
{
    my ($what, $number, $error) = @_;

    push @faults, $what;
    diag("$what at call $number: " . cut($texts{$number // ''} // 'none'));
    diag(cut(substr $error, max(0, length($error) - 1000))) if $error;
    return;
}

sub cut { my ($text) = @_; return length $text > 2000 ? substr($text, 0, 2000) . '...' : $text }

sub secret_in { my ($text) = @_; return grep { index($text, $_) >= 0 } @secrets }

# Nothing that a function returns is secret. (A superuser may read all tables, and EXPLAIN shows the statement that it was given.)
sub look_at_output
{
    my ($session) = @_;

    return if $session->{role} eq 'fuzz_superuser';
    foreach my $part (split /^(?=#\d+$)/m, $session->{out})
    {
        my ($number) = $part =~ /^#(\d+)\n/ or next;
        fault("$session->{role} reads a secret", $number, $part) if $texts{$number} !~ /^EXPLAIN/ && secret_in($part);
    }
    return;
}

sub look_at_errors
{
    my ($session) = @_;

    foreach my $part (split /^(?=#\d+$)/m, $session->{err})
    {
        my ($number) = $part =~ /^#(\d+)\n/ or next;
        fault('a message holds a secret', $number, $part) if secret_in($part);
        while ($part =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*(?:\n(?!psql:).*)*)/g)
        {
            my ($state, $message) = ($1, $2);
            $messages{"$state " . shape($message)} //= $number;
            fault("an error that nobody foresaw ($state)", $number, $message) if is_unforeseen($state, $message);
        }
    }
    return;
}

# The same for all names and numbers.
sub shape
{
    my ($message) = @_;

    my ($hint) = $message =~ /^HINT:  (.*)/m;
    my ($place) = $message =~ /^LOCATION:  (.*)/m;
    ($message) = split /\n/, $message;
    my $text = cut($message) . ($hint ? " | $hint" : '') . ' | ' . ($place // '');
    return $text =~ s/"[^"]*"/"..."/gr =~ s/\d+/N/gr;
}

sub is_unforeseen
{
    my ($state, $message) = @_;

    return $message =~ /std::|basic_string|stoi|stoll|bad_|vector/ if $state ne 'XX000';
    return 1;
}

# Takes what SqlFuzz returns.
sub start_calls
{
    my ($role, $script, @made) = @_;

    foreach my $call (@made)
    {
        $texts{ $call->{number} } = Encode::encode_utf8($call->{sql});
        print $record "-- $call->{number}, as $call->{role}\n$texts{$call->{number}};\n";
    }
    return start_session($role, $script);
}

# ---- sessions beside each other, which take away what the others use

sub race
{
    my %work = (
        fuzz_admin => [
            q(SELECT hydra_export.add_model('app.races', destination => 'lake')), q(SELECT hydra_export.reset_model('app.races', destination => 'lake')),
            q(SELECT hydra_export.alter_model('app.races', look_back => '2 hours', destination => 'lake')),
            q(SELECT hydra_export.remove_model('app.races', destination => 'lake')), q(SELECT * FROM hydra_export.preview('lake')) ],
        fuzz_superuser => [
            q(SELECT hydra_export.remove_destination('lake')), q(SELECT hydra_export.pause('lake')), q(SELECT hydra_export.resume('lake')),
            qq(SELECT hydra_export.configure(destination => 'lake', bucket => 'lake', endpoint => 'http://$closed', access_key => 'A', secret_key => '$secrets[0]')),
            q(SELECT hydra_export.add_model('app.races', destination => 'lake')) ],
        fuzz_owner => [
            'DROP TABLE app.races', 'CREATE TABLE app.races (id int PRIMARY KEY, updated_at timestamptz)', 'ALTER TABLE app.races ADD COLUMN IF NOT EXISTS x int',
            'ALTER TABLE app.races DROP COLUMN IF EXISTS x', 'GRANT SELECT ON app.races TO fuzz_admin', 'INSERT INTO app.races VALUES ((random() * 1e9)::int)' ],
        fuzz_monitor => [ map { "SELECT * FROM hydra_export.$_" } qw(schedule progress models settings recent_exports check_history('lake')) ],
        fuzz_exporter => [
            q(SELECT hydra_export.export_now('lake')), q(SELECT hydra_export.cancel_export(max(id)) FROM hydra_export.exports), q(SELECT hydra_export.check_access('lake')),
            q(SELECT hydra_export.export_now('lake', wait => false)) ]);
    my @sessions;
    foreach my $name (sort keys %work)
    {
        my $role = $name eq 'fuzz_exporter' ? 'fuzz_admin' : $name;
        push @sessions, start_calls({ name => $role }, $fuzz->script({ name => $role }, [], map { pick(@{ $work{$name} }) } 1 .. 12));
    }
    finish_session($_) foreach @sessions;
    return;
}

# ---- where secrets must not be

sub holds_no_secret
{
    my ($text, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($secret) = secret_in($text);
    ok(!defined $secret, $name) and return;
    my $at = index $text, $secret;
    diag(substr $text, max(0, $at - 500), 800);
    return;
}

sub readable_by
{
    my ($role) = @_;

    my @read = map { "SELECT t::text FROM $_ AS t" } $fuzz->relations,
      qw(pg_stat_activity pg_stat_statements pg_user_mappings pg_settings pg_foreign_server pg_prepared_xacts pg_stats pg_db_role_setting);
    my (undef, $out) = $node->psql('postgres', join(";\n", @read), on_error_stop => 0, extra_params => [ '-U', $role ]);
    return $out;
}

sub look_for_secrets
{
    my ($when) = @_;

    foreach my $role (grep { !$_->{super} } @roles)
    {
        holds_no_secret(readable_by($role->{name}), "$when $role->{name} reads no secret");
    }
    holds_no_secret(sql('SELECT a::text FROM pg_stat_activity AS a', 'SELECT s::text FROM pg_stat_statements AS s'), "$when nor does a superuser in statistics");
    holds_no_secret(slurp_file($node->logfile), "$when the log holds none");
    foreach my $program ([ 'pg_dump', '-d', $node->connstr('postgres') ], [ 'pg_dumpall', '-d', $node->connstr('postgres') ])
    {
        my ($dump, $error) = run_command($program);
        is($error, '', "$when $program->[0]");
        holds_no_secret($dump, "and what it writes holds none");
    }
    return;
}

# ---- at work

my $start = time;
my $looks = 2;
# Who may call more is called more.
my @turns = @roles[ 0, 1, 2, 1, 3, 0, 1, 4 ];
my $sessions = max(scalar @turns, int($calls / $calls_a_session));
foreach my $n (1 .. $sessions)
{
    my $role = $turns[ $n % @turns ];
    finish_session(start_calls($role, $fuzz->session($role, $calls_a_session)));
    configure_again() if $n % 5 == 0;
    race() if $n % 20 == 0;
    look_for_secrets("after $n sessions:") if $n < $sessions && $n % int(1 + $sessions / $looks) == 0;
    last if @faults > 20;
}
note(sprintf '%d calls in %d s, %d functions, %d kinds of errors', scalar keys %texts, time - $start, scalar $fuzz->functions, scalar keys %messages);
note("$_ (call $messages{$_})") foreach sort keys %messages;
is(join("\n", uniq @faults), '', 'all sessions went as foreseen');

my $log = slurp_file($node->logfile);
is(join("\n", $log =~ /^.*(?:terminated by signal|TRAP:|PANIC:|AddressSanitizer|runtime error:|hostile code was found|exited with exit code [^01]).*$/mg), '',
    'nothing in the log tells of a crash, or of hostile code that was found');

# ---- in the end

is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server answers');
$node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'hydra_export%' AND backend_type NOT LIKE '%launcher'));
is(sql(q(SELECT count(*) FROM hydra_export.exports WHERE status = 'running')), '0', 'no export runs on');
is(sql('SELECT d, c FROM (SELECT destination FROM hydra_export.settings UNION SELECT destination FROM hydra_export.exports) AS d, hydra_export.check_history(d.destination) AS c'), '',
    'history does not contradict itself');
look_for_secrets('in the end:');
is((run_command([ psql_command('fuzz_superuser'), '-c', 'DROP EXTENSION hydra_export' ]))[1], '', 'DROP EXTENSION');
is(sql(q(SELECT count(*) FROM pg_namespace WHERE nspname = 'hydra_export')), '0', 'leaves nothing');

done_testing();
