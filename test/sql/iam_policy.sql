-- iam_policy(): the permissions that a destination's key needs, and no others.
CREATE EXTENSION hydra_export;
SELECT hydra_export.configure(bucket => 'exports', access_key => 'A', secret_key => 'S');
SELECT jsonb_pretty(hydra_export.iam_policy());

CREATE FUNCTION resource_of(prefix text, region text DEFAULT '') RETURNS text LANGUAGE sql AS $$
  SELECT hydra_export.configure(prefix => prefix, region => region);
  SELECT hydra_export.iam_policy() -> 'Statement' -> 0 ->> 'Resource';
$$;
SET client_min_messages = warning;
SELECT resource_of('');
SELECT resource_of('production/shop');
SELECT resource_of('Größe "2"');
-- Characters that a policy interprets as a wildcard or a variable are escaped.
SELECT resource_of('what?/a*/${aws:username}');
-- Regions of other partitions.
SELECT resource_of('', 'cn-north-1');
SELECT resource_of('', 'us-gov-west-1');
SELECT resource_of('', 'eusc-de-east-1');
SELECT resource_of('', 'us-iso-east-1');
-- An access point: its alias means nothing in a policy.
SELECT hydra_export.configure(bucket => 'orders-a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5-s3alias');
SELECT resource_of('shop', 'eu-west-1');
RESET client_min_messages;

SELECT hydra_export.iam_policy('no such');
SELECT hydra_export.iam_policy(NULL);

DROP FUNCTION resource_of;
DROP EXTENSION hydra_export;
