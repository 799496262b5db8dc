/* hydra_export 0.1.0 to 0.2.0 */
\echo Use "ALTER EXTENSION hydra_export UPDATE TO '0.2.0'" to load this file. \quit

-- ---------------------------------------------------------------- secrets

CREATE FOREIGN DATA WRAPPER hydra_export;
COMMENT ON FOREIGN DATA WRAPPER hydra_export IS 'keeps static credentials of hydra_export; not for foreign tables';
CREATE SERVER hydra_export FOREIGN DATA WRAPPER hydra_export;
COMMENT ON SERVER hydra_export IS 'keeps static credentials of hydra_export, as a user mapping; not for foreign tables';

ALTER TABLE hydra_export.destination_state ADD COLUMN system_identifier bigint, ADD COLUMN written_by xid8;

-- Moves the rows of hydra_export.secrets into the user mapping, and fills the new columns.
CREATE FUNCTION hydra_export.upgrade_from_0_1_0()
RETURNS void LANGUAGE c SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_upgrade_from_0_1_0';
SELECT hydra_export.upgrade_from_0_1_0();
DROP FUNCTION hydra_export.upgrade_from_0_1_0();
DROP TABLE hydra_export.secrets;

ALTER TABLE hydra_export.destination_state ALTER COLUMN system_identifier SET NOT NULL, ALTER COLUMN written_by SET NOT NULL;
COMMENT ON COLUMN hydra_export.settings.credentials IS 'where the keys come from: static (saved in this database), file:/path (on the server), or from the server itself: environment, profile, profile:name, web_identity, container, instance, auto';
COMMENT ON COLUMN hydra_export.destination_state.system_identifier IS 'cluster in which the settings were saved or resumed; another one means a copy, which pauses';
COMMENT ON COLUMN hydra_export.destination_state.written_by IS 'transaction that wrote the row: it is the row''s xmin where that is no copy by logical replication';

CREATE FUNCTION hydra_export.configure_support(internal)
RETURNS internal LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hydra_export_configure_support';
COMMENT ON FUNCTION hydra_export.configure_support IS 'lets hydra_export.configure() hide its statement before it runs';
REVOKE ALL ON FUNCTION hydra_export.configure_support FROM PUBLIC;
ALTER FUNCTION hydra_export.configure SUPPORT hydra_export.configure_support;
COMMENT ON FUNCTION hydra_export.configure IS
'saves a destination''s settings; NULL leaves a setting as it is, '''' clears it. frequency_hours is 1 to 168. Keys are best given as a file on the server, with credentials => ''file:/path''';

ALTER TABLE hydra_export.settings ENABLE ALWAYS TRIGGER schedule_changed;
ALTER TABLE hydra_export.models ENABLE ALWAYS TRIGGER schedule_changed;
