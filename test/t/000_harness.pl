# The harness itself: what the other tests take for granted about the S3 server and the faults in front of it.

use strict;
use warnings;

use HydraExport::FaultServer;
use HydraExport::S3;
use Digest::MD5 qw(md5_hex);
use HydraExport::Test;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $s3 = start_s3();
my @writer = $s3->writer;
$s3->make_bucket('first');
$s3->make_bucket('second');

sub as_writer
{
    my ($method, $path, %options) = @_;
    return $s3->request($method, $path, keys => \@writer, %options);
}

# ---- the writer may write, and nothing else

is($s3->put('first', 'a.json', "{}\n", keys => \@writer)->{status}, 200, 'the writer puts an object');
is($s3->put('first', 'a.json', "{}\n", keys => \@writer)->{status}, 200, 'and puts it again');
is(as_writer('GET',    '/first/a.json')->{status},        403, 'the writer may not read its own object');
is(as_writer('GET',    '/first?list-type=2')->{status},   403, 'nor list the bucket');
is(as_writer('DELETE', '/first/a.json')->{status},        403, 'nor delete the object');
is(as_writer('GET',    '/first/a.json?acl=')->{status},   403, 'nor read its rights');
is(as_writer('PUT',    '/third')->{status},               403, 'nor create a bucket');
is($s3->get('first', 'a.json'), "{}\n", 'the owner reads it');

my $answer = $s3->put('first', 'b', 'x', keys => [ $writer[0], 'another secret' ]);
is($answer->{status}, 403, 'a wrong secret is refused');
like($answer->{body}, qr/SignatureDoesNotMatch/, 'and called so');
$answer = $s3->put('first', 'b', 'x', keys => [ 'UNKNOWN', $writer[1] ]);
like($answer->{body}, qr/InvalidAccessKeyId/, 'an unknown key is called so');
$answer = $s3->put('missing', 'b', 'x', keys => \@writer);
like($answer->{body}, qr/NoSuchBucket/, 'a missing bucket is called so');

# ---- helpers

my @names = ('p/1.json', 'p/a%2Db.json', 'p/a%2Fb.json', 'p/a b+c&d.json', 'p/_manifest.json', "p/\xC3\xA9.json", 'q');
foreach my $name (@names)
{
    is($s3->put('second', $name, qq({"name": "of $name"}\n), keys => \@writer)->{status}, 200, "put $name");
}
is_deeply([ $s3->keys('second') ], [ sort @names ], 'list finds every key as it is');
is_deeply([ $s3->keys('second', 'p/', 2) ], [ sort grep { m{^p/} } @names ], 'list goes on from page to page');
my $line = qq({"name": "of q"}\n);
is_deeply($s3->list('second', 'q'), [ { key => 'q', size => length $line, etag => '"' . md5_hex($line) . '"' } ],
    'list has sizes and etags');
is($s3->get('second', $_), qq({"name": "of $_"}\n), "get $_") foreach @names;
is_deeply([ $s3->rows('second', 'p/a%') ], [ map { { name => "of p/a\%$_.json" } } qw(2Db 2Fb) ], 'rows are decoded');
is(scalar $s3->lines('second', 'p/'), 5, 'lines leave out the manifest');
is_deeply($s3->manifest('second', 'p'), { name => 'of p/_manifest.json' }, 'manifest');
my $binary = join '', map { chr } 0 .. 255;
$s3->put('first', 'binary', $binary);
is($s3->get('first', 'binary'), $binary, 'bytes come back as they were');

# ---- faults

my $faults = start_faults($s3);

# One PUT through the fault server, as its status, or the reason why there is none.
sub put_through
{
    my ($key, $body) = @_;

    local *STDERR;
    open STDERR, '>', '/dev/null';
    my $put = eval { $s3->put('first', $key, $body // 'x', keys => \@writer, endpoint => $faults->endpoint) };
    return $put ? $put->{status} : 'none';
}

is(put_through('pass'), 200, 'without a plan requests are passed on');
is($s3->get('first', 'pass'), 'x', 'and arrive');
my $large = 'x' x 3_000_000;
is(put_through('large', $large), 200, 'a large body is passed on');
is(length $s3->get('first', 'large'), length $large, 'and arrives whole');

$faults->plan(
    { fault => 'status', status => 503, code => 'SlowDown', times => 2 },
    { fault => 'status', status => 500, path => 'other' });
is(put_through('status'), 503, 'a planned status is answered');
is(put_through('status'), 503, 'as often as planned');
is(put_through('status'), 200, 'and then no more');
is(put_through('other'),  500, 'a fault with a path waits for it');

foreach my $fault (qw(reset drop))
{
    $faults->plan({ fault => $fault });
    is(put_through($fault, $large), 'none', "$fault gives no answer");
    is_deeply([ $s3->keys('first', $fault) ], [], 'and the request does not arrive');
    is(put_through($fault, $large), 200, 'the next one does');
}

$faults->plan({ fault => 'lose_answer' });
is(put_through('lost'), 'none', 'a lost answer is not seen');
is_deeply([ $s3->keys('first', 'lost') ], ['lost'], 'though the object is there');

$faults->plan({ fault => 'slow', seconds => 0.5 });
my $start = time;
is(put_through('slow'), 200, 'a slow request is answered');
cmp_ok(time - $start, '>=', 0.5, 'slowly');

$faults->plan({ fault => 'hang' });
defined(my $pid = fork) or die "fork: $!";
if ($pid == 0)
{
    sleep 1;
    $faults->release;
    POSIX::_exit(0);
}
is(put_through('hang'), 200, 'a request that hangs goes on when released');
waitpid $pid, 0;

my @fault_names = map { $_->{fault} } $faults->requests;
is_deeply([ @fault_names[ 0 .. 3 ] ], [qw(pass pass status status)], 'requests are noted with what became of them');
is(($faults->requests)[0]{target}, '/first/pass', 'and their target');

# ---- https, and buckets by name

my $tls = start_s3(TLS => 1);
$tls->make_bucket('named');
(my $named = $tls->https_endpoint) =~ s/127\.0\.0\.1/named.s3.localhost/;
is($tls->request('PUT', '/key', keys => [ $tls->writer ], body => 'x', endpoint => $named)->{status}, 200, 'put by name');
is($tls->get('named', 'key'), 'x', 'get by path');

# ---- psql that was started before (HydraExport::Node)

my $node = new_node('sessions');
my $backend = 'SELECT pg_backend_pid()';
isnt($node->safe_psql('postgres', $backend), $node->safe_psql('postgres', $backend), 'each script has a connection of its own');
is($node->query('postgres', $backend), $node->query('postgres', $backend), 'queries share one');
is_deeply(
    [ $node->psql('postgres', "SELECT 1;\nSELECT x;\nSELECT 2") ],
    [ 3, 1, qq(psql:<stdin>:2: ERROR:  column "x" does not exist\nLINE 1: SELECT x;\n               ^) ],
    'a script ends with its first error');
is(($node->psql('missing', 'SELECT 1'))[0], 2, 'a connection that is refused is told apart');
ok(!eval { $node->safe_psql('postgres', 'SELECT pg_sleep(60)', timeout => 1) }, 'a script may take too long');
is($node->safe_psql('postgres', "SELECT 'a' UNION ALL SELECT ''"), "a\n", 'the output is all there');
$node->safe_psql('postgres', 'CREATE TEMP TABLE gone (); BEGIN; CREATE TABLE kept ()');
is($node->query('postgres', q(SELECT count(*) FROM pg_class WHERE relname IN ('gone', 'kept'))), 0, 'nothing is left of what it did not commit');
$node->safe_psql('postgres', 'CREATE DATABASE other');
is($node->query('other', 'SET work_mem = 64; SHOW work_mem'), '64kB', 'a query may set what it needs');
is($node->query('other', 'SHOW work_mem'), '4MB', 'and the next one does not see it');
is($node->safe_psql('other', 'SHOW work_mem'), '4MB', 'nor does a script');
{
    local $ENV{PGOPTIONS} = '-c work_mem=5MB';
    is($node->safe_psql('other', 'SHOW work_mem'), '5MB', 'options of the environment hold');
}
is($node->safe_psql('other', 'SHOW work_mem'), '4MB', 'while they are there');
$node->safe_psql('postgres', q(ALTER DATABASE other SET work_mem = '7MB'));
is($node->safe_psql('other', 'SHOW work_mem'), '7MB', 'a script sees settings for new sessions');
$node->restart;
is($node->query('other', 'SELECT 1') . $node->safe_psql('other', 'SELECT 2'), 12, 'sessions begin again after a restart');
$node->safe_psql('postgres', 'DROP DATABASE other');
pass('a database that was looked at can be dropped');
$node->stop;

# ---- Ctrl-C

# A file of its own, which ends as the signal says; its servers do not outlive it.
my $pid_file = PostgreSQL::Test::Utils::tempdir('interrupted') . '/pid';
defined(my $file = fork) or die "fork: $!";
if ($file == 0)
{
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    exec($^X, (map { "-I$_" } @INC), '-e', q{
        use HydraExport::Test;
        my $node = new_node('interrupted');
        my $s3 = start_s3();
        open my $out, '>', "$ARGV[0].new" or die;
        print $out slurp_pid($node);
        close $out;
        rename "$ARGV[0].new", $ARGV[0];
        sleep 600;
        sub slurp_pid { open my $in, '<', $_[0]->data_dir . '/postmaster.pid' or die; return scalar <$in> }
    }, $pid_file) or POSIX::_exit(1);
}
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default) { last if -e $pid_file; select undef, undef, undef, 0.1 }
chomp(my $postmaster = slurp_file($pid_file));
ok(kill(0, $postmaster), 'a file that is interrupted has a server');
kill INT => $file;
waitpid $file, 0;
is($? >> 8, 130, 'it ends as the signal says');
for (1 .. 100) { last if !kill(0, $postmaster); select undef, undef, undef, 0.1 }
ok(!kill(0, $postmaster), 'and its server with it');

done_testing();
