# What an export does when a store misbehaves, and what its history says afterwards.

use strict;
use warnings;

use HydraExport::Test;
use PostgreSQL::Test::Utils;
use Test::More;

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'errors',
    'hydra_export.file_size'    => '64kB',
    'hydra_export.max_attempts' => 3);
$s3->make_bucket('data');
$node->safe_psql('postgres', 'CREATE EXTENSION hydra_export');
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint);
$node->safe_psql('postgres', <<~'SQL');
    CREATE TABLE few AS SELECT g AS id FROM generate_series(1, 3) AS g;
    ALTER TABLE few ADD PRIMARY KEY (id);
    CREATE TABLE many AS SELECT g AS id, repeat('x', 1000) AS filler FROM generate_series(1, 2000) AS g;
    ALTER TABLE many ADD PRIMARY KEY (id);
    SELECT hydra_export.add_model('few');
    SQL

# export(): (status, error) of one export, by history.
sub export
{
    $node->psql('postgres', 'SELECT hydra_export.export_now()', timeout => 180);
    my $row = $node->safe_psql('postgres', 'SELECT status, error FROM hydra_export.exports ORDER BY id DESC LIMIT 1');
    return split /\|/, $row, 2;
}

sub puts { return scalar grep { $_->{method} eq 'PUT' && $_->{target} !~ m{/_claim\.json$} } $faults->requests }

# ---- try again

foreach my $fault (
    { fault => 'status', status => 503, code => 'SlowDown', times => 2 },
    { fault => 'status', status => 500, times => 2 },
    { fault => 'reset' },
    { fault => 'drop' },
    { fault => 'lose_answer' })
{
    $faults->plan($fault);
    my ($status, $error) = export();
    is($status, 'succeeded', 'an export survives ' . join ' ', map { $_ // '' } @$fault{qw(fault status code)})
      or diag($error);
    $node->safe_psql('postgres', q(SELECT hydra_export.reset_model('few')));
}

# ---- put right, and try again

my $hour_ago = $node->safe_psql('postgres', q(SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 hour', 'Dy, DD Mon YYYY HH24:MI:SS') || ' GMT'));
$faults->plan({ fault => 'status', status => 403, code => 'RequestTimeTooSkewed', headers => "Date: $hour_ago" });
my $before = puts();
my ($status, $error) = export();
is($status, 'failed', 'a store that lies about its time gets no object');
like($error, qr/RequestTimeTooSkewed/, 'and the error says so');
is(puts() - $before, 2, 'after a second attempt, signed by that time');

my $log = -s $node->logfile;
$faults->plan({ fault => 'status', status => 301, code => 'PermanentRedirect', headers => 'x-amz-bucket-region: eu-north-1' });
($status, $error) = export();
is($status, 'succeeded', 'a wrong region is put right') or diag($error);
like(slurp_file($node->logfile, $log), qr/Set region to "eu-north-1"/, 'and the log says which to set');

# ---- stop at once

$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', message => 'no way', times => 99 });
$before = puts();
($status, $error) = export();
is($status, 'failed', 'a refusal fails the export');
is(puts() - $before, 1, 'after one attempt');
like($error, qr/object "\d{12}(_\d{3})?\/_manifest.json": S3 answered 403 AccessDenied: no way \(request id FAULT0000000001\)/,
    'the error has the key, the status, code and words of the store, and the request id');
like($error, qr/iam_policy/, 'and says what to do');

$faults->plan();
foreach my $case (
    [ { bucket => 'missing' }, qr/404 NoSuchBucket/ ],
    [ { access_key => 'UNKNOWN' }, qr/403 InvalidAccessKeyId/ ],
    [ { secret_key => 'wrong' }, qr/403 SignatureDoesNotMatch/ ])
{
    configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint, %{ $case->[0] });
    ($status, $error) = export();
    like($error, $case->[1], 'a real store refuses: ' . join ' ', keys %{ $case->[0] });
}
configure($node, 'postgres', $s3, bucket => 'data', endpoint => $faults->endpoint);

# ---- one object, and all of them

$node->safe_psql('postgres', q(SELECT hydra_export.add_model('many')));
$faults->plan({ fault => 'status', status => 503, code => 'SlowDown', path => '/many/1-', times => 99 });
($status, $error) = export();
is($status, 'partial', 'one object that never arrives fails its model only');
like($error, qr/\Amodel "many": object "\S+\/many\/1-\S+": S3 answered 503 SlowDown.*3 attempts/, 'and the error names it');
unlike($error, qr/few/, 'and not the other model');

$faults->plan({ fault => 'status', status => 503, code => 'SlowDown', times => 9999 });
$before = puts();
($status, $error) = export();
is($status, 'failed', 'an outage fails the export');
like($error, qr/503 SlowDown.*\(3 objects in a row\)/, 'which says why it stopped');
cmp_ok(puts() - $before, '<', 40, 'and does not go on asking');

$faults->plan();
is((export())[0], 'succeeded', 'when it is over, all is well');

# ---- no secret anywhere

unlike(slurp_file($node->logfile), qr/\Q@{[ ($s3->writer)[1] ]}\E/, 'the secret key is not in the log');

done_testing();
