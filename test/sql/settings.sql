-- configure(), pause(), resume(), remove_destination(): what they save, and what they refuse.
CREATE EXTENSION hydra_export;
CREATE VIEW saved AS
  SELECT destination, bucket, region, endpoint, prefix, frequency_hours, credentials, addressing, enabled
  FROM hydra_export.settings ORDER BY destination;

-- The minimum; everything else gets its default.
SELECT hydra_export.configure(bucket => 'exports', access_key => 'AKIAEXAMPLE', secret_key => 'wJalrXUtnFEMI');
SELECT * FROM saved;

-- What is left out stays as it is.
SELECT hydra_export.configure(
  region => 'eu-central-1', endpoint => 'HTTPS://S3.Example.com:443/', prefix => 'production/shop',
  frequency_hours => 6, credentials => 'static', addressing => 'path');
SELECT * FROM saved;
SELECT hydra_export.configure(frequency_hours => 168);
SELECT hydra_export.configure();
SELECT * FROM saved;

-- '' clears, back to the default.
SELECT hydra_export.configure(region => '', endpoint => '', prefix => '', addressing => '');
SELECT * FROM saved;

-- Saving the same settings again is not a move: exports continue from where they are.
SELECT hydra_export.configure(bucket => 'exports', endpoint => '', prefix => '', frequency_hours => 1);
SELECT hydra_export.configure(prefix => 'a/b/');
SELECT hydra_export.configure(prefix => 'a/b');

-- Names may have any characters; a bucket of another endpoint is another bucket.
SELECT hydra_export.configure(destination => 'Größe "2"', bucket => 'exports', endpoint => 'https://minio.example.com',
                              prefix => 'a/b', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'next to it', bucket => 'exports', prefix => 'a/bc',
                              access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'loopback', bucket => 'exports', endpoint => 'http://[::1]:9000',
                              access_key => 'A', secret_key => 'S');
SELECT * FROM saved;
CREATE TABLE before_errors AS
  TABLE hydra_export.settings;
CREATE VIEW secrets AS
  SELECT option_name, option_value FROM pg_user_mappings, pg_options_to_table(umoptions) WHERE srvname = 'hydra_export';
CREATE TABLE secrets_before_errors AS
  TABLE secrets;

-- frequency
SELECT hydra_export.configure(frequency_hours => 0);
SELECT hydra_export.configure(frequency_hours => 169);
SELECT hydra_export.configure(frequency_hours => -1);

-- bucket
SELECT hydra_export.configure(bucket => '');
SELECT hydra_export.configure(bucket => 'ab');
SELECT hydra_export.configure(bucket => repeat('a', 64));
SELECT hydra_export.configure(bucket => 'Exports');
SELECT hydra_export.configure(bucket => 's3://exports');
SELECT hydra_export.configure(bucket => 'arn:aws:s3:::exports');
SELECT hydra_export.configure(bucket => '-exports');
SELECT hydra_export.configure(bucket => 'ex..ports');
SELECT hydra_export.configure(bucket => '192.168.5.4');
SELECT hydra_export.configure(bucket => 'xn--exports');
SELECT hydra_export.configure(bucket => 'exports--x-s3');
SELECT hydra_export.configure(bucket => 'größe');

-- endpoint
SELECT hydra_export.configure(endpoint => 's3.example.com');
SELECT hydra_export.configure(endpoint => 'ftp://s3.example.com');
SELECT hydra_export.configure(endpoint => 'https://');
SELECT hydra_export.configure(endpoint => 'https://user:password@s3.example.com');
SELECT hydra_export.configure(endpoint => 'https://s3.example.com:0');
SELECT hydra_export.configure(endpoint => 'https://s3.example.com?bucket=a');
SELECT hydra_export.configure(endpoint => 'https://s3.example.com/#a');
SELECT hydra_export.configure(endpoint => 'https://s3 example.com');
SELECT hydra_export.configure(endpoint => 'https://-example.com');
SELECT hydra_export.configure(endpoint => 'https://s3.example.com/a//b');
SELECT hydra_export.configure(endpoint => 'http://s3.example.com');
SELECT hydra_export.configure(endpoint => 'http://127.0.0.1.example.com');
SELECT hydra_export.configure(endpoint => 'http://0x7f000001');

-- region, prefix, addressing, credentials
SELECT hydra_export.configure(region => 'eu central');
SELECT hydra_export.configure(region => '-eu');
SELECT hydra_export.configure(endpoint => '', region => 'frankfurt');
-- The bucket's name is where it would be added, or is no name at all.
SELECT hydra_export.configure(bucket => 'my-exports', endpoint => 'https://my-exports.s3.eu-central-1.amazonaws.com', addressing => 'path');
SELECT hydra_export.configure(bucket => 'my-exports', endpoint => 'https://my-exports.example.com');
SELECT hydra_export.configure(bucket => 'arn:aws:s3:eu-west-1:123456789012:accesspoint/orders');
SELECT hydra_export.configure(bucket => 'arn:aws:s3:::exports');
SELECT hydra_export.configure(prefix => '/a');
SELECT hydra_export.configure(prefix => 'a//b');
SELECT hydra_export.configure(prefix => 'a/../b');
SELECT hydra_export.configure(prefix => E'a\nb');
SELECT hydra_export.configure(prefix => repeat('a', 513));
SELECT hydra_export.configure(addressing => 'dns');
SELECT hydra_export.configure(credentials => 'environment');

-- keys
SELECT hydra_export.configure(access_key => 'A');
SELECT hydra_export.configure(secret_key => 'S');
SELECT hydra_export.configure(access_key => '', secret_key => '');
SELECT hydra_export.configure(session_token => 'T');
SELECT hydra_export.configure(destination => 'new', bucket => 'another');
SELECT hydra_export.configure(destination => 'new', bucket => 'another', access_key => 'A');

SELECT hydra_export.configure(destination => 'new', bucket => 'another', credentials => '');
SELECT hydra_export.configure(destination => 'new', bucket => 'another', credentials => 'instance');

-- object_headers
SELECT hydra_export.configure(object_headers => '["x-amz-storage-class"]');
SELECT hydra_export.configure(object_headers => '"x-amz-storage-class"');
SELECT hydra_export.configure(object_headers => 'null');
SELECT hydra_export.configure(object_headers => '{"x-amz-meta-level": 1}');

-- destination
SELECT hydra_export.configure(destination => '');
SELECT hydra_export.configure(destination => NULL);
SELECT hydra_export.configure(destination => repeat('a', 201), bucket => 'another', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'no such', frequency_hours => 12);

-- overlaps: the same place, above and below
SELECT hydra_export.configure(destination => 'new', bucket => 'exports', prefix => 'a/b', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'new', bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'new', bucket => 'exports', prefix => 'a/b/c', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'Größe "2"', endpoint => '');
SELECT hydra_export.configure(destination => 'Größe "2"', endpoint => 'https://s3.dualstack.eu-west-1.amazonaws.com');

-- Functions of destinations
SELECT hydra_export.pause('no such');
SELECT hydra_export.resume('no such');
SELECT hydra_export.remove_destination('no such');
SELECT hydra_export.pause(NULL);
SELECT hydra_export.resume(NULL);
SELECT hydra_export.remove_destination(NULL);

-- None of these changed anything.
(TABLE before_errors EXCEPT TABLE hydra_export.settings)
UNION ALL (TABLE hydra_export.settings EXCEPT TABLE before_errors);
(TABLE secrets_before_errors EXCEPT TABLE secrets)
UNION ALL (TABLE secrets EXCEPT TABLE secrets_before_errors);

-- Another place: the next exports are full, and it says so where there were any.
CREATE TABLE orders (id int PRIMARY KEY);
SELECT hydra_export.add_model('orders');
SELECT hydra_export.add_model('orders', destination => 'loopback');
SELECT hydra_export.configure(prefix => 'a/c');
SELECT hydra_export.configure(prefix => 'a/b');
INSERT INTO hydra_export.model_state (model_id, attempted_at, export_id)
  SELECT id, now(), 1 FROM hydra_export.models;
CREATE VIEW generations AS
  SELECT s.destination, m.generation AS model
  FROM hydra_export.settings s LEFT JOIN hydra_export.models m USING (destination) ORDER BY 1;
SELECT * FROM generations;
SELECT hydra_export.configure(bucket => 'elsewhere');
SELECT hydra_export.configure(endpoint => 'https://s3.example.com');
SELECT hydra_export.configure(prefix => '');
SELECT * FROM generations;

-- Not so when another setting changes.
SELECT hydra_export.configure(region => 'us-west-2', frequency_hours => 3, addressing => 'virtual',
                              access_key => 'B', secret_key => 'T', session_token => 'U');
SELECT * FROM generations;

-- The hours in which scheduled exports may start.
SELECT hydra_export.configure(start_window => '22:00-04:30');
SELECT destination, start_window FROM hydra_export.settings ORDER BY 1;
SELECT hydra_export.configure(start_window => '22:00');
SELECT hydra_export.configure(start_window => '22:00-22:00');
SELECT hydra_export.configure(start_window => '22:00-25:00');
SELECT hydra_export.configure(start_window => '');
SELECT destination, start_window FROM hydra_export.settings ORDER BY 1;

-- pause and resume
SELECT hydra_export.pause();
SELECT hydra_export.pause('loopback');
SELECT destination, enabled FROM saved;
SELECT hydra_export.pause();
SELECT hydra_export.resume();
SELECT destination, enabled FROM saved;
SELECT hydra_export.configure(destination => 'loopback', frequency_hours => 2);
SELECT destination, enabled FROM saved WHERE destination = 'loopback';
SELECT * FROM generations;

-- remove_destination takes models and keys along, and leaves history.
INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at)
VALUES ('loopback', '202601010000', 'user', 'succeeded', '2026-01-01');
SELECT hydra_export.remove_destination('loopback');
SELECT hydra_export.remove_destination('Größe "2"');
SELECT destination FROM saved;
SELECT destination, name FROM hydra_export.models;
SELECT option_value AS destination FROM secrets WHERE option_name LIKE '%.destination' ORDER BY 1;
SELECT destination, folder FROM hydra_export.recent_exports;

-- What the server's administrator allows.
ALTER SYSTEM SET hydra_export.allow_http = on;
ALTER SYSTEM SET hydra_export.allowed_places = 'http://*/elsewhere, aws/third';
SELECT pg_reload_conf();
\c -
SELECT hydra_export.configure(endpoint => 'http://s3.example.com');
SELECT hydra_export.configure(destination => 'new', bucket => 'fourth', access_key => 'A', secret_key => 'S');
SELECT hydra_export.configure(destination => 'new', bucket => 'third', access_key => 'A', secret_key => 'S');
SELECT destination, bucket, endpoint FROM saved;
ALTER SYSTEM RESET hydra_export.allow_http;
ALTER SYSTEM RESET hydra_export.allowed_places;
SELECT pg_reload_conf();
\c -
-- A setting that is no longer allowed has to go before others are saved.
SELECT hydra_export.configure(frequency_hours => 4);
SELECT hydra_export.configure(frequency_hours => 4, endpoint => '');

-- A change is told to the launcher when it is committed; a prepared transaction would lose it.
BEGIN;
SELECT hydra_export.configure(frequency_hours => 5);
PREPARE TRANSACTION 'settings';
BEGIN;
SELECT hydra_export.remove_model('orders');
PREPARE TRANSACTION 'models';
BEGIN;
SELECT count(*) FROM hydra_export.settings;
PREPARE TRANSACTION 'reading';
COMMIT PREPARED 'reading';
SELECT destination, frequency_hours FROM saved;
SELECT name FROM hydra_export.models;

DROP VIEW generations, saved, secrets;
DROP TABLE orders, before_errors, secrets_before_errors;
DROP EXTENSION hydra_export;
