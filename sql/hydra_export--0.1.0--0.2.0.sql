/* hydra_export 0.1.0 to 0.2.0 */
\echo Use "ALTER EXTENSION hydra_export UPDATE TO '0.2.0'" to load this file. \quit

-- ---------------------------------------------------------------- models

ALTER TABLE hydra_export.models
  ALTER relation DROP NOT NULL,
  ALTER added_by DROP NOT NULL,
  ADD restored_relation text,
  ADD restored_role text,
  ADD problem text;
-- Nothing is known against models that are here, but where they came with a dump themselves.
ALTER TABLE hydra_export.models
  ALTER problem SET DEFAULT 'it came with a dump, and hydra_export.resume() has not looked for its table yet';
UPDATE hydra_export.models m SET problem = DEFAULT
  WHERE NOT EXISTS (SELECT FROM hydra_export.destination_state s WHERE s.destination = m.destination);
ALTER TABLE hydra_export.models
  ADD CONSTRAINT models_known_check CHECK (problem IS NOT NULL OR (relation IS NOT NULL AND added_by IS NOT NULL));

COMMENT ON COLUMN hydra_export.models.relation IS 'table, partitioned table, view, materialized view or foreign table; NULL where there is a problem';
COMMENT ON COLUMN hydra_export.models.added_by IS 'role with whose rights the model is read; NULL where there is a problem';
COMMENT ON COLUMN hydra_export.models.restored_relation IS 'name of the table in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.restored_role IS 'name of the role that added the model in the database that was dumped, until hydra_export.resume() has found it here';
COMMENT ON COLUMN hydra_export.models.problem IS 'why the model cannot be exported; NULL when nothing is known against it';

-- An OID means another table, and another role, in another database: a dump has names. pg_dump puts
-- this behind SELECT <columns> FROM hydra_export.models, so the rows come from the second half.
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
'scheduled exports again, after hydra_export.pause() or in a copy of a database; in a copy the next ones are full, and models that came with a dump look for their tables and roles by name: what is missing is told in warnings, and looked for again by the next call';

-- ---------------------------------------------------------------- history

-- What hydra_export_monitor gets to see in it.
COMMENT ON COLUMN hydra_export.exports.error IS 'what went wrong; for a partial export the failed models and their reasons; may hold ids of rows';
COMMENT ON COLUMN hydra_export.export_models.error IS 'what went wrong with it; may hold the id of a row';
COMMENT ON COLUMN hydra_export.export_objects.key IS 'the object''s key, which holds first_id and last_id';
COMMENT ON COLUMN hydra_export.export_objects.first_id IS 'id of the first row in it: the values of its key columns';
COMMENT ON COLUMN hydra_export.export_objects.last_id IS 'id of the last row in it: the values of its key columns';
COMMENT ON COLUMN hydra_export.recent_exports.error IS 'what went wrong; for a partial export the failed models and their reasons; may hold ids of rows';

-- ---------------------------------------------------------------- schedule

-- The trigger has the launcher look at this database when the update commits: before, the library
-- refused to work with these objects.
UPDATE hydra_export.settings SET enabled = enabled WHERE false;
