package HydraExport::SqlFuzz;

# Sessions of random calls of the extension's functions, as text for psql. What there is to call comes from the catalog.
#
#     my $fuzz = HydraExport::SqlFuzz->new($node, 'postgres', $hostile, secrets => [ … ], monitor => 'psql …');
#     my ($script, @calls) = $fuzz->session('fuzz_admin', 25);      # psql prints "#N" to both its outputs before call N
#
# A secret is put only into statements that reach the function: those of a role that may call it, whose arguments the
# parser takes. (What the parser refuses the server logs itself, before any code of the extension's runs.)

use strict;
use warnings;

use HydraExport::Hostile qw(pick chance);

# Settings of a session that other code may have left there.
my @settings = (
    'search_path = hostile, pg_catalog, public', "search_path = ''", 'search_path = pg_temp, hydra_export, hostile', 'standard_conforming_strings = off',
    'quote_all_identifiers = on', "DateStyle = 'German'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'sql_standard'", "IntervalStyle = 'iso_8601'",
    "TimeZone = 'Asia/Kathmandu'", 'default_transaction_read_only = on', "default_transaction_isolation = 'serializable'", "lock_timeout = '1ms'",
    'row_security = off', "work_mem = '64kB'", "bytea_output = 'escape'", 'extra_float_digits = -15', "lc_messages = 'C'", "xmlbinary = 'hex'",
    'check_function_bodies = off', 'array_nulls = off', "client_min_messages = 'debug5'", 'plan_cache_mode = force_generic_plan',
    'transform_null_equals = on', "backslash_quote = 'off'", 'enable_seqscan = off', 'enable_hashjoin = off', "temp_buffers = '800kB'");
my @of_superuser = (
    'session_replication_role = replica', 'session_replication_role = local', 'zero_damaged_pages = on', "lc_monetary = 'C'", 'track_activities = off',
    'allow_system_table_mods = on', 'log_min_messages = debug1', 'ignore_checksum_failure = on');

# As the parser sees it: %s is a call.
my @forms = (
    ('SELECT %s') x 4,
    ('SELECT * FROM %s') x 4,
    'SELECT %s FROM generate_series(1, 3)',
    'SELECT f.*, g FROM generate_series(1, 2) AS g CROSS JOIN LATERAL %s AS f',
    'SELECT (%s)::text',
    'SELECT count(*) FROM (SELECT %s) AS s',
    'SELECT 1 WHERE (%s) IS NOT NULL',
    'SELECT CASE WHEN random() < 0 THEN NULL ELSE 1 END, %s ORDER BY 1 LIMIT 1',
    'SELECT %s, %s',
    'EXPLAIN SELECT %s',
    'EXPLAIN (ANALYZE, VERBOSE) SELECT %s',
    'COPY (SELECT %s) TO STDOUT',
    'DO $fuzz$ BEGIN PERFORM %s; END $fuzz$',
    'DO $fuzz$ BEGIN PERFORM * FROM %s; END $fuzz$',
    'DO $fuzz$ BEGIN PERFORM %s; EXCEPTION WHEN OTHERS THEN RAISE NOTICE \'caught: %% %%\', SQLSTATE, SQLERRM; END $fuzz$',
    'DO $fuzz$ BEGIN BEGIN PERFORM %s; RAISE EXCEPTION \'after\'; EXCEPTION WHEN OTHERS THEN PERFORM %s; END; END $fuzz$',
    'DO $fuzz$ DECLARE r record; BEGIN FOR r IN SELECT %s AS a LOOP NULL; END LOOP; COMMIT; PERFORM %s; ROLLBACK; END $fuzz$',
    "BEGIN;\nSELECT %s;\nROLLBACK",
    "BEGIN READ ONLY;\nSELECT %s;\nCOMMIT",
    "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT %s;\nSELECT %s;\nCOMMIT",
    "BEGIN;\nSAVEPOINT s;\nSELECT %s;\nROLLBACK TO s;\nSELECT %s;\nCOMMIT",
    "BEGIN;\nSAVEPOINT s;\nSELECT %s;\nRELEASE s;\nSELECT %s;\nPREPARE TRANSACTION 'fuzz';\nROLLBACK PREPARED 'fuzz'",
    "BEGIN;\nDECLARE c CURSOR FOR SELECT * FROM %s;\nFETCH 1 FROM c;\nMOVE ALL IN c;\nCOMMIT",
    "DECLARE c CURSOR WITH HOLD FOR SELECT %s;\nFETCH ALL FROM c;\nCLOSE c",
    "PREPARE p AS SELECT %s;\nEXECUTE p;\nEXECUTE p;\nDEALLOCATE p",
    'SELECT %s \; SELECT 1');
# Statements that the parser may refuse, or that fail in odd places.
my @odd_forms = (
    'CREATE TEMP TABLE made AS SELECT %s AS a; DROP TABLE made', 'CALL %s', 'SELECT %s OVER ()', 'SELECT DISTINCT %s FROM pg_class', 'SELECT array_agg(%s)', 'CREATE TEMP TABLE made (a text DEFAULT %s)',
    'CREATE TEMP TABLE made (a text CHECK (%s IS NULL)); INSERT INTO made VALUES (1); DROP TABLE made',
    'CREATE TEMP VIEW made AS SELECT %s; SELECT * FROM made; DROP VIEW made', 'SELECT * FROM ROWS FROM (%s, %s) WITH ORDINALITY',
    'CREATE TEMP TABLE made (a int); CREATE INDEX ON made ((%s)); DROP TABLE made', 'VALUES (%s)', 'SET work_mem = %s', 'SELECT ALL (%s).*');
# Where what follows the function in the same statement or string fails.
my @failing_forms = (
    "SELECT %s, hydra_export.pause('no such destination')", 'DO $fuzz$ BEGIN PERFORM %s; RAISE EXCEPTION \'after\'; END $fuzz$',
    'DO $fuzz$ BEGIN PERFORM %s; PERFORM no_such_function(); END $fuzz$', 'SELECT %s \; SELECT 1 / 0', 'SELECT 1 / (count(%s) - 1) FROM (SELECT) AS s',
    "BEGIN;\nSELECT %s;\nSELECT 1 / 0;\nROLLBACK");

my $functions_sql = q{
    SELECT p.oid::regproc || E'\t' || p.prorettype::regtype || E'\t' || coalesce((SELECT string_agg(
        coalesce(nullif(p.proargnames[i], ''), '?') || '=' || p.proargtypes[i - 1]::regtype || '=' || (i > p.pronargs - p.pronargdefaults)::int, '|' ORDER BY i)
        FROM generate_series(1, p.pronargs) AS i), '')
    FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE e.extname = 'hydra_export' ORDER BY p.oid::regprocedure::text};
my $relations_sql = q{
    SELECT c.oid::regclass FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE e.extname = 'hydra_export' AND c.relkind IN ('r', 'v', 'S') ORDER BY c.oid::regclass::text};

# new($node, DATABASE, $hostile, secrets => words, monitor => a command of the shell: psql as one who may see statistics)
sub new
{
    my ($class, $node, $database, $hostile, %members) = @_;

    my @functions;
    foreach my $line (split /\n/, $node->safe_psql($database, "SET search_path = pg_catalog; $functions_sql"))
    {
        my ($name, $result, $arguments) = split /\t/, $line, -1;
        my @arguments = map { my ($argument, $type, $optional) = split /=/; { name => $argument, type => $type, optional => $optional } } split /\|/, $arguments;
        push @functions, { name => $name, result => $result, arguments => \@arguments };
    }
    my @relations = split /\n/, $node->safe_psql($database, "SET search_path = pg_catalog; $relations_sql");
    return bless { hostile => $hostile, functions => \@functions, relations => \@relations, number => 0, %members }, $class;
}

sub functions { return @{ $_[0]{functions} } }
sub relations { return @{ $_[0]{relations} } }

# The text of a session of this many calls, and the calls.
sub session
{
    my ($self, $role, $count) = @_;

    my @set = map { "SET $_" } grep { chance(0.1) } @settings, $role->{super} ? @of_superuser : ();
    my $encoding = chance(0.2) ? pick(qw(LATIN1 WIN1252 SQL_ASCII), $role->{admin} ? () : qw(SJIS EUC_JP GB18030)) : 'UTF8';
    local $self->{hostile}{ascii} = $encoding ne 'UTF8';
    return $self->script($role, [ "SET client_encoding = $encoding", @set ], map { $self->call($role) } 1 .. $count);
}

# The same for given statements.
sub script
{
    my ($self, $role, $set, @statements) = @_;

    my @calls = map { { number => ++$self->{number}, role => $role->{name}, sql => $_ } } @statements;
    my $script = join '', "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n", map { "$_;\n" } @$set;
    # What a failed transaction left is ended, and the server has to answer.
    $script .= join '', map { "\\echo #$_->{number}\n\\warn #$_->{number}\n$_->{sql};\nROLLBACK;\n" } @calls;
    return ("$script\\echo #end\nSELECT pg_catalog.concat('it ', 'answers');\n", @calls);
}

# One call, or one look at the extension's tables.
sub call
{
    my ($self, $role) = @_;

    return $self->look($role) if chance(0.08);
    # One with many arguments has more to try.
    my $function = pick(map { ($_) x (1 + @{ $_->{arguments} } / 5) } $self->functions);
    $self->{hostile}->be_earnest(chance(0.5));
    my @secrets = grep { $_->{name} =~ /secret|token/ } @{ $function->{arguments} };
    return $self->call_with_secret($function) . (chance(0.1) ? $self->seen_by_others : '') if @secrets && $role->{admin} && chance(0.8);
    return $self->with_parameters($function) if chance(0.1);
    return $self->as_trigger($function) if $function->{result} eq 'trigger' && chance(0.5);
    return $self->in_form(pick(chance(0.15) ? @odd_forms : @forms), sub { $self->expression($function, sub { $self->argument($_[0]) }) });
}

sub call_with_secret
{
    my ($self, $function) = @_;

    # All else has to be right before the keys are looked at.
    $self->{hostile}->be_earnest(chance(0.8));
    my $argument = sub { $self->safe_argument($_[0]) };
    if (chance(0.15))
    {
        my @values = map { my $value = $argument->($_); $value =~ /SELECT/ ? 'NULL' : $value } @{ $function->{arguments} };
        return $self->prepared($function, @values);
    }
    # In a transaction that has failed already, a second call would not be reached.
    my $form = pick(@forms, @failing_forms);
    my $calls = 0;
    # Named, as what is left out keeps its default.
    return $self->in_form($form, sub { $self->named($function, $calls++ && $form =~ /\n/ ? sub { $self->argument($_[0]) } : $argument) });
}

# The statement that a session ran last, as those see it who may see statistics.
sub seen_by_others
{
    my ($self) = @_;
    return ";\n\\set seen `$self->{monitor} -c 'SELECT query FROM pg_stat_activity'`\n\\echo :seen\nSELECT 1";
}

sub in_form
{
    my ($self, $form, $expression) = @_;

    $form =~ s/%(%|s)/$1 eq 's' ? $expression->() : '%'/ge;
    return $form;
}

sub argument { my ($self, $argument) = @_; return $self->{hostile}->value($argument->{type}, $argument->{name}) }

sub safe_argument
{
    my ($self, $argument) = @_;

    return $self->{hostile}->safe_value($argument->{type}, $argument->{name}) if $argument->{name} !~ /secret|token/;
    my $secret = pick(@{ $self->{secrets} });
    $secret = pick("$secret ", "\n$secret", $secret . 'é', "'$secret", "$secret\\", $secret x 300) if chance(0.2);
    return $self->{hostile}->quote($secret);
}

sub expression
{
    my ($self, $function, $value) = @_;

    return $self->named($function, $value) if chance(0.5);
    my @values = map { $value->($_) } @{ $function->{arguments} };
    # Where an endpoint is left out, an export would go to AWS.
    my $keep = grep { $_->{name} eq 'endpoint' } @{ $function->{arguments} };
    splice @values, int rand(@values + 1) if @values && !$keep && chance(0.3);
    push @values, $self->{hostile}->text if chance(0.03);
    $values[-1] = "VARIADIC ARRAY[$values[-1]]" if @values && chance(0.03);
    return "$function->{name}(" . join(', ', @values) . ')';
}

sub named
{
    my ($self, $function, $value) = @_;

    my @given = grep { !$_->{optional} || chance($self->{hostile}{earnest} ? 0.2 : 0.5) || $_->{name} =~ /^endpoint$|secret|access_key/ } @{ $function->{arguments} };
    return "$function->{name}(" . join(', ', map { ($_->{name} eq '?' ? '' : "$_->{name} => ") . $value->($_) } @given) . ')';
}

# As a client with parameters does it, and again with other values.
sub with_parameters
{
    my ($self, $function) = @_;
    return $self->prepared($function, map { $self->argument($_) } @{ $function->{arguments} });
}

sub prepared
{
    my ($self, $function, @values) = @_;

    my $types = join ', ', map { $_->{type} } @{ $function->{arguments} };
    my $numbers = join ', ', map { "\$$_" } 1 .. @values;
    $types = "($types)" if $types ne '';
    my $call = @values ? 'EXECUTE p(' . join(', ', @values) . ')' : 'EXECUTE p';
    return "PREPARE p $types AS SELECT $function->{name}($numbers);\n$call;\n$call;\nDEALLOCATE p";
}

sub as_trigger
{
    my ($self, $function) = @_;

    my $when = pick('BEFORE INSERT OR UPDATE', 'AFTER INSERT OR DELETE', 'AFTER TRUNCATE', 'INSTEAD OF INSERT');
    my $each = pick('ROW', 'STATEMENT');
    return "BEGIN;\nCREATE TEMP TABLE made (a int);\nCREATE TRIGGER t $when ON made FOR EACH $each EXECUTE FUNCTION $function->{name}(" . pick('', "'x'", '1, 2')
      . ");\nINSERT INTO made VALUES (1);\nUPDATE made SET a = 2;\nDELETE FROM made;\nTRUNCATE made;\nCOMMIT;\nROLLBACK;\nDROP TABLE made";
}

# A look at one of the extension's tables, or an attempt to change it. What a superuser changes is undone: history is
# looked at in the end.
sub look
{
    my ($self, $role) = @_;

    my $relation = pick($self->relations);
    my $statement = pick(
        ("SELECT * FROM $relation") x 4, "TABLE $relation LIMIT 1", "DELETE FROM $relation", "TRUNCATE $relation", "INSERT INTO $relation DEFAULT VALUES",
        "COPY $relation TO STDOUT", "LOCK TABLE $relation IN EXCLUSIVE MODE NOWAIT", "SELECT * FROM $relation FOR UPDATE", "DROP TABLE $relation",
        "ALTER TABLE $relation ADD COLUMN x int", "CREATE TRIGGER t AFTER INSERT ON $relation EXECUTE FUNCTION hostile.trap()",
        'UPDATE hydra_export.models SET look_back = ' . $self->{hostile}->value('interval', 'x'),
        'UPDATE hydra_export.models SET relation = ' . $self->{hostile}->value('regclass', 'x'),
        'UPDATE hydra_export.settings SET object_headers = ' . $self->{hostile}->value('jsonb', 'x'),
        'UPDATE hydra_export.settings SET start_window = ' . $self->{hostile}->text);
    my @then = map { "SELECT * FROM $_" } qw(hydra_export.schedule hydra_export.preview() hydra_export.progress hydra_export.check_history());
    return $role->{super} ? join ";\n", 'BEGIN', $statement, "SAVEPOINT s", pick(@then), 'ROLLBACK TO s', 'ROLLBACK' : $statement;
}

1;
