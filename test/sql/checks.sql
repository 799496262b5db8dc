-- check_history() and check_listing(): what they say to a wrong argument. test/t/043_checks.pl has what they find.
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
CREATE TABLE listing (key text, size bigint, etag text);
SELECT * FROM hydra_export.check_listing('listing');
SELECT * FROM hydra_export.check_history();

-- Errors name the table and say what it has to look like; none shows the query.
CREATE TABLE orders (id int PRIMARY KEY);
SELECT * FROM hydra_export.check_listing('orders');
SELECT * FROM hydra_export.check_listing(NULL);
SELECT * FROM hydra_export.check_listing('no_such_table');
CREATE TABLE as_text (key text, size text, etag text);
INSERT INTO as_text VALUES ('None', 'None', 'None');
INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at)
VALUES ('default', '202601010000', 'user', 'succeeded', '2026-01-01');
SELECT * FROM hydra_export.check_listing('as_text');
CREATE ROLE regress_monitor;
GRANT hydra_export_monitor TO regress_monitor;
SET ROLE regress_monitor;
SELECT * FROM hydra_export.check_listing('listing');
RESET ROLE;

-- A misspelled name must not look like a destination without problems.
SELECT * FROM hydra_export.check_listing('listing', destination => 'defualt');
SELECT * FROM hydra_export.check_listing('listing', destination => NULL);
SELECT * FROM hydra_export.check_history('defualt');
SELECT * FROM hydra_export.check_history(NULL);
-- History outlives its destination, and can be checked.
SELECT hydra_export.remove_destination('default');
SELECT * FROM hydra_export.check_history();

DROP TABLE listing, orders, as_text;
DROP ROLE regress_monitor;
DROP EXTENSION hydra_export;
