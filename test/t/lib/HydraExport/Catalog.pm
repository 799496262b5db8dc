package HydraExport::Catalog;

# All that the server's catalogs say of the extension's objects, as lines of text: two databases have the same extension
# when their lines are the same. Nothing in it names an object of the extension, so what later versions add is compared, too.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(extension_catalog);

# Each part gives lines; `member` has the extension's members, those of its tables and views included.
my $members = q{
    WITH RECURSIVE member (classid, objid) AS (
        SELECT classid, objid FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
            AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'hydra_export')
        UNION
        SELECT d.classid, d.objid FROM member m JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid
        WHERE d.deptype IN ('a', 'i') AND d.classid <> 'pg_type'::regclass
    ), named AS (
        -- The names of TOAST tables hold OIDs; user mappings are there where keys were saved.
        SELECT classid, objid, identified.* FROM member, pg_identify_object(classid, objid, 0) AS identified
        WHERE schema IS DISTINCT FROM 'pg_toast' AND classid <> 'pg_user_mapping'::regclass
    )};
my @parts = (
    # The names that the server makes up for constraints of foreign keys hold OIDs; those of the keys do not.
    q{SELECT type, identity FROM named WHERE NOT (type = 'trigger' AND identity ~ 'RI_ConstraintTrigger')},
    q{SELECT 'comment', type, identity, objsubid, description FROM named JOIN pg_description ON classoid = classid AND objoid = objid},
    q{SELECT 'relation', identity, relkind, relpersistence, relrowsecurity, relforcerowsecurity, relreplident, reloptions,
        relowner::regrole, CASE relkind WHEN 'v' THEN pg_get_viewdef(objid) WHEN 'i' THEN pg_get_indexdef(objid) END
        FROM named JOIN pg_class ON oid = objid WHERE classid = 'pg_class'::regclass},
    # Some minor versions of the server number their changes of a column in attoptions.
    q{SELECT 'column', identity, row_number() OVER (PARTITION BY objid ORDER BY attnum), attname,
        format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attcollation::regcollation, attstorage,
        attcompression, ARRAY(SELECT option FROM unnest(attoptions) AS option WHERE option !~ '^pg_attver='), attacl, pg_get_expr(adbin, adrelid)
        FROM named JOIN pg_attribute ON attrelid = objid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE classid = 'pg_class'::regclass AND attnum > 0 AND NOT attisdropped},
    q{SELECT 'constraint', identity, pg_get_constraintdef(objid), convalidated, condeferrable, condeferred
        FROM named JOIN pg_constraint ON oid = objid WHERE classid = 'pg_constraint'::regclass},
    q{SELECT 'sequence', identity, format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle
        FROM named JOIN pg_sequence ON seqrelid = objid WHERE classid = 'pg_class'::regclass},
    q{SELECT 'trigger', tgname, pg_get_triggerdef(objid), tgenabled FROM named JOIN pg_trigger ON oid = objid
        WHERE classid = 'pg_trigger'::regclass AND NOT tgisinternal},
    q{SELECT 'function', identity, pg_get_functiondef(objid), proowner::regrole FROM named JOIN pg_proc ON oid = objid
        WHERE classid = 'pg_proc'::regclass},
    q{SELECT 'schema', identity, nspowner::regrole FROM named JOIN pg_namespace ON oid = objid
        WHERE classid = 'pg_namespace'::regclass},
    # As they are, and as pg_dump takes them to have been made by the extension.
    q{SELECT source, type, identity, granted.grantee::regrole, granted.grantor::regrole, privilege_type, is_grantable
        FROM named JOIN (
            SELECT 'grant', 'pg_class'::regclass, oid, relacl FROM pg_class
            UNION ALL SELECT 'grant', 'pg_proc'::regclass, oid, proacl FROM pg_proc
            UNION ALL SELECT 'grant', 'pg_namespace'::regclass, oid, nspacl FROM pg_namespace
            UNION ALL SELECT 'initial grant', classoid, objoid, initprivs FROM pg_init_privs WHERE objsubid = 0
        ) AS grants (source, class, object, acl) ON class = classid AND object = objid,
        aclexplode(acl) AS granted},
    q{SELECT 'dumped', config.oid::regclass, condition FROM pg_extension,
        unnest(extconfig, extcondition) AS config (oid, condition) WHERE extname = 'hydra_export'},
    q{SELECT 'extension', extversion, extrelocatable, extnamespace::regnamespace FROM pg_extension WHERE extname = 'hydra_export'});

# extension_catalog($node, DATABASE): the lines, sorted.
sub extension_catalog
{
    my ($node, $database) = @_;

    my @lines;
    foreach my $part (@parts)
    {
        my $rows = $node->safe_psql($database, "SET search_path = pg_catalog;\n$members\nSELECT row_to_json(part) FROM ($part) AS part");
        die "nothing from $part" if $rows eq '';
        push @lines, split /\n/, $rows;
    }
    return sort @lines;
}

1;
