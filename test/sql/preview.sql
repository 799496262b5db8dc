-- preview(): what an export would do now, and why a model would fail, without an export.
CREATE EXTENSION hydra_export;
CREATE TABLE orders (id int PRIMARY KEY, item text);
INSERT INTO orders SELECT n, 'item' FROM generate_series(1, 1000) AS n;
ANALYZE orders;
CREATE TABLE gone (id int PRIMARY KEY);
CREATE TABLE guarded (id int PRIMARY KEY);
CREATE VIEW viewed AS SELECT id, now() AS updated_at FROM orders;
CREATE ROLE regress_admin;
GRANT hydra_export_admin TO regress_admin;
GRANT SELECT ON guarded TO regress_admin;

SELECT * FROM hydra_export.preview('no such');
SELECT * FROM hydra_export.preview(NULL);
SELECT hydra_export.configure(bucket => 'exports', endpoint => 'http://127.0.0.1:9', access_key => 'A', secret_key => 'S');
SELECT * FROM hydra_export.preview();

SELECT hydra_export.add_model('orders');
SELECT hydra_export.add_model('viewed', changed_by => 'updated_at', key_columns => '{id}');
SELECT hydra_export.add_model('gone');
SET ROLE regress_admin;
SELECT hydra_export.add_model('guarded');
RESET ROLE;
DROP TABLE gone;
REVOKE SELECT ON guarded FROM regress_admin;
SELECT model, kind, blocks_total > 0 AS blocks, blocks_to_read = blocks_total AS all_blocks, rows, reason
FROM hydra_export.preview();
-- Before the first export bytes follow from statistics, and come near to what is sent.
SELECT bytes BETWEEN sent * 3 / 4 AND sent * 3 / 2 AS near
FROM hydra_export.preview(), (SELECT sum(length(row_to_json(o)::text) + 1)::bigint FROM orders o) AS o (sent)
WHERE model = 'orders';
-- Without statistics, the planner's defaults are used.
CREATE TABLE new (id int PRIMARY KEY, item text) WITH (autovacuum_enabled = off);
INSERT INTO new SELECT * FROM orders;
CREATE TABLE empty (id int PRIMARY KEY);
BEGIN;
SELECT hydra_export.add_model('new'), hydra_export.add_model('empty');
SELECT model, rows BETWEEN 300 AND 3000 AS some_rows, bytes BETWEEN 10 * rows AND 100 * rows AS some_bytes,
       rows = 0 AND bytes = 0 AS nothing
FROM hydra_export.preview() WHERE model IN ('new', 'empty');
ROLLBACK;

-- It sees what the transaction itself has not committed yet, and leaves nothing behind.
BEGIN;
SELECT hydra_export.remove_model('gone');
SELECT hydra_export.remove_model('guarded');
SELECT model, kind, rows, reason FROM hydra_export.preview();
COMMIT;
SELECT count(*) FROM hydra_export.exports;
SELECT count(*) FROM hydra_export.baselines;
BEGIN READ ONLY;
SELECT model, kind, rows, reason FROM hydra_export.preview();
COMMIT;

-- An admin may call it even without SELECT on the table: only numbers are returned.
SET ROLE regress_admin;
SELECT model, kind, rows, reason FROM hydra_export.preview();
RESET ROLE;

DROP EXTENSION hydra_export;
DROP TABLE orders, guarded, new, empty CASCADE;
DROP ROLE regress_admin;
