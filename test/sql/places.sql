-- Where data may go, and who may change that.
CREATE EXTENSION hydra_export;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
CREATE TABLE shop (id int PRIMARY KEY);
GRANT SELECT ON shop TO regress_admin;
CREATE TABLE payroll (id int PRIMARY KEY, salary int);
CREATE FUNCTION place(destination text DEFAULT 'default') RETURNS text LANGUAGE sql AS
  $$ SELECT concat_ws(' ', endpoint, bucket, prefix, region) FROM hydra_export.settings WHERE destination = $1 $$;
GRANT EXECUTE ON FUNCTION place TO PUBLIC;

-- An invalid list is refused.
ALTER SYSTEM SET hydra_export.allowed_places = 'exports';
ALTER SYSTEM SET hydra_export.allowed_places = 'https://minio.example.com';
ALTER SYSTEM SET hydra_export.allowed_places = 'aws/exports, https://minio.example*/exports';
ALTER SYSTEM SET hydra_export.allowed_places = 'gcp/exports';
ALTER SYSTEM SET hydra_export.allowed_places = 'aws/exports,';
ALTER SYSTEM SET hydra_export.allowed_places = 'https://minio.example.com:9*/exports';
-- Only superusers may set it.
SET ROLE regress_admin;
ALTER SYSTEM SET hydra_export.allowed_places = '';
SET hydra_export.allowed_places = '';
RESET ROLE;
SELECT name, context, boot_val FROM pg_settings WHERE name LIKE 'hydra\_export.allowed%';

-- Without a list: every place, but those that only the server itself can reach. All of these are told the same.
ALTER SYSTEM SET hydra_export.allowed_places = '';
SELECT pg_reload_conf();
\c -
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT place();
CREATE FUNCTION told(endpoint text, bucket text DEFAULT 'exports') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  PERFORM hydra_export.configure(bucket => told.bucket, endpoint => told.endpoint);
  RETURN 'saved';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' | ', SQLSTATE, SQLERRM, hint);
END $$;
SELECT told('http://127.0.0.1:9000');
SELECT count(DISTINCT told(endpoint)) FROM unnest('{http://127.0.0.1:9000,https://127.0.0.1,http://localhost,https://a.localhost,
  https://169.254.169.254,https://[::1]:5432,https://[::ffff:127.0.0.1],https://0.0.0.0,https://[fe80::1]}'::text[]) AS endpoint;
SET client_min_messages = warning;
SELECT told('https://minio.example.com'), told('https://10.0.0.1:9000/base');
-- The bucket's name is added to the endpoint, and must not stand there already.
SELECT told('https://minio.example.com/exports');
SELECT told('https://exports.example.com');
SELECT hydra_export.configure(endpoint => '');
RESET client_min_messages;

-- With one: endpoint and bucket together.
ALTER SYSTEM SET hydra_export.allowed_places = 'aws/exports-*, https://minio.example.com/exports, http://localhost:9000/exports, https://*.example.com/wide';
SELECT pg_reload_conf();
\c -
SET client_min_messages = warning;
SELECT told('', 'exports-1'), told('https://minio.example.com', 'exports'), told('http://localhost:9000', 'exports'),
  told('https://any.example.com', 'wide');
SELECT told('', 'exports');
SELECT count(DISTINCT told(endpoint)) FROM unnest('{https://minio.example.org,https://minio.example.com:8443,http://localhost:9001,
  https://exports.s3.eu-west-1.amazonaws.com,https://s3.us-east-1.amazonaws.com/x,https://127.0.0.1,https://no.such.host.example}'::text[]) AS endpoint;
SELECT place();
-- Another partition of AWS has other buckets of these names.
SELECT hydra_export.configure(bucket => 'exports-1', endpoint => '', region => 'cn-north-1');
RESET client_min_messages;
-- What is no longer allowed is refused by exports, too.
SELECT hydra_export.configure(bucket => 'exports-1', endpoint => '');
ALTER SYSTEM SET hydra_export.allowed_places = 'aws/other';
SELECT pg_reload_conf();
\c -
SELECT hydra_export.add_model('shop');
SELECT hydra_export.check_access();
SELECT hydra_export.export_now();
ALTER SYSTEM SET hydra_export.allowed_places = '';
SELECT pg_reload_conf();
\c -

-- A region in another partition is another place, and another store; one in the same is not.
UPDATE hydra_export.model_state SET export_id = 1;
SELECT hydra_export.configure(bucket => 'exports', region => 'eu-west-1');
SELECT hydra_export.configure(region => 'us-east-1');
SELECT hydra_export.configure(destination => 'china', bucket => 'exports', region => 'us-east-1', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'china', bucket => 'exports', region => 'cn-north-1', access_key => 'A', secret_key => 'S');
SELECT hydra_export.add_model('shop', destination => 'china');
INSERT INTO hydra_export.model_state (model_id, attempted_at, export_id)
  SELECT id, now(), 1 FROM hydra_export.models WHERE destination = 'china';
SELECT hydra_export.configure(destination => 'china', region => 'us-gov-west-1');
SELECT hydra_export.configure(destination => 'china', region => 'us-gov-east-1');
SELECT hydra_export.iam_policy('china') -> 'Statement' -> 0 ->> 'Resource';
-- The region decides nothing where another store has the bucket.
SELECT hydra_export.configure(destination => 'china', endpoint => 'https://minio.example.com', region => 'cn-north-1');
SELECT hydra_export.configure(destination => 'china', region => 'us-east-1');

-- A role that moves a destination must be able to read what its models export.
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-2');
SELECT hydra_export.configure(prefix => 'shop');
RESET ROLE;
SELECT hydra_export.add_model('payroll');
SET ROLE regress_admin;
-- With AWS the bucket's name in front makes no other host.
SELECT hydra_export.configure(addressing => 'path');
SELECT hydra_export.configure(addressing => '');
RESET ROLE;
SELECT hydra_export.configure(endpoint => 'https://minio.example.com:9000/base', prefix => '');
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'mine');
SELECT hydra_export.configure(endpoint => 'https://mine.example.com');
SELECT hydra_export.configure(endpoint => 'https://minio.example.com:9000/base/mine');
SELECT hydra_export.configure(prefix => 'mine');
SELECT hydra_export.configure(addressing => 'virtual');
SELECT hydra_export.configure(object_headers => '{"x-amz-acl": "public-read"}');
SELECT hydra_export.configure(object_headers => '{"x-amz-grant-read": "id=1"}');
SELECT hydra_export.configure(object_headers => '{"x-amz-tagging": "public=yes"}');
SELECT place();
SELECT addressing, object_headers FROM hydra_export.settings WHERE destination = 'default';
-- Any admin may change what does not move the objects.
SELECT hydra_export.configure(region => 'cn-north-1', frequency_hours => 6, compression => 'gzip', addressing => 'path',
  object_headers => '{"x-amz-meta-a": "b"}', access_key => 'B', secret_key => 'T');
-- Only privileges on the exported columns are required.
RESET ROLE;
SELECT hydra_export.alter_model('payroll', columns => '{id}');
GRANT SELECT (id) ON payroll TO regress_admin;
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-3');
RESET ROLE;
SELECT hydra_export.alter_model('payroll', columns => '{id,salary}');
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-4');
RESET ROLE;
-- Privileges do not suffice if row security applies to the admin.
GRANT SELECT ON payroll TO regress_admin;
ALTER TABLE payroll ENABLE ROW LEVEL SECURITY;
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-4');
RESET ROLE;
ALTER TABLE payroll DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON payroll FROM regress_admin;
-- Headers that take rights away, or that were there already.
SELECT hydra_export.configure(object_headers => '{"x-amz-acl": "public-read", "x-amz-expected-bucket-owner": "111122223333"}');
SET ROLE regress_admin;
SELECT hydra_export.configure(object_headers => '{"x-amz-acl": "public-read", "x-amz-expected-bucket-owner": "444455556666"}');
SELECT hydra_export.configure(object_headers => '{"x-amz-acl": "public-read"}');
SELECT hydra_export.configure(object_headers => '{"x-amz-expected-bucket-owner": "111122223333"}');
-- A snapshot may be older than a model.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT hydra_export.configure(bucket => 'exports-4');
ROLLBACK;
-- Superusers may read everything.
RESET ROLE;
SELECT hydra_export.configure(bucket => 'exports-4');
-- A table or a role that was dropped does not prevent a move.
DROP TABLE payroll;
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-5');
RESET ROLE;
SELECT hydra_export.remove_model('payroll');
CREATE TABLE payroll (id int PRIMARY KEY);
SELECT hydra_export.add_model('payroll');
CREATE ROLE regress_gone;
UPDATE hydra_export.models SET added_by = 'regress_gone'::regrole WHERE name = 'payroll';
DROP ROLE regress_gone;
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports-6');
RESET ROLE;
SELECT place();

ALTER SYSTEM RESET hydra_export.allowed_places;
SELECT pg_reload_conf();
DROP FUNCTION place, told;
DROP TABLE shop, payroll;
DROP ROLE regress_admin;
DROP EXTENSION hydra_export;
