-- Databases in other encodings give UTF-8, and what is not valid is an error.
SET client_min_messages = error;
\getenv inputdir PG_ABS_SRCDIR
\set module :inputdir '/bench/module.sql'
\set before :DBNAME

CREATE DATABASE hydra_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
CREATE DATABASE hydra_euc_jp TEMPLATE template0 ENCODING 'EUC_JP' LOCALE 'C';
CREATE DATABASE hydra_sql_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';

\c hydra_latin1
SET client_encoding = UTF8;
\set ECHO none
\i :module
\set ECHO all
CREATE TYPE "Größe" AS ENUM ('klein', 'groß');
CREATE TYPE paar AS ("ä" text, b integer);
CREATE VIEW samples AS
SELECT 'é "ÿ"'::text AS "Straße", repeat('ü', 100000) AS long, ARRAY['ö', NULL] AS a, '{"ä": ["ß", 1]}'::jsonb AS b,
       '{"ä":"ß"}'::json AS j, 'groß'::"Größe" AS e, ROW('ñ', 1)::paar AS r, 'ç'::name AS n, '''ê'':1'::tsvector AS v;
SELECT hydra_test.line(t) = hydra_test.reference(t) AS same, length(hydra_test.line(t)) FROM samples t;
SELECT convert_from(hydra_test.line(t), 'UTF8') AS line FROM (SELECT "Straße", a, b, j, e, r, n, v FROM samples) t;

\c hydra_euc_jp
SET client_encoding = UTF8;
\set ECHO none
\i :module
\set ECHO all
SELECT hydra_test.line(t) = hydra_test.reference(t) AS same, length(hydra_test.line(t)),
       left(encode(hydra_test.line(t), 'escape'), 60) AS start
FROM (SELECT '日本"語' AS a, repeat('日x', 100000) AS long, '{"日": "本"}'::jsonb AS b, ARRAY['語'] AS c) t;

\c hydra_sql_ascii
SET client_encoding = SQL_ASCII;
\set ECHO none
\i :module
\set ECHO all
SELECT hydra_test.line(t) = hydra_test.reference(t) AS same, length(hydra_test.line(t))
FROM (SELECT E'\xc3\xa9' AS a, repeat(E'\xc3\xa9x', 100000) AS long, E'{"\xc3\xa9": "\xc3\xa9"}'::jsonb AS b) t;
\set VERBOSITY terse
SELECT hydra_test.line(t) FROM (SELECT E'\xff'::text AS a) t;
SELECT hydra_test.line(t) FROM (SELECT ARRAY[E'\xc3'::text] AS a) t;
SELECT hydra_test.line(t) FROM (SELECT E'{"\xc3": 1}'::jsonb AS a) t;
SELECT hydra_test.line(t) FROM (SELECT E'{"a": "\xc3"}'::json AS a) t;

\c :before
DROP DATABASE hydra_latin1;
DROP DATABASE hydra_euc_jp;
DROP DATABASE hydra_sql_ascii;
