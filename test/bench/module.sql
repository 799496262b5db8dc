-- The functions of test/bench/module.cpp, in a schema of their own.
CREATE SCHEMA hydra_test;

-- What a worker of the extension sets for itself (src/pg/worker.cpp).
CREATE FUNCTION hydra_test.line(record) RETURNS bytea
    AS 'hydra_export_test', 'hydra_test_line' LANGUAGE C STRICT
    SET search_path = pg_catalog, pg_temp SET TimeZone = UTC SET DateStyle = 'ISO, YMD' SET IntervalStyle = iso_8601
    SET extra_float_digits = 1 SET bytea_output = hex SET lc_monetary = 'C' SET xmloption = content;

-- What every line is compared with.
CREATE FUNCTION hydra_test.reference(record) RETURNS bytea
    LANGUAGE plpgsql STRICT
    SET search_path = pg_catalog, pg_temp SET TimeZone = UTC SET DateStyle = 'ISO, YMD' SET IntervalStyle = iso_8601
    SET extra_float_digits = 1 SET bytea_output = hex SET lc_monetary = 'C' SET xmloption = content
    AS 'BEGIN RETURN convert_to(row_to_json($1)::text, ''UTF8''); END';

-- Reads a table as an export does and drops the objects; with `closed`, only after sorting and hashing them.
CREATE FUNCTION hydra_test.scan(relation regclass, key text DEFAULT '', closed boolean DEFAULT false,
                                OUT rows bigint, OUT bytes bigint)
    AS 'hydra_export_test', 'hydra_test_scan' LANGUAGE C STRICT;
