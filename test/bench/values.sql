-- Values for the comparison with row_to_json(): edges by hand, and an expression that gives a random one (none for types
-- whose values name something in the catalogs). All types of pg_type are in hydra_test.generators but for pseudo-types,
-- row types of the catalogs, and the types named in hydra_test.skipped with the reason.

CREATE TABLE hydra_test.generators (type regtype PRIMARY KEY, edges text[] NOT NULL, random text);
CREATE TABLE hydra_test.skipped (type regtype PRIMARY KEY, reason text NOT NULL);

INSERT INTO hydra_test.skipped VALUES
    ('gtsvector', 'has no input'),
    ('pg_brin_bloom_summary', 'has no input'),
    ('pg_brin_minmax_multi_summary', 'has no input'),
    ('pg_dependencies', 'has no input'),
    ('pg_mcv_list', 'has no input'),
    ('pg_ndistinct', 'has no input'),
    ('pg_node_tree', 'has no input');

-- ---- random parts

-- Text of all sorts: what JSON escapes, what it does not, characters of one to four bytes.
CREATE FUNCTION hydra_test.random_text(most integer) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(string_agg(CASE (random() * 12)::integer
               WHEN 0 THEN chr(1 + (random() * 31)::integer)
               WHEN 1 THEN '"' WHEN 2 THEN '\' WHEN 3 THEN 'é' WHEN 4 THEN '€' WHEN 5 THEN chr(128512) WHEN 6 THEN chr(127)
               ELSE chr(32 + (random() * 94)::integer) END, ''), '')
    FROM generate_series(1, (random() * random() * most)::integer)
$$;

CREATE FUNCTION hydra_test.random_digits(most integer) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(string_agg(CASE (random() * 3)::integer WHEN 0 THEN '0000' WHEN 1 THEN '9999'
                               ELSE (random() * 9999)::integer::text END, ''), '')
    FROM generate_series(1, (random() * random() * most)::integer)
$$;

CREATE FUNCTION hydra_test.random_numeric() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT (ARRAY['', '-'])[1 + (random() * 1)::integer] || '0' || hydra_test.random_digits(20)
        || (ARRAY['', '.' || hydra_test.random_digits(20)])[1 + (random() * 1)::integer]
        || (ARRAY['', '', 'e' || (random() * 300 - 150)::integer])[1 + (random() * 2)::integer]
$$;

CREATE FUNCTION hydra_test.random_jsonb(depth integer) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    CASE (random() * CASE WHEN depth > 0 THEN 7 ELSE 4 END)::integer
        WHEN 0 THEN RETURN 'null';
        WHEN 1 THEN RETURN to_jsonb(random() < 0.5);
        WHEN 2 THEN RETURN to_jsonb(hydra_test.random_numeric()::numeric);
        WHEN 3, 4 THEN RETURN to_jsonb(hydra_test.random_text(60));
        WHEN 5 THEN RETURN (SELECT coalesce(jsonb_agg(hydra_test.random_jsonb(depth - 1)), '[]')
                            FROM generate_series(1, (random() * random() * 80)::integer));
        ELSE RETURN (SELECT coalesce(jsonb_object_agg(i || hydra_test.random_text(20), hydra_test.random_jsonb(depth - 1)), '{}')
                     FROM generate_series(1, (random() * random() * 80)::integer) i);
    END CASE;
END
$$;

CREATE FUNCTION hydra_test.random_timestamp() RETURNS timestamp LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN random() < 0.5 THEN timestamp '1900-01-01' + random() * interval '200 years'
                ELSE timestamp '4714-12-01 BC' + random() * interval '298000 years' END
$$;

CREATE FUNCTION hydra_test.random_range(range text, bound text) RETURNS text LANGUAGE plpgsql VOLATILE
    SET TimeZone = UTC SET DateStyle = ISO AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT %s(least(a, b), greatest(a, b), %L)::text FROM (SELECT %s AS a, %s AS b) bounds',
                   range, (ARRAY['[]', '[)', '(]', '()'])[1 + (random() * 3)::integer], bound, bound) INTO result;
    RETURN result;
END
$$;

CREATE FUNCTION hydra_test.random_multirange(range text, bound text) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT '{' || string_agg(hydra_test.random_range(range, bound), ',') || '}' FROM generate_series(0, (random() * 4)::integer)
$$;

CREATE FUNCTION hydra_test.random_words() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT translate(hydra_test.random_text(60), (SELECT string_agg(chr(i), '') FROM generate_series(1, 31) i), '')
$$;

-- ---- types

INSERT INTO hydra_test.generators VALUES
    ('boolean', '{t,f}', $$random() < 0.5$$),
    ('smallint', '{0,1,-1,9,10,99,100,999,1000,9999,10000,32767,-32768}', $$(random() * 65535 - 32768)::integer$$),
    ('integer', '{0,1,-1,99999,100000,999999999,1000000000,2147483647,-2147483648}', $$(power(2, random() * 31) * sign(random() - 0.5))::integer$$),
    ('bigint', '{0,-1,4294967295,4294967296,9999999999,10000000000,9223372036854775807,-9223372036854775808}',
        $$(power(2, random() * 62) * sign(random() - 0.5))::bigint$$),
    ('oid', '{0,1,2147483648,4294967295}', $$(random() * 4294967295)::bigint$$),
    ('xid', '{0,3,4294967295}', $$(random() * 4294967295)::bigint::text$$),
    ('cid', '{0,3,4294967295}', $$(random() * 4294967295)::bigint::text$$),
    ('xid8', '{0,3,18446744073709551615}', $$(random() * 1e18)::bigint::text$$),
    ('real', '{0,-0,1,1.5,0.1,1e6,999999,1e5,1e-4,1e-5,123456.7,3.4028235e38,1e-45,NaN,Infinity,-Infinity}',
        $$(random() - 0.5) * power(10, random() * 70 - 35)$$),
    ('double precision', '{0,-0,1,1.5,0.1,1e15,1e14,1e16,123456789012345678,1e-4,1e-5,1.7976931348623157e308,5e-324,NaN,Infinity,-Infinity}',
        $$(random() - 0.5) * power(10, random() * 600 - 300)$$),
    ('numeric', '{0,0.0,-0.00,1,-1,9999,10000,0.0001,0.00001,1.10,123456789.123456789,1e100,1e-100,1e1000,1e-1000,1e131071,1e-16383,NaN,Infinity,-Infinity}',
        $$hydra_test.random_numeric()$$),
    ('money', '{0,0.01,-0.01,1,-1,999.99,1000,-1000,1234567.89,92233720368547758.07,-92233720368547758.08}',
        $$((random() - 0.5) * power(10, random() * 16))::numeric$$),
    ('text', ARRAY['', 'plain', '"', '\', E'\b\f\n\r\t', E'\x01\x1f\x7f', 'é€😀', '</script>', repeat('x', 15), repeat('x', 16), repeat('x', 17),
        repeat(E'\x01', 5000), repeat('"é', 20000), repeat('x', 16384), repeat('x', 16385), repeat('y', 300000)], $$hydra_test.random_text(200)$$),
    ('character varying', ARRAY['', 'a"b', 'é', repeat('z', 3000)], $$hydra_test.random_text(50)$$),
    ('bpchar', ARRAY['', 'a"b  ', 'é '], $$hydra_test.random_text(50)$$),
    ('name', ARRAY['', 'a"b', 'é', repeat('x', 63)], $$left(hydra_test.random_text(60), 15)$$),
    ('"char"', ARRAY['', 'a', '"', '\', E'\n', E'\x7f'], $$chr(1 + (random() * 126)::integer)$$),
    ('bytea', ARRAY['', '\x00', '\xff', '\x0123456789abcdef0123456789abcdef01', '\x' || repeat('5c', 20000)],
        $$decode(md5(random()::text) || repeat('0a', (random() * 40)::integer), 'hex')$$),
    ('uuid', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,01234567-89ab-cdef-0123-456789abcdef}', $$md5(random()::text)$$),
    ('date', ARRAY['2000-01-01', '1999-12-31', '2000-02-29', '1900-02-28', '1900-03-01', '0001-01-01', '0001-12-31 BC', '4713-01-01 BC', '0005-02-29 BC',
        '9999-12-31', '10000-01-01', '5874897-12-31', 'infinity', '-infinity'], $$hydra_test.random_timestamp()::date$$),
    ('time', '{00:00,23:59:59.999999,24:00,12:34:56.1,00:00:00.000001}', $$hydra_test.random_timestamp()::time$$),
    ('timetz', '{00:00+00,24:00-15:59,23:59:59.5+15:59:59,12:00-03:30,12:00+05:45,12:00+00:00:01,12:00-00:30}',
        $$hydra_test.random_timestamp()::time || (ARRAY['+05', '-03:30', '+00:19:32'])[1 + (random() * 2)::integer]$$),
    ('timestamp', ARRAY['2000-01-01', '1999-12-31 23:59:59.999999', '2016-02-29 12:00:00.5', '0001-01-01', '0001-12-31 23:59 BC', '4713-01-01 BC',
        '294276-12-31 23:59:59.999999', 'infinity', '-infinity'], $$hydra_test.random_timestamp()$$),
    ('timestamptz', ARRAY['2000-01-01+00', '1999-12-31 23:59:59.999999+00', '2016-02-29 12:00+02', '0001-12-31 23:59+00 BC', '4713-01-02 BC',
        '294276-12-31 00:00+00', 'infinity', '-infinity'], $$hydra_test.random_timestamp()$$),
    ('interval', ARRAY['0', '1 year', '-1 year', '13 months', '-13 months', '1 day', '-1 day', '1 hour', '-1 hour', '59 s', '60 s', '-0.5 s', '0.000001 s',
        '1 mon -1 day 1 hour', '-1 year -2 mons 3 days -04:05:06.789', '178000000 years 2147483647 days 2562047787 hours',
        '-178000000 years -2147483648 days -2562047787 hours'],
        $$make_interval(months => (random() * 100 - 50)::integer, days => (random() * 100 - 50)::integer) + random() * random() * interval '900 hours' - interval '1 day'$$),
    ('json', ARRAY['{}', '[]', '"a b"', '{"a":1,"a":2}', '[1,2.50,{"b":null}]', '1e5', '"\u00e9\\\""'], $$hydra_test.random_jsonb(0)::text$$),
    ('jsonb', ARRAY['{}', '[]', '""', '1', 'null', 'true', '[[]]', '[{}]', '{"":""}', '{"a": [1, {"b": [null, true, 1.50]}, "c"], "b": {}}', '1e1000', '-0.0',
        repeat('[', 500) || repeat(']', 500)], $$hydra_test.random_jsonb(3)$$),
    ('jsonpath', '{$.a}', $$format('$.%s[%s]', to_json(hydra_test.random_text(10)), (random() * 100)::integer)$$),
    ('xml', ARRAY['<a b="c">d</a>', 'text &amp; more'], $$xmlelement(name a, xmlattributes(random() AS b), hydra_test.random_words())$$),
    ('inet', '{0.0.0.0,255.255.255.255,10.1.2.3/8,192.168.0.1/32,0.0.0.0/0,::,::1,::ffff:1.2.3.4,2001:db8::1/64,fe80::1:0:0:1/0,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff}',
        $$CASE WHEN random() < 0.5 THEN (random() * 255)::integer || '.0.' || (random() * 255)::integer || '.7/' || (random() * 32)::integer
               ELSE rtrim(regexp_replace(md5(random()::text), '(....)', '\1:', 'g'), ':') END$$),
    ('cidr', '{0.0.0.0/0,10.0.0.0/8,192.168.0.1/32,255.255.255.255,::/0,::1/128,2001:db8::/32}',
        $$CASE WHEN random() < 0.5 THEN (random() * 255)::integer || '.0.0.0/8' ELSE left(md5(random()::text), 4) || '::/16' END$$),
    ('macaddr', '{00:00:00:00:00:00,08:00:2b:01:02:ff}', $$left(md5(random()::text), 12)$$),
    ('macaddr8', '{08:00:2b:01:02:03:04:ff}', $$left(md5(random()::text), 16)$$),
    ('bit', '{0,1}', $$random()::integer::text$$),
    ('varbit', '{"",0,101,1111111111}', $$(random() * 1000000000)::integer::bit(32)::text$$),
    ('point', ARRAY['(1,2)', '(-0.1,1e300)', '(0.1234567890123456,0)'], $$point(random() * 1000 - 500, random())$$),
    ('line', ARRAY['{1,2,3}'], $$line(point(0, random()), point(1, random() * 100))$$),
    ('lseg', ARRAY['[(1,2),(3,4)]'], $$lseg(point(random() * 1000 - 500, random()), point(random() * 1000 - 500, random()))$$),
    ('box', ARRAY['(3,4),(1,2)'], $$box(point(random() * 1000 - 500, random()), point(random() * 1000 - 500, random()))$$),
    ('path', ARRAY['[(1,2),(3,4)]', '((1,2),(3,4))'], $$format('[(%s,%s),(1,2),(%s,0)]', random(), random() * 1000, random())$$),
    ('polygon', ARRAY['((1,2),(3,4),(5,6))'], $$format('((%s,%s),(1,2),(%s,0))', random(), random() * 1000, random())$$),
    ('circle', ARRAY['<(1,2),3>'], $$circle(point(random() * 1000 - 500, random()), random() * 10)$$),
    ('tsvector', ARRAY['', 'a:1 ''b c'':2A'], $$setweight(to_tsvector('simple', hydra_test.random_words()), 'B')$$),
    ('tsquery', ARRAY['a & !''b"c'':*'], $$plainto_tsquery('simple', hydra_test.random_words())$$),
    ('pg_lsn', '{0/0,FFFFFFFF/FFFFFFFF,16/B374D848}', $$pg_lsn '0/0' + (random() * 1e18)::bigint$$),
    ('pg_snapshot', '{10:20:10\,14\,15}', $$format('%s:%s:', (random() * 1e9)::bigint, 2000000000 + (random() * 1e9)::bigint)$$),
    ('txid_snapshot', '{10:20:10\,14\,15}', $$format('%s:%s:', (random() * 1e9)::bigint, 2000000000 + (random() * 1e9)::bigint)$$),
    ('tid', ARRAY['(0,1)', '(4294967295,65535)'], $$format('(%s,%s)', (random() * 4294967295)::bigint, (random() * 65535)::integer)$$),
    ('aclitem', '{pg_monitor=r/pg_monitor}', NULL),
    ('refcursor', ARRAY['a"b'], $$hydra_test.random_text(30)$$),
    ('int2vector', ARRAY['', '1 2 -3'], $$format('%s %s', (random() * 32767)::integer, -(random() * 32767)::integer)$$),
    ('oidvector', ARRAY['', '1 2 4294967295'], $$format('%s %s', (random() * 4294967295)::bigint, (random() * 100)::integer)$$),
    ('regclass', '{pg_class,pg_type}', NULL),
    ('regcollation', ARRAY['"C"'], NULL),
    ('regconfig', '{simple}', NULL),
    ('regdictionary', '{simple}', NULL),
    ('regnamespace', '{pg_catalog}', NULL),
    ('regoper', ARRAY['||/'], NULL),
    ('regoperator', ARRAY['+(integer,integer)'], NULL),
    ('regproc', '{pg_client_encoding}', NULL),
    ('regprocedure', ARRAY['lower(text)'], NULL),
    ('regrole', '{pg_monitor}', NULL),
    ('regtype', '{integer}', NULL),
    ('int4range', ARRAY['empty', '(,)', '[1,1]', '(,5)', '[-2147483648,)'], $$hydra_test.random_range('int4range', '(random() * 1000)::integer')$$),
    ('int8range', ARRAY['empty', '(,)', '[1,10000000000)'], $$hydra_test.random_range('int8range', '(random() * 1e12)::bigint')$$),
    ('numrange', ARRAY['empty', '(,)', '(0.10,1e20]', '[-Infinity,NaN]'], $$hydra_test.random_range('numrange', 'hydra_test.random_numeric()::numeric')$$),
    ('daterange', ARRAY['empty', '(,)', '[2000-01-01,2000-02-01)', '[0044-03-15 BC,infinity)'],
        $$hydra_test.random_range('daterange', 'hydra_test.random_timestamp()::date')$$),
    ('tsrange', ARRAY['empty', '(,)', '[2000-01-01,2000-02-01 12:00:00.5)', '[-infinity,"0044-03-15 00:00 BC")'],
        $$hydra_test.random_range('tsrange', 'hydra_test.random_timestamp()')$$),
    ('tstzrange', ARRAY['empty', '(,)', '[2000-01-01 00:00+00,infinity)'], $$hydra_test.random_range('tstzrange', 'hydra_test.random_timestamp()::timestamptz')$$),
    ('int4multirange', ARRAY['{}', '{[1,2],[5,6]}', '{(,)}'], $$hydra_test.random_multirange('int4range', '(random() * 1000)::integer')$$),
    ('int8multirange', ARRAY['{}', '{[1,2],[5,)}'], $$hydra_test.random_multirange('int8range', '(random() * 1e12)::bigint')$$),
    ('nummultirange', ARRAY['{}', '{[1.5,2.50],(3,4)}'], $$hydra_test.random_multirange('numrange', 'hydra_test.random_numeric()::numeric')$$),
    ('datemultirange', ARRAY['{}', '{[2000-01-01,2000-01-02],[2001-01-01,)}'], $$hydra_test.random_multirange('daterange', 'hydra_test.random_timestamp()::date')$$),
    ('tsmultirange', ARRAY['{}', '{["2000-01-01 00:00","2000-01-02 00:00"],["2001-01-01 00:00",)}'], $$hydra_test.random_multirange('tsrange', 'hydra_test.random_timestamp()')$$),
    ('tstzmultirange', ARRAY['{}', '{["2000-01-01 00:00+00","2000-01-02 00:00+00"]}'], $$hydra_test.random_multirange('tstzrange', 'hydra_test.random_timestamp()::timestamptz')$$);

-- Types that only later versions of the server have.
INSERT INTO hydra_test.generators
    SELECT to_regtype(name), edges, random
    FROM (VALUES ('oid8', '{0,4294967296,18446744073709551615}'::text[], $$(random() * 1e18)::bigint::text$$),
                 ('regdatabase', '{postgres}', NULL)) later (name, edges, random)
    WHERE to_regtype(name) IS NOT NULL;

-- ---- types of this test's own

CREATE TYPE hydra_test.mood AS ENUM ('', 'sad', 'o"k', 'é', 'happy');
CREATE TYPE hydra_test.pair AS (a integer, "b ""c" text);
CREATE TYPE hydra_test.text_range AS RANGE (subtype = text, collation = "C");
CREATE TYPE hydra_test.float_range AS RANGE (subtype = float8);
CREATE DOMAIN hydra_test.positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN hydra_test.checked_pair AS hydra_test.pair CHECK ((VALUE).a > 0);
INSERT INTO hydra_test.generators VALUES
    ('hydra_test.mood', ARRAY['', 'sad', 'o"k', 'é', 'happy'], $$(enum_range(NULL::hydra_test.mood))[1 + (random() * 4)::integer]$$),
    ('hydra_test.pair', ARRAY['(1,x)', '(,)', '(2,"a""\\b")'], $$ROW((random() * 1000)::integer, hydra_test.random_text(30))::hydra_test.pair$$),
    ('hydra_test.text_range', ARRAY['empty', '["a b","c""d")', '[a\\b,)', '["",")")'], $$hydra_test.random_range('hydra_test.text_range', 'hydra_test.random_text(20) COLLATE "C"')$$),
    ('hydra_test.float_range', ARRAY['[1.5,1e300)'], $$hydra_test.random_range('hydra_test.float_range', 'random() * power(10, random() * 40)')$$),
    ('hydra_test.text_multirange', ARRAY['{}', '{["a b","c""d"),["e",)}'], $$hydra_test.random_multirange('hydra_test.text_range', 'hydra_test.random_text(20) COLLATE "C"')$$),
    ('hydra_test.float_multirange', ARRAY['{[1.5,1e300)}'], $$hydra_test.random_multirange('hydra_test.float_range', 'random() * power(10, random() * 40)')$$),
    ('hydra_test.positive', '{1,2147483647}', $$1 + (random() * 2147483646)::integer$$),
    ('hydra_test.checked_pair', ARRAY['(1,x)'], $$ROW(1 + (random() * 1000)::integer, hydra_test.random_text(30))::hydra_test.pair$$);

-- ---- the comparison

-- Compares our line with the reference for values of one type: in a column, in arrays of one and two dimensions, with
-- nulls and another lower bound, in composites and in a domain. Says how many rows were compared, and those that differ.
CREATE FUNCTION hydra_test.compare(type regtype, random_rows integer, writer regproc DEFAULT 'hydra_test.line',
                                   OUT compared bigint, OUT different bigint, OUT example text)
LANGUAGE plpgsql AS $$
DECLARE
    generator hydra_test.generators := (SELECT g FROM hydra_test.generators g WHERE g.type = compare.type);
    name text := generator.type::text;
BEGIN
    DROP TABLE IF EXISTS pg_temp.samples;
    DROP DOMAIN IF EXISTS hydra_test.sample_domain;
    DROP TYPE IF EXISTS hydra_test.sample_composite;
    EXECUTE format('CREATE DOMAIN hydra_test.sample_domain AS %s', name);
    EXECUTE format('CREATE TYPE hydra_test.sample_composite AS (x %s, "y z" %s[], n integer)', name, name);
    EXECUTE format('CREATE TEMPORARY TABLE samples (i serial, v %s)', name);
    EXECUTE format('INSERT INTO samples (v) SELECT e::%s FROM unnest($1) e', name) USING generator.edges;
    IF generator.random IS NOT NULL THEN
        EXECUTE format('INSERT INTO samples (v) SELECT (%s)::%s FROM generate_series(1, $1)', generator.random, name) USING random_rows;
    END IF;
    EXECUTE format($query$
        WITH lines AS (
            SELECT %1$s(t) AS ours, hydra_test.reference(t) AS reference
            FROM (SELECT i, v, ARRAY[v] AS one, ARRAY[NULL, v, before, v] AS some, ARRAY[[v, before], [before, v]] AS square,
                         array_fill(v, ARRAY[2], ARRAY[-3]) AS shifted, ROW(v, ARRAY[before, v], i)::hydra_test.sample_composite AS composite,
                         ROW(i, v, ROW(before)) AS record, ARRAY[ROW(v, NULL, i)::hydra_test.sample_composite] AS composites,
                         v::hydra_test.sample_domain AS of_domain, ARRAY[v::hydra_test.sample_domain] AS of_domains,
                         '{}'::%2$s[] AS empty, NULL::%2$s AS missing
                  FROM (SELECT i, v, lag(v) OVER (ORDER BY i) AS before FROM samples) s) t)
        SELECT count(*), count(*) FILTER (WHERE ours IS DISTINCT FROM reference),
               min(convert_from(ours, 'UTF8') || ' instead of ' || convert_from(reference, 'UTF8')) FILTER (WHERE ours IS DISTINCT FROM reference)
        FROM lines $query$, writer, name) INTO compared, different, example;
END
$$;
