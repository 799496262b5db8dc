-- Which kinds of relations can be exported, and the errors for those that cannot.
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');

-- These can.
CREATE TABLE plain (id int PRIMARY KEY, updated_at timestamptz);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE partition_1 PARTITION OF partitioned FOR VALUES FROM (1) TO (10) PARTITION BY RANGE (id);
CREATE TABLE partition_1a PARTITION OF partition_1 FOR VALUES FROM (1) TO (5);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (more text, PRIMARY KEY (id)) INHERITS (parent);
CREATE TABLE typed_rows (id int PRIMARY KEY, double int GENERATED ALWAYS AS (id * 2) STORED,
                         number int GENERATED ALWAYS AS IDENTITY, gone text);
ALTER TABLE typed_rows DROP COLUMN gone;
CREATE MATERIALIZED VIEW materialized AS SELECT id FROM plain;
CREATE UNIQUE INDEX ON materialized (id);
CREATE VIEW viewed AS SELECT id, updated_at FROM plain;
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE foreign_rows (id int, day date) SERVER files OPTIONS (filename '/dev/null');
SELECT hydra_export.add_model('plain');
SELECT hydra_export.add_model('unlogged');
SELECT hydra_export.add_model('partitioned');
SELECT hydra_export.add_model('partition_1a');
SELECT hydra_export.add_model('parent');
SELECT hydra_export.add_model('typed_rows');
SELECT hydra_export.add_model('materialized', key_columns => '{id}');
SELECT hydra_export.add_model('viewed', changed_by => 'updated_at', key_columns => '{id}');
SELECT hydra_export.add_model('foreign_rows', changed_by => 'updated_at', updated_at_column => 'day', key_columns => '{id}');
SELECT name, relation FROM hydra_export.models ORDER BY name;

-- Rows of views and foreign tables, also as partitions and children, have no xmin.
SELECT hydra_export.add_model('viewed', name => 'new', key_columns => '{id}');
SELECT hydra_export.add_model('foreign_rows', name => 'new', key_columns => '{id}');
CREATE TABLE mixed (id int, day date) PARTITION BY RANGE (id);
CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES FROM (1) TO (10);
CREATE FOREIGN TABLE mixed_2 PARTITION OF mixed FOR VALUES FROM (10) TO (20) SERVER files OPTIONS (filename '/dev/null');
ALTER TABLE mixed ALTER id SET NOT NULL;
SELECT hydra_export.add_model('mixed', key_columns => '{id}');
SELECT hydra_export.add_model('mixed', changed_by => 'updated_at', updated_at_column => 'day', key_columns => '{id}');
CREATE FOREIGN TABLE foreign_child () INHERITS (parent) SERVER files OPTIONS (filename '/dev/null');
SELECT hydra_export.add_model('parent', name => 'new');
-- Nor have those of other table access methods.
CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE columnar (id int PRIMARY KEY, updated_at timestamptz) USING other_heap;
SELECT hydra_export.add_model('columnar');
SELECT hydra_export.add_model('columnar', changed_by => 'updated_at');
CREATE TABLE half_columnar (id int PRIMARY KEY, updated_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE half_columnar_1 PARTITION OF half_columnar FOR VALUES FROM (1) TO (10) USING other_heap;
SELECT hydra_export.add_model('half_columnar');
SELECT hydra_export.add_model('half_columnar', changed_by => 'updated_at');

-- The column that says when a row changed: a timestamp or a date, or a domain over one.
CREATE DOMAIN moment AS timestamptz;
CREATE TABLE moments (id int PRIMARY KEY, a timestamptz, b timestamp, c date, d moment, e time, f text, g bigint,
                      h tstzrange, i timestamptz[], "Updated At" timestamptz);
SELECT hydra_export.add_model('moments', 'a', changed_by => 'updated_at', updated_at_column => 'a');
SELECT hydra_export.add_model('moments', 'b', changed_by => 'updated_at', updated_at_column => 'b');
SELECT hydra_export.add_model('moments', 'c', changed_by => 'updated_at', updated_at_column => 'c');
SELECT hydra_export.add_model('moments', 'd', changed_by => 'updated_at', updated_at_column => 'd');
SELECT hydra_export.add_model('moments', 'e', changed_by => 'updated_at', updated_at_column => 'e');
SELECT hydra_export.add_model('moments', 'f', changed_by => 'updated_at', updated_at_column => 'f');
SELECT hydra_export.add_model('moments', 'g', changed_by => 'updated_at', updated_at_column => 'g');
SELECT hydra_export.add_model('moments', 'h', changed_by => 'updated_at', updated_at_column => 'h');
SELECT hydra_export.add_model('moments', 'i', changed_by => 'updated_at', updated_at_column => 'i');
SELECT hydra_export.add_model('moments', 'j', changed_by => 'updated_at', updated_at_column => 'Updated At');
SELECT hydra_export.add_model('moments', 'k', changed_by => 'updated_at');

-- These cannot be exported.
CREATE TEMP TABLE temporary (id int PRIMARY KEY);
CREATE TEMP VIEW temporary_view AS SELECT 1 AS id, now() AS updated_at;
CREATE SEQUENCE counter;
CREATE TYPE pair AS (a int, b int);
CREATE MATERIALIZED VIEW empty AS SELECT id FROM plain WITH NO DATA;
CREATE UNIQUE INDEX ON empty (id);
SELECT hydra_export.add_model('temporary');
SELECT hydra_export.add_model('temporary_view', changed_by => 'updated_at', key_columns => '{id}');
SELECT hydra_export.add_model('counter');
SELECT hydra_export.add_model('plain_pkey');
SELECT hydra_export.add_model('partitioned_pkey');
SELECT hydra_export.add_model('pair');
SELECT hydra_export.add_model('empty', key_columns => '{id}');
SELECT hydra_export.add_model('pg_class');
SELECT hydra_export.add_model('pg_catalog.pg_tables', changed_by => 'updated_at');
SELECT hydra_export.add_model('information_schema.tables', changed_by => 'updated_at');
CREATE TABLE toasted (id int PRIMARY KEY, body text);
DO $$
BEGIN
  PERFORM hydra_export.add_model(reltoastrelid::regclass) FROM pg_class WHERE oid = 'toasted'::regclass;
EXCEPTION WHEN wrong_object_type THEN
  RAISE NOTICE '%', regexp_replace(SQLERRM, '\d+', '<oid>');
END
$$;
REFRESH MATERIALIZED VIEW empty;
SELECT hydra_export.add_model('empty', key_columns => '{id}');
SELECT name, relation FROM hydra_export.models ORDER BY name;

DROP EXTENSION hydra_export;
DROP TABLE plain, unlogged, partitioned, parent, typed_rows, mixed, moments, toasted, columnar, half_columnar CASCADE;
DROP ACCESS METHOD other_heap;
DROP EXTENSION file_fdw CASCADE;
DROP SEQUENCE counter;
DROP TYPE pair;
DROP DOMAIN moment;
