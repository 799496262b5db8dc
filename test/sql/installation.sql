-- What CREATE EXTENSION creates, which roles may use it, and what DROP EXTENSION leaves behind.
CREATE ROLE regress_plain;
SET ROLE regress_plain;
CREATE EXTENSION hydra_export;
RESET ROLE;
CREATE EXTENSION hydra_export SCHEMA public;

-- A schema of another role is not used: its owner could create functions in it.
-- Later versions say which line of the script failed.
\set SHOW_CONTEXT never
CREATE SCHEMA hydra_export AUTHORIZATION regress_plain;
CREATE EXTENSION hydra_export;
\set SHOW_CONTEXT errors
DROP SCHEMA hydra_export;

-- Privileges that new objects get by default do not open the extension to anybody.
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, regress_plain;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC, regress_plain;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO regress_plain;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, regress_plain;
CREATE EXTENSION hydra_export;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC, regress_plain;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM PUBLIC, regress_plain;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM regress_plain;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC, regress_plain;

CREATE TEMP VIEW members AS
  SELECT classid, objid, objsubid
  FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hydra_export');

-- Every privilege, but for the owner's own.
SELECT grantee, privilege, object
FROM (
  SELECT 'schema ' || nspname AS object, nspowner AS owner,
         coalesce(nspacl, acldefault('n', nspowner)) AS acl
  FROM pg_namespace WHERE nspname IN ('hydra_export', 'hydra_export_internal')
  UNION ALL
  SELECT CASE relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END || relname,
         relowner, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
  FROM pg_class WHERE relnamespace = 'hydra_export'::regnamespace AND relkind IN ('r', 'v', 'S')
  UNION ALL
  SELECT 'function ' || proname, proowner, coalesce(proacl, acldefault('f', proowner))
  FROM pg_proc WHERE pronamespace IN ('hydra_export'::regnamespace, 'hydra_export_internal'::regnamespace)
) AS objects,
LATERAL (
  SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee,
         string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privilege
  FROM aclexplode(acl) AS a WHERE a.grantee <> owner GROUP BY 1
) AS granted
ORDER BY 1, 2, 3;
SELECT pg_has_role('hydra_export_admin', 'hydra_export_monitor', 'USAGE') AS admin_is_monitor,
       bool_or(rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
         AS may_more
FROM pg_roles WHERE rolname IN ('hydra_export_admin', 'hydra_export_monitor');

-- Every table, view, column and function has a comment.
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM members LEFT JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
WHERE (classid = 'pg_proc'::regclass OR c.relkind IN ('r', 'v'))
  AND obj_description(objid, classid::regclass::name) IS NULL
UNION ALL
SELECT pg_describe_object('pg_class'::regclass, attrelid, attnum)
FROM pg_attribute JOIN members ON classid = 'pg_class'::regclass AND objid = attrelid
  JOIN pg_class c ON c.oid = attrelid AND c.relkind IN ('r', 'v')
WHERE attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
ORDER BY 1;
SELECT nspname, obj_description(oid) IS NOT NULL AS has_comment FROM pg_namespace WHERE nspname ~ 'hydra' ORDER BY 1;

-- What users see: no function that only the extension calls, and no setting for tests.
SELECT proname FROM pg_proc WHERE pronamespace = 'hydra_export'::regnamespace ORDER BY 1;
SELECT count(*) AS for_tests FROM pg_settings WHERE name ~ '^hydra_export.*debug';

-- All objects are in the extension's two schemas, and functions do not use the caller's search_path.
SELECT pg_describe_object(classid, objid, objsubid) AS elsewhere
FROM members
WHERE pg_describe_object(classid, objid, objsubid) !~ 'hydra_export(_internal)?(\.|$)' AND classid <> 'pg_type'::regclass
ORDER BY 1;
SELECT proname AS open_to_search_path
FROM pg_proc
WHERE pronamespace IN ('hydra_export'::regnamespace, 'hydra_export_internal'::regnamespace) AND prorettype <> 'trigger'::regtype
  AND proconfig IS DISTINCT FROM '{"search_path=pg_catalog, pg_temp"}';

-- What pg_dump includes: settings and models; no secrets, no baselines.
SELECT unnest(extconfig)::regclass AS dumped FROM pg_extension WHERE extname = 'hydra_export';

-- The server's settings.
SELECT name, boot_val, unit, context FROM pg_settings WHERE name LIKE 'hydra\_export.%' ORDER BY name;
SET hydra_export.allow_http = on;
SET hydra_export.no_such_setting = on;
ALTER SYSTEM SET hydra_export.max_attempts = 0;
-- The wording differs between versions.
\set VERBOSITY sqlstate
ALTER SYSTEM SET hydra_export.file_size = '1kB';
ALTER SYSTEM SET hydra_export.file_size = '4097MB';
ALTER SYSTEM SET hydra_export.max_row_size = '4GB';
ALTER SYSTEM SET hydra_export.max_row_size = '2TB';
ALTER SYSTEM SET hydra_export.max_row_size = '4194303kB';
ALTER SYSTEM RESET hydra_export.max_row_size;
\set VERBOSITY default
ALTER SYSTEM SET hydra_export.after_failover = 'sometimes';

-- It exists once.
CREATE EXTENSION hydra_export;

-- DROP EXTENSION leaves only the two roles, which other databases may use.
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
CREATE TABLE orders (id int PRIMARY KEY);
SELECT hydra_export.add_model('orders');
DROP EXTENSION hydra_export;
SELECT nspname FROM pg_namespace WHERE nspname ~ 'hydra';
SELECT rolname FROM pg_roles WHERE rolname ~ 'hydra' ORDER BY 1;

-- It can be created again, also in a transaction that fails.
BEGIN;
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT hydra_export.add_model('orders');
SELECT hydra_export.export_now();
ROLLBACK;
CREATE EXTENSION hydra_export;
SELECT count(*) FROM hydra_export.settings;
DROP EXTENSION hydra_export;

DROP TABLE orders;
DROP ROLE regress_plain;
