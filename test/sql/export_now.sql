-- export_now(): what it refuses, and how it and the history report a failed export. No server listens at the endpoint.
CREATE EXTENSION hydra_export;
CREATE TABLE orders (id int PRIMARY KEY, item text);
INSERT INTO orders VALUES (1, 'apple'), (2, 'pear');

-- Replaces what differs between runs: an export's folder, a process id, libcurl's message.
CREATE FUNCTION masked(message text) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(
    regexp_replace(replace(message, pg_backend_pid()::text, '<this process>'), '\d{12}(_\d{3})?', '<folder>', 'g'),
    'Failed to connect.*?Could(n.t| not) connect to server', '<reason>', 'g')
$$;
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN masked(concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, '')));
END
$$;

-- Refused before anything starts.
SELECT hydra_export.export_now();
SELECT hydra_export.export_now('no such');
SELECT hydra_export.export_now(NULL);
-- Without a claim, tables are read before the store is needed.
SELECT hydra_export.configure(bucket => 'exports', endpoint => 'http://127.0.0.1:9', access_key => 'A', secret_key => 'S', conditional => 'off');
SELECT hydra_export.export_now();
BEGIN;
SELECT hydra_export.add_model('orders');
SELECT hydra_export.export_now();
ROLLBACK;
BEGIN;
SAVEPOINT here;
SELECT hydra_export.add_model('orders');
RELEASE here;
SELECT hydra_export.export_now();
ROLLBACK;
SELECT hydra_export.add_model('orders');
BEGIN;
SELECT hydra_export.configure(frequency_hours => 2);
SELECT hydra_export.export_now();
ROLLBACK;
BEGIN;
CREATE TABLE customers (id int PRIMARY KEY);
SELECT hydra_export.add_model('customers');
SELECT hydra_export.export_now();
ROLLBACK;
BEGIN;
SELECT hydra_export.reset_model('orders');
SELECT hydra_export.export_now();
ROLLBACK;
SELECT hydra_export.add_model('orders', 'orders, again');
BEGIN;
SELECT hydra_export.remove_model('orders, again');
SELECT hydra_export.export_now();
ROLLBACK;
SELECT hydra_export.remove_model('orders, again');
-- Also when only another destination was changed: that transaction's locks would be waited for.
BEGIN;
SELECT hydra_export.configure(destination => 'lake', bucket => 'lake', access_key => 'A', secret_key => 'S');
SELECT hydra_export.export_now();
ROLLBACK;
-- A database that was copied or restored must not export to where the original does.
BEGIN;
UPDATE hydra_export.destination_state SET database = 1;
SELECT hydra_export.export_now();
ROLLBACK;
BEGIN;
DELETE FROM hydra_export.destination_state;
SELECT hydra_export.export_now();
ROLLBACK;
SELECT count(*) FROM hydra_export.exports;

-- A host that cannot be reached: the caller and the history get the error.
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT id, destination, status, models, objects, rows, bytes, error,
       folder ~ '^\d{12}$' AS folder, duration >= '0' AS duration
FROM hydra_export.recent_exports;
SELECT started_by, masked(error) AS error, finished_at >= started_at AS finished FROM hydra_export.exports;
SELECT export_id, model, relation, kind, status, objects, rows, bytes, masked(error) AS error, reason,
       finished_at >= started_at AS finished, snapshot IS NOT NULL AS snapshot, lsn IS NOT NULL AS lsn, previous_export_id
FROM hydra_export.export_models;
SELECT count(*) FROM hydra_export.export_objects;
-- Nothing was exported, so no state is saved, and the schedule does not change.
SELECT count(*) FROM hydra_export.baselines;
SELECT anchor, last_start, last_finish, failures FROM hydra_export.destination_state;
SELECT last_status FROM hydra_export.schedule;

-- Without waiting, only the id comes back.
SELECT hydra_export.export_now(wait => false);
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM hydra_export.exports WHERE status = 'running')
    OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')
  LOOP
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$$;
SELECT id, status FROM hydra_export.recent_exports;

-- Nothing runs any more.
SELECT count(*) FROM hydra_export.progress;
SELECT hydra_export.cancel_export(2), hydra_export.cancel_export(1000), hydra_export.cancel_export(NULL);
SELECT id, status FROM hydra_export.recent_exports;

-- Two exports within a minute do not share a folder, and each sorts after the one before.
SELECT count(*) = count(DISTINCT folder) AS own_folders, bool_and(folder > previous) AS in_order
FROM (SELECT folder, lag(folder) OVER (ORDER BY id) AS previous FROM hydra_export.exports) AS e;

-- The caller itself holds a lock that the export needs.
BEGIN;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
SET LOCAL client_min_messages = warning;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
COMMIT;
SELECT model, status, masked(error) AS error FROM hydra_export.export_models WHERE export_id = 3;

-- The table is gone, or the right to read it is.
SET client_min_messages = error;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
CREATE TABLE "Größe ""2""" (id int PRIMARY KEY);
GRANT SELECT ON "Größe ""2""", orders TO regress_admin;
CREATE TABLE gone (id int PRIMARY KEY, again int NOT NULL UNIQUE);
SELECT hydra_export.add_model('gone');
SET ROLE regress_admin;
SELECT hydra_export.add_model('orders', 'orders of an admin');
SELECT hydra_export.add_model('"Größe ""2"""', 'Größe "2"');
RESET ROLE;
DROP TABLE gone;
REVOKE SELECT ON orders FROM regress_admin;
ALTER TABLE "Größe ""2""" ENABLE ROW LEVEL SECURITY;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT model, status, regexp_replace(masked(error), '\d{5,}', '<oid>') AS error
FROM hydra_export.export_models WHERE export_id = 4 ORDER BY model;
ALTER TABLE "Größe ""2""" DROP CONSTRAINT "Größe ""2""_pkey", DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON "Größe ""2""" FROM regress_admin;
SELECT hydra_export.remove_model('gone');
SELECT hydra_export.remove_model('orders of an admin');
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT model, status, masked(error) AS error FROM hydra_export.export_models WHERE export_id = 5 ORDER BY model;
SELECT hydra_export.remove_model('Größe "2"');
DROP ROLE regress_admin;
RESET client_min_messages;

-- Keys that are not there, and an endpoint that is no longer allowed.
SET client_min_messages = error;
DO $$
DECLARE
  option text;
BEGIN
  FOR option IN SELECT option_name FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export' LOOP
    EXECUTE format('ALTER USER MAPPING FOR PUBLIC SERVER hydra_export OPTIONS (DROP %I)', option);
  END LOOP;
END
$$;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT hydra_export.configure(access_key => 'A', secret_key => 'S');
UPDATE hydra_export.settings SET endpoint = 'http://s3.example.com';
SELECT attempt('SELECT hydra_export.export_now()') AS error;
UPDATE hydra_export.settings SET endpoint = 'http://127.0.0.1:9';
RESET client_min_messages;
-- A paused destination can be exported by hand.
SELECT hydra_export.pause();
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT id, status, masked(error) AS error FROM hydra_export.exports ORDER BY id DESC LIMIT 3;

-- History older than history_retention goes with the next export.
ALTER SYSTEM SET hydra_export.history_retention = '1min';
SELECT pg_reload_conf();
\c -
UPDATE hydra_export.exports SET started_at = started_at - interval '1 hour' WHERE id < 5;
SET client_min_messages = error;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
RESET client_min_messages;
SELECT count(*) AS old FROM hydra_export.exports WHERE id < 5;
SELECT count(*) AS old FROM hydra_export.export_models WHERE export_id < 5;
ALTER SYSTEM RESET hydra_export.history_retention;
SELECT pg_reload_conf();

-- In a read-only transaction, and more than once in one.
BEGIN READ ONLY;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
COMMIT;
-- What was rolled back to a savepoint is no change, and holds no lock.
BEGIN;
SAVEPOINT here;
SELECT hydra_export.configure(frequency_hours => 5);
SAVEPOINT further;
SELECT hydra_export.add_model('orders', 'orders, again');
RELEASE further;
ROLLBACK TO here;
SELECT attempt('SELECT hydra_export.export_now()') AS error;
COMMIT;

DROP EXTENSION hydra_export;
DROP TABLE orders, "Größe ""2""";
DROP FUNCTION attempt, masked;
