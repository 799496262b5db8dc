/* hydra_export 0.1.0 to 0.2.0 */
\echo Use "ALTER EXTENSION hydra_export UPDATE TO '0.2.0'" to load this file. \quit

-- ---------------------------------------------------------------- schema

-- For functions that only views, triggers and other functions call, so that \df hydra_export.* does not list them.
CREATE SCHEMA hydra_export_internal;
COMMENT ON SCHEMA hydra_export_internal IS 'functions of hydra_export that its views and triggers call';
ALTER FUNCTION hydra_export.progress_rows SET SCHEMA hydra_export_internal;
ALTER FUNCTION hydra_export.schedule_rows SET SCHEMA hydra_export_internal;
ALTER FUNCTION hydra_export.schedule_changed SET SCHEMA hydra_export_internal;

-- ---------------------------------------------------------------- secrets

CREATE FOREIGN DATA WRAPPER hydra_export;
COMMENT ON FOREIGN DATA WRAPPER hydra_export IS 'keeps static credentials of hydra_export; not for foreign tables';
CREATE SERVER hydra_export FOREIGN DATA WRAPPER hydra_export;
COMMENT ON SERVER hydra_export IS 'keeps static credentials of hydra_export, as a user mapping; not for foreign tables';

ALTER TABLE hydra_export.destination_state ADD COLUMN system_identifier bigint, ADD COLUMN written_by xid8,
  ADD COLUMN last_timeline integer;
ALTER TABLE hydra_export.destination_state
  ADD COLUMN condition_answer text CHECK (condition_answer IN ('honoured', 'ignored', 'refused'));

-- Moves the rows of hydra_export.secrets into the user mapping, and fills the new columns.
CREATE FUNCTION hydra_export.upgrade_from_0_1_0()
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_upgrade_from_0_1_0';
SELECT hydra_export.upgrade_from_0_1_0();
DROP FUNCTION hydra_export.upgrade_from_0_1_0();
DROP TABLE hydra_export.secrets;

ALTER TABLE hydra_export.destination_state ALTER COLUMN system_identifier SET NOT NULL, ALTER COLUMN written_by SET NOT NULL;
COMMENT ON COLUMN hydra_export.settings.credentials IS 'where the keys come from: static (saved in this database), file:/path (on the server), or from the server itself: environment, profile, profile:name, web_identity, container, instance, auto';
COMMENT ON COLUMN hydra_export.destination_state.system_identifier IS 'cluster in which the settings were saved or resumed; in any other cluster they are a copy, and exports are paused';
COMMENT ON COLUMN hydra_export.destination_state.written_by IS 'transaction in which the extension wrote the row: equal to its xmin, also after pg_upgrade; 0 if anything else wrote the row, such as logical replication';
COMMENT ON COLUMN hydra_export.destination_state.last_timeline IS 'WAL timeline at the newest export; the first export on another timeline uses the folder of the next minute';
COMMENT ON COLUMN hydra_export.destination_state.condition_answer IS 'how the store handles If-None-Match: honoured, ignored (it overwrites) or refused; NULL until it was tested';
COMMENT ON COLUMN hydra_export.settings.conditional IS 'whether objects are stored with If-None-Match, so that the store refuses to overwrite: on, off, or auto (if the store supports it)';

CREATE FUNCTION hydra_export_internal.configure_support(internal)
RETURNS internal LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_configure_support';
COMMENT ON FUNCTION hydra_export_internal.configure_support IS 'lets hydra_export.configure() hide its statement before it runs';
ALTER FUNCTION hydra_export.configure SUPPORT hydra_export_internal.configure_support;
COMMENT ON FUNCTION hydra_export.configure IS
'saves the settings of a destination; NULL leaves a setting unchanged, '''' clears it. frequency_hours is 1 to 168. Keys are best given as a file on the server, with credentials => ''file:/path''';

-- It returns more columns than before.
DROP FUNCTION hydra_export.check_access(text);
CREATE FUNCTION hydra_export.check_access(
  destination text DEFAULT 'default', OUT key text, OUT endpoint text, OUT region text,
  OUT credentials text, OUT expires_at timestamptz, OUT conditional text)
RETURNS record LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_check_access';
COMMENT ON FUNCTION hydra_export.check_access IS
'tests the settings: writes the object <prefix>_hydra_export_check, in a worker as an export would, and returns its place and the keys used; conditional tells how the store handles If-None-Match: honoured, ignored or refused. Raises an error if the upload fails';

-- ---------------------------------------------------------------- models

ALTER TABLE hydra_export.models
  ALTER relation DROP NOT NULL,
  ALTER added_by DROP NOT NULL,
  ADD restored_relation text,
  ADD restored_role text,
  ADD problem text;
-- Existing models have no problem, unless this database was itself restored from a dump.
ALTER TABLE hydra_export.models
  ALTER problem SET DEFAULT 'it came with a dump, and hydra_export.resume() has not looked for its table yet';
UPDATE hydra_export.models m SET problem = DEFAULT
  WHERE NOT EXISTS (SELECT FROM hydra_export.destination_state s WHERE s.destination = m.destination);
ALTER TABLE hydra_export.models
  ADD CONSTRAINT models_known_check CHECK (problem IS NOT NULL OR (relation IS NOT NULL AND added_by IS NOT NULL));

ALTER TABLE hydra_export.model_state ADD relation_name text;
COMMENT ON COLUMN hydra_export.model_state.relation_name IS 'name of the table at that export';
ALTER TABLE hydra_export.model_state ADD full_next text;
COMMENT ON COLUMN hydra_export.model_state.full_next IS 'why the next export has to be full; NULL if it need not be';
ALTER TABLE hydra_export.baselines ADD relation_name text, ADD condition text, ADD empty boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN hydra_export.baselines.relation_name IS 'name of the table at that export; NULL if unknown';
COMMENT ON COLUMN hydra_export.baselines.condition IS 'condition that the rows of a partition met then; NULL if there is none that other systems can evaluate';
COMMENT ON COLUMN hydra_export.baselines.empty IS 'true if the table had no block then';
COMMENT ON COLUMN hydra_export.models.relation IS 'table, partitioned table, view, materialized view or foreign table; NULL if there is a problem';
COMMENT ON COLUMN hydra_export.models.added_by IS 'role on whose behalf the model is exported; NULL if there is a problem';
COMMENT ON COLUMN hydra_export.models.restored_relation IS 'name of the table in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.restored_role IS 'name of the role that added the model in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.problem IS 'why the model cannot be exported; NULL if no reason is known';

-- In another database an OID refers to another table or role, so a dump contains names. pg_dump appends this to
-- SELECT <columns> FROM hydra_export.models, so the rows come from the second half of the UNION.
SELECT pg_catalog.pg_extension_config_dump('hydra_export.models', $$
  WHERE false
  UNION ALL
  SELECT m.destination, m.name, NULL, m.changed_by, m.updated_at_column, m.key_columns, m.columns,
         m.look_back, m.full_every_hours, NULL, m.added_at, m.generation, m.id,
         CASE WHEN m.problem IS NULL
           THEN pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
                OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname)
           ELSE m.restored_relation END,
         CASE WHEN m.problem IS NULL THEN r.rolname ELSE m.restored_role END,
         CASE WHEN m.problem IS NOT NULL THEN m.problem
           WHEN c.oid IS NULL THEN 'its table was dropped in the database that was dumped'
           WHEN r.oid IS NULL THEN 'the role that added it was dropped in the database that was dumped'
           ELSE 'it came with a dump, and hydra_export.resume() has not looked for its table yet' END
  FROM hydra_export.models m
  LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) m.relation
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.added_by
$$);

COMMENT ON FUNCTION hydra_export.resume IS
'starts scheduled exports again, after hydra_export.pause() or in a copy of a database. In a copy the next exports are full, and the tables and roles of models restored from a dump are looked up by name: warnings tell which are missing, and the next call looks for them again';

-- ---------------------------------------------------------------- history

-- Tells what hydra_export_monitor can see.
COMMENT ON COLUMN hydra_export.exports.error IS 'error message; for a partial export, the failed models and their errors; may contain ids of rows';
COMMENT ON COLUMN hydra_export.export_models.error IS 'error message; may contain the id of a row';
COMMENT ON COLUMN hydra_export.export_objects.key IS 'the object''s key, which contains first_id and last_id';
COMMENT ON COLUMN hydra_export.export_objects.first_id IS 'id of the first row in it: the values of its key columns';
COMMENT ON COLUMN hydra_export.export_objects.last_id IS 'id of the last row in it: the values of its key columns';

COMMENT ON FUNCTION hydra_export.export_now IS
'exports a destination now, in a worker of its own, and returns the export''s id; what the calling transaction has not committed is not exported. While it waits, a call that is a statement of its own does not hold back VACUUM; inside a transaction block or a function, use wait => false';

-- ---------------------------------------------------------------- functions: checks

CREATE OR REPLACE FUNCTION hydra_export.check_history(
  destination text DEFAULT 'default', OUT export_id bigint, OUT model text, OUT problem text)
RETURNS SETOF record LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH history AS (
    SELECT * FROM hydra_export.exports e WHERE e.destination = $1
  ), models AS (
    SELECT m.*, max(m.export_id) FILTER (WHERE m.status = 'succeeded') OVER earlier AS last_success
    FROM hydra_export.export_models m JOIN history h ON h.id = m.export_id
    WINDOW earlier AS (PARTITION BY m.model ORDER BY m.export_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ), of_models AS (
    SELECT m.export_id AS id, count(*) AS models, sum(objects) AS objects, sum(rows) AS rows,
           sum(bytes) AS bytes, bool_and(status = 'succeeded') AS all_succeeded,
           bool_or(status = 'succeeded') AS some_succeeded
    FROM models m GROUP BY m.export_id
  ), of_objects AS (
    SELECT o.export_id AS id, o.model, count(*) AS objects, sum(o.rows) AS rows, sum(o.bytes) AS bytes
    FROM hydra_export.export_objects o JOIN history h ON h.id = o.export_id
    GROUP BY o.export_id, o.model
  )
  SELECT id, NULL, 'its counts are not those of its models'
  FROM history h LEFT JOIN of_models m USING (id)
  WHERE (h.models, h.objects, h.rows, h.bytes) IS DISTINCT FROM
        (coalesce(m.models, 0), coalesce(m.objects, 0), coalesce(m.rows, 0), coalesce(m.bytes, 0))
  UNION ALL
  SELECT m.export_id, m.model, 'its counts are not those of its objects'
  FROM models m LEFT JOIN of_objects o ON o.id = m.export_id AND o.model = m.model
  WHERE (m.objects, m.rows, m.bytes) IS DISTINCT FROM
        (coalesce(o.objects, 0), coalesce(o.rows, 0), coalesce(o.bytes, 0))
  UNION ALL
  SELECT id, NULL, 'its status is not that of its models'
  FROM history h JOIN of_models m USING (id)
  WHERE (h.status = 'succeeded') <> m.all_succeeded
     OR (h.status = 'partial') <> (m.some_succeeded AND NOT m.all_succeeded)
  UNION ALL
  SELECT id, NULL, 'it has no time at which it finished'
  FROM history h WHERE h.status <> 'running' AND h.finished_at IS NULL
  UNION ALL
  SELECT id, NULL, 'it is running, and no process exports'
  FROM history h WHERE h.status = 'running' AND NOT EXISTS (
    -- The lock that an export holds: 18501 is its class, lock_class in src/pg/lock.cpp.
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.objsubid = 18501 AND l.granted AND d.datname = current_database())
  UNION ALL
  SELECT m.export_id, m.model, 'it does not continue its last success'
  FROM models m
  WHERE m.kind = 'incremental' AND m.previous_export_id >= (SELECT min(h.id) FROM history h)
    AND m.previous_export_id IS DISTINCT FROM m.last_success
  UNION ALL
  SELECT NULL, NULL, 'there is no destination ' || coalesce(quote_ident($1), 'NULL') || ', and no history of one'
  WHERE NOT EXISTS (SELECT FROM hydra_export.settings s WHERE s.destination = $1) AND NOT EXISTS (SELECT FROM history)
  ORDER BY 1, 2, 3
$$;

CREATE OR REPLACE FUNCTION hydra_export.check_listing(
  listing regclass, since timestamptz DEFAULT '-infinity', destination text DEFAULT 'default',
  OUT export_id bigint, OUT key text, OUT problem text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF listing IS NULL THEN
    RAISE null_value_not_allowed USING
      MESSAGE = 'listing must not be null', HINT = 'Name the table that holds the listing of the bucket.';
  END IF;
  IF NOT EXISTS (SELECT FROM hydra_export.settings s WHERE s.destination = $3) THEN
    RAISE undefined_object USING
      MESSAGE = format('destination %s does not exist', coalesce('"' || $3 || '"', 'NULL')), HINT = 'hydra_export.settings lists the destinations.';
  END IF;
  BEGIN
    RETURN QUERY EXECUTE format($query$
      WITH place AS (
        SELECT prefix FROM hydra_export.settings WHERE destination = $2
      ), history AS (
        SELECT e.*, prefix || folder || '/' AS path FROM hydra_export.exports e, place
        WHERE e.destination = $2 AND started_at >= $1 AND status <> 'running'
      ), listed AS (
        SELECT key::text, size::bigint, btrim(etag::text, '"') AS etag FROM %s
      ), foldered AS (
        SELECT key, split_part(substr(key, length(prefix) + 1), '/', 1) AS folder
        FROM listed, place WHERE starts_with(key, prefix)
      )
      SELECT o.export_id, o.key, CASE
          WHEN l.key IS NULL THEN 'is not in the bucket'
          WHEN l.size <> o.bytes THEN 'has another size in the bucket'
          ELSE 'has another etag in the bucket' END
      FROM history h JOIN hydra_export.export_objects o ON o.export_id = h.id LEFT JOIN listed l USING (key)
      -- Without an etag: the response that contained it was lost.
      WHERE l.key IS NULL OR l.size <> o.bytes OR l.etag <> nullif(btrim(o.etag, '"'), '')
      UNION ALL
      SELECT h.id, path || '_manifest.json', 'is not in the bucket'
      FROM history h WHERE status IN ('succeeded', 'partial')
        AND NOT EXISTS (SELECT FROM listed WHERE key = path || '_manifest.json')
      UNION ALL
      SELECT h.id, f.key, 'is not in history'
      FROM foldered f JOIN history h USING (folder)
      WHERE status = 'succeeded' AND f.key NOT IN (path || '_manifest.json', path || '_claim.json')
        AND NOT EXISTS (SELECT FROM hydra_export.export_objects o WHERE o.export_id = h.id AND o.key = f.key)
      UNION ALL
      SELECT NULL, f.key, 'is in a folder of no export'
      FROM foldered f
      WHERE folder ~ '^\d{12}(_\d{3,})?$' AND folder >= (SELECT min(folder) FROM history)
        -- A claim whose response was lost, so that the export took the next folder.
        AND f.key NOT LIKE '%%/\_claim.json'
        AND NOT EXISTS (SELECT FROM hydra_export.exports e WHERE e.destination = $2 AND e.folder = f.folder)
      ORDER BY 2, 3
    $query$, listing) USING since, destination;
  EXCEPTION WHEN OTHERS THEN
    -- For any error of the table, because the query's own error would show the query.
    RAISE EXCEPTION USING
      ERRCODE = SQLSTATE, MESSAGE = format('cannot read the listing in %s: %s', listing, SQLERRM),
      HINT = 'Load the listing of the bucket into a table that you may read, with the columns key, size (in bytes) and etag.';
  END;
END
$$;

-- ---------------------------------------------------------------- views

-- Times to the second, and errors short enough for a line.
CREATE OR REPLACE VIEW hydra_export.recent_exports AS
  SELECT id, destination, folder, status, date_trunc('second', started_at) AS started_at,
         date_trunc('second', coalesce(finished_at, clock_timestamp()) - started_at) AS duration,
         models, objects, rows, bytes,
         CASE WHEN length(reason) > 40 THEN left(reason, 37) || '...' ELSE reason END AS error
  FROM hydra_export.exports,
       -- Keys of objects are removed, so that the cause is at the beginning.
       LATERAL (SELECT regexp_replace(error, 'object "[^"]*": ', '', 'g') AS reason) AS shorter
  ORDER BY id DESC;
COMMENT ON COLUMN hydra_export.recent_exports.started_at IS 'when it started, to the second';
COMMENT ON COLUMN hydra_export.recent_exports.duration IS 'how long it took, or has taken so far, to the second';
COMMENT ON COLUMN hydra_export.recent_exports.error IS 'beginning of the error message, which is complete in hydra_export.exports; may contain ids of rows';

CREATE OR REPLACE VIEW hydra_export.progress AS
  SELECT export_id, model, phase, blocks_total, blocks_scanned, blocks_skipped, rows, bytes_written,
         bytes_uploaded, objects, date_trunc('second', started_at) AS started_at, pid
  FROM hydra_export_internal.progress_rows();

CREATE OR REPLACE VIEW hydra_export.schedule AS
  SELECT destination, enabled, frequency_hours, date_trunc('second', last_export) AS last_export,
         last_status, date_trunc('second', next_export_at) AS next_export_at, why
  FROM hydra_export_internal.schedule_rows();
COMMENT ON COLUMN hydra_export.schedule.last_export IS 'when the newest export started, scheduled or not, to the second';
COMMENT ON COLUMN hydra_export.schedule.next_export_at IS 'when the next one is due, to the second; NULL for never';

COMMENT ON FUNCTION hydra_export.preview IS
'what an export would do now, determined from the visibility map and page headers only. rows and bytes are upper estimates, and NULL if an index or the planner selects the rows. Before the first export, bytes are estimated from the average column widths that ANALYZE found, without compression. If kind is NULL, the model would fail for the reason given';

-- ---------------------------------------------------------------- WAL marks

CREATE TABLE hydra_export.wal_marks (
  lsn               pg_lsn NOT NULL,
  next_xid          bigint NOT NULL,
  system_identifier bigint NOT NULL,
  timeline          integer NOT NULL,
  PRIMARY KEY (lsn, timeline, system_identifier)
);

COMMENT ON TABLE hydra_export.wal_marks IS 'a pair for each export, taken at its start: a transaction with an id from next_xid on began to write after the WAL position lsn';
COMMENT ON COLUMN hydra_export.wal_marks.lsn IS 'WAL position at that time';
COMMENT ON COLUMN hydra_export.wal_marks.next_xid IS 'the next transaction id, read after that';
COMMENT ON COLUMN hydra_export.wal_marks.system_identifier IS 'cluster in which it was taken';
COMMENT ON COLUMN hydra_export.wal_marks.timeline IS 'timeline on which it was taken';
INSERT INTO hydra_export.wal_marks TABLE hydra_export.notes;
DROP TABLE hydra_export.notes;

-- ---------------------------------------------------------------- schedule

ALTER TABLE hydra_export.settings ENABLE ALWAYS TRIGGER schedule_changed;
ALTER TABLE hydra_export.models ENABLE ALWAYS TRIGGER schedule_changed;

-- Recognizes rows that anything other than the extension writes, such as logical replication.
CREATE FUNCTION hydra_export_internal.state_written()
RETURNS trigger LANGUAGE c
AS 'MODULE_PATHNAME', 'hydra_export_state_written';
COMMENT ON FUNCTION hydra_export_internal.state_written IS 'clears written_by in a row of destination_state that anything other than the extension writes';

CREATE TRIGGER state_written
  BEFORE INSERT OR UPDATE ON hydra_export.destination_state
  FOR EACH ROW EXECUTE FUNCTION hydra_export_internal.state_written();
ALTER TABLE hydra_export.destination_state ENABLE ALWAYS TRIGGER state_written;

-- ---------------------------------------------------------------- rights

-- Revokes what ALTER DEFAULT PRIVILEGES grants on new objects. Privileges on older ones stay unchanged.
DO $$
DECLARE
  object text;
  grantee text;
BEGIN
  FOR object, grantee IN
    SELECT objects.name, CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END
    FROM (
      SELECT 'SCHEMA hydra_export_internal', nspacl, nspowner FROM pg_catalog.pg_namespace
        WHERE nspname = 'hydra_export_internal'
      UNION ALL SELECT 'TABLE ' || oid::regclass, relacl, relowner FROM pg_catalog.pg_class
        WHERE oid = 'hydra_export.wal_marks'::regclass
      UNION ALL SELECT 'FUNCTION ' || oid::regprocedure, coalesce(proacl, pg_catalog.acldefault('f', proowner)), proowner
        FROM pg_catalog.pg_proc
        WHERE oid IN ('hydra_export_internal.configure_support'::regproc, 'hydra_export_internal.state_written'::regproc,
                      'hydra_export.check_access'::regproc)
    ) AS objects (name, acl, owner), pg_catalog.aclexplode(acl) AS granted
    WHERE granted.grantee <> objects.owner
  LOOP
    EXECUTE 'REVOKE ALL ON ' || object || ' FROM ' || grantee;
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION hydra_export.check_access TO hydra_export_admin;

-- ---------------------------------------------------------------- words

COMMENT ON TABLE hydra_export.settings IS 'one row per destination: where exports go, and how often; written by hydra_export.configure()';
COMMENT ON COLUMN hydra_export.settings.prefix IS 'beginning of all object keys: empty, or ending in /';
COMMENT ON COLUMN hydra_export.settings.external_id IS 'external id that the role requires; empty for none';
COMMENT ON COLUMN hydra_export.destination_state.failures IS 'number of consecutive scheduled exports that did not succeed';
COMMENT ON TABLE hydra_export.models IS 'one row per model: a table exported to a destination under a name; written by hydra_export.add_model()';
COMMENT ON COLUMN hydra_export.models.look_back IS 'how far into the past a write may set updated_at';
COMMENT ON COLUMN hydra_export.models.full_every_hours IS 'hours between full exports; NULL for no repeated full exports';
COMMENT ON COLUMN hydra_export.models.generation IS 'number of changes so far that require a full export';
COMMENT ON TABLE hydra_export.baselines IS 'state of each table of a model at its last successful export, from which the next one starts';
COMMENT ON COLUMN hydra_export.baselines.cursor IS 'no transaction that was invisible to the snapshot began before this time';
COMMENT ON COLUMN hydra_export.baselines.lsn IS 'WAL position at that time';
COMMENT ON COLUMN hydra_export.baselines.file_number IS 'relfilenode of the table; a different one means that the table was rewritten';
COMMENT ON COLUMN hydra_export.baselines.wal_map IS 'WAL position just before the snapshot was taken';
COMMENT ON COLUMN hydra_export.baselines.wal_floor IS 'WAL position after which all changes that were not visible to the snapshot were written; 0/0 if unknown';
COMMENT ON TABLE hydra_export.exports IS 'one row per export';
COMMENT ON COLUMN hydra_export.exports.models IS 'number of its models';
COMMENT ON COLUMN hydra_export.exports.objects IS 'number of its objects in the bucket, without the manifest';
COMMENT ON COLUMN hydra_export.exports.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.exports.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON TABLE hydra_export.export_models IS 'one row per model of an export';
COMMENT ON COLUMN hydra_export.export_models.objects IS 'number of its objects in the bucket';
COMMENT ON COLUMN hydra_export.export_models.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.export_models.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_summary IS 'blocks not read because WAL summaries, and the WAL after them, contain no change of them';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_map IS 'blocks not read because the visibility map shows that they did not change';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_lsn IS 'blocks of which only the header was read because it shows that they did not change';
COMMENT ON COLUMN hydra_export.export_models.blocks_read IS 'blocks whose rows were read';
COMMENT ON COLUMN hydra_export.export_models.workers IS 'parallel workers that read it in addition to the export''s own process';
COMMENT ON COLUMN hydra_export.export_models.lsn IS 'WAL position at that time';
COMMENT ON TABLE hydra_export.export_objects IS 'one row per object in the bucket';
COMMENT ON COLUMN hydra_export.export_objects.etag IS 'ETag that S3 returned';
COMMENT ON COLUMN hydra_export.export_objects.uploaded_at IS 'when its upload was complete';
COMMENT ON COLUMN hydra_export.recent_exports.models IS 'number of its models';
COMMENT ON COLUMN hydra_export.recent_exports.objects IS 'number of its objects in the bucket, without the manifest';
COMMENT ON COLUMN hydra_export.recent_exports.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.recent_exports.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON FUNCTION hydra_export.pause IS 'stops scheduled exports of the destination until hydra_export.resume()';
COMMENT ON FUNCTION hydra_export.iam_policy IS
'the smallest IAM policy that the destination''s key needs: s3:PutObject below its prefix, and what its object_headers require';
COMMENT ON FUNCTION hydra_export.add_model IS
'adds a table, partitioned table, view, materialized view or foreign table to a destination; the caller needs SELECT on it, also at each later export';
COMMENT ON FUNCTION hydra_export.alter_model IS
'changes the settings of a model; NULL leaves a setting unchanged, an empty array or 0 clears it';
COMMENT ON FUNCTION hydra_export.remove_model IS 'stops exporting the model; its history and objects stay';
COMMENT ON FUNCTION hydra_export.cancel_export IS
'cancels a running export; returns false if it is not running. The next export includes what this one did not finish';
COMMENT ON COLUMN hydra_export.progress.blocks_total IS 'blocks of its tables, if they are scanned';
COMMENT ON COLUMN hydra_export.progress.blocks_scanned IS 'blocks whose rows were read';
COMMENT ON COLUMN hydra_export.progress.blocks_skipped IS 'blocks skipped because they did not change';
COMMENT ON COLUMN hydra_export.progress.bytes_written IS 'bytes of JSON written so far';
COMMENT ON COLUMN hydra_export.progress.bytes_uploaded IS 'bytes uploaded so far';
COMMENT ON COLUMN hydra_export.progress.objects IS 'objects uploaded so far';
COMMENT ON COLUMN hydra_export.progress.started_at IS 'when reading the model began, or the export if that is still to come';
COMMENT ON VIEW hydra_export.schedule IS 'when each destination is exported next, and the reason for that time, or why no export is scheduled';
COMMENT ON FUNCTION hydra_export.check_history IS
'finds inconsistencies in the history of a destination; returns no row if there are none';
COMMENT ON FUNCTION hydra_export.check_listing IS
'compares the history of exports since a time with a listing of the bucket, which is a table with the columns key, size and etag; returns no row if they agree';
COMMENT ON COLUMN hydra_export.settings.addressing IS 'how URLs contain the bucket: path, virtual (host name), or auto';
COMMENT ON COLUMN hydra_export.settings.object_headers IS 'headers sent with each object, such as storage class, encryption, tags';
COMMENT ON COLUMN hydra_export.settings.start_window IS 'time range of the UTC day in which scheduled exports may start, such as 22:00-04:30; empty for any time';
COMMENT ON TABLE hydra_export.destination_state IS 'state of a destination''s schedule';
COMMENT ON COLUMN hydra_export.destination_state.database IS 'OID of the database in which the settings were saved or resumed; in any other database they are a copy, and exports are paused';
COMMENT ON COLUMN hydra_export.destination_state.timeline IS 'WAL timeline at that time; if it has ended at a recovery target since, the server was restored, and exports are paused';
COMMENT ON COLUMN hydra_export.models.updated_at_column IS 'column that every write sets, if changed_by is updated_at';
COMMENT ON COLUMN hydra_export.models.key_columns IS 'columns that identify a row; NULL for the primary key';
COMMENT ON TABLE hydra_export.model_state IS 'state of a model''s exports';
COMMENT ON COLUMN hydra_export.export_models.relation IS 'name of the exported relation';
COMMENT ON COLUMN hydra_export.export_models.blocks_total IS 'blocks of its tables, if they were scanned';
COMMENT ON COLUMN hydra_export.export_objects.rows IS 'number of rows in it';
COMMENT ON COLUMN hydra_export.export_objects.bytes IS 'its size as sent, in bytes';
COMMENT ON COLUMN hydra_export.schedule.why IS 'the reason for that time, or why no export is scheduled';
COMMENT ON FUNCTION hydra_export_internal.schedule_changed IS
'makes the launcher check this database when the transaction commits';

-- The trigger makes the launcher check this database when the update commits; until then, the library refused to work
-- with these objects.
UPDATE hydra_export.settings SET enabled = enabled WHERE false;
