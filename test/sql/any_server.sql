-- Works on every server, preloaded or not, with any settings.
SET client_min_messages = error;
CREATE EXTENSION hydra_export;
CREATE TABLE shop (id int PRIMARY KEY);
DO $$
BEGIN
  PERFORM hydra_export.configure(bucket => 'exports', region => 'eu-central-1', access_key => 'A', secret_key => 'S');
  PERFORM hydra_export.add_model('shop');
END $$;
SELECT destination, bucket, region FROM hydra_export.settings;
SELECT name FROM hydra_export.models;
SELECT hydra_export.iam_policy() -> 'Statement' -> 0 ->> 'Action' AS action;
SELECT hydra_export.remove_destination('default');
DROP TABLE shop;
DROP EXTENSION hydra_export;
SELECT count(*) FROM pg_namespace WHERE nspname = 'hydra_export';
