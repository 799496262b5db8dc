# Keys can be in a file on the server, so that no statement contains them. A statement that does contain them is
# blanked: nothing that is logged about it afterwards contains them, whichever module logs it.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $node = new_node('logs', shared_preload_libraries => 'hydra_export, pg_stat_statements, auto_explain',
    'hydra_export.first_export_delay' => '1h', 'pg_stat_statements.track' => 'all');
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'logs');
$site->sql('CREATE EXTENSION pg_stat_statements; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
$site->add_model('t');

my $secret = 'SeCrEt/0123456789+abcdefghij';
my $configure = "hydra_export.configure(bucket => 'logs', access_key => 'KEY', secret_key => '$secret')";
my $fails = "hydra_export.add_model('nope')";

# told(NAME, PATTERN, SQL…): the log tells something of these statements, and not the secret.
my $position = -s $node->logfile;

sub told
{
    my ($name, $pattern) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $log = slurp_file($node->logfile, $position);
    $position = -s $node->logfile;
    like($log, $pattern, "$name: it is logged") if $pattern;
    # Also in part, and as the bytes of a constant in a tree.
    unlike($log, qr/SeCrEt|0123456789\+abc|83 101 67 114 69 116/, "$name: without the secret");
    return;
}

sub run
{
    my ($name, $pattern, $sql) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my (undef, $messages) = $site->try($sql);
    told($name, $pattern);
    return $messages;
}

# ---- what the server logs of a statement when it has ended, in part or as a whole

my %forms = (
    'SELECT'          => sub { "SELECT $_[0]" },
    'DO'              => sub { "DO \$\$ BEGIN PERFORM $_[0]; END \$\$" },
    'DO, assigned'    => sub { "DO \$\$ DECLARE v text; BEGIN v := $_[0]; END \$\$" },
    'DO, dynamic'     => sub { (my $quoted = "SELECT $_[0]") =~ s/'/''/g; "DO \$\$ BEGIN EXECUTE '$quoted'; END \$\$" },
    'EXPLAIN'         => sub { "EXPLAIN SELECT $_[0]" },
    'EXPLAIN ANALYZE' => sub { "EXPLAIN ANALYZE SELECT $_[0]" },
    'CREATE TABLE AS' => sub { "CREATE TEMP TABLE c AS SELECT $_[0] IS NULL AS n" },
    'a cursor'        => sub { "BEGIN; DECLARE c CURSOR FOR SELECT $_[0]; FETCH c; COMMIT" },
    'EXECUTE'         => sub { (my $call = $_[0]) =~ s/'\Q$secret\E'/\$1/; "PREPARE p(text) AS SELECT $call; EXECUTE p('$secret')" },
    'EXECUTE of a literal' => sub { "PREPARE q AS SELECT $_[0]; EXECUTE q" },
    'two statements'  => sub { "SELECT $_[0]\\; SELECT 2 AS two" },
    'a join'          => sub { "SELECT a, $_[0] FROM generate_series(1, 2) AS a" });
my %loud = (
    'log_statement'               => [ "SET log_statement = 'all'", qr/statement: / ],
    'log_parser_stats'            => [ 'SET log_parser_stats = on', qr/PARSER STATISTICS/ ],
    'debug_print'                 => [ 'SET debug_print_parse = on; SET debug_print_plan = on', qr/parse tree:/ ],
    'log_min_duration_statement'  => [ 'SET log_min_duration_statement = 0', qr/duration: / ],
    'log_duration'                => [ 'SET log_duration = on', qr/duration: / ],
    'log_statement_stats'         => [ 'SET log_statement_stats = on', qr/QUERY STATISTICS/ ],
    'log_planner_stats'           => [ 'SET log_planner_stats = on; SET log_executor_stats = on', qr/PLANNER STATISTICS/ ],
    'auto_explain' => [ 'SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET auto_explain.log_verbose = on',
        qr/Query Text: / ]);
foreach my $form (sort keys %forms)
{
    my $sql = $forms{$form}->($configure);
    foreach my $setting (sort keys %loud)
    {
        my ($set, $pattern) = @{ $loud{$setting} };
        # Nothing tells these what EXECUTE is about.
        next if $form eq 'EXECUTE' && $setting =~ /^(debug_print|log_parser_stats)$/;
        # EXPLAIN alone runs nothing.
        $pattern = undef if $setting eq 'auto_explain' && $form =~ /EXPLAIN$|assigned/;
        run("$setting, $form", $pattern, "$set; $sql");
    }
    # Something else in the statement fails, behind it.
    next if $form =~ /assigned|EXPLAIN/;
    run("an error, $form", qr/ERROR:  relation "nope" does not exist/, "SET log_min_error_statement = debug5; " . $forms{$form}->("$configure, $fails"))
        if $form ne 'CREATE TABLE AS' && $form ne 'EXECUTE of a literal';
}
like(run('another error of the string', qr/division by zero/, "SELECT $configure\\; SELECT 1 / (SELECT count(*) - 1 FROM t)"),
    qr/division by zero/, 'the client is told');
my $nested = "CREATE FUNCTION pg_temp.inner(s text) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN PERFORM hydra_export.configure("
    . "bucket => 'logs', access_key => 'KEY', secret_key => s); PERFORM 1 / (SELECT count(*) - 1 FROM t); END \$\$";
run('a function that fails after it', qr/division by zero/, "$nested; SELECT pg_temp.inner('$secret')");
run('a function in a function', qr/division by zero/, "$nested; DO \$\$ BEGIN PERFORM pg_temp.inner('$secret'); END \$\$");

# ---- while it waits

my $blocker = $node->background_psql('postgres');
$blocker->query_safe('BEGIN');
$blocker->query_safe('LOCK TABLE hydra_export.settings');

# waiting(SQL): a session that waits for the lock, and its pid.
sub waiting
{
    my ($sql) = @_;

    my $session = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $session->query_until(qr/running/, "\\echo running\n$sql;\n");
    $node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
    return ($session, $pid);
}

foreach my $form ('SELECT', 'DO', 'DO, dynamic', 'a cursor', 'EXECUTE')
{
    my ($session, $pid) = waiting($forms{$form}->($configure));
    unlike($site->sql('SELECT string_agg(query, E\'\n\') FROM pg_stat_activity'), qr/SeCrEt/, "pg_stat_activity, $form");
    $site->sql("SELECT pg_terminate_backend($pid, 10000)");
    eval { $session->quit };
    told("pg_terminate_backend, $form", qr/FATAL:  terminating connection/);
}
foreach my $form ('SELECT', 'DO', 'DO, dynamic')
{
    my ($session, $pid) = waiting("SET log_lock_waits = on; SET deadlock_timeout = '10ms'; " . $forms{$form}->($configure));
    for (1 .. 100)
    {
        last if slurp_file($node->logfile, $position) =~ /still waiting/;
        select undef, undef, undef, 0.1;
    }
    told("log_lock_waits, $form", qr/still waiting for/);
    $site->sql("SELECT pg_cancel_backend($pid)");
    $session->query_until(qr/done/, "\\echo done\n");
    told("a cancel, $form", qr/ERROR:  canceling statement/);
    $session->quit;
}

$blocker->query_safe('ROLLBACK');

# ---- parameters

my $script = $node->basedir . '/configure.sql';

# pgbench sends variables as parameters in these protocols.
sub pgbench
{
    my ($protocol, $sql, @options) = @_;

    append_to_file($script, '');
    open my $file, '>', $script or die;
    print $file "$sql\n";
    close $file;
    local $ENV{PGOPTIONS} = join ' ', map { "-c $_" } @options;
    my ($output, $errors) = run_command(
        [ 'pgbench', '-n', '-t', 1, '-M', $protocol, '-D', "secret=$secret", '-f', $script, '-d', $node->connstr('postgres') ]);
    return $errors;
}

(my $with_parameter = $configure) =~ s/'\Q$secret\E'/:secret/;
my @everything = ('log_statement=all', 'log_min_duration_statement=0', 'log_parameter_max_length=-1', 'log_parameter_max_length_on_error=-1');
foreach my $protocol (qw(extended prepared))
{
    unlike(pgbench($protocol, "SELECT $with_parameter;", @everything), qr/WARNING/, 'no warning for a parameter');
    told("a parameter, $protocol", qr/execute .*SELECT hydra_export\.configure/);
    is($site->sql(q{SELECT count(*) FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE option_value = '} . $secret . q{'}), '1',
        'which is saved');
    pgbench($protocol, "SELECT $with_parameter, $fails;", @everything);
    told("a parameter, an error, $protocol", qr/relation "nope" does not exist/);
    pgbench($protocol, "SELECT $with_parameter, 1 / (count(*) - 1) FROM t;", @everything);
    told("a parameter, an error when it runs, $protocol", qr/division by zero/);
}
# What names no configure() is not known to hold a secret before it runs. Then it warns.
$site->sql("CREATE FUNCTION wrapper(s text) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN PERFORM hydra_export.configure("
    . "bucket => 'logs', access_key => 'KEY', secret_key => s); END \$\$");
like(pgbench('extended', 'SELECT wrapper(:secret);', "log_statement=all"),
    qr/WARNING:  the server's log may hold secret_key: log_statement logs parameters.*HINT:  .*file:/s, 'a warning for a wrapper');
$position = -s $node->logfile;
unlike(pgbench('extended', 'SELECT wrapper(:secret);'), qr/WARNING/, 'not where nothing logs parameters');
pgbench('extended', 'SELECT wrapper(:secret), 1 / (count(*) - 1) FROM t;', 'log_parameter_max_length_on_error=-1');
told('a wrapper that fails', qr/division by zero/);

# ---- the other places that keep statements

# A statement behind one that is blanked, in the same string: the module finds no constant before its beginning.
$site->sql(q{SELECT pg_stat_statements_reset()});
$site->sql(q{SELECT hydra_export.configure(access_key => 'AKIDEXAMPLE', secret_key => 'SeCrEt-0123456789+abc') \\; SELECT 'constant', 17 AS behind});
is($site->sql(q{SELECT string_agg('<' || query || '>', E'\n') FROM pg_stat_statements WHERE trim(query) = ''}), '', 'each statement is kept with a text');
my $kept = $site->sql('SELECT string_agg(query, E\'\n\') FROM pg_stat_statements');
unlike($kept, qr/SeCrEt|0123456789\+abc/, 'pg_stat_statements');
like($kept, qr/hydra_export\.configure/, 'which has the statements');

# The server stops while it waits.
$blocker->query_safe('BEGIN');
$blocker->query_safe('LOCK TABLE hydra_export.settings');
my ($session) = waiting($forms{'DO'}->($configure));
$node->stop('fast');
told('a fast stop', qr/FATAL:  terminating connection/);
eval { $session->quit };
eval { $blocker->quit };

# ---- keys in a file

$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir('keys');
my ($key, $writer) = $s3->writer;
mkdir "$folder/postgres" or die;

sub write_keys
{
    my ($file, $with, $mode) = @_;

    unlink $file;
    append_to_file($file, "[default]\naws_access_key_id = $key\naws_secret_access_key = $with\n");
    chmod $mode // 0600, $file;
    return;
}

sub use_file
{
    my ($path) = @_;

    return ($site->try("SET ROLE hydra_export_admin; SELECT hydra_export.configure(credentials => 'file:$path')"))[1];
}

write_keys("$folder/postgres/keys", $writer);
write_keys("$folder/other", $writer);
foreach my $path ("$folder/postgres/keys", '/no/such/file', '/etc/passwd')
{
    like(use_file($path), qr{ERROR:  file "\Q$path\E" is not among those that may hold credentials\nHINT:  .*hydra_export.credential_files},
        'no file is allowed at first, be it there or not');
}
$node->append_conf('postgresql.conf', "hydra_export.credential_files = '/nowhere/*, $folder/%d/*'");
$node->reload;
like(use_file($_), qr/ERROR:  file .* is not among/, 'nor are others then') foreach ("$folder/other", "$folder/postgres/x/y", '/etc/passwd');
like(use_file($_), qr/ERROR:  credentials name a file whose path must.*HINT:/s, "no such path: $_")
    foreach ('keys', "$folder/postgres/../other", "$folder/postgres/../../etc/passwd", '');
like(use_file("$folder/postgres/none"), qr/ERROR:  file .* cannot be opened: No such file.*HINT:/s, 'a file that is not there');
write_keys("$folder/postgres/open", $writer, 0644);
like(use_file("$folder/postgres/open"), qr/ERROR:  file .* can be read or written by others\nHINT:  .*0600/, 'a file that others may read');
append_to_file("$folder/postgres/odd", "[other]\naws_secret_access_key = $secret\n");
chmod 0600, "$folder/postgres/odd";
like(use_file("$folder/postgres/odd"), qr/ERROR:  file .* contains no keys\nHINT:  .*\[default\]/, 'a file without keys');
like(($site->try("SELECT hydra_export.configure(credentials => 'file:$folder/postgres/keys', access_key => 'a', secret_key => 'b')"))[1],
    qr/cannot be combined with/, 'a file, and keys');

unlike(use_file("$folder/postgres/keys"), qr/ERROR|secret_key/, 'an admin names the file');
is($site->sql('SELECT umoptions IS NULL FROM pg_user_mapping'), 't', 'nothing of it is in the database');
like($site->sql('SELECT credentials FROM hydra_export.check_access()'), qr{^file:\Q$folder\E/postgres/keys$}, 'check_access() says where keys come from');
my $export = $site->export;
is($export->{status}, 'succeeded', 'an export with them') or diag($export->{error} // $export->{messages});
$site->holds_table('t');
write_keys("$folder/postgres/keys", $secret);
$export = $site->export;
is($export->{status}, 'failed', 'they are read by each export: wrong ones');
unlike($export->{error} . $export->{messages}, qr/SeCrEt|\Q$writer\E/, 'without the secret');
write_keys("$folder/postgres/keys", $writer);
is($site->export->{status}, 'succeeded', 'and right ones');
unlink "$folder/postgres/keys";
$export = $site->export;
like($export->{error} // $export->{messages}, qr/cannot be opened: No such file/, 'none');
write_keys("$folder/postgres/keys", $writer, 0660);
$export = $site->export;
like($export->{error} // $export->{messages}, qr/can be read or written by others/, 'too open ones');
write_keys("$folder/postgres/keys", $writer);
$node->append_conf('postgresql.conf', "hydra_export.credential_files = ''");
$node->reload;
$export = $site->export;
like($export->{error} // $export->{messages}, qr/is not among those that may hold credentials/, 'not allowed any more');
told('files', undef);
unlike(slurp_file($node->logfile), qr/\Q$writer\E/, 'the log never has the keys');

done_testing();
