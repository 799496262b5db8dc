# Lines do not depend on a database's own settings, and a line that is too large fails only its model.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use Test::More;

my $s3 = start_s3();
my $node = new_node('lines', 'hydra_export.max_row_size' => '64kB');

# ---- settings of the database and of the role that added the model

$node->safe_psql('postgres', <<'SQL');
    CREATE DATABASE odd;
    ALTER DATABASE odd SET DateStyle = 'SQL, DMY';
    ALTER DATABASE odd SET IntervalStyle = 'postgres_verbose';
    ALTER DATABASE odd SET TimeZone = 'Asia/Kolkata';
    ALTER DATABASE odd SET bytea_output = 'escape';
    ALTER DATABASE odd SET extra_float_digits = -15;
    ALTER DATABASE odd SET xmloption = 'document';
    ALTER DATABASE odd SET search_path = 'elsewhere';
    ALTER DATABASE odd SET client_encoding = 'LATIN1';
    ALTER DATABASE odd SET array_nulls = off;
    ALTER DATABASE odd SET quote_all_identifiers = on;
    CREATE ROLE odd SUPERUSER LOGIN;
    ALTER ROLE odd SET TimeZone = 'America/New_York';
    ALTER ROLE odd SET DateStyle = 'German';
SQL
foreach my $locale (split /\n/, `locale -a`)
{
    # A locale with another currency, if there is one.
    next unless $locale =~ /^(de_DE|en_GB|en_US)\.utf-?8$/i;
    $node->safe_psql('postgres', "ALTER DATABASE odd SET lc_monetary = '$locale'; ALTER DATABASE odd SET lc_numeric = '$locale'");
    last;
}
my $site = HydraExport::Site->new($node, 'odd', $s3, bucket => 'odd');
$site->sql(<<'SQL');
    CREATE SCHEMA elsewhere;
    CREATE TYPE public.moment AS (at timestamptz, length interval);
    CREATE TABLE public.settings (
        id integer PRIMARY KEY, at timestamptz, local timestamp, day date, zoned timetz, length interval, bytes bytea,
        small real, ratio float8, price money, place point, shape circle, during tstzrange, days daterange[],
        moments timestamptz[], lengths interval[], moment public.moment, photos bytea[], doc xml, relation regclass);
    SET xmloption = content;
    INSERT INTO public.settings VALUES (1, '2024-02-03 04:05:06.7+00', '2024-02-03 04:05:06', '2024-02-03', '04:05+02',
        '1 year -2 days 03:04:05.6', '\x00ff5c41', 1.1, 0.1::float8 + 0.2, '-1234.56', '(0.1,0.30000000000000004)',
        '<(1,2),0.1>', '[2024-02-03 04:05+00,)', '{"[2024-02-03,2024-03-04)"}', '{"2024-02-03 04:05:06+00",infinity}',
        '{"-1 mon 2 days"}', '("2024-02-03 04:05:06+00","1 day")', '{"\\x00ff"}', 'some <b>text</b>', 'public.settings');
SQL
$node->safe_psql('odd', q{SELECT hydra_export.add_model('public.settings')}, extra_params => [ '-U', 'odd' ]);
my $export = $site->export;
is($export->{status}, 'succeeded', 'a database with settings of its own is exported') or diag($export->{messages});
$site->holds_table('settings', 'its settings do not change a byte');
my ($line) = $site->lines($export, 'settings');
like($line, qr/"at":"2024-02-03T04:05:06\.7\+00:00"/, 'times are in UTC');
like($line, qr/"length":"P1Y-2DT3H4M5\.6S"/, 'intervals are ISO 8601');
like($line, qr/"bytes":"\\\\x00ff5c41"/, 'bytea is hexadecimal');
like($line, qr/"ratio":0\.30000000000000004,/, 'floats have all their digits');
like($line, qr/"price":"-\$1,234\.56"/, 'money is that of the C locale');
isnt($site->sql('SELECT row_to_json(t) FROM public.settings t'), $line, 'a session of that database sees other text');

# ---- a line over max_row_size

my $limits = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'limits');
$limits->sql(<<'SQL');
    CREATE TABLE fits (id integer PRIMARY KEY, v text);
    INSERT INTO fits VALUES (1, repeat('x', 65000));
    CREATE TABLE large (id integer, kind text, v text, PRIMARY KEY (id, kind));
    INSERT INTO large VALUES (1, 'small', 'x'), (7, 'wide', repeat('x', 65600)), (8, 'huge', repeat('x', 10000000));
    CREATE TABLE huge (id integer PRIMARY KEY, v text);
    INSERT INTO huge VALUES (8, repeat('x', 10000000));
SQL
$limits->add_model($_) foreach 'fits', 'large', 'huge';
$export = $limits->export;
is($export->{status}, 'partial', 'a row that is too large fails its model alone');
$limits->holds_table('fits', 'a row just below the limit is exported');
my $error = $limits->model($export, 'large')->{error};
like($error, qr/^a row's JSON is larger than hydra_export\.max_row_size \(64 kB\)/, 'the error says the limit');
like($error, qr/It has 65630 bytes\./, 'and the size of the line');
like($error, qr/In the row with id 7, wide\./, 'and the id of the row');
$error = $limits->model($export, 'huge')->{error};
like($error, qr/It has more than (\d+) bytes\./, 'a line that is far too large is given up');
like($error, qr/In column "v" of the row with id 8\./, 'in the column where that was seen');

# ---- the lines of an object are in the order of the key, wherever the table has the rows

my $ordered = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'ordered', destination => 'ordered');
my $icu = $node->safe_psql('postgres', q{SELECT 'COLLATE "und-x-icu"' FROM pg_collation WHERE collname = 'und-x-icu'});
my %order = (
    rising  => 'i',
    falling => '-i',
    nearly  => 'CASE WHEN i % 50 = 0 THEN i - 27 ELSE i END',
    random  => 'md5(i::text)');
my @keys = ('number', 'long', 'token', 'amount', 'word', 'word, number');
foreach my $table (sort keys %order)
{
    $ordered->sql(<<"SQL");
        CREATE TABLE $table (number integer PRIMARY KEY, long bigint NOT NULL UNIQUE, token uuid NOT NULL UNIQUE,
                             amount numeric NOT NULL UNIQUE, word text $icu NOT NULL UNIQUE, UNIQUE (word, number));
        INSERT INTO $table
        SELECT i, i * 10000000000, lpad(to_hex(i * 5000), 32, '0')::uuid, i / 7.0,
               (ARRAY['a', 'B', 'c', 'D'])[i / 125 + 1] || lpad(i::text, 4, '0')
        FROM (SELECT i - 1 AS i FROM generate_series(1, 500) AS i) AS n
        ORDER BY $order{$table}, i DESC;
SQL
    $ordered->add_model($table, name => qq('$table by $_'), key_columns => "'{$_}'") foreach @keys;
}
$export = $ordered->export;
foreach my $table (sort keys %order)
{
    foreach my $key (@keys)
    {
        my @found = map { /^\{"number":(\d+),/; $1 } $ordered->lines($export, "$table by $key");
        is("@found", join(' ', split /\n/, $ordered->sql("SELECT number FROM $table ORDER BY $key")), "$table, by $key");
    }
}

# ---- the look at all lines with which every test ends

my ($good, $output) = check_lines($s3);
ok($good, 'all lines so far are JSON') or diag($output);
my $object = '202611230000/model/1-1.json';
my %wrong = (
    "{\"a\":1,\"a\":2}\n"  => qr/a key is there twice/,
    "{\"a\":NaN}\n"        => qr/NaN is no JSON/,
    "{\"a\":\"\xff\"}\n"    => qr/can't decode byte 0xff/,
    "{\"a\":\"b\nc\"}\n"    => qr/Unterminated string/,
    "{\"a\":1}\n{\"a\":2"  => qr/Python: /,
    "{\"a\":\"\\ud800\"}\n" => qr/jansson: /);
foreach my $body (sort keys %wrong)
{
    $s3->put('odd', $object, $body);
    ($good, $output) = check_lines($s3);
    ok(!$good, 'a line that is wrong is found');
    like($output, $wrong{$body}, 'and the reason given');
}
$s3->request('DELETE', "/odd/$object");

done_testing();
