-- Who may do what: members of hydra_export_admin, of hydra_export_monitor, and everybody else.
CREATE EXTENSION hydra_export;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
CREATE ROLE regress_other_admin;
GRANT hydra_export_admin TO regress_other_admin;
CREATE ROLE regress_monitor;
GRANT hydra_export_monitor TO regress_monitor;
CREATE ROLE regress_nobody;
CREATE TABLE shop (id int PRIMARY KEY, open boolean);
CREATE TABLE admins_own (id int PRIMARY KEY, hidden text, updated_at timestamptz);
ALTER TABLE admins_own OWNER TO regress_admin;
CREATE TABLE guarded (id int PRIMARY KEY);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON guarded TO regress_admin;
CREATE TABLE forced (id int PRIMARY KEY);
ALTER TABLE forced OWNER TO regress_admin;
ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- An admin need not be a superuser.
SET ROLE regress_admin;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT hydra_export.add_model('admins_own');
SELECT hydra_export.alter_model('admins_own', look_back => '2 hours');
SELECT hydra_export.reset_model('admins_own');
SELECT hydra_export.pause();
SELECT hydra_export.resume();
SELECT hydra_export.iam_policy();
SELECT name, relation, added_by FROM hydra_export.models;
SELECT destination, frequency_hours FROM hydra_export.settings;
SELECT destination, enabled FROM hydra_export.schedule;
SELECT count(*) FROM hydra_export.recent_exports;

-- A model is read with the rights of the role that adds it.
SELECT hydra_export.add_model('shop');
-- Relations that only superusers may read are not exported.
RESET ROLE;
SELECT hydra_export.add_model('hydra_export.destination_state');
SET ROLE regress_admin;
-- A table with row security would be exported in part.
SELECT hydra_export.add_model('guarded');
SELECT hydra_export.add_model('forced');
RESET ROLE;
-- Of the columns that are exported, all have to be readable, the one that says when a row changed too.
GRANT SELECT (id) ON shop TO regress_admin;
GRANT SELECT (id, hidden) ON admins_own TO regress_other_admin;
SET ROLE regress_admin;
SELECT hydra_export.add_model('shop');
SELECT hydra_export.add_model('shop', columns => '{id}');
SELECT hydra_export.alter_model('shop', columns => '{id,open}');
SET ROLE regress_other_admin;
SELECT hydra_export.add_model('admins_own', 'theirs', columns => '{id,hidden}', changed_by => 'updated_at');
SELECT hydra_export.add_model('admins_own', 'theirs', columns => '{id}');
-- Who alters a model must be able to read it, and so must who added it.
SELECT hydra_export.alter_model('admins_own', look_back => '3 hours');
SELECT hydra_export.alter_model('shop', look_back => '3 hours');
RESET ROLE;
SELECT hydra_export.alter_model('theirs', changed_by => 'updated_at');
SELECT hydra_export.alter_model('shop', columns => '{id,open}');
ALTER ROLE regress_admin BYPASSRLS;
SET ROLE regress_admin;
SELECT hydra_export.add_model('guarded');
SELECT hydra_export.add_model('forced');
-- The tables themselves are closed.
INSERT INTO hydra_export.settings (destination) VALUES ('new');
UPDATE hydra_export.models SET added_by = NULL;
DELETE FROM hydra_export.exports;
SELECT count(*) FROM hydra_export.baselines;
SELECT count(*) FROM hydra_export.destination_state;
SELECT hydra_export_internal.schedule_changed();
-- Any admin may remove what another one added.
SET ROLE regress_other_admin;
SELECT hydra_export.remove_model('shop');
SELECT name, added_by FROM hydra_export.models ORDER BY name;

-- A monitor reads history and schedule, and changes nothing.
SET ROLE regress_monitor;
SELECT name FROM hydra_export.models ORDER BY name;
SELECT destination, bucket FROM hydra_export.settings;
SELECT destination, enabled FROM hydra_export.schedule;
SELECT count(*) FROM hydra_export.exports;
SELECT count(*) FROM hydra_export.export_models;
SELECT count(*) FROM hydra_export.export_objects;
SELECT count(*) FROM hydra_export.recent_exports;
SELECT count(*) FROM pg_user_mapping;
SELECT hydra_export.configure(frequency_hours => 2);
SELECT hydra_export.remove_destination('default');
SELECT hydra_export.pause();
SELECT hydra_export.resume();
SELECT hydra_export.iam_policy();
SELECT hydra_export.add_model('shop');
SELECT hydra_export.alter_model('shop');
SELECT hydra_export.remove_model('shop');
SELECT hydra_export.reset_model('shop');
SELECT hydra_export.export_now();
SELECT hydra_export.cancel_export(1);
SELECT count(*) FROM hydra_export.progress;
UPDATE hydra_export.settings SET frequency_hours = 1;

-- Everybody else does not even see the schema.
SET ROLE regress_nobody;
SELECT * FROM hydra_export.schedule;
SELECT hydra_export.configure(frequency_hours => 2);
SELECT hydra_export.export_now();
RESET ROLE;
-- USAGE on it would not help either.
GRANT USAGE ON SCHEMA hydra_export, hydra_export_internal TO regress_nobody;
SET ROLE regress_nobody;
SELECT count(*) FROM hydra_export.settings;
SELECT * FROM hydra_export.schedule;
SELECT * FROM hydra_export_internal.schedule_rows();
SELECT hydra_export.configure(frequency_hours => 2);
SELECT hydra_export.export_now();
-- Schemas at the front of a caller's search_path have no effect.
CREATE TEMP TABLE pg_class (oid oid);
SET search_path = pg_temp, pg_catalog, public;
RESET ROLE;
GRANT hydra_export_admin TO regress_nobody;
SET ROLE regress_nobody;
SELECT hydra_export.configure(frequency_hours => 3);
RESET search_path;
RESET ROLE;
SELECT frequency_hours FROM hydra_export.settings;

-- The role that added a model is dropped.
DROP TABLE admins_own, forced;
ALTER ROLE regress_admin NOBYPASSRLS;
ALTER TABLE guarded DISABLE ROW LEVEL SECURITY;
REVOKE SELECT ON shop, guarded FROM regress_admin;
REVOKE SELECT (id) ON shop FROM regress_admin;
SELECT hydra_export.alter_model('guarded', look_back => '1 hour');
DROP ROLE regress_admin;
SELECT hydra_export.alter_model('guarded', look_back => '1 hour');
SELECT hydra_export.remove_model('guarded');

DISCARD TEMP;
DROP EXTENSION hydra_export;
DROP TABLE shop, guarded;
DROP ROLE regress_other_admin, regress_monitor, regress_nobody;
