-- add_model(), alter_model(), reset_model(), remove_model(): what they save, and what they refuse.
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'lake', bucket => 'lake', access_key => 'A', secret_key => 'S');
CREATE SCHEMA sales;
CREATE TABLE customers (id int PRIMARY KEY, name text, updated_at timestamptz);
CREATE TABLE sales.orders (id int PRIMARY KEY, placed date, updated_at timestamp);
CREATE TABLE sales."Größe/""2""" ("Ключ" int PRIMARY KEY, "UPPER" text, "a,b" text);
CREATE VIEW models AS
  SELECT destination, name, relation, changed_by, updated_at_column, key_columns, columns,
         look_back, full_every_hours, generation
  FROM hydra_export.models ORDER BY destination, name;

-- The minimum: the name is the table's, preceded by the schema unless that is public.
SELECT hydra_export.add_model('customers');
SELECT hydra_export.add_model('sales.orders');
SELECT * FROM models;

-- All that can be said.
SELECT hydra_export.add_model(
  'sales.orders', name => 'orders by day', changed_by => 'updated_at', updated_at_column => 'placed',
  key_columns => '{id}', columns => '{placed,id}', look_back => '3 days', full_every_hours => 720, destination => 'lake');
-- NULL and empty lists are the defaults.
SELECT hydra_export.add_model('customers', name => NULL, changed_by => NULL, updated_at_column => NULL, key_columns => '{}',
                              columns => '{}', look_back => NULL, full_every_hours => NULL, destination => 'lake');
SELECT hydra_export.add_model('customers', name => 'customers, again', changed_by => 'updated_at',
                              updated_at_column => NULL, look_back => '0');
-- Any name is quoted, and any character kept.
SELECT hydra_export.add_model('sales."Größe/""2"""', name => 'Größe "2", ''3''', key_columns => '{"Ключ"}',
                              columns => '{UPPER,"a,b","Ключ"}');
SELECT * FROM models;
SELECT DISTINCT added_by = current_user::regrole AS added_by_me, added_at <= clock_timestamp() AS in_the_past
FROM hydra_export.models;

CREATE TABLE before_errors AS TABLE hydra_export.models;

-- names
SELECT hydra_export.add_model('customers');
SELECT hydra_export.add_model('sales.orders', name => 'customers');
SELECT hydra_export.add_model('customers', name => '');
SELECT hydra_export.add_model('customers', name => 'a/b');
SELECT hydra_export.add_model('customers', name => '.');
SELECT hydra_export.add_model('customers', name => '..');
SELECT hydra_export.add_model('customers', name => repeat('a', 201));
SELECT hydra_export.add_model('customers', name => 'x' || repeat('ж', 100));
SELECT hydra_export.add_model('customers', name => '/' || repeat('ж', 100));
SELECT hydra_export.add_model('sales."Größe/""2"""');

-- relation
SELECT hydra_export.add_model(NULL);
SELECT hydra_export.add_model('no_such');
SELECT hydra_export.add_model(0);

-- settings of a model
SELECT hydra_export.add_model('customers', name => 'new', changed_by => 'ctid');
SELECT hydra_export.add_model('customers', name => 'new', changed_by => 'updated_at', updated_at_column => 'changed_at');
SELECT hydra_export.add_model('customers', name => 'new', changed_by => 'updated_at', updated_at_column => 'name');
SELECT hydra_export.add_model('customers', name => 'new', changed_by => 'updated_at', updated_at_column => 'ctid');
SELECT hydra_export.add_model('customers', name => 'new', columns => '{id,nam}');
SELECT hydra_export.add_model('customers', name => 'new', columns => '{id,NULL}');
SELECT hydra_export.add_model('customers', name => 'new', columns => '{name}');
SELECT hydra_export.add_model('customers', name => 'new', look_back => '-1 second');
SELECT hydra_export.add_model('customers', name => 'new', look_back => 'soon');
SELECT hydra_export.add_model('customers', name => 'new', look_back => '1001 years');
SELECT hydra_export.add_model('customers', name => 'new', look_back => '170000 years -60000000 days');
SELECT hydra_export.add_model('customers', name => 'new', full_every_hours => 0);
SELECT hydra_export.add_model('customers', name => 'new', full_every_hours => -1);
SELECT hydra_export.add_model('customers', name => 'new', destination => 'no such');
SELECT hydra_export.add_model('customers', name => 'new', destination => NULL);

-- alter_model, remove_model, reset_model
SELECT hydra_export.alter_model('no such');
SELECT hydra_export.alter_model('customers', destination => 'no such');
SELECT hydra_export.alter_model(NULL);
SELECT hydra_export.alter_model('customers', changed_by => 'ctid');
SELECT hydra_export.alter_model('sales.orders', changed_by => 'updated_at', updated_at_column => 'id');
SELECT hydra_export.alter_model('customers', key_columns => '{name}');
SELECT hydra_export.alter_model('customers', columns => '{name}');
SELECT hydra_export.alter_model('customers', look_back => '-1 hour');
SELECT hydra_export.alter_model('customers', look_back => '170000 years');
SELECT hydra_export.alter_model('customers', full_every_hours => -1);
SELECT hydra_export.remove_model('no such');
SELECT hydra_export.remove_model('customers', destination => 'no such');
SELECT hydra_export.remove_model(NULL);
SELECT hydra_export.reset_model('no such');
SELECT hydra_export.reset_model('orders by day');
SELECT hydra_export.reset_model('customers', destination => 'no such');
SELECT hydra_export.reset_model('customers', NULL);

-- None of these changed anything.
(TABLE before_errors EXCEPT TABLE hydra_export.models) UNION ALL (TABLE hydra_export.models EXCEPT TABLE before_errors);

-- A change of what lines hold, or of how changed rows are found, asks for a full export; others do not.
-- It is told of a model that was exported before: the first export is full anyway.
SELECT hydra_export.alter_model('sales.orders', columns => '{id}');
SELECT hydra_export.alter_model('sales.orders', columns => '{}');
INSERT INTO hydra_export.model_state (model_id, attempted_at, export_id)
  SELECT id, now(), 1 FROM hydra_export.models WHERE name = 'sales.orders';
SELECT hydra_export.alter_model('sales.orders', look_back => '2 hours', full_every_hours => 24);
SELECT hydra_export.alter_model('sales.orders', changed_by => 'updated_at');
SELECT hydra_export.alter_model('sales.orders', updated_at_column => 'placed');
SELECT hydra_export.alter_model('sales.orders', columns => '{id}');
SELECT hydra_export.alter_model('sales.orders', key_columns => '{id}');
SELECT * FROM models WHERE name = 'sales.orders';
SELECT hydra_export.alter_model('sales.orders');
-- Empty lists and 0 clear; with xmin there is no column.
SELECT hydra_export.alter_model('sales.orders', changed_by => 'xmin', key_columns => '{}', columns => '{}', full_every_hours => 0);
SELECT * FROM models WHERE name = 'sales.orders';
SELECT hydra_export.alter_model('orders by day', look_back => '1 day', destination => 'lake');
SELECT * FROM models WHERE name = 'orders by day';

-- reset_model forgets what was exported, of this model alone.
INSERT INTO hydra_export.baselines
  SELECT id, relation, '10:10:', now(), '0/1', '{}', 1, 1, 1, '0/1', '0/1' FROM hydra_export.models WHERE destination = 'default';
SELECT hydra_export.reset_model('customers');
SELECT m.name FROM hydra_export.baselines b JOIN hydra_export.models m ON m.id = b.model_id ORDER BY 1;
-- A change of look_back keeps it.
SELECT hydra_export.alter_model('sales.orders', look_back => '3 hours');
SELECT m.name FROM hydra_export.baselines b JOIN hydra_export.models m ON m.id = b.model_id ORDER BY 1;
SELECT hydra_export.alter_model('sales.orders', columns => '{id}');
SELECT m.name FROM hydra_export.baselines b JOIN hydra_export.models m ON m.id = b.model_id ORDER BY 1;

-- A model is removed with all that is remembered of it, and its name is free again.
SELECT hydra_export.remove_model('Größe "2", ''3''');
SELECT hydra_export.remove_model('customers');
SELECT hydra_export.add_model('customers');
SELECT destination, name, generation FROM models;
SELECT m.name FROM hydra_export.baselines b JOIN hydra_export.models m ON m.id = b.model_id ORDER BY 1;

-- Any number of hours between full exports can be set, and removed.
SELECT hydra_export.alter_model('customers', full_every_hours => 2147483647);
INSERT INTO hydra_export.model_state SELECT id, now(), now() FROM hydra_export.models WHERE name = 'customers' AND destination = 'default';
SELECT hydra_export.alter_model('customers', full_every_hours => 0);

-- A model whose table is gone can only be removed.
DROP TABLE customers;
SELECT hydra_export.alter_model('customers', look_back => '1 hour');
SELECT hydra_export.reset_model('customers');
-- A new table of that name is told so, without the OID of the old one.
CREATE TABLE customers (id int PRIMARY KEY);
SELECT hydra_export.add_model('customers');
UPDATE hydra_export.models SET problem = 'the table no longer exists' WHERE name = 'customers' AND destination = 'default';
SELECT hydra_export.add_model('customers');
SELECT hydra_export.remove_model('customers');
SELECT hydra_export.add_model('customers');
DROP TABLE customers;

DROP VIEW models;
DROP TABLE before_errors;
DROP SCHEMA sales CASCADE;
DROP EXTENSION hydra_export;
