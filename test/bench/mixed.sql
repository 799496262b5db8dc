-- The table of the benchmark: a wide mix, 409 bytes of JSON a row. Needs psql's variable `rows`.
CREATE TABLE mixed (
    id bigint PRIMARY KEY,
    token uuid NOT NULL,
    name text NOT NULL,
    city text,
    quantity integer NOT NULL,
    serial bigint NOT NULL,
    price numeric(12, 2) NOT NULL,
    active boolean NOT NULL,
    tags text[] NOT NULL,
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

INSERT INTO mixed
SELECT i,
       md5(i::text)::uuid,
       'customer ' || left(md5((i * 7)::text), 8),
       (ARRAY['Berlin', 'São Paulo', 'Köln', 'Rio "Cidade" Nova', 'Springfield', 'Москва'])[i % 6 + 1],
       (i * 31) % 100000,
       i * 1234567891,
       (i * 7919 % 100000000) / 100.0,
       i % 3 = 0,
       ARRAY['tag' || i % 100, 'group ' || i % 17, 'ä' || i % 7],
       jsonb_build_object('status', (ARRAY['new', 'paid', 'shipped'])[i % 3 + 1], 'score', round((i % 1000) / 10.0, 1),
                          'visits', i % 50, 'newsletter', i % 2 = 0, 'source', 'advert ' || i % 1000),
       timestamptz '2016-01-01 00:00+00' + i * interval '37.123457 s',
       timestamptz '2020-01-01 00:00+00' + i * interval '11 s'
FROM generate_series(1::bigint, :rows) AS i;

VACUUM (FREEZE, ANALYZE) mixed;
