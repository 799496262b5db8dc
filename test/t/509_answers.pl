# Which responses count as success, which do not come from S3, and error responses in other forms than S3's.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3(TLS => 1);
my $faults = start_faults($s3);
my $node = new_node('answers', 'hydra_export.max_attempts' => 2, 'hydra_export.ca_file' => $s3->ca_file);
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint, conditional => 'off');
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE t (id integer PRIMARY KEY);
    SELECT hydra_export.add_model('t');
    SQL

sub sql { return $node->safe_psql('postgres', @_) }

# export(): (status, error) of one export, by history.
sub export
{
    $node->psql('postgres', 'SELECT hydra_export.export_now()', timeout => 180);
    return split /\|/, sql('SELECT status, error FROM hydra_export.exports ORDER BY id DESC LIMIT 1'), 2;
}

# check(): what check_access() says of the store, or what is wrong with it.
sub check
{
    my ($column) = @_;

    my ($code, $out, $err) = $node->psql('postgres', "SELECT $column FROM hydra_export.check_access()", timeout => 180);
    return $code == 0 ? $out : $err;
}

my $id = 0;
sub insert { sql('INSERT INTO t VALUES (' . ++$id . ')'); return $id }

# ---- a success that is none

my %wrong = (
    'a page'            => [ { body => '<!DOCTYPE html><html><head><title>Please sign in</title></head></html>' }, qr/answered 200, not as an S3 store does: a page: Please sign in.*Check endpoint/ ],
    'no ETag'           => [ { body => '' }, qr/answered 200, not as an S3 store does: the answer has no ETag/ ],
    'another status'    => [ { status => 201, body => '', headers => 'ETag: "1"' }, qr/answered 201, not as an S3 store does/ ],
    'an error inside'   => [ { code => 'AccessDenied', message => 'no way' }, qr/S3 answered 200 AccessDenied: no way/ ],
    'an ETag of others' => [ { body => '', headers => 'ETag: "' . md5_hex('other') . '"', times => 99 },
        qr/S3 answered 200: the object was not stored as it was sent: its ETag is @{[ md5_hex('other') ]}, the MD5 of what was sent [0-9a-f]{32} \(2 attempts\)/ ]);
foreach my $name (sort keys %wrong)
{
    my ($fault, $expected) = @{ $wrong{$name} };
    my $row = insert();
    $faults->plan({ fault => 'status', status => 200, path => '/t/', %$fault });
    my ($status, $error) = export();
    is($status, 'failed', "$name is no success");
    like($error, $expected, 'and the error says what it was');
    $faults->plan;
    is((export())[0], 'succeeded', 'the next export');
    my $folder = sql('SELECT last_folder FROM hydra_export.settings');
    ok((grep { $_->{id} == $row } $s3->rows('data', "$folder/")), 'has the row');
}

my $row = insert();
$faults->plan({ fault => 'status', status => 200, path => '/t/', body => '', headers => 'ETag: "' . md5_hex('other') . '"' });
is((export())[0], 'succeeded', 'an object that was damaged on its way is sent again');
my $folder = sql('SELECT last_folder FROM hydra_export.settings');
ok((grep { $_->{id} == $row } $s3->rows('data', "$folder/")), 'and is there');

# ---- refusals in other words

foreach my $case (
    [ '{"code":"NotAuthenticated","message":"The required information is missing"}', qr/S3 answered 403 NotAuthenticated: The required information is missing/ ],
    [ '{"statusCode":"403","error":"Unauthorized","message":"new row violates row-level security policy"}', qr/S3 answered 403 Unauthorized: new row violates row-level security policy/ ],
    [ '<html><head><title>Blocked by policy 17</title></head><body>x</body></html>', qr/S3 answered 403: Blocked by policy 17/ ],
    [ "RBAC: access denied\n", qr/S3 answered 403: RBAC: access denied/ ],
    [ '<e:Error xmlns:e="urn:e"><e:Code><![CDATA[AccessDenied]]></e:Code><e:Message>by <b>quota</b></e:Message></e:Error>', qr/S3 answered 403 AccessDenied: by quota/ ])
{
    insert();
    $faults->plan({ fault => 'status', status => 403, path => '/t/', body => $case->[0] });
    like((export())[1], $case->[1], 'a refusal that is ' . substr $case->[0], 0, 20);
}

# ---- an old signature

insert();
my $now = sql(q(SELECT to_char(now() AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS') || ' GMT'));
$faults->plan({ fault => 'status', status => 403, code => 'RequestTimeTooSkewed', headers => "Date: $now" });
my ($status, $error) = export();
is($status, 'succeeded', 'a signature that is too old though the clocks agree is made anew') or diag($error);

# ---- what only a request shows

$faults->plan({ fault => 'status', status => 200, body => '<html><title>Sign in</title></html>' });
like(check('key'), qr/ERROR: .*could not write object.*a page: Sign in.*HINT:.*endpoint/s, 'no S3 behind the endpoint');
$faults->plan({ fault => 'status', status => 405, body => '<html><title>405 Not Allowed</title></html>' });
like(check('key'), qr/S3 answered 405: 405 Not Allowed.*HINT:.*endpoint/s, 'a web server');
$faults->plan;
(my $https = $s3->endpoint) =~ s/^http:/https:/;
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $https);
like(check('key'), qr/no answer from 127\.0\.0\.1:\d+.*HINT:.*does not use TLS.*endpoint with http:/s, 'https on an http port');
(my $http = $s3->https_endpoint) =~ s/^https:/http:/;
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $http);
like(check('key'), qr/HINT:.*TLS.*start endpoint with https:/s, 'http on an https port');

# ---- does the store overwrite?

my $check_text = "hydra_export may write here\n";
sub known { return sql(q(SELECT coalesce(condition_answer, 'unknown') FROM hydra_export.destination_state)) }

configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint, conditional => 'off');
is(check('conditional IS NULL'), 't', 'a destination that does not want it does not ask');
sql(q(SELECT hydra_export.configure(conditional => 'auto')));
is(known(), 'unknown', 'nothing is known of a store that was not asked');
is(check('conditional'), 'honoured', 'a store that keeps what is there');
is(known(), 'honoured', 'is remembered');
sql(q(SELECT hydra_export.configure(frequency_hours => 12)));
is(known(), 'honoured', 'with other settings, too');
insert();
$faults->plan({ fault => 'lose_answer', path => '/t/' });
is((export())[0], 'succeeded', 'auto is on there');
is(sql('SELECT count(*) FROM hydra_export.export_objects WHERE etag = $$$$'), 1, 'so that a lost answer is followed by a 412');

configure($node, 'postgres', $s3, bucket => 'data', endpoint => $s3->endpoint);
is(known(), 'unknown', 'another endpoint may be another store');
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint);
$faults->plan(map { { fault => 'status', status => 200, body => '', headers => 'ETag: "' . md5_hex($check_text) . '"' } } 1 .. 2);
is(check('conditional'), 'ignored', 'a store that overwrites all the same');
is(known(), 'ignored', 'is remembered');
insert();
is((export())[0], 'succeeded', 'auto is off there');
$faults->plan({ fault => 'status', status => 501, code => 'NotImplemented', message => 'A header you provided implies functionality that is not implemented' });
is(check('conditional'), 'refused', 'a store that does not take the header');
is(known(), 'refused', 'is remembered');
insert();
is((export())[0], 'succeeded', 'auto is off there, too');

sql(q(SELECT hydra_export.configure(conditional => 'on')));
$faults->plan({ fault => 'status', status => 501, code => 'NotImplemented' });
like(check('key'), qr/ERROR: .*the store refuses If-None-Match: .*501 NotImplemented.*HINT:.*conditional/s, 'on must be, or fails');
$faults->plan(map { { fault => 'status', status => 200, body => '', headers => 'ETag: "' . md5_hex($check_text) . '"' } } 1 .. 2);
like(check('key'), qr/ERROR: .*the store ignores If-None-Match.*HINT:.*conditional/s, 'also where the store says nothing');
$faults->plan;
is(check('conditional'), 'honoured', 'a store that has learnt it');

done_testing();
