-- Types of extensions: text under another name, and those with a cast to json.
SET client_min_messages = error;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
\getenv inputdir PG_ABS_SRCDIR
\set module :inputdir '/bench/module.sql'
\set ECHO none
\i :module
\set ECHO all
SELECT convert_from(hydra_test.line(t), 'UTF8') AS line, hydra_test.line(t) = hydra_test.reference(t) AS same
FROM (SELECT 'A"b'::citext AS c, ARRAY['x'::citext, NULL] AS a, 'k=>1, "q\"k"=>NULL'::hstore AS h, ARRAY['a=>b'::hstore] AS hs) t;
DROP SCHEMA hydra_test CASCADE;
DROP EXTENSION citext, hstore;
