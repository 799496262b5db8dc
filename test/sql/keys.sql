-- The columns whose value is a row's id: the primary key, or unique columns that are never null.
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
CREATE TABLE composite (region text, number int, PRIMARY KEY (region, number));
CREATE TABLE by_uuid (id uuid PRIMARY KEY, legacy_id text NOT NULL UNIQUE, name text UNIQUE, "E-Mail" text NOT NULL,
                      started date NOT NULL, ended date NOT NULL,
                      EXCLUDE USING gist (daterange(started, ended) WITH &&));
CREATE UNIQUE INDEX ON by_uuid ("E-Mail") INCLUDE (name);
CREATE UNIQUE INDEX ON by_uuid (started) WHERE name IS NULL;
CREATE UNIQUE INDEX ON by_uuid (lower(name), ended);
CREATE TABLE no_key (id int NOT NULL, name text);
CREATE INDEX ON no_key (id);
CREATE VIEW no_index AS SELECT id, name, now() AS updated_at FROM no_key;
CREATE MATERIALIZED VIEW listed AS SELECT id FROM no_key;

-- Good ones.
SELECT hydra_export.add_model('composite');
SELECT hydra_export.add_model('by_uuid');
SELECT hydra_export.add_model('by_uuid', 'legacy', key_columns => '{legacy_id}');
SELECT hydra_export.add_model('by_uuid', 'mail', key_columns => '{E-Mail}');
-- More columns than the index asks for are as unique.
SELECT hydra_export.add_model('by_uuid', 'more', key_columns => '{started,legacy_id}');
SELECT hydra_export.add_model('composite', 'turned', key_columns => '{number,region}');
SELECT name, key_columns FROM hydra_export.models ORDER BY name;

-- No key.
SELECT hydra_export.add_model('no_key');
SELECT hydra_export.add_model('no_index', changed_by => 'updated_at');
SELECT hydra_export.add_model('listed');
-- Not unique: a plain index, a part of a composite one, a partial one, an expression, an exclusion, an included column.
SELECT hydra_export.add_model('no_key', key_columns => '{id}');
SELECT hydra_export.add_model('listed', key_columns => '{id}');
SELECT hydra_export.add_model('composite', 'new', key_columns => '{number}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{started}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{ended}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{started,ended}');
-- Null.
SELECT hydra_export.add_model('no_key', key_columns => '{name}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{name}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{E-Mail,name}');
-- Not there, or twice.
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{e-mail}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{""}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{NULL}');
SELECT hydra_export.add_model('by_uuid', 'new', key_columns => '{ctid}');
SELECT hydra_export.add_model('composite', 'new', key_columns => '{number,region,number}');
SELECT name FROM hydra_export.models ORDER BY name;

-- The hints are true.
SELECT hydra_export.add_model('no_index', changed_by => 'updated_at', key_columns => '{id}');
CREATE UNIQUE INDEX ON no_key (id);
SELECT hydra_export.add_model('no_key', key_columns => '{id}');
CREATE UNIQUE INDEX ON listed (id);
SELECT hydra_export.add_model('listed', key_columns => '{id}');
ALTER TABLE by_uuid ALTER name SET NOT NULL;
SELECT hydra_export.add_model('by_uuid', 'name', key_columns => '{name}');

-- A key of a partitioned table is one that all partitions share.
CREATE TABLE parted (id int NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE UNIQUE INDEX ON parted_1 (id);
SELECT hydra_export.add_model('parted', key_columns => '{id}');
SELECT hydra_export.add_model('parted_1', key_columns => '{id}');
-- An index on the parent alone is not valid before every partition has its own.
CREATE UNIQUE INDEX parted_key ON ONLY parted (id, day);
SELECT hydra_export.add_model('parted', key_columns => '{id,day}');
CREATE UNIQUE INDEX parted_1_key ON parted_1 (id, day);
ALTER INDEX parted_key ATTACH PARTITION parted_1_key;
SELECT hydra_export.add_model('parted', key_columns => '{id,day}');

DROP EXTENSION hydra_export;
DROP TABLE composite, by_uuid, no_key, parted CASCADE;
