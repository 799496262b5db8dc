# Faults of S3 and the network during an export: they are reported correctly and retried if that can help, and no row
# is lost.

use strict;
use warnings;

use HydraExport::Site;
use HydraExport::Test;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $s3 = start_s3();
my $faults = start_faults($s3);
my $node = new_node(
    'faults',
    'hydra_export.first_export_delay' => '1h',
    'hydra_export.file_size'          => '64kB',
    'hydra_export.memory_limit'       => '1MB',
    'hydra_export.request_timeout'    => '1s',
    'hydra_export.max_attempts'       => 3);
my $site = HydraExport::Site->new($node, 'postgres', $s3, bucket => 'faults', endpoint => $faults->endpoint);
$site->sql(q{CREATE TABLE a (id integer PRIMARY KEY, v text); INSERT INTO a VALUES (1);
    CREATE TABLE b (id integer PRIMARY KEY, v text); INSERT INTO b VALUES (1)});
$site->add_model($_) foreach qw(a b);
my ($key, $secret) = $s3->writer;

sub holds { $site->holds_table($_, "$_[0]: $_") foreach qw(a b); return }

sub calm { $faults->release; $faults->plan; return }

my $i = 10;
sub insert { ++$i; $site->sql("INSERT INTO $_ VALUES ($i)") foreach qw(a b); return $i }

# ---- refused: the reason is S3's own, and nothing is tried twice

my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
my $nowhere = 'http://127.0.0.1:' . $closed->sockport;
close $closed;

my @refusals = (
    [ 'a wrong secret', { secret_key => 'wrong', access_key => $key }, qr/403 SignatureDoesNotMatch.*request id \S+/, "Check" ],
    [ 'an unknown key', { secret_key => $secret, access_key => 'UNKNOWN' }, qr/403 InvalidAccessKeyId/, 'Check' ],
    [ 'a missing bucket', { bucket => 'missing' }, qr/404 NoSuchBucket/, '' ],
    [ 'an unreachable host', { endpoint => $nowhere }, qr/no answer from 127\.0\.0\.1:\d+: .*(refused|connect)/i, '' ],
    [ 'a name that does not exist', { endpoint => 'https://s3.invalid' }, qr/no answer from s3\.invalid: .*resolve/i, '' ]);
foreach my $refusal (@refusals)
{
    my ($name, $settings, $pattern, $hint) = @$refusal;
    my $before = $faults->requests;
    configure($node, 'postgres', $s3, bucket => 'faults', endpoint => $faults->endpoint, %$settings);
    my $start = time;
    my $export = $site->export;
    cmp_ok(time - $start, '<', 8, "$name: export_now does not take long");
    is($export->{status}, 'failed', 'the export fails');
    like($export->{messages}, qr/ERROR:  export \d+ failed: .*$pattern/, 'export_now raises the reason');
    like($site->sql('SELECT error FROM hydra_export.recent_exports LIMIT 1'), qr/^(?=.{10,40}$)(S3 answered 40\d \w|no answer from )/,
        'recent_exports shows how it begins');
    like($export->{error}, qr/$hint/, 'and what to do');
    unlike($export->{error} . $export->{messages}, qr/\Q$secret\E|Signature=|Authorization/, 'without secrets');
    is(join(' ', map { $_->{status} } map { $site->model($export, $_) } qw(a b)), 'failed failed', 'its models failed');
    cmp_ok(scalar($faults->requests) - $before, '<=', 4, 'what no retry heals is not tried again') if $name !~ /host|name/;
}
configure($node, 'postgres', $s3, bucket => 'faults', endpoint => $faults->endpoint);
my $export = $site->export;
is($export->{status}, 'succeeded', 'with the right settings again it succeeds') or diag($export->{messages});
$site->sent($export, $_, '1', "and $_ is sent") foreach qw(a b);
holds('after refusals');

# ---- healed by another attempt

my @healed = (
    [ '503, twice',      { fault => 'status', status => 503, code => 'SlowDown', times => 2 } ],
    [ '500',             { fault => 'status', status => 500 } ],
    [ '429',             { fault => 'status', status => 429, code => 'TooManyRequests' } ],
    [ 'a reset',         { fault => 'reset' } ],
    [ 'a connection that ends early', { fault => 'drop' } ],
    [ 'a lost answer',   { fault => 'lose_answer' } ],
    [ 'no answer',       { fault => 'hang' } ],
    [ 'a slow answer',   { fault => 'slow', seconds => 1 } ],
    [ 'a lost answer to the manifest', { fault => 'lose_answer', path => 'manifest' } ],
    [ '503 for the manifest', { fault => 'status', status => 503, path => 'manifest' } ]);
foreach my $case (@healed)
{
    my ($name, @plan) = @$case;
    my $row = insert();
    $faults->plan(@plan);
    $export = $site->export;
    is($export->{status}, 'succeeded', "$name: the export succeeds") or diag($export->{error});
    $site->sent($export, $_, $row, "$name: $_ has its row once") foreach qw(a b);
    $site->is_consistent($export, "$name: bucket, manifest and history agree");
}
holds('after faults');

# ---- not healed

$faults->plan({ fault => 'status', status => 503, code => 'SlowDown', path => '/a/', times => 100 });
my $row = insert();
$export = $site->export;
isnt($export->{status}, 'succeeded', 'an object that never arrives fails the export');
like($export->{error}, qr/503 SlowDown.*3 attempts/, 'history says how often it was tried');
is($site->model($export, 'a')->{status}, 'failed', 'its model failed');
$faults->plan;
my $next = $site->export;
$site->sent($next, 'a', $row, 'its row comes with the next export');
holds('after an object that never arrived');

$faults->plan({ fault => 'status', status => 403, code => 'AccessDenied', path => 'manifest' });
$row = insert();
$export = $site->export;
is($export->{status}, 'failed', 'without a manifest the export fails');
like($export->{error}, qr/_manifest\.json.*403 AccessDenied/, 'and says so');
$site->sent($site->export, $_, $row, "then $_ is sent again") foreach qw(a);
holds('after a missing manifest');

# ---- many objects: memory, and the end of hopeless work

$site->sql(q{INSERT INTO a SELECT i, repeat(md5(i::text), 100) FROM generate_series(1000, 3000) AS i});
$faults->plan({ fault => 'status', status => 500, times => 3, path => '/a/' }, { fault => 'reset', times => 3, path => '/a/' });
$export = $site->export;
is($export->{status}, 'succeeded', 'a hundred objects with faults among them') or diag($export->{error});
cmp_ok($export->{objects}, '>', 90, 'are that many');
$site->is_consistent($export);
holds('after many objects');
$site->sql('UPDATE a SET v = v');
configure($node, 'postgres', $s3, bucket => 'faults', endpoint => $faults->endpoint, secret_key => 'wrong');
my $before = $faults->requests;
$export = $site->export;
cmp_ok(scalar($faults->requests) - $before, '<', 30, 'a wrong secret is not tried a hundred times');
configure($node, 'postgres', $s3, bucket => 'faults', endpoint => $faults->endpoint);
$node->append_conf('postgresql.conf', "hydra_export.max_attempts = 1");
$node->reload;
$faults->plan({ fault => 'hang', times => 1000 });
$before = $faults->requests;
$export = $site->export;
cmp_ok(scalar($faults->requests) - $before, '<', 8, 'a store that does not answer is given up at the first failure');
is($export->{status}, 'failed', 'and the export fails');
like($export->{error}, qr/no answer/, 'with the reason');
calm();

# While uploads hang and memory is full, the table is still locked: whoever wants it does not wait for S3.
$node->append_conf('postgresql.conf', "hydra_export.request_timeout = '1min'");
$node->reload;
$faults->plan({ fault => 'hang', times => 1000, path => '/a/' });
$before = $faults->requests;
my $id = $site->sql('SELECT hydra_export.export_now(wait => false)');
for (1 .. 100) { last if $faults->requests > $before + 3; sleep 0.05 }
my $start = time;
$site->sql(q{SET statement_timeout = '10s'; ALTER TABLE a ADD late integer});
cmp_ok(time - $start, '<', 5, 'ALTER TABLE does not wait for uploads');
calm();
$node->poll_query_until('postgres', "SELECT status <> 'running' FROM hydra_export.exports WHERE id = $id");
like($site->model({ id => $id }, 'a')->{error}, qr/gave way/, 'the export gave way');
$site->sql('UPDATE a SET late = 1');
$export = $site->export;
is($export->{status}, 'succeeded', 'the next one succeeds') or diag($export->{error});
holds('after giving way');

# ---- only PutObject

is(join(' ', sort { $a cmp $b } keys %{ { map { $_->{method} => 1 } $faults->requests } }), 'PUT', 'nothing but PUT was asked for');
is(scalar(grep { $_->{target} =~ /\?/ } $faults->requests), 0, 'of objects alone, without subresources');

done_testing();
