-- A small shop with 265,000 rows. The same rows on every run.
--
-- Its texts have quotes, backslashes, line breaks and non-ASCII, its numbers are large, small and NaN, its times are in
-- and out of zones, and infinite: what makes JSON hard.

SET TimeZone = 'UTC';
SELECT setseed(0.42);

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'returned');

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token uuid NOT NULL UNIQUE,
  name text NOT NULL,
  tags text[] NOT NULL,
  preferences jsonb,
  credit numeric(12, 2),
  born date,
  created_at timestamptz NOT NULL
);

CREATE TABLE products (
  sku text PRIMARY KEY,
  title text NOT NULL,
  price numeric NOT NULL,
  dimensions numeric[] NOT NULL,
  attributes jsonb NOT NULL,
  weight double precision,
  thumbnail bytea,
  available_until timestamp
);

CREATE TABLE orders (
  id bigint,
  placed_at timestamptz,
  customer_id bigint NOT NULL REFERENCES customers,
  status order_status NOT NULL,
  gift boolean NOT NULL,
  note text,
  PRIMARY KEY (id, placed_at)
) PARTITION BY RANGE (placed_at);

CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_later PARTITION OF orders DEFAULT;

CREATE TABLE order_lines (
  order_id bigint,
  placed_at timestamptz,
  line integer,
  sku text NOT NULL REFERENCES products,
  quantity smallint NOT NULL CHECK (quantity > 0),
  price numeric(12, 2) NOT NULL,
  total numeric(14, 2) GENERATED ALWAYS AS (quantity * price) STORED,
  PRIMARY KEY (order_id, line),
  FOREIGN KEY (order_id, placed_at) REFERENCES orders (id, placed_at)
);

CREATE SCHEMA warehouse;

CREATE TABLE warehouse.stock (
  place char(4),
  sku text REFERENCES products,
  pieces integer NOT NULL,
  restock_every interval,
  opens time,
  PRIMARY KEY (place, sku)
);

CREATE TABLE warehouse.shipments (
  id uuid PRIMARY KEY,
  order_id bigint NOT NULL,
  placed_at timestamptz NOT NULL,
  carrier text NOT NULL,
  scans timestamptz[] NOT NULL,
  updated_at timestamptz NOT NULL,
  FOREIGN KEY (order_id, placed_at) REFERENCES orders (id, placed_at)
);

CREATE INDEX ON warehouse.shipments (updated_at);

-- ---- rows

CREATE FUNCTION pg_temp.pick(variadic choices text[]) RETURNS text
  LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

INSERT INTO customers (token, name, tags, preferences, credit, born, created_at)
SELECT md5('customer ' || i)::uuid,
       pg_temp.pick('Zoë', 'Łukasz', 'Søren', 'José', '小龍', 'Ольга', 'Anna', 'Bob') || ' '
         || pg_temp.pick('O''Brien', 'Żółć', '"Sonny" Holm', E'back\\slash', E'two\nlines', 'Müller', '李', 'Smith 🛒'),
       CASE i % 3 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['new'] ELSE ARRAY['vip', 'a "quoted", tag', NULL] END,
       CASE WHEN i % 7 > 0 THEN jsonb_build_object(
         'newsletter', i % 2 = 0, 'size', i % 50, 'colours', jsonb_build_array('red', 'größer', NULL),
         'address', jsonb_build_object('street', 'Straße "' || i || '"', 'zip', lpad((i % 99999)::text, 5, '0'))) END,
       CASE i % 100 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL ELSE round((random() * 100000)::numeric, 2) END,
       CASE WHEN i % 5 > 0 THEN date '1940-01-01' + (random() * 25000)::int END,
       timestamptz '2023-01-01' + random() * interval '700 days'
FROM generate_series(1, 20000) AS i;

INSERT INTO products
SELECT 'SKU-' || lpad(i::text, 6, '0'),
       pg_temp.pick('Café table', 'Chair "Ångström"', 'Lamp 100% LED', 'Tab' || E'\t' || 'stop', 'Regal – schmal') || ' ' || i,
       round((random() * 10 ^ (i % 9))::numeric, i % 6) + 0.01,
       ARRAY[round((random() * 200)::numeric, 1), i % 300, 0.5],
       jsonb_build_object('ean', 4000000000000 + i, 'stars', round((random() * 5)::numeric, 1), 'deep', '[[1, {"a": null}]]'::jsonb),
       CASE i % 50 WHEN 0 THEN 'Infinity' WHEN 1 THEN NULL ELSE random() * 10 ^ (i % 20 - 5) END,
       CASE WHEN i % 4 = 0 THEN decode(md5('thumbnail ' || i), 'hex') END,
       CASE i % 10 WHEN 0 THEN 'infinity' WHEN 1 THEN NULL ELSE timestamp '2026-01-01 12:00' + random() * interval '900 days' END
FROM generate_series(1, 5000) AS i;

INSERT INTO orders
SELECT i,
       date_trunc('milliseconds', timestamptz '2024-01-01' + (i / 60000.0) * interval '900 days'),
       1 + floor(random() * 20000)::int,
       pg_temp.pick('new', 'paid', 'shipped', 'returned')::order_status,
       i % 9 = 0,
       CASE WHEN i % 6 = 0 THEN pg_temp.pick('leave at door', E'ring "twice"\r\nplease', 'für Oma', '配達') END
FROM generate_series(1, 60000) AS i;

INSERT INTO order_lines (order_id, placed_at, line, sku, quantity, price)
SELECT o.id, o.placed_at, line,
       'SKU-' || lpad((1 + floor(random() * 5000)::int)::text, 6, '0'),
       1 + floor(random() * 9)::int,
       round((random() * 500)::numeric, 2)
FROM orders AS o, generate_series(1, 1 + (o.id % 4)::int) AS line;

INSERT INTO warehouse.stock
SELECT place, sku, floor(random() * 1000)::int, (1 + i % 30) * interval '1 day 2 hours', time '06:00' + (i % 8) * interval '30 min'
FROM (SELECT sku, row_number() OVER (ORDER BY sku) AS i FROM products) AS p, unnest(ARRAY['BER1', 'MUC2', 'ÖRE3']) AS place;

INSERT INTO warehouse.shipments
SELECT md5('shipment ' || id)::uuid, id, placed_at,
       pg_temp.pick('DHL', 'UPS', 'Post™'),
       ARRAY[placed_at + interval '1 day', placed_at + random() * interval '5 days'],
       placed_at + interval '6 days'
FROM orders WHERE status = 'shipped';

ANALYZE;
