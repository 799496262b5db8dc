package HydraExport::Test;

# What the TAP tests share: a PostgreSQL server with the extension, an S3 server, and the steps between them.

use strict;
use warnings;

use Carp;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use HydraExport::FaultServer;
use HydraExport::Node;
use HydraExport::S3;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(start_s3 start_faults new_node configure wait_for_export check_lines);

# Ctrl-C ends a file as its own end does: END blocks stop the servers. Processes that it forked have nothing to stop.
my $file_process = $$;
$SIG{$_} = sub { $$ == $file_process ? exit 130 : POSIX::_exit(130) } foreach qw(INT TERM HUP);

my $check_lines = abs_path(dirname(__FILE__) . '/../check_lines.py');
my @servers;

# start_s3(%environment): a HydraExport::S3. With an environment, which is that of test/s3/server (e.g. TLS => 1), it is a
# server of the file's own; without, it has users and buckets of its own in the server of the whole run, if there is one.
sub start_s3
{
    my (%environment) = @_;

    my $shared = %environment ? undef : $ENV{SHARED_S3};
    my $s3 =
      defined $shared
      ? HydraExport::S3->attach($shared)->tenant("file_${$}_" . @servers)
      : HydraExport::S3->start(PostgreSQL::Test::Utils::tempdir('s3'), %environment);
    push @servers, $s3;
    return $s3;
}

# start_faults($s3): a HydraExport::FaultServer in front of it.
sub start_faults
{
    my ($s3) = @_;

    my $faults = HydraExport::FaultServer->start(PostgreSQL::Test::Utils::tempdir('faults'), $s3->endpoint);
    push @servers, $faults;
    return $faults;
}

# Before the temporary directories go. What a test exported must be JSON, whatever else the test looked at: where it
# is not, the file has failed.
END
{
    my $status = $?;
    foreach my $s3 (grep { $status == 0 && $_->isa('HydraExport::S3') && $file_process == $$ } @servers)
    {
        my ($good, $output) = check_lines($s3);
        note("exported: $output") if $good;
        diag("not all that was exported is JSON:\n$output") if !$good;
        $status = 1 if !$good;
    }
    $_->stop foreach @servers;
    $? = $status;
}

# new_node(NAME, setting => value…): a HydraExport::Node, initialised and started; `init` holds arguments of Cluster's init(), `new`
# those of its new().
# TEMP_CONFIG, which test/run sets, preloads the extension. Statements are not logged, as in production: tests look for secrets in the log.
sub new_node
{
    my ($name, %settings) = @_;

    %settings = (
        log_statement             => 'none',
        max_prepared_transactions => 10,
        max_worker_processes      => 16,
        wal_level                 => 'replica',
        %settings);
    my $node = HydraExport::Node->new($name, %{ delete $settings{new} // {} });
    $node->init(%{ delete $settings{init} // {} });
    $node->append_conf('postgresql.conf', join '', map { "$_ = " . literal($settings{$_}) . "\n" } sort keys %settings);
    $node->start;
    return $node;
}

# check_lines($s3): whether all that was exported to its buckets is JSON, and how much it was or what is wrong.
sub check_lines
{
    my ($s3) = @_;

    local @ENV{qw(S3_OWNER_KEY S3_OWNER_SECRET)} = $s3->owner;
    my $output = `python3 '$check_lines' '$s3->{dir}' 2>&1`;
    return ($? == 0, $output);
}

sub literal
{
    my ($value) = @_;

    $value =~ s/'/''/g;
    return "'$value'";
}

# configure($node, DATABASE, $s3, bucket => …, …): saves settings with the writer's keys. Any argument of
# hydra_export.configure() may be given, also in place of these; undef leaves one out.
sub configure
{
    my ($node, $database, $s3, %arguments) = @_;

    my ($key, $secret) = $s3->writer;
    %arguments = (endpoint => $s3->endpoint, access_key => $key, secret_key => $secret, %arguments);
    my @given = grep { defined $arguments{$_} } sort keys %arguments;
    my $list = join ', ', map { "$_ => " . literal($arguments{$_}) } @given;
    $node->safe_psql($database, "SELECT hydra_export.configure($list)");
    return;
}

# wait_for_export($node, DATABASE, N, DESTINATION): waits until N exports have ended, however they ended.
sub wait_for_export
{
    my ($node, $database, $count, $destination) = @_;

    my $where = "status <> 'running' AND destination = " . literal($destination // 'default');
    $node->poll_query_until($database, "SELECT count(*) >= $count FROM hydra_export.exports WHERE $where")
      and return;
    diag($node->query($database, 'SELECT * FROM hydra_export.exports ORDER BY id'));
    croak "fewer than $count exports have ended";
}

1;
