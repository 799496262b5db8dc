-- Keys can be saved, and only superusers and the extension's owner can read them.
CREATE EXTENSION hydra_export;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
CREATE ROLE regress_reader;
GRANT hydra_export_monitor TO regress_reader;
-- They are options of a user mapping, where PostgreSQL keeps passwords of other servers.
CREATE VIEW secrets AS
  SELECT max(value) FILTER (WHERE field = 'destination') AS destination, max(value) FILTER (WHERE field = 'access_key') AS access_key,
         max(value) FILTER (WHERE field = 'secret_key') AS secret_key, max(value) FILTER (WHERE field = 'session_token') AS session_token
  FROM (SELECT split_part(option_name, '.', 1), split_part(option_name, '.', 2), option_value
        FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export') AS options (id, field, value)
  GROUP BY id;
GRANT SELECT ON secrets TO PUBLIC;

SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI',
                              session_token => 'FwoGZXIvYXdzE');
SELECT umoptions FROM pg_user_mappings WHERE srvname = 'hydra_export';
TABLE pg_user_mapping;
SELECT * FROM information_schema.user_mapping_options;
ALTER USER MAPPING FOR PUBLIC SERVER hydra_export OPTIONS (ADD a 'b');
CREATE USER MAPPING FOR CURRENT_USER SERVER hydra_export;
RESET ROLE;
TABLE secrets;

-- Nothing that admins and monitors may read has them.
CREATE FUNCTION pg_temp.readable() RETURNS TABLE (source text, contents text) LANGUAGE plpgsql AS $$
DECLARE
  relation regclass;
BEGIN
  FOR relation IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'hydra_export'::regnamespace AND relkind IN ('r', 'v') AND has_table_privilege(oid, 'SELECT')
    ORDER BY relname
  LOOP
    source := relation;
    EXECUTE format('SELECT coalesce(json_agg(t)::text, '''') FROM %s t', relation) INTO contents;
    RETURN NEXT;
  END LOOP;
END
$$;
SET ROLE regress_admin;
SELECT source, contents ~ 'AKIA|wJal|Fwo' AS has_secret FROM pg_temp.readable();
SET ROLE regress_reader;
SELECT source, contents ~ 'AKIA|wJal|Fwo' AS has_secret FROM pg_temp.readable();
RESET ROLE;

-- New keys replace the old ones, and the old session token goes with them.
SELECT hydra_export.configure(access_key => 'AKIASECOND', secret_key => 'second');
TABLE secrets;
-- Other settings leave them.
SELECT hydra_export.configure(frequency_hours => 2);
TABLE secrets;
-- Each destination has its own.
SELECT hydra_export.configure(destination => 'other', bucket => 'other', access_key => 'AKIATHIRD', secret_key => 'third');
SELECT * FROM secrets ORDER BY destination;

-- Errors name no value that came with a secret.
SELECT hydra_export.configure(endpoint => 'https://AKIAEXAMPLE:wJalrXUtnFEMI@s3.example.com',
                              access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI');
SELECT hydra_export.configure(access_key => 'AKIAEXAMPLE', session_token => 'FwoGZXIvYXdzE');
SELECT hydra_export.configure('exports', 'AKIAEXAMPLE', 'wJalrXUtnFEMI', frequency_hours => 1000);

-- A destination whose keys are not there, as after a restore from a dump.
DO $$
DECLARE
  option text;
BEGIN
  FOR option IN SELECT option_name FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export' LOOP
    EXECUTE format('ALTER USER MAPPING FOR PUBLIC SERVER hydra_export OPTIONS (DROP %I)', option);
  END LOOP;
END
$$;
SELECT hydra_export.configure(frequency_hours => 3);
SELECT hydra_export.configure(access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI');
SELECT hydra_export.remove_destination('other');
TABLE secrets;

-- Not by triggers, which sessions can disable; and nothing else is left behind either.
CREATE TABLE kept (id integer PRIMARY KEY);
CREATE TABLE dropped (id integer PRIMARY KEY);
SELECT hydra_export.add_model('kept'), hydra_export.add_model('dropped');
INSERT INTO hydra_export.model_state SELECT id, now() FROM hydra_export.models;
INSERT INTO hydra_export.baselines
SELECT id, 1, '10:20:', now(), '0/0', '{}', 1, 1, 1, '0/0', '0/0' FROM hydra_export.models;
CREATE VIEW left_behind AS
  SELECT (SELECT count(*) FROM hydra_export.settings) AS settings, (SELECT count(*) FROM secrets) AS secrets,
         (SELECT count(*) FROM hydra_export.destination_state) AS states, (SELECT count(*) FROM hydra_export.models) AS models,
         (SELECT count(*) FROM hydra_export.model_state) AS model_states, (SELECT count(*) FROM hydra_export.baselines) AS baselines;
TABLE left_behind;
SET session_replication_role = replica;
SELECT hydra_export.remove_model('dropped');
TABLE left_behind;
SELECT hydra_export.remove_destination('default');
TABLE left_behind;
RESET session_replication_role;

-- The mapping belongs to the extension, and goes with it; a name with odd characters is nothing special.
SELECT hydra_export.configure(destination => 'a=b, ''c'' "d" Größe', bucket => 'exports', access_key => 'A', secret_key => 'S');
TABLE secrets;
DROP USER MAPPING FOR PUBLIC SERVER hydra_export;
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend WHERE deptype = 'e' AND classid = 'pg_user_mapping'::regclass;
DROP VIEW left_behind, secrets;
DROP TABLE kept, dropped;
DROP EXTENSION hydra_export;
SELECT count(*) FROM pg_user_mapping;
DROP ROLE regress_admin, regress_reader;
