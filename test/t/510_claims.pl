# Each export claims its folder in the bucket before it writes there, and thereby knows which objects are its own.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use JSON::PP;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node('claims', 'hydra_export.first_export_delay' => '1h', 'hydra_export.max_attempts' => 3);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'claims', prefix => 'p', endpoint => $faults->endpoint);
$site->sql('CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
$site->add_model('t');

sub claim_of { return decode_json($s3->get('claims', "p/$_[0]/_claim.json")) }
sub known { return $site->sql(q(SELECT coalesce(condition_answer, 'unknown') FROM hydra_export.destination_state)) }
sub puts { return map { $_->{target} } grep { $_->{method} eq 'PUT' } $faults->requests }

# ---- what a claim says

my $export = $site->export;
is($export->{status}, 'succeeded', 'an export') or diag($export->{error});
my $claim = claim_of($export->{folder});
is($claim->{system_identifier}, $site->sql('SELECT system_identifier FROM pg_control_system()'), 'the claim names the cluster');
is(join(' ', @$claim{qw(database destination export_id folder)}), "postgres default $export->{id} $export->{folder}", 'the database and the export');
is(known(), 'honoured', 'the first claim has found out what the store does');
like((puts())[0], qr/_claim\.json$/, 'it comes first');
my $before = () = puts();
$site->sql('INSERT INTO t VALUES (2)');
$export = $site->export;
is((() = puts()) - $before, 3, 'from then on it is one request: claim, object, manifest');
$site->is_consistent($export);

# ---- a folder that is somebody's

sub early_in_a_minute { sleep 61 - (time % 60) if time % 60 > 40; return }
early_in_a_minute();
$export = $site->export;
my ($minute, $n) = $export->{folder} =~ /^(\d{12})(?:_(\d+))?$/;
my @next = map { sprintf '%s_%03d', $minute, ($n // 1) + $_ } 1 .. 2;
$s3->put('claims', "p/$next[0]/_claim.json", '{"database":"another"}');
$site->sql('INSERT INTO t VALUES (3)');
$export = $site->export;
SKIP: {
    skip 'a new minute has begun', 2 if index($export->{folder}, $minute) != 0;
    is($export->{folder}, $next[1], 'an export does not write to a folder that is claimed');
    is(claim_of($next[0])->{database}, 'another', 'nor overwrites the claim');
}
is($site->ids($export, 't'), '3', 'its rows are in the next one');

# ---- answers that were lost

$site->sql('INSERT INTO t VALUES (4)');
$faults->plan({ fault => 'lose_answer', path => '_claim' });
$before = $export->{folder};
$export = $site->export;
is($export->{status}, 'succeeded', 'a claim whose answer was lost') or diag($export->{error});
is($site->ids($export, 't'), '4', 'has its rows in a folder that is surely its own');
is(claim_of($export->{folder})->{export_id}, $export->{id}, 'with another claim');

$site->sql('INSERT INTO t VALUES (5)');
$faults->plan({ fault => 'lose_answer', path => '/t/' });
$export = $site->export;
is($export->{status}, 'succeeded', 'an object whose answer was lost is its own') or diag($export->{error});

# Another exporter writes to it nevertheless.
$site->sql('INSERT INTO t VALUES (6)');
$faults->plan({ fault => 'status', status => 412, code => 'PreconditionFailed', path => '/t/' });
$export = $site->export;
is($export->{status}, 'failed', 'an object that is there without a lost answer is not');
like($export->{error}, qr/412 PreconditionFailed.*nother exporter/, 'and the error says whose it may be');
$faults->plan;
is($site->ids($site->export, 't'), '6', 'the next export has the row');

# ---- stores that do not take it, and destinations that do not want it

$site->sql(q(UPDATE hydra_export.destination_state SET condition_answer = NULL));
$faults->plan({ fault => 'status', status => 501, code => 'NotImplemented', path => '_claim' });
$export = $site->export;
is($export->{status}, 'succeeded', 'auto: a store that does not take If-None-Match') or diag($export->{error});
is(known(), 'refused', 'is remembered');
$before = () = puts();
$site->sql('INSERT INTO t VALUES (7)');
is($site->export->{status}, 'succeeded', 'the next export');
is((() = puts()) - $before, 2, 'does not ask');
$site->sql(q(SELECT hydra_export.configure(conditional => 'on')));
$faults->plan({ fault => 'status', status => 501, code => 'NotImplemented', path => '_claim' });
like($site->export->{error}, qr/the store refuses If-None-Match.*conditional/, 'on: it fails');
$faults->plan;
is($site->export->{status}, 'succeeded', 'until the store takes it');
$before = () = puts();
$site->sql(q(SELECT hydra_export.configure(conditional => 'off')));
$site->sql('INSERT INTO t VALUES (8)');
is($site->export->{status}, 'succeeded', 'off');
is((() = puts()) - $before, 2, 'there is no claim');

# ---- the bucket, looked at

$site->sql('CREATE TABLE listing (key text, size bigint, etag text)');
$site->sql(sprintf q(INSERT INTO listing VALUES ('%s', %d, '%s')), @$_{qw(key size etag)}) foreach @{ $s3->list('claims', 'p/') };
is($site->sql(q(SELECT count(*) FROM hydra_export.check_listing('listing') WHERE key LIKE '%claim%')), 0, 'claims are no strangers');

done_testing();
