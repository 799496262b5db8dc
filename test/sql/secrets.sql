-- Keys go in, and nobody but the extension's owner gets them out.
CREATE EXTENSION hydra_export;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
CREATE ROLE regress_reader;
GRANT hydra_export_monitor TO regress_reader;

SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI',
                              session_token => 'FwoGZXIvYXdzE');
TABLE hydra_export.secrets;
SELECT has_table_privilege('hydra_export.secrets', 'SELECT, INSERT, UPDATE, DELETE') AS table,
       has_any_column_privilege('hydra_export.secrets', 'SELECT') AS column;
UPDATE hydra_export.secrets SET secret_key = '';
RESET ROLE;
TABLE hydra_export.secrets;

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
TABLE hydra_export.secrets;
-- Other settings leave them.
SELECT hydra_export.configure(frequency_hours => 2);
TABLE hydra_export.secrets;
-- Each destination has its own.
SELECT hydra_export.configure(destination => 'other', bucket => 'other', access_key => 'AKIATHIRD', secret_key => 'third');
SELECT * FROM hydra_export.secrets ORDER BY destination;

-- Errors name no value that came with a secret.
SELECT hydra_export.configure(endpoint => 'https://AKIAEXAMPLE:wJalrXUtnFEMI@s3.example.com',
                              access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI');
SELECT hydra_export.configure(access_key => 'AKIAEXAMPLE', session_token => 'FwoGZXIvYXdzE');
SELECT hydra_export.configure('exports', 'AKIAEXAMPLE', 'wJalrXUtnFEMI', frequency_hours => 1000);

-- A destination whose keys are not there, as after a restore from a dump.
DELETE FROM hydra_export.secrets WHERE destination = 'default';
SELECT hydra_export.configure(frequency_hours => 3);
SELECT hydra_export.configure(access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI');
SELECT hydra_export.remove_destination('other');
TABLE hydra_export.secrets;

DROP EXTENSION hydra_export;
DROP ROLE regress_admin, regress_reader;
