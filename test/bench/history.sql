-- How long the checks take in a history of :exports exports of ten models, with two objects each.
\set ON_ERROR_STOP on
\timing off
CREATE EXTENSION hydra_export;
SET client_min_messages = error;
SELECT hydra_export.configure(bucket => 'bench', access_key => 'k', secret_key => 's');
RESET client_min_messages;
INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at, finished_at, models, objects, rows, bytes)
  SELECT 'default', to_char(timestamp '2020-01-01' + e * interval '1 minute', 'YYYYMMDDHH24MI'), 'schedule', 'succeeded',
         timestamptz '2020-01-01 UTC' + e * interval '1 minute', now(), 10, 20, 2000, 20000
  FROM generate_series(1, :exports) AS e ORDER BY e;
INSERT INTO hydra_export.export_models (export_id, model, relation, kind, status, objects, rows, bytes, previous_export_id)
  SELECT id, 'm' || m, 't', CASE WHEN previous IS NULL THEN 'full' ELSE 'incremental' END, 'succeeded', 2, 200, 2000, previous
  FROM (SELECT id, lag(id) OVER (ORDER BY id) AS previous FROM hydra_export.exports) AS e CROSS JOIN generate_series(1, 10) AS m;
INSERT INTO hydra_export.export_objects (export_id, model, key, first_id, last_id, rows, bytes, sha256, etag, uploaded_at)
  SELECT export_id, model, folder || '/' || model || '/' || o || '-' || o || '.json', o, o, 100, 1000, repeat('0', 64), 'etag', now()
  FROM hydra_export.export_models JOIN hydra_export.exports ON id = export_id CROSS JOIN generate_series(1, 2) AS o;
CREATE TABLE listing AS SELECT key, bytes AS size, etag FROM hydra_export.export_objects
  UNION ALL SELECT folder || '/_manifest.json', 1, 'etag' FROM hydra_export.exports;
ANALYZE;
SELECT count(*) AS rows_of_models FROM hydra_export.export_models;
\timing on
SELECT count(*) AS found_by_check_history FROM hydra_export.check_history();
SELECT count(*) AS found_by_check_listing FROM hydra_export.check_listing('listing');
