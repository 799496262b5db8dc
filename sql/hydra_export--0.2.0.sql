/* hydra_export 0.2.0 */
\echo Use "CREATE EXTENSION hydra_export" to load this file. \quit

-- ---------------------------------------------------------------- roles
-- Roles exist in the whole cluster: another database may have created them already, even concurrently.

DO $$
DECLARE
  wanted text;
  meaning text;
BEGIN
  FOR wanted, meaning IN VALUES
    ('hydra_export_admin', 'saves settings, chooses tables and starts exports of hydra_export; is also a member of hydra_export_monitor'),
    ('hydra_export_monitor', 'reads settings, models and history of hydra_export: also values of key columns of exported tables, '
       'in names of objects and in errors, without a right to read those tables')
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      BEGIN
        EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
        EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', wanted, meaning);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
  END LOOP;
END
$$;

-- A schema that the script creates is dropped with the extension, and cannot belong to another role.
CREATE SCHEMA hydra_export;
COMMENT ON SCHEMA hydra_export IS 'exports of tables to S3: settings, models, history';

-- Functions that only views, triggers and other functions call. They have their own schema, so that \df hydra_export.*
-- lists what users may call. No role needs USAGE on it, because views and triggers refer to functions by OID.
CREATE SCHEMA hydra_export_internal;
COMMENT ON SCHEMA hydra_export_internal IS 'functions of hydra_export that its views and triggers call';

-- ---------------------------------------------------------------- settings

CREATE TABLE hydra_export.settings (
  destination     text PRIMARY KEY CHECK (destination <> ''),
  bucket          text NOT NULL,
  region          text NOT NULL,
  endpoint        text NOT NULL,
  prefix          text NOT NULL,
  frequency_hours integer NOT NULL CHECK (frequency_hours BETWEEN 1 AND 168),
  credentials     text NOT NULL,
  role_arn        text NOT NULL,
  external_id     text NOT NULL,
  addressing      text NOT NULL CHECK (addressing IN ('auto', 'path', 'virtual')),
  compression     text NOT NULL CHECK (compression IN ('none', 'gzip', 'zstd')),
  conditional     text NOT NULL CHECK (conditional IN ('auto', 'on', 'off')),
  object_headers  jsonb NOT NULL CHECK (jsonb_typeof(object_headers) = 'object'),
  enabled         boolean NOT NULL DEFAULT true,
  saved_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_folder     text,
  start_window    text NOT NULL DEFAULT ''
);

COMMENT ON TABLE hydra_export.settings IS 'one row per destination: where exports go, and how often; written by hydra_export.configure()';
COMMENT ON COLUMN hydra_export.settings.destination IS 'name of the destination';
COMMENT ON COLUMN hydra_export.settings.bucket IS 'name of the bucket';
COMMENT ON COLUMN hydra_export.settings.region IS 'region that requests are signed for';
COMMENT ON COLUMN hydra_export.settings.endpoint IS 'URL of the S3-compatible store; empty for AWS';
COMMENT ON COLUMN hydra_export.settings.prefix IS 'beginning of all object keys: empty, or ending in /';
COMMENT ON COLUMN hydra_export.settings.frequency_hours IS 'hours between exports, 1 to 168';
COMMENT ON COLUMN hydra_export.settings.credentials IS 'where the keys come from: static (saved in this database), file:/path (on the server), or from the server itself: environment, profile, profile:name, web_identity, container, instance, auto';
COMMENT ON COLUMN hydra_export.settings.role_arn IS 'role that is assumed with the keys; empty for none';
COMMENT ON COLUMN hydra_export.settings.external_id IS 'external id that the role requires; empty for none';
COMMENT ON COLUMN hydra_export.settings.addressing IS 'how URLs contain the bucket: path, virtual (host name), or auto';
COMMENT ON COLUMN hydra_export.settings.compression IS 'none, gzip (.json.gz) or zstd (.json.zst); the manifest is never compressed';
COMMENT ON COLUMN hydra_export.settings.conditional IS 'whether objects are stored with If-None-Match, so that the store refuses to overwrite: on, off, or auto (if the store supports it)';
COMMENT ON COLUMN hydra_export.settings.object_headers IS 'headers sent with each object, such as storage class, encryption, tags';
COMMENT ON COLUMN hydra_export.settings.enabled IS 'false after hydra_export.pause()';
COMMENT ON COLUMN hydra_export.settings.saved_at IS 'when the settings were last saved';
COMMENT ON COLUMN hydra_export.settings.last_folder IS 'folder of the newest export; the next one sorts after it';
COMMENT ON COLUMN hydra_export.settings.start_window IS 'time range of the UTC day in which scheduled exports may start, such as 22:00-04:30; empty for any time';

-- Static credentials are options of a user mapping of this server, which configure() creates. A user mapping cannot be
-- published, pg_dump omits that of an extension's server, and only superusers can read pg_user_mapping.
CREATE FOREIGN DATA WRAPPER hydra_export;
COMMENT ON FOREIGN DATA WRAPPER hydra_export IS 'keeps static credentials of hydra_export; not for foreign tables';
CREATE SERVER hydra_export FOREIGN DATA WRAPPER hydra_export;
COMMENT ON SERVER hydra_export IS 'keeps static credentials of hydra_export, as a user mapping; not for foreign tables';

-- Not dumped: a copy of the database must not continue to export.
CREATE TABLE hydra_export.destination_state (
  destination text PRIMARY KEY REFERENCES hydra_export.settings ON DELETE CASCADE,
  database    oid NOT NULL,
  timeline    integer NOT NULL,
  anchor      timestamptz,
  last_start  timestamptz,
  last_finish timestamptz,
  failures    integer NOT NULL DEFAULT 0,
  system_identifier bigint NOT NULL,
  written_by  xid8 NOT NULL,
  last_timeline integer,
  condition_answer text CHECK (condition_answer IN ('honoured', 'ignored', 'refused'))
);

COMMENT ON TABLE hydra_export.destination_state IS 'state of a destination''s schedule';
COMMENT ON COLUMN hydra_export.destination_state.destination IS 'the destination';
COMMENT ON COLUMN hydra_export.destination_state.database IS 'OID of the database in which the settings were saved or resumed; in any other database they are a copy, and exports are paused';
COMMENT ON COLUMN hydra_export.destination_state.timeline IS 'WAL timeline at that time; if it has ended at a recovery target since, the server was restored, and exports are paused';
COMMENT ON COLUMN hydra_export.destination_state.anchor IS 'start of the first scheduled export; later ones follow at anchor + k * frequency';
COMMENT ON COLUMN hydra_export.destination_state.last_start IS 'start of the newest scheduled export';
COMMENT ON COLUMN hydra_export.destination_state.last_finish IS 'end of the newest scheduled export';
COMMENT ON COLUMN hydra_export.destination_state.failures IS 'number of consecutive scheduled exports that did not succeed';
COMMENT ON COLUMN hydra_export.destination_state.system_identifier IS 'cluster in which the settings were saved or resumed; in any other cluster they are a copy, and exports are paused';
COMMENT ON COLUMN hydra_export.destination_state.written_by IS 'transaction in which the extension wrote the row: equal to its xmin, also after pg_upgrade; 0 if anything else wrote the row, such as logical replication';
COMMENT ON COLUMN hydra_export.destination_state.last_timeline IS 'WAL timeline at the newest export; the first export on another timeline uses the folder of the next minute';
COMMENT ON COLUMN hydra_export.destination_state.condition_answer IS 'how the store handles If-None-Match: honoured, ignored (it overwrites) or refused; NULL until it was tested';

-- ---------------------------------------------------------------- models

CREATE TABLE hydra_export.models (
  destination       text NOT NULL REFERENCES hydra_export.settings ON DELETE CASCADE,
  name              text NOT NULL CHECK (name <> ''),
  relation          regclass,
  changed_by        text NOT NULL CHECK (changed_by IN ('xmin', 'updated_at')),
  updated_at_column name,
  key_columns       name[],
  columns           name[],
  look_back         interval NOT NULL,
  full_every_hours  integer CHECK (full_every_hours > 0),
  added_by          regrole,
  added_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  generation        bigint NOT NULL DEFAULT 1,
  id                integer GENERATED BY DEFAULT AS IDENTITY UNIQUE,
  restored_relation text,
  restored_role     text,
  problem           text DEFAULT 'it came with a dump, and hydra_export.resume() has not looked for its table yet',
  PRIMARY KEY (destination, name),
  CONSTRAINT models_known_check CHECK (problem IS NOT NULL OR (relation IS NOT NULL AND added_by IS NOT NULL))
);

COMMENT ON TABLE hydra_export.models IS 'one row per model: a table exported to a destination under a name; written by hydra_export.add_model()';
COMMENT ON COLUMN hydra_export.models.destination IS 'destination that the model is exported to';
COMMENT ON COLUMN hydra_export.models.name IS 'name of the model''s folder in the bucket';
COMMENT ON COLUMN hydra_export.models.relation IS 'table, partitioned table, view, materialized view or foreign table; NULL if there is a problem';
COMMENT ON COLUMN hydra_export.models.changed_by IS 'how changed rows are found: xmin or updated_at';
COMMENT ON COLUMN hydra_export.models.updated_at_column IS 'column that every write sets, if changed_by is updated_at';
COMMENT ON COLUMN hydra_export.models.key_columns IS 'columns that identify a row; NULL for the primary key';
COMMENT ON COLUMN hydra_export.models.columns IS 'exported columns; NULL for all';
COMMENT ON COLUMN hydra_export.models.look_back IS 'how far into the past a write may set updated_at';
COMMENT ON COLUMN hydra_export.models.full_every_hours IS 'hours between full exports; NULL for no repeated full exports';
COMMENT ON COLUMN hydra_export.models.added_by IS 'role on whose behalf the model is exported; NULL if there is a problem';
COMMENT ON COLUMN hydra_export.models.added_at IS 'when the model was added';
COMMENT ON COLUMN hydra_export.models.generation IS 'number of changes so far that require a full export';
COMMENT ON COLUMN hydra_export.models.id IS 'number of the model';
COMMENT ON COLUMN hydra_export.models.restored_relation IS 'name of the table in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.restored_role IS 'name of the role that added the model in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.problem IS 'why the model cannot be exported; NULL if no reason is known';

CREATE TABLE hydra_export.model_state (
  model_id     integer PRIMARY KEY REFERENCES hydra_export.models (id) ON DELETE CASCADE,
  attempted_at timestamptz NOT NULL,
  full_at      timestamptz,
  export_id    bigint,
  folder       text,
  relation_name text,
  full_next    text
);

COMMENT ON TABLE hydra_export.model_state IS 'state of a model''s exports';
COMMENT ON COLUMN hydra_export.model_state.model_id IS 'number of the model';
COMMENT ON COLUMN hydra_export.model_state.attempted_at IS 'when the model was last part of an export';
COMMENT ON COLUMN hydra_export.model_state.full_at IS 'when it was last exported in full';
COMMENT ON COLUMN hydra_export.model_state.export_id IS 'the last export in which it succeeded';
COMMENT ON COLUMN hydra_export.model_state.folder IS 'that export''s folder';
COMMENT ON COLUMN hydra_export.model_state.relation_name IS 'name of the table at that export';
COMMENT ON COLUMN hydra_export.model_state.full_next IS 'why the next export has to be full; NULL if it need not be';

-- Not dumped: transaction ids are meaningless in another cluster.
CREATE TABLE hydra_export.baselines (
  model_id          integer NOT NULL REFERENCES hydra_export.models (id) ON DELETE CASCADE,
  relation          oid NOT NULL,
  snapshot          pg_snapshot NOT NULL,
  cursor            timestamptz NOT NULL,
  lsn               pg_lsn NOT NULL,
  fingerprint       jsonb NOT NULL,
  system_identifier bigint NOT NULL,
  timeline          integer NOT NULL,
  file_number       oid NOT NULL,
  wal_map           pg_lsn NOT NULL,
  wal_floor         pg_lsn NOT NULL,
  relation_name     text,
  condition         text,
  empty             boolean NOT NULL DEFAULT false,
  PRIMARY KEY (model_id, relation)
);

COMMENT ON TABLE hydra_export.baselines IS 'state of each table of a model at its last successful export, from which the next one starts';
COMMENT ON COLUMN hydra_export.baselines.model_id IS 'number of the model';
COMMENT ON COLUMN hydra_export.baselines.relation IS 'the table, or one leaf of a partitioned table';
COMMENT ON COLUMN hydra_export.baselines.snapshot IS 'the snapshot that was read, subtransactions included: what it did not see counts as changed';
COMMENT ON COLUMN hydra_export.baselines.cursor IS 'no transaction that was invisible to the snapshot began before this time';
COMMENT ON COLUMN hydra_export.baselines.lsn IS 'WAL position at that time';
COMMENT ON COLUMN hydra_export.baselines.fingerprint IS 'what the JSON of unchanged rows depends on';
COMMENT ON COLUMN hydra_export.baselines.system_identifier IS 'cluster to which the snapshot belongs';
COMMENT ON COLUMN hydra_export.baselines.timeline IS 'timeline on which it was taken';
COMMENT ON COLUMN hydra_export.baselines.file_number IS 'relfilenode of the table; a different one means that the table was rewritten';
COMMENT ON COLUMN hydra_export.baselines.wal_map IS 'WAL position just before the snapshot was taken';
COMMENT ON COLUMN hydra_export.baselines.wal_floor IS 'WAL position after which all changes that were not visible to the snapshot were written; 0/0 if unknown';
COMMENT ON COLUMN hydra_export.baselines.relation_name IS 'name of the table at that export; NULL if unknown';
COMMENT ON COLUMN hydra_export.baselines.condition IS 'condition that the rows of a partition met then; NULL if there is none that other systems can evaluate';
COMMENT ON COLUMN hydra_export.baselines.empty IS 'true if the table had no block then';

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

-- ---------------------------------------------------------------- history

CREATE TABLE hydra_export.exports (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  destination text NOT NULL,
  folder      text NOT NULL,
  started_by  text NOT NULL CHECK (started_by IN ('schedule', 'user', 'retry')),
  status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'partial', 'failed', 'cancelled')),
  started_at  timestamptz NOT NULL,
  finished_at timestamptz,
  models      integer NOT NULL DEFAULT 0,
  objects     bigint NOT NULL DEFAULT 0,
  rows        bigint NOT NULL DEFAULT 0,
  bytes       bigint NOT NULL DEFAULT 0,
  error       text,
  UNIQUE (destination, folder)
);
CREATE INDEX ON hydra_export.exports (started_at);

COMMENT ON TABLE hydra_export.exports IS 'one row per export';
COMMENT ON COLUMN hydra_export.exports.id IS 'number of the export';
COMMENT ON COLUMN hydra_export.exports.destination IS 'destination that was exported to';
COMMENT ON COLUMN hydra_export.exports.folder IS 'the export''s folder in the bucket: the minute of its start, in UTC';
COMMENT ON COLUMN hydra_export.exports.started_by IS 'schedule, user (hydra_export.export_now) or retry';
COMMENT ON COLUMN hydra_export.exports.status IS 'running, succeeded, partial (some models failed), failed or cancelled';
COMMENT ON COLUMN hydra_export.exports.started_at IS 'when it started';
COMMENT ON COLUMN hydra_export.exports.finished_at IS 'when it ended; NULL while it runs';
COMMENT ON COLUMN hydra_export.exports.models IS 'number of its models';
COMMENT ON COLUMN hydra_export.exports.objects IS 'number of its objects in the bucket, without the manifest';
COMMENT ON COLUMN hydra_export.exports.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.exports.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON COLUMN hydra_export.exports.error IS 'error message; for a partial export, the failed models and their errors; may contain ids of rows';

CREATE TABLE hydra_export.export_models (
  export_id          bigint NOT NULL REFERENCES hydra_export.exports (id) ON DELETE CASCADE,
  model              text NOT NULL,
  relation           text NOT NULL,
  kind               text CHECK (kind IN ('full', 'incremental')),
  status             text NOT NULL CHECK (status IN ('succeeded', 'failed', 'cancelled')),
  started_at         timestamptz,
  finished_at        timestamptz,
  objects            bigint NOT NULL,
  rows               bigint NOT NULL,
  bytes              bigint NOT NULL,
  error              text,
  reason             text,
  snapshot           pg_snapshot,
  lsn                pg_lsn,
  previous_export_id bigint,
  blocks_total              bigint NOT NULL DEFAULT 0,
  blocks_skipped_by_summary bigint NOT NULL DEFAULT 0,
  blocks_skipped_by_map     bigint NOT NULL DEFAULT 0,
  blocks_skipped_by_lsn     bigint NOT NULL DEFAULT 0,
  blocks_read               bigint NOT NULL DEFAULT 0,
  workers                   integer NOT NULL DEFAULT 0,
  PRIMARY KEY (export_id, model)
);

COMMENT ON TABLE hydra_export.export_models IS 'one row per model of an export';
COMMENT ON COLUMN hydra_export.export_models.export_id IS 'number of the export';
COMMENT ON COLUMN hydra_export.export_models.model IS 'name of the model';
COMMENT ON COLUMN hydra_export.export_models.relation IS 'name of the exported relation';
COMMENT ON COLUMN hydra_export.export_models.kind IS 'full (every row) or incremental (the changed rows)';
COMMENT ON COLUMN hydra_export.export_models.status IS 'succeeded, failed or cancelled';
COMMENT ON COLUMN hydra_export.export_models.started_at IS 'when its reading began';
COMMENT ON COLUMN hydra_export.export_models.finished_at IS 'when its reading ended';
COMMENT ON COLUMN hydra_export.export_models.objects IS 'number of its objects in the bucket';
COMMENT ON COLUMN hydra_export.export_models.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.export_models.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON COLUMN hydra_export.export_models.error IS 'error message; may contain the id of a row';
COMMENT ON COLUMN hydra_export.export_models.reason IS 'why it was full, or why the whole table was read';
COMMENT ON COLUMN hydra_export.export_models.blocks_total IS 'blocks of its tables, if they were scanned';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_summary IS 'blocks not read because WAL summaries, and the WAL after them, contain no change of them';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_map IS 'blocks not read because the visibility map shows that they did not change';
COMMENT ON COLUMN hydra_export.export_models.blocks_skipped_by_lsn IS 'blocks of which only the header was read because it shows that they did not change';
COMMENT ON COLUMN hydra_export.export_models.blocks_read IS 'blocks whose rows were read';
COMMENT ON COLUMN hydra_export.export_models.workers IS 'parallel workers that read it in addition to the export''s own process';
COMMENT ON COLUMN hydra_export.export_models.snapshot IS 'the snapshot that was read';
COMMENT ON COLUMN hydra_export.export_models.lsn IS 'WAL position at that time';
COMMENT ON COLUMN hydra_export.export_models.previous_export_id IS 'the export whose snapshot this one starts from';

CREATE TABLE hydra_export.export_objects (
  export_id   bigint NOT NULL,
  model       text NOT NULL,
  key         text NOT NULL,
  first_id    text NOT NULL,
  last_id     text NOT NULL,
  rows        bigint NOT NULL,
  bytes       bigint NOT NULL,
  sha256      text NOT NULL,
  etag        text NOT NULL,
  uploaded_at timestamptz NOT NULL,
  PRIMARY KEY (export_id, key),
  FOREIGN KEY (export_id, model) REFERENCES hydra_export.export_models ON DELETE CASCADE
);

COMMENT ON TABLE hydra_export.export_objects IS 'one row per object in the bucket';
COMMENT ON COLUMN hydra_export.export_objects.export_id IS 'number of the export';
COMMENT ON COLUMN hydra_export.export_objects.model IS 'name of the model';
COMMENT ON COLUMN hydra_export.export_objects.key IS 'the object''s key, which contains first_id and last_id';
COMMENT ON COLUMN hydra_export.export_objects.first_id IS 'id of the first row in it: the values of its key columns';
COMMENT ON COLUMN hydra_export.export_objects.last_id IS 'id of the last row in it: the values of its key columns';
COMMENT ON COLUMN hydra_export.export_objects.rows IS 'number of rows in it';
COMMENT ON COLUMN hydra_export.export_objects.bytes IS 'its size as sent, in bytes';
COMMENT ON COLUMN hydra_export.export_objects.sha256 IS 'SHA-256 of the body, in hexadecimal';
COMMENT ON COLUMN hydra_export.export_objects.etag IS 'ETag that S3 returned';
COMMENT ON COLUMN hydra_export.export_objects.uploaded_at IS 'when its upload was complete';

CREATE VIEW hydra_export.recent_exports AS
  SELECT id, destination, folder, status, date_trunc('second', started_at) AS started_at,
         date_trunc('second', coalesce(finished_at, clock_timestamp()) - started_at) AS duration,
         models, objects, rows, bytes,
         CASE WHEN length(reason) > 40 THEN left(reason, 37) || '...' ELSE reason END AS error
  FROM hydra_export.exports,
       -- Keys of objects are removed, so that the cause is at the beginning.
       LATERAL (SELECT regexp_replace(error, 'object "[^"]*": ', '', 'g') AS reason) AS shorter
  ORDER BY id DESC;

COMMENT ON VIEW hydra_export.recent_exports IS 'the exports, newest first';
COMMENT ON COLUMN hydra_export.recent_exports.id IS 'number of the export';
COMMENT ON COLUMN hydra_export.recent_exports.destination IS 'destination that was exported to';
COMMENT ON COLUMN hydra_export.recent_exports.folder IS 'the export''s folder in the bucket: the minute of its start, in UTC';
COMMENT ON COLUMN hydra_export.recent_exports.status IS 'running, succeeded, partial (some models failed), failed or cancelled';
COMMENT ON COLUMN hydra_export.recent_exports.started_at IS 'when it started, to the second';
COMMENT ON COLUMN hydra_export.recent_exports.duration IS 'how long it took, or has taken so far, to the second';
COMMENT ON COLUMN hydra_export.recent_exports.models IS 'number of its models';
COMMENT ON COLUMN hydra_export.recent_exports.objects IS 'number of its objects in the bucket, without the manifest';
COMMENT ON COLUMN hydra_export.recent_exports.rows IS 'number of rows in these objects';
COMMENT ON COLUMN hydra_export.recent_exports.bytes IS 'size of these objects as sent, in bytes';
COMMENT ON COLUMN hydra_export.recent_exports.error IS 'beginning of the error message, which is complete in hydra_export.exports; may contain ids of rows';

-- ---------------------------------------------------------------- functions: settings

CREATE FUNCTION hydra_export_internal.configure_support(internal)
RETURNS internal LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_configure_support';
COMMENT ON FUNCTION hydra_export_internal.configure_support IS 'lets hydra_export.configure() hide its statement before it runs';

CREATE FUNCTION hydra_export.configure(
  bucket text DEFAULT NULL, access_key text DEFAULT NULL, secret_key text DEFAULT NULL,
  session_token text DEFAULT NULL, region text DEFAULT NULL, endpoint text DEFAULT NULL,
  prefix text DEFAULT NULL, frequency_hours integer DEFAULT NULL, credentials text DEFAULT NULL,
  role_arn text DEFAULT NULL, external_id text DEFAULT NULL,
  addressing text DEFAULT NULL, compression text DEFAULT NULL, conditional text DEFAULT NULL,
  object_headers jsonb DEFAULT NULL, start_window text DEFAULT NULL,
  destination text DEFAULT 'default')
RETURNS void LANGUAGE c SUPPORT hydra_export_internal.configure_support SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_configure';
COMMENT ON FUNCTION hydra_export.configure IS
'saves the settings of a destination; NULL leaves a setting unchanged, '''' clears it. frequency_hours is 1 to 168. Keys are best given as a file on the server, with credentials => ''file:/path''';

CREATE FUNCTION hydra_export.remove_destination(destination text)
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_remove_destination';
COMMENT ON FUNCTION hydra_export.remove_destination IS
'removes a destination with its models and credentials; its history stays';

CREATE FUNCTION hydra_export.pause(destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_pause';
COMMENT ON FUNCTION hydra_export.pause IS 'stops scheduled exports of the destination until hydra_export.resume()';

CREATE FUNCTION hydra_export.resume(destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_resume';
COMMENT ON FUNCTION hydra_export.resume IS
'starts scheduled exports again, after hydra_export.pause() or in a copy of a database. In a copy the next exports are full, and the tables and roles of models restored from a dump are looked up by name: warnings tell which are missing, and the next call looks for them again';

CREATE FUNCTION hydra_export.check_access(
  destination text DEFAULT 'default', OUT key text, OUT endpoint text, OUT region text,
  OUT credentials text, OUT expires_at timestamptz, OUT conditional text)
RETURNS record LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_check_access';
COMMENT ON FUNCTION hydra_export.check_access IS
'tests the settings: writes the object <prefix>_hydra_export_check, in a worker as an export would, and returns its place and the keys used; conditional tells how the store handles If-None-Match: honoured, ignored or refused. Raises an error if the upload fails';

CREATE FUNCTION hydra_export.iam_policy(destination text DEFAULT 'default')
RETURNS jsonb LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_iam_policy';
COMMENT ON FUNCTION hydra_export.iam_policy IS
'the smallest IAM policy that the destination''s key needs: s3:PutObject below its prefix, and what its object_headers require';

-- ---------------------------------------------------------------- functions: models

CREATE FUNCTION hydra_export.add_model(
  relation regclass, name text DEFAULT NULL, changed_by text DEFAULT 'xmin',
  updated_at_column name DEFAULT 'updated_at', key_columns name[] DEFAULT NULL,
  columns name[] DEFAULT NULL, look_back interval DEFAULT '1 hour',
  full_every_hours integer DEFAULT NULL, destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_add_model';
COMMENT ON FUNCTION hydra_export.add_model IS
'adds a table, partitioned table, view, materialized view or foreign table to a destination; the caller needs SELECT on it, also at each later export';

CREATE FUNCTION hydra_export.alter_model(
  name text, changed_by text DEFAULT NULL, updated_at_column name DEFAULT NULL,
  key_columns name[] DEFAULT NULL, columns name[] DEFAULT NULL, look_back interval DEFAULT NULL,
  full_every_hours integer DEFAULT NULL, destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_alter_model';
COMMENT ON FUNCTION hydra_export.alter_model IS
'changes the settings of a model; NULL leaves a setting unchanged, an empty array or 0 clears it';

CREATE FUNCTION hydra_export.remove_model(name text, destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_remove_model';
COMMENT ON FUNCTION hydra_export.remove_model IS 'stops exporting the model; its history and objects stay';

CREATE FUNCTION hydra_export.reset_model(name text, destination text DEFAULT 'default')
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_reset_model';
COMMENT ON FUNCTION hydra_export.reset_model IS 'makes the model''s next export a full one';

-- ---------------------------------------------------------------- functions: exports, schedule

CREATE FUNCTION hydra_export.export_now(destination text DEFAULT 'default', wait boolean DEFAULT true)
RETURNS bigint LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_export_now';
COMMENT ON FUNCTION hydra_export.export_now IS
'exports a destination now, in a worker of its own, and returns the export''s id; what the calling transaction has not committed is not exported. While it waits, a call that is a statement of its own does not hold back VACUUM; inside a transaction block or a function, use wait => false';

CREATE FUNCTION hydra_export.cancel_export(id bigint)
RETURNS boolean LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_cancel_export';
COMMENT ON FUNCTION hydra_export.cancel_export IS
'cancels a running export; returns false if it is not running. The next export includes what this one did not finish';

CREATE FUNCTION hydra_export.preview(
  destination text DEFAULT 'default', OUT model text, OUT kind text, OUT blocks_total bigint,
  OUT blocks_to_read bigint, OUT rows bigint, OUT bytes bigint, OUT reason text)
RETURNS SETOF record LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_preview';
COMMENT ON FUNCTION hydra_export.preview IS
'what an export would do now, determined from the visibility map and page headers only. rows and bytes are upper estimates, and NULL if an index or the planner selects the rows. Before the first export, bytes are estimated from the average column widths that ANALYZE found, without compression. If kind is NULL, the model would fail for the reason given';

CREATE FUNCTION hydra_export_internal.progress_rows(
  OUT export_id bigint, OUT model text, OUT phase text, OUT blocks_total bigint,
  OUT blocks_scanned bigint, OUT blocks_skipped bigint, OUT rows bigint, OUT bytes_written bigint,
  OUT bytes_uploaded bigint, OUT objects bigint, OUT started_at timestamptz, OUT pid integer)
RETURNS SETOF record LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_progress_rows';
COMMENT ON FUNCTION hydra_export_internal.progress_rows IS 'the rows of the view hydra_export.progress';

CREATE VIEW hydra_export.progress AS
  SELECT export_id, model, phase, blocks_total, blocks_scanned, blocks_skipped, rows, bytes_written,
         bytes_uploaded, objects, date_trunc('second', started_at) AS started_at, pid
  FROM hydra_export_internal.progress_rows();
COMMENT ON VIEW hydra_export.progress IS 'the models of exports that run in this database, the first 1,024 of the server; empty without shared_preload_libraries';
COMMENT ON COLUMN hydra_export.progress.export_id IS 'number of the export';
COMMENT ON COLUMN hydra_export.progress.model IS 'name of the model';
COMMENT ON COLUMN hydra_export.progress.phase IS 'waiting, waiting for locks, reading, uploading, writing the manifest, or failed';
COMMENT ON COLUMN hydra_export.progress.blocks_total IS 'blocks of its tables, if they are scanned';
COMMENT ON COLUMN hydra_export.progress.blocks_scanned IS 'blocks whose rows were read';
COMMENT ON COLUMN hydra_export.progress.blocks_skipped IS 'blocks skipped because they did not change';
COMMENT ON COLUMN hydra_export.progress.rows IS 'rows written so far';
COMMENT ON COLUMN hydra_export.progress.bytes_written IS 'bytes of JSON written so far';
COMMENT ON COLUMN hydra_export.progress.bytes_uploaded IS 'bytes uploaded so far';
COMMENT ON COLUMN hydra_export.progress.objects IS 'objects uploaded so far';
COMMENT ON COLUMN hydra_export.progress.started_at IS 'when reading the model began, or the export if that is still to come';
COMMENT ON COLUMN hydra_export.progress.pid IS 'process that exports';

CREATE FUNCTION hydra_export_internal.schedule_rows(
  OUT destination text, OUT enabled boolean, OUT frequency_hours integer,
  OUT last_export timestamptz, OUT last_status text, OUT next_export_at timestamptz, OUT why text)
RETURNS SETOF record LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_schedule_rows';
COMMENT ON FUNCTION hydra_export_internal.schedule_rows IS 'the rows of the view hydra_export.schedule';

CREATE VIEW hydra_export.schedule AS
  SELECT destination, enabled, frequency_hours, date_trunc('second', last_export) AS last_export,
         last_status, date_trunc('second', next_export_at) AS next_export_at, why
  FROM hydra_export_internal.schedule_rows();
COMMENT ON VIEW hydra_export.schedule IS 'when each destination is exported next, and the reason for that time, or why no export is scheduled';
COMMENT ON COLUMN hydra_export.schedule.destination IS 'name of the destination';
COMMENT ON COLUMN hydra_export.schedule.enabled IS 'false after hydra_export.pause()';
COMMENT ON COLUMN hydra_export.schedule.frequency_hours IS 'hours between exports';
COMMENT ON COLUMN hydra_export.schedule.last_export IS 'when the newest export started, scheduled or not, to the second';
COMMENT ON COLUMN hydra_export.schedule.last_status IS 'how it ended, or running';
COMMENT ON COLUMN hydra_export.schedule.next_export_at IS 'when the next one is due, to the second; NULL for never';
COMMENT ON COLUMN hydra_export.schedule.why IS 'the reason for that time, or why no export is scheduled';

-- ---------------------------------------------------------------- functions: checks

CREATE FUNCTION hydra_export.check_history(
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
COMMENT ON FUNCTION hydra_export.check_history IS
'finds inconsistencies in the history of a destination; returns no row if there are none';

CREATE FUNCTION hydra_export.check_listing(
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
COMMENT ON FUNCTION hydra_export.check_listing IS
'compares the history of exports since a time with a listing of the bucket, which is a table with the columns key, size and etag; returns no row if they agree';

-- Notifies the launcher when a change is committed.
CREATE FUNCTION hydra_export_internal.schedule_changed()
RETURNS trigger LANGUAGE c
AS 'MODULE_PATHNAME', 'hydra_export_schedule_changed';
COMMENT ON FUNCTION hydra_export_internal.schedule_changed IS 'makes the launcher check this database when the transaction commits';

CREATE TRIGGER schedule_changed
  AFTER INSERT OR DELETE OR TRUNCATE
     OR UPDATE OF bucket, endpoint, prefix, region, frequency_hours, start_window, enabled, saved_at
  ON hydra_export.settings FOR EACH STATEMENT EXECUTE FUNCTION hydra_export_internal.schedule_changed();
CREATE TRIGGER schedule_changed
  AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
  ON hydra_export.models FOR EACH STATEMENT EXECUTE FUNCTION hydra_export_internal.schedule_changed();

-- Fires also with session_replication_role = replica.
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

-- ---------------------------------------------------------------- rights and dumps

-- Revokes what ALTER DEFAULT PRIVILEGES grants on new objects.
DO $$
DECLARE
  grantee text;
  kind text;
BEGIN
  FOR grantee IN
    SELECT DISTINCT CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END
    FROM (
      SELECT relacl FROM pg_catalog.pg_class WHERE relnamespace = 'hydra_export'::regnamespace
      UNION ALL SELECT proacl FROM pg_catalog.pg_proc
        WHERE pronamespace IN ('hydra_export'::regnamespace, 'hydra_export_internal'::regnamespace)
      UNION ALL SELECT nspacl FROM pg_catalog.pg_namespace
        WHERE nspname IN ('hydra_export', 'hydra_export_internal')
    ) AS objects (acl), pg_catalog.aclexplode(acl) AS granted
    WHERE granted.grantee <> granted.grantor
  LOOP
    EXECUTE 'REVOKE ALL ON SCHEMA hydra_export, hydra_export_internal FROM ' || grantee;
    FOREACH kind IN ARRAY ARRAY['TABLES', 'SEQUENCES', 'FUNCTIONS'] LOOP
      EXECUTE pg_catalog.format('REVOKE ALL ON ALL %s IN SCHEMA hydra_export, hydra_export_internal FROM %s', kind, grantee);
    END LOOP;
  END LOOP;
END
$$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA hydra_export, hydra_export_internal FROM PUBLIC;
GRANT hydra_export_monitor TO hydra_export_admin;
GRANT USAGE ON SCHEMA hydra_export TO hydra_export_monitor;
GRANT SELECT ON hydra_export.settings, hydra_export.models, hydra_export.exports,
  hydra_export.export_models, hydra_export.export_objects, hydra_export.recent_exports,
  hydra_export.schedule, hydra_export.progress TO hydra_export_monitor;
GRANT EXECUTE ON FUNCTION hydra_export_internal.schedule_rows, hydra_export_internal.progress_rows,
  hydra_export.check_history, hydra_export.check_listing TO hydra_export_monitor;
GRANT EXECUTE ON FUNCTION
  hydra_export.configure, hydra_export.remove_destination, hydra_export.pause, hydra_export.resume,
  hydra_export.check_access, hydra_export.iam_policy, hydra_export.add_model,
  hydra_export.alter_model, hydra_export.remove_model, hydra_export.reset_model,
  hydra_export.export_now, hydra_export.cancel_export, hydra_export.preview
  TO hydra_export_admin;

SELECT pg_catalog.pg_extension_config_dump('hydra_export.settings', '');
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
SELECT pg_catalog.pg_extension_config_dump('hydra_export.models_id_seq', '');
