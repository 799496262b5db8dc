-- Lines are what row_to_json() gives, for every type, byte for byte.
\set VERBOSITY terse
SET client_min_messages = error;
\getenv inputdir PG_ABS_SRCDIR
\set module :inputdir '/bench/module.sql'
\set values :inputdir '/bench/values.sql'
\set ECHO none
\i :module
\i :values
\set ECHO all

-- Every type is covered, or skipped with a reason.
SELECT oid::regtype AS uncovered
FROM pg_type
WHERE typtype IN ('b', 'd', 'e', 'r', 'm')
  AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = pg_type.oid)
  AND typnamespace IN ('pg_catalog'::regnamespace, 'hydra_test'::regnamespace)
  AND oid NOT IN (SELECT type FROM hydra_test.generators UNION ALL SELECT type FROM hydra_test.skipped)
ORDER BY 1;

SELECT generators.type, compared, different, example
FROM hydra_test.generators, hydra_test.compare(generators.type, 500)
WHERE different <> 0 OR compared = 0;

-- The comparison finds a difference: without the settings of a worker, some types look otherwise.
CREATE FUNCTION hydra_test.unsettled_line(record) RETURNS bytea
    AS 'hydra_export_test', 'hydra_test_line' LANGUAGE C STRICT;
SET extra_float_digits = -3;
SELECT different > 0 AS found FROM hydra_test.compare('point', 0, 'hydra_test.unsettled_line');
RESET extra_float_digits;

-- The types with writers of their own do not even look at the settings.
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = postgres_verbose;
SET TimeZone = 'Asia/Kolkata';
SET bytea_output = escape;
SET extra_float_digits = -3;
SELECT generators.type, compared, different, example
FROM hydra_test.generators, hydra_test.compare(generators.type, 20, 'hydra_test.unsettled_line')
WHERE generators.type::text IN (
        'boolean', 'smallint', 'integer', 'bigint', 'oid', 'real', 'double precision', 'numeric', 'money', 'text',
        'character varying', 'name', 'bytea', 'uuid', 'date', 'time without time zone', 'time with time zone',
        'timestamp without time zone', 'timestamp with time zone', 'interval', 'json', 'jsonb', 'inet', 'cidr',
        'hydra_test.mood', 'daterange', 'tsrange', 'tstzrange', 'numrange', 'tsmultirange')
  AND (different <> 0 OR compared = 0);
RESET ALL;
SET client_min_messages = error;

-- jsonb objects whose keys are those of the row before, or as many others of the same length, or others each time; with
-- so many keys that their lengths are told in another way, and with objects in them that have the same keys.
SELECT count(*) AS compared, count(*) FILTER (WHERE hydra_test.line(t) <> hydra_test.reference(t)) AS different
FROM (SELECT i, (SELECT jsonb_object_agg(format('%s"%s', chr(97 + i / 5 % 7), k), CASE k % 3 WHEN 0 THEN to_jsonb(i) WHEN 1 THEN to_jsonb('v' || i)
                                         ELSE jsonb_build_object(chr(97 + i % 7) || '"1', k) END)
                 FROM generate_series(1, (ARRAY[1, 3, 31, 33, 63, 64, 65, 100])[i / 35 % 8 + 1]) k) AS j,
             jsonb_build_object('key ' || i % 3, i) AS changing, jsonb_build_object('é', i) AS steady
      FROM generate_series(0, 600) i) t;

-- Whitespace outside strings of json is left out; that of jsonb is as jsonb has it.
SELECT convert_from(hydra_test.line(t), 'UTF8') AS line
FROM (SELECT E' { "a b" :\t[ 1 ,\n2 ] }'::json AS j, ARRAY[E'[ 1\r\n]'::json] AS a, '{"a":[1,2]}'::jsonb AS b) t;

-- Rows of tables as they are stored: compressed, stored elsewhere, with short headers, with columns that came later.
CREATE TABLE hydra_test.stored (id integer, short text, packed text, far text, numbers numeric[], document jsonb, gone integer);
ALTER TABLE hydra_test.stored ALTER far SET STORAGE EXTERNAL;
ALTER TABLE hydra_test.stored DROP COLUMN gone;
INSERT INTO hydra_test.stored
SELECT i, 'é' || i, repeat('"x' || i, i * 3000), repeat('y' || i, i * 3000), array_fill(i + 0.5, ARRAY[i * 500]),
       jsonb_build_object('a', i, 'b', repeat('z', i * 3000), 'c', (SELECT jsonb_agg(x) FROM generate_series(1, i * 1000) x))
FROM generate_series(1, 5) i;
ALTER TABLE hydra_test.stored ADD COLUMN later timestamptz DEFAULT '2016-01-31 04:00+00';
SELECT count(*), bool_and(hydra_test.line(t) = hydra_test.reference(t)) AS same FROM hydra_test.stored t;

-- Each line is one JSON object whose keys are the columns, once each.
SELECT bool_and((SELECT array_agg(key ORDER BY ordinality) FROM json_each(convert_from(hydra_test.line(t), 'UTF8')::json) WITH ORDINALITY)
                = '{id,short,packed,far,numbers,document,later}'::text[]) AS keys
FROM hydra_test.stored t;

DROP SCHEMA hydra_test CASCADE;
