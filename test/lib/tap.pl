# Runs TAP files like prove, shows the end of the log of those that fail, and counts assertions in the last line.
#
#   perl tap.pl [--jobs N] [--share] [-I DIR...] FILE...
#
# --share makes what they can share once for all of them: an S3 server (HydraExport::Test) and a cluster to copy
# (HydraExport::Node).

use strict;
use warnings;

use File::Basename qw(fileparse);
use Getopt::Long;
use List::Util qw(max sum0);
use TAP::Harness;

my ($jobs, $share, @include) = (1);
GetOptions('jobs=i' => \$jobs, 'share' => \$share, 'I=s' => \@include) or exit 2;

# The files get the signal, too, and stop their servers before they end.
$SIG{$_} = sub { 1 while wait != -1; exit 130 } foreach qw(INT TERM HUP);

init_cluster() if $share;
my $s3 = $share ? start_s3() : undef;
END { $s3->stop if $s3 }

my $harness = TAP::Harness->new({ jobs => $jobs, lib => \@include, timer => 1, failures => 1 });
my $result = $harness->runtests(@ARGV);

foreach my $file ($result->descriptions)
{
    print_log($file) if ($result->parsers($file))[0]->has_problems;
}

# A file that ended early, or with a wrong plan, has failed even if each of its assertions passed.
my @parsers = $result->parsers;
my $passed = sum0 map { scalar $_->passed } @parsers;
my $failed = sum0 map { max(scalar $_->failed, $_->has_problems ? 1 : 0) } @parsers;
print "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);

# As PostgreSQL::Test::Cluster does it.
sub init_cluster
{
    local $ENV{LC_MESSAGES} = 'C';
    delete local @ENV{qw(LANGUAGE LC_ALL)};
    $ENV{SHARED_CLUSTER} = "$ENV{TESTDATADIR}/cluster";
    system('initdb', '-D', $ENV{SHARED_CLUSTER}, '-A', 'trust', '-N') == 0 or die "initdb failed\n";
    return;
}

sub start_s3
{
    unshift @INC, @include;
    require HydraExport::S3;
    $ENV{SHARED_S3} = "$ENV{TESTDATADIR}/s3";
    return HydraExport::S3->start($ENV{SHARED_S3}, LIFETIME => 6 * 3600);
}

# Where PostgreSQL::Test::Utils sends what a test and its commands print.
sub print_log
{
    my ($file) = @_;

    my ($name) = fileparse($file, qr/\.[^.]*/);
    my $path = "$ENV{TESTDIR}/tmp_check/log/regress_log_$name";
    open(my $log, '<', $path) or return;
    my @lines = <$log>;
    print "---- the end of $path\n", @lines[ max(0, @lines - 25) .. $#lines ];
    return;
}
