-- The view hydra_export.schedule: when each destination is exported next, and the reason, or why no export is scheduled.
-- In this server the first export comes an hour (hydra_export.first_export_delay) after all is ready.
ALTER SYSTEM SET hydra_export.enabled = on;
SELECT pg_reload_conf();
\c -
-- Notices have times in them.
SET client_min_messages = warning;
CREATE EXTENSION hydra_export;
CREATE TABLE orders (id int PRIMARY KEY);
CREATE VIEW upcoming AS
  SELECT destination, enabled, frequency_hours, last_status,
         date_trunc('minute', next_export_at - now() + interval '30 seconds') AS next_in, why
  FROM hydra_export.schedule ORDER BY destination;
SELECT * FROM upcoming;

SELECT hydra_export.configure(bucket => 'exports', endpoint => 'http://127.0.0.1:9', access_key => 'A', secret_key => 'S');
SELECT * FROM upcoming;
SELECT hydra_export.add_model('orders');
SELECT * FROM upcoming;
SELECT last_export, next_export_at = date_trunc('second', added_at + interval '1 hour') AS an_hour_after_the_model
FROM hydra_export.schedule JOIN hydra_export.models USING (destination);
-- Settings saved again before the first export put it off.
SELECT hydra_export.configure(frequency_hours => 6);
SELECT next_export_at = date_trunc('second', saved_at + interval '1 hour') AS an_hour_after_the_settings
FROM hydra_export.schedule JOIN hydra_export.settings USING (destination);

-- No schedule while it is paused, without models, or switched off in the server.
SELECT hydra_export.pause();
SELECT * FROM upcoming;
SELECT hydra_export.resume();
SELECT * FROM upcoming;
SELECT hydra_export.remove_model('orders');
SELECT * FROM upcoming;
SELECT hydra_export.add_model('orders');
ALTER SYSTEM SET hydra_export.enabled = off;
SELECT pg_reload_conf();
\c -
SELECT * FROM upcoming;
ALTER SYSTEM SET hydra_export.enabled = on;
SELECT pg_reload_conf();
\c -
SET client_min_messages = warning;
SELECT * FROM upcoming;

-- After the first export: first start + k * frequency, whenever the exports ended.
UPDATE hydra_export.destination_state
SET anchor = now() - interval '14 hours 30 minutes', last_start = now() - interval '30 minutes', last_finish = now();
INSERT INTO hydra_export.model_state SELECT id, now() - interval '30 minutes' FROM hydra_export.models;
SELECT * FROM upcoming;
SELECT hydra_export.configure(frequency_hours => 1);
SELECT * FROM upcoming;
SELECT hydra_export.configure(frequency_hours => 168);
SELECT * FROM upcoming;
-- Resumed, the grid is where it was.
SELECT hydra_export.pause();
SELECT hydra_export.resume();
SELECT * FROM upcoming;
-- A model that was added since comes with an export before the next point of the grid.
CREATE TABLE customers (id int PRIMARY KEY);
SELECT hydra_export.add_model('customers');
SELECT * FROM upcoming;
SELECT hydra_export.remove_model('customers');
SELECT * FROM upcoming;

-- A failed export is tried again, each time after twice as long.
SELECT hydra_export.configure(frequency_hours => 24);
UPDATE hydra_export.destination_state
SET anchor = now() - interval '1 hour', last_start = now() - interval '1 hour', last_finish = now(), failures = 7;
SELECT * FROM upcoming;
UPDATE hydra_export.destination_state SET failures = 8;
SELECT * FROM upcoming;
-- But not later than the next grid point.
UPDATE hydra_export.destination_state SET failures = 100;
SELECT * FROM upcoming;
UPDATE hydra_export.destination_state SET failures = 0;
SELECT * FROM upcoming;

-- Starts keep to the destination's window: it is open from two hours to three hours from now, so tomorrow again.
SELECT hydra_export.configure(start_window =>
  to_char(now() AT TIME ZONE 'UTC' + interval '2 hours', 'HH24:MI') || '-' || to_char(now() AT TIME ZONE 'UTC' + interval '3 hours', 'HH24:MI'));
SELECT next_export_at = date_trunc('minute', now() + interval '26 hours') AS at_its_opening,
       regexp_replace(why, '\d\d:\d\d-\d\d:\d\d', 'FROM-TO') AS why FROM hydra_export.schedule;
-- What is late waits as well. Not committed, so that no export begins meanwhile.
BEGIN;
UPDATE hydra_export.destination_state SET anchor = now() - interval '48 hours', last_start = now() - interval '25 hours';
SELECT next_export_at = date_trunc('minute', now() + interval '2 hours') AS at_its_opening FROM hydra_export.schedule;
SELECT hydra_export.configure(start_window => '');
SELECT next_export_at <= now() AS at_once, why FROM hydra_export.schedule;
UPDATE hydra_export.destination_state SET anchor = now() - interval '1 hour', last_start = now() - interval '1 hour';
COMMIT;

-- Without keys, as in a database restored from a dump, none would succeed.
BEGIN;
DO $$
DECLARE
  option text;
BEGIN
  FOR option IN SELECT option_name FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export' LOOP
    EXECUTE format('ALTER USER MAPPING FOR PUBLIC SERVER hydra_export OPTIONS (DROP %I)', option);
  END LOOP;
END
$$;
SELECT * FROM upcoming;
ROLLBACK;

-- The newest export, whoever started it.
INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at)
VALUES ('default', '202601010000', 'schedule', 'succeeded', '2026-01-01 00:00 UTC'),
       ('default', '202601010001', 'user', 'failed', '2026-01-01 00:01 UTC'),
       ('other', '202601010002', 'user', 'partial', '2026-01-01 00:02 UTC');
SET TimeZone = 'UTC';
SELECT destination, last_export, last_status FROM hydra_export.schedule;
-- It is the same moment in whatever zone and style it is shown.
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kolkata';
SELECT last_export = '2026-01-01 00:01 UTC' AS same_moment FROM hydra_export.schedule;
RESET DateStyle;
RESET TimeZone;

-- A copy of a database must not go on exporting to the original's bucket.
UPDATE hydra_export.destination_state SET database = 1;
SELECT * FROM upcoming;
-- A database restored from a dump has no state.
DELETE FROM hydra_export.destination_state;
SELECT * FROM upcoming;
SELECT generation FROM hydra_export.models;
SELECT hydra_export.resume();
SELECT * FROM upcoming;
SELECT generation FROM hydra_export.models;

-- One row a destination.
SELECT hydra_export.configure(destination => 'lake', bucket => 'lake', frequency_hours => 1, access_key => 'A', secret_key => 'S');
SELECT * FROM upcoming;
SELECT hydra_export.remove_destination('default');
SELECT * FROM upcoming;

-- What is next is told by NOTICE, without a time where there is none.
RESET client_min_messages;
ALTER SYSTEM SET hydra_export.enabled = off;
SELECT pg_reload_conf();
\c -
SELECT hydra_export.configure(destination => 'lake', frequency_hours => 2);
-- Hints are for this destination, not for the default one.
SELECT hydra_export.export_now('lake');
CREATE TABLE lost (id int PRIMARY KEY);
SELECT hydra_export.add_model('lost', destination => 'lake');
DROP TABLE lost;
SELECT hydra_export.alter_model('lost', destination => 'lake');
UPDATE hydra_export.destination_state SET database = 1;
SELECT hydra_export.export_now('lake');
ALTER SYSTEM RESET hydra_export.enabled;
SELECT pg_reload_conf();
DROP VIEW upcoming;
DROP TABLE orders, customers;
DROP EXTENSION hydra_export;
