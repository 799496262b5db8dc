# Code that belongs to a relation runs with the privileges of the relation's owner, never with those of the role that
# added the model or of the superuser that the worker is. Whatever the code leaves behind in the session has no effect
# on the extension.

use strict;
use warnings;

use HydraExport::Test;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
$s3->make_bucket('data');
my $node = new_node(
    'rights',
    'hydra_export.parallel_workers'  => 2,
    # Planning the creation of an index evaluates its condition where an exception block is not allowed.
    max_parallel_maintenance_workers => 0,
    min_parallel_table_scan_size     => '8kB');
my $loot = PostgreSQL::Test::Utils::tempdir('loot') . '/loot';
my $log_seen = 0;

sub sql { return $node->safe_psql('postgres', join ";\n", @_) }

# In a session of mallory's own: from SET ROLE in a session of the superuser, RESET ROLE leads back.
sub sql_of_mallory
{
    return $node->safe_psql($_[1] // 'postgres', $_[0], extra_params => [ '-U', 'mallory' ]);
}

sub error_of
{
    my (undef, undef, $err) = $node->psql('postgres', $_[0]);
    return $err // '';
}

# What the server has logged since the last call.
sub new_log
{
    my $log = slurp_file($node->logfile, $log_seen);
    $log_seen = -s $node->logfile;
    return $log;
}

# Exports everything and returns the lines that mallory's code logged.
sub export_and_listen
{
    new_log();
    $node->psql('postgres', 'SELECT hydra_export.export_now()');
    return new_log() =~ /LOG:  (mallory's code \w+.*)/g;
}

sub status_of
{
    return sql("SELECT status FROM hydra_export.export_models WHERE model = '$_[0]' ORDER BY export_id DESC LIMIT 1");
}

sub failure_of
{
    return sql("SELECT error FROM hydra_export.export_models WHERE model = '$_[0]' ORDER BY export_id DESC LIMIT 1");
}

# ---- mallory: a role without any rights but on its own schema, and code that tries everything

my $superuser = sql('SELECT quote_ident(current_user)');
sql('CREATE EXTENSION hydra_export', 'CREATE ROLE mallory LOGIN', 'CREATE SCHEMA evil AUTHORIZATION mallory',
    'CREATE SCHEMA app AUTHORIZATION mallory', 'GRANT USAGE ON SCHEMA evil, app TO PUBLIC',
    'CREATE TABLE secret (id int PRIMARY KEY, salary int)', 'INSERT INTO secret VALUES (1, 100)');
configure($node, 'postgres', $s3, bucket => 'data');

my @attempts = (
    "COPY (SELECT 1) TO PROGRAM 'touch $loot'",
    "SELECT pg_read_file('postgresql.conf')",
    'SELECT * FROM public.secret',
    'SELECT * FROM hydra_export.settings',
    'ALTER ROLE mallory SUPERUSER',
    "SET ROLE $superuser",
    'RESET ROLE',
    "SET SESSION AUTHORIZATION $superuser",
    'RESET SESSION AUTHORIZATION',
    "SELECT set_config('role', 'none', false)",
    'CREATE TEMP TABLE pg_class (oid oid)',
    'LISTEN hydra',
    'INSERT INTO app.plain VALUES (99)',
    "SELECT set_config('transaction_read_only', 'off', false), pg_catalog.txid_current()");
my $attempts = join "\n", map {
    (my $quoted = $_) =~ s/'/''/g;
    "BEGIN EXECUTE '$quoted'; RAISE LOG 'mallory''s code got in: %', '" . ($quoted =~ s/$loot/loot/r)
      . "'; EXCEPTION WHEN OTHERS THEN NULL; END;"
} @attempts;
my $shadow = 'evil, pg_catalog';
sql_of_mallory(<<~SQL);
    CREATE TABLE app.plain (id int PRIMARY KEY);
    INSERT INTO app.plain VALUES (1);
    CREATE FUNCTION evil.try() RETURNS int LANGUAGE plpgsql VOLATILE AS \$\$
    BEGIN
        RAISE LOG 'mallory''s code runs as %, restricted to %', current_user, current_setting('search_path');
        $attempts
        -- What stays behind in a session: settings of every kind that a user may change.
        PERFORM set_config('search_path', '$shadow', false), set_config('search_path', '$shadow', true),
            set_config('TimeZone', 'Asia/Tokyo', false), set_config('DateStyle', 'German', false),
            set_config('row_security', 'on', false), set_config('lock_timeout', '1', false),
            set_config('statement_timeout', '1', false), set_config('standard_conforming_strings', 'off', false),
            set_config('quote_all_identifiers', 'on', false), set_config('bytea_output', 'escape', false);
        RETURN 1;
    END \$\$;
    CREATE FUNCTION evil.immutable(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN evil.try(); END';
    -- What a query of ours would find first with mallory's search_path.
    CREATE FUNCTION evil.trap() RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN RAISE LOG ''mallory''''s code was found, as %'', current_user; RETURN true; END';
    CREATE FUNCTION evil.same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
    CREATE FUNCTION evil.same(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
    CREATE FUNCTION evil.same(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
    CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
    CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
    CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.same);
    CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT CASE WHEN evil.trap() THEN pg_catalog.now() END';
    CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql AS 'SELECT CASE WHEN evil.trap() THEN ''postgres''::name END';
    CREATE VIEW evil.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE evil.trap();
    CREATE VIEW evil.pg_locks AS SELECT * FROM pg_catalog.pg_locks WHERE evil.trap();
    SQL

# ---- the ways in: each model is added by the superuser

sql_of_mallory(<<~'SQL');
    -- The body of a view.
    CREATE VIEW app.by_view AS SELECT 1 AS id, now() AS updated_at, evil.try() AS tried;
    -- A view over a view of its own.
    CREATE VIEW app.by_nested_view AS SELECT * FROM app.by_view;
    -- A cast to json of an enum, and of a composite type within an array.
    CREATE TYPE app.mood AS ENUM ('good');
    CREATE FUNCTION evil.mood_json(app.mood) RETURNS json LANGUAGE plpgsql AS 'BEGIN PERFORM evil.try(); RETURN ''1''; END';
    CREATE CAST (app.mood AS json) WITH FUNCTION evil.mood_json(app.mood);
    CREATE TYPE app.pair AS (a int, m app.mood);
    CREATE TABLE app.by_cast (id int PRIMARY KEY, m app.mood);
    INSERT INTO app.by_cast VALUES (1, 'good');
    -- The same in scan workers, where such code may do less.
    CREATE TYPE app.tone AS ENUM ('low');
    CREATE FUNCTION evil.tone_json(app.tone) RETURNS json LANGUAGE plpgsql PARALLEL SAFE AS $$
        BEGIN RAISE LOG 'mallory''s code runs as %, restricted to %', current_user, current_setting('search_path'); RETURN 1; END $$;
    CREATE CAST (app.tone AS json) WITH FUNCTION evil.tone_json(app.tone);
    CREATE TABLE app.by_workers (id int PRIMARY KEY, m app.tone);
    INSERT INTO app.by_workers SELECT g, 'low' FROM generate_series(1, 3000) AS g;
    CREATE TABLE app.by_inner_cast (id int PRIMARY KEY, pairs app.pair[]);
    INSERT INTO app.by_inner_cast VALUES (1, ARRAY[(1, 'good')::app.pair]);
    -- Planning a query evaluates constant parts of an index's condition.
    CREATE TABLE app.by_index (id int PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO app.by_index VALUES (1);
    CREATE INDEX ON app.by_index (updated_at);
    CREATE INDEX ON app.by_index (id) WHERE evil.immutable(1) = 1;
    -- A partition of mallory's in a table of its own.
    CREATE TABLE app.by_partition (id int PRIMARY KEY, m app.mood) PARTITION BY RANGE (id);
    CREATE TABLE app.by_partition_1 PARTITION OF app.by_partition FOR VALUES FROM (0) TO (100);
    INSERT INTO app.by_partition VALUES (1, 'good');
    -- A comparison function. (In an index it runs where an exception would let go of the server's own locks.)
    CREATE TYPE app.key AS (k int);
    CREATE FUNCTION evil.key_cmp(app.key, app.key) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        $$BEGIN RAISE LOG 'mallory''s code runs as %, restricted to %', current_user, current_setting('search_path'); RETURN ($1).k - ($2).k; END$$;
    CREATE FUNCTION evil.key_lt(app.key, app.key) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT evil.key_cmp($1, $2) < 0';
    CREATE FUNCTION evil.key_eq(app.key, app.key) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).k = ($2).k';
    CREATE OPERATOR evil.<< (LEFTARG = app.key, RIGHTARG = app.key, FUNCTION = evil.key_lt);
    CREATE OPERATOR evil.== (LEFTARG = app.key, RIGHTARG = app.key, FUNCTION = evil.key_eq);
    SQL
sql(<<~'SQL');
    CREATE OPERATOR CLASS evil.key_ops DEFAULT FOR TYPE app.key USING btree AS
        OPERATOR 1 evil.<<, OPERATOR 3 evil.==, FUNCTION 1 evil.key_cmp(app.key, app.key);
    SQL
sql_of_mallory(<<~'SQL');
    CREATE TABLE app.by_comparison (id app.key PRIMARY KEY);
    INSERT INTO app.by_comparison SELECT ROW(3 - g)::app.key FROM generate_series(1, 3) AS g;
    SQL
my %ways = (
    by_view        => "key_columns => '{id}', changed_by => 'updated_at'",
    by_nested_view => "key_columns => '{id}', changed_by => 'updated_at'",
    by_cast        => '',
    by_inner_cast  => '',
    by_workers     => '',
    by_index       => "changed_by => 'updated_at'",
    by_partition   => '',
    by_comparison  => '');
foreach my $way (sort keys %ways)
{
    my $arguments = join ', ', "'app.$way'", grep { $_ } $ways{$way};
    sql("SELECT hydra_export.add_model($arguments)");
    new_log();
    my @said = export_and_listen();
    if ($way eq 'by_index')
    {
        # The second time it has a cursor, and asks the planner. (So does a session that writes, with its own rights.)
        sql_of_mallory('INSERT INTO app.by_index VALUES (2)');
        @said = export_and_listen();
    }
    cmp_ok(scalar @said, '>', 0, "$way: mallory's code runs");
    is(join('', grep { !/^mallory's code runs as mallory, restricted to pg_catalog, pg_temp$/ } @said), '', 'as mallory, and gets nowhere');
    is(status_of("app.$way"), 'succeeded', 'and the model is exported');
    sql("SELECT hydra_export.remove_model('app.$way')");
}
ok(!-e $loot, 'nothing ran as the operating-system user');
is(sql(q(SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory')), 'f', 'mallory is what it was');

cmp_ok(sql(q(SELECT max(workers) FROM hydra_export.export_models WHERE model = 'app.by_workers')), '>', 0, 'in scan workers, too');

# ---- the query that reads a view is out of the reach of what runs in it

sql_of_mallory(<<~'SQL');
    CREATE TYPE app.closing AS ENUM ('c');
    CREATE FUNCTION evil.closing_json(app.closing) RETURNS json LANGUAGE plpgsql AS $$
    DECLARE
        found refcursor;
        name text;
    BEGIN
        FOREACH name IN ARRAY coalesce((SELECT array_agg(c.name) FROM pg_cursors c), '{}') LOOP
            found := name;
            MOVE FORWARD 100 FROM found;
            CLOSE found;
        END LOOP;
        RETURN 1;
    END $$;
    CREATE CAST (app.closing AS json) WITH FUNCTION evil.closing_json(app.closing);
    CREATE VIEW app.closes AS SELECT g AS id, now() AS updated_at, 'c'::app.closing AS m FROM generate_series(1, 1000) AS g;
    SQL
sql(q(SELECT hydra_export.add_model('app.closes', key_columns => '{id}', changed_by => 'updated_at')));
export_and_listen();
is(sql(q(SELECT status, rows FROM hydra_export.export_models WHERE model = 'app.closes')), 'succeeded|1000', 'cursors cannot be moved or closed under it');
sql("SELECT hydra_export.remove_model('app.closes')");

# ---- what was checked is what is read, whatever takes its name meanwhile

sql('CREATE TABLE source (id int PRIMARY KEY, updated_at timestamptz DEFAULT now())', 'INSERT INTO source VALUES (1)',
    'CREATE ROLE carol LOGIN', 'GRANT CREATE ON DATABASE postgres TO carol', 'GRANT SELECT, UPDATE ON source TO carol');
$node->safe_psql('postgres', 'CREATE SCHEMA hers', extra_params => [ '-U', 'carol' ]);
sql(q(CREATE VIEW hers.v AS SELECT id, updated_at, 'x'::text AS s FROM source),
    q(SELECT hydra_export.add_model('hers.v', key_columns => '{id}', changed_by => 'updated_at')));
my $carol = $node->background_psql('postgres', extra_params => [ '-U', 'carol' ]);

# export_while_carol(LOCKS, SQL): an export that waits for her lock while she runs the SQL.
sub export_while_carol
{
    my ($table, $sql) = @_;

    $carol->query_safe("BEGIN; LOCK TABLE $table IN ACCESS EXCLUSIVE MODE");
    my ($out, $err) = ('', '');
    my $export = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', 'SELECT hydra_export.export_now()' ],
        '<', \undef, '>', \$out, '2>', \$err);
    $node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker' AND wait_event_type = 'Lock'))
      or die 'the export does not wait';
    $carol->query_safe("$sql COMMIT;");
    $export->finish;
    return;
}

new_log();
export_while_carol('source', <<~'SQL');
    ALTER SCHEMA hers RENAME TO old;
    CREATE SCHEMA hers;
    GRANT USAGE ON SCHEMA hers TO PUBLIC;
    CREATE FUNCTION hers.f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'mallory''s code was found, as %', current_user; RETURN 4702111234474983745; END $$;
    CREATE VIEW hers.v AS SELECT 1 AS id, now() AS updated_at, hers.f() AS s;
    GRANT SELECT ON hers.v TO PUBLIC;
    SQL
unlike(new_log(), qr/mallory's code was found/, 'a view that took the name of another is not read');
is(sql(q(SELECT status, relation, rows FROM hydra_export.export_models WHERE model = 'hers.v')), 'succeeded|hers.v|1', 'but the one that was added');
sql("SELECT hydra_export.remove_model('hers.v')");

# A partition whose statement has a name already when the name is taken.
$node->safe_psql('postgres', <<~'SQL', extra_params => [ '-U', 'carol' ]);
    CREATE TABLE hers.p (id int PRIMARY KEY, updated_at timestamptz DEFAULT now()) PARTITION BY RANGE (id);
    CREATE TABLE hers.a PARTITION OF hers.p FOR VALUES FROM (1) TO (10);
    CREATE TABLE hers.b PARTITION OF hers.p FOR VALUES FROM (10) TO (20);
    CREATE INDEX ON hers.p (updated_at);
    INSERT INTO hers.p VALUES (1), (11);
    SQL
sql(q(SELECT hydra_export.add_model('hers.p', changed_by => 'updated_at')));
export_and_listen();
export_while_carol('hers.b', <<~'SQL');
    ALTER SCHEMA hers RENAME TO older;
    CREATE SCHEMA hers;
    GRANT USAGE ON SCHEMA hers TO PUBLIC;
    CREATE TABLE hers.b (id int);
    CREATE TABLE hers.a (id int, updated_at timestamptz);
    SQL
like(failure_of('hers.p'), qr/was replaced or renamed while the export began to read it/, 'and history says so');
$carol->quit;
sql("SELECT hydra_export.remove_model('hers.p')");

# ---- an index of a partitioned table is not its partitions' owners'

sql_of_mallory('CREATE TABLE app.whole (id int NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (id, updated_at)) PARTITION BY RANGE (id); CREATE INDEX ON app.whole (updated_at)');
sql('CREATE TABLE app.part PARTITION OF app.whole FOR VALUES FROM (0) TO (100)', "ALTER TABLE app.part OWNER TO $superuser",
    'INSERT INTO app.part VALUES (1, now())', q(SELECT hydra_export.add_model('app.whole', changed_by => 'updated_at')));
export_and_listen();
# (The server itself runs it while the index is created, so it does no more than speak.)
sql_of_mallory(<<~'SQL');
    CREATE FUNCTION evil.says(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN RAISE LOG 'mallory''s code was found, as %', current_user; RETURN 1; END $$;
    CREATE INDEX ON app.whole (id) WHERE evil.says(1) = 1;
    SQL
is(join('', export_and_listen()), '', "mallory's index runs nothing in a partition of somebody else");
is(status_of('app.whole'), 'succeeded', 'which is read all the same');
sql("SELECT hydra_export.remove_model('app.whole')");

# ---- what follows in the same session is not changed by what mallory's code set

sql("SELECT hydra_export.add_model('app.by_view', key_columns => '{id}', changed_by => 'updated_at', name => 'a')",
    'CREATE TABLE z (id int PRIMARY KEY, at timestamptz, bytes bytea)',
    q(INSERT INTO z VALUES (1, '2026-01-31 04:00+00', '\\x4142')), "SELECT hydra_export.add_model('z')");
is(join('', grep { !/runs as mallory/ } export_and_listen()), '', "a model after mallory's finds nothing of mallory's");
is(join('', $s3->lines('data', sql('SELECT folder FROM hydra_export.exports ORDER BY id DESC LIMIT 1') . '/z/')),
    '{"id":1,"at":"2026-01-31T04:00:00+00:00","bytes":"\\\\x4142"}', 'and its lines look as they should');
sql("SELECT hydra_export.remove_model('a'), hydra_export.remove_model('z')");

# ---- refused: code of one role with the rights of another

my %refused = (
    'a view over a table of mallory'                => [ 'table',    'SELECT id FROM app.by_cast', 'app.by_cast' ],
    'a view over a view of mallory'                 => [ 'view',     'SELECT id FROM app.by_view', 'app.by_view' ],
    'a view over one of the same owner over such'   => [ 'own',      'SELECT id FROM over_view', 'app.by_view' ],
    'a view that calls a function of mallory'       => [ 'function', 'SELECT evil.try() AS id', 'function evil.try()' ],
    'a view with an operator of mallory'            => [ 'operator', q(SELECT id FROM z WHERE id::text OPERATOR(evil.=) '1'), 'function evil.same(text,text)' ],
    'a view with an operator that stands for one of mallory' => [ 'negator', 'SELECT id FROM z WHERE NOT (id OPERATOR(evil.@@) 5)', 'function evil.differs(integer,integer)' ],
    'a view with a domain of mallory' => [ 'domain', 'SELECT id::evil.checked AS id FROM z', 'type evil.checked' ]);
sql_of_mallory(<<~'SQL');
    CREATE OPERATOR evil.@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = pg_catalog.int4eq);
    CREATE FUNCTION evil.differs(int, int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN evil.try() = 1; END';
    CREATE OPERATOR evil.!@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.differs, NEGATOR = OPERATOR(evil.@@));
    CREATE DOMAIN evil.checked AS int CHECK (evil.try() = 1);
    SQL
foreach my $what (sort { $refused{$b}[0] cmp $refused{$a}[0] } keys %refused)
{
    my ($name, $query, $culprit) = @{ $refused{$what} };
    sql("CREATE VIEW over_$name AS SELECT *, now() AS updated_at FROM ($query) AS q");
    my $error = error_of("SELECT hydra_export.add_model('over_$name', key_columns => '{id}', changed_by => 'updated_at')");
    like($error, qr/ERROR:  view \S*over_$name uses \Q$culprit\E, which belongs to role "mallory"/, "$what is refused");
    like($error, qr/HINT:  Give the view to that role/, 'with a hint');
}
sql('ALTER VIEW over_table OWNER TO mallory', q(SELECT hydra_export.add_model('over_table', key_columns => '{id}', changed_by => 'updated_at')),
    q(SELECT hydra_export.remove_model('over_table')));

# The same when it becomes so after it was added: nothing runs, and history says why.
sql('CREATE VIEW later AS SELECT id, now() AS updated_at FROM z',
    "SELECT hydra_export.add_model('later', key_columns => '{id}', changed_by => 'updated_at')",
    'CREATE OR REPLACE VIEW later AS SELECT evil.try() AS id, now() AS updated_at');
is(join('', export_and_listen()), '', 'a view that came to call mallory runs nothing');
like(failure_of('later'), qr/view public\.later uses function evil\.try\(\), which belongs to role "mallory"/, 'and says so');
sql("SELECT hydra_export.remove_model('later')");

# A table of the superuser whose type has a cast of mallory's, or whose key has a comparison of mallory's.
sql('CREATE TABLE of_postgres (id int PRIMARY KEY, m app.mood)', q(INSERT INTO of_postgres VALUES (1, 'good')),
    "SELECT hydra_export.add_model('of_postgres')",
    'CREATE TABLE key_of_postgres (id app.key PRIMARY KEY)', 'INSERT INTO key_of_postgres VALUES (ROW(1)), (ROW(2))',
    "SELECT hydra_export.add_model('key_of_postgres')");
# The partition of somebody else is read as its owner, for whom the same holds.
sql('CREATE TABLE parts (id int PRIMARY KEY, m app.mood) PARTITION BY RANGE (id)',
    'CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)', q(INSERT INTO parts VALUES (1, 'good')),
    'ALTER TABLE parts_1 OWNER TO mallory', "SELECT hydra_export.add_model('parts')",
    'CREATE TABLE other_parts (id int PRIMARY KEY, m app.mood) PARTITION BY RANGE (id)', 'ALTER TABLE other_parts OWNER TO mallory',
    'CREATE TABLE other_parts_1 PARTITION OF other_parts FOR VALUES FROM (0) TO (100)', q(INSERT INTO other_parts VALUES (1, 'good')),
    "ALTER TABLE other_parts_1 OWNER TO $superuser", "SELECT hydra_export.add_model('other_parts')");
my @said = export_and_listen();
is(join('', grep { !/runs as mallory/ } @said), '', "mallory's code never runs as somebody else");
like(failure_of('of_postgres'), qr/function evil\.mood_json\(app\.mood\) would run with the rights of role "\w+": It belongs to role "mallory"/, 'a cast is refused');
like(failure_of('key_of_postgres'), qr/function evil\.key_\w+\(app\.key,app\.key\) would run with the rights of role/, 'a comparison is refused');
is(status_of('parts'), 'succeeded', "mallory's partition is read as mallory");
like(failure_of('other_parts'), qr/function evil\.mood_json.* would run with the rights of role/, "a superuser's partition in mallory's table does not run mallory's cast");
sql("SELECT hydra_export.remove_model(name) FROM hydra_export.models");

# ---- what a view or a foreign table shows depends on who reads it: the right to SELECT is not enough

sql('CREATE ROLE admin', 'GRANT hydra_export_admin TO admin', 'CREATE VIEW personal AS SELECT id, now() AS updated_at, current_user AS reader FROM secret',
    'GRANT SELECT ON personal TO admin', 'CREATE EXTENSION postgres_fdw',
    'CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw',
    'CREATE FOREIGN TABLE far_table (id int, updated_at timestamptz) SERVER far', 'GRANT SELECT ON far_table TO admin');
foreach my $relation (qw(personal far_table))
{
    like(error_of("SET ROLE admin; SELECT hydra_export.add_model('$relation', key_columns => '{id}', changed_by => 'updated_at')"),
        qr/ERROR:  role "admin" lacks the rights of role "\w+", which owns \S*$relation/, "$relation of another role is refused");
}
# ---- settings of the database, which its owner may choose, decide nothing

sql('CREATE DATABASE hostile OWNER mallory');
$node->safe_psql('hostile', 'CREATE EXTENSION hydra_export; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
sql_of_mallory(<<~'SQL', 'hostile');
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS
        'BEGIN RAISE LOG ''mallory''''s code was found, as %'', current_user; RETURN pg_catalog.now(); END';
    CREATE VIEW evil.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE evil.clock_timestamp() IS NOT NULL;
    ALTER DATABASE hostile SET search_path = evil, pg_catalog;
    ALTER DATABASE hostile SET role = mallory;
    ALTER DATABASE hostile SET standard_conforming_strings = off;
    ALTER DATABASE hostile SET default_transaction_read_only = on;
    SQL
{
    my ($key, $secret) = $s3->writer;
    my $endpoint = $s3->endpoint;
    new_log();
    $node->safe_psql('hostile', "SET default_transaction_read_only = off; RESET ROLE; SET ROLE NONE; SELECT hydra_export.configure(bucket => 'data', prefix => 'hostile', endpoint => '$endpoint', access_key => '$key', secret_key => '$secret'), hydra_export.add_model('public.t')");
    $node->safe_psql('hostile', 'SET default_transaction_read_only = off; SET ROLE NONE; SELECT hydra_export.export_now()');
    unlike(new_log(), qr/mallory's code/, "no query of ours finds what the database's search_path has first");
    is($node->safe_psql('hostile', 'SET ROLE NONE; SELECT status FROM hydra_export.exports'), 'succeeded', 'and the export succeeds');
}

# ---- bookkeeping is the extension owner's, who need not be a superuser

sql('CREATE DATABASE owned', 'CREATE ROLE keeper LOGIN SUPERUSER');
$node->safe_psql('owned', 'CREATE EXTENSION hydra_export', extra_params => [ '-U', 'keeper' ]);
sql('ALTER ROLE keeper NOSUPERUSER');
$node->safe_psql('owned', 'CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz DEFAULT now()); INSERT INTO t VALUES (1)');
configure($node, 'owned', $s3, bucket => 'data', prefix => 'owned');
$node->safe_psql('owned', q(SELECT hydra_export.add_model('t'), hydra_export.add_model('t', name => 'u', changed_by => 'updated_at')));
foreach my $kind (qw(full incremental))
{
    $node->safe_psql('owned', 'SELECT hydra_export.export_now(); INSERT INTO t SELECT max(id) + 1 FROM t');
    is($node->safe_psql('owned', 'SELECT string_agg(kind || $$ $$ || status, $$, $$) FROM hydra_export.export_models WHERE export_id = (SELECT max(id) FROM hydra_export.exports)'),
        "$kind succeeded, $kind succeeded", "exports work where the extension's owner is no superuser: $kind");
}
is($node->safe_psql('owned', 'SELECT count(*) FROM hydra_export.preview() WHERE kind IS NOT NULL'), '2', 'and previews');
like($node->safe_psql('owned', 'SELECT why FROM hydra_export.schedule'), qr/first export|every/, 'and the schedule');

# ---- locks: mallory's code cannot let go of the lock that says that an export is alive

sql_of_mallory(<<~'SQL');
    CREATE VIEW app.unlocks AS SELECT 1 AS id, now() AS updated_at,
        (SELECT count(*) FROM (SELECT pg_advisory_unlock_all(), pg_advisory_lock(4711)) AS l) AS n, pg_sleep(3)::text AS slept;
    SQL
sql(q(SELECT hydra_export.add_model('app.unlocks', key_columns => '{id}', changed_by => 'updated_at', columns => '{id,updated_at,n,slept}')));
my $first = IPC::Run::start([ 'psql', '-XAt', '-d', $node->connstr('postgres'), '-c', 'SELECT hydra_export.export_now()' ],
    '<', \undef, '>', \my $out, '2>', \my $err);
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hydra_export worker' AND wait_event = 'PgSleep'))
  or die 'the view does not sleep';
like(error_of('SELECT hydra_export.export_now()'), qr/destination "default" is being exported already/, 'a second export is refused');
$first->finish;
is(sql(q(SELECT count(*) FROM hydra_export.exports WHERE status = 'running')), '0', 'and the first ends as it should');

done_testing();
