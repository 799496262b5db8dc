# Judges once more what a failed run of the torture test left behind:
#
#     perl -I test/t/lib test/torture/judge.pl DIR
#
# DIR has `report` (what was found, and the command to repeat the run), `server.log`, a log of each process, `bucket`,
# `tables`, `gone` (the writers' own log), `events` (what the maintenance did) and `history.json`.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use HydraExport::Torture::Judge;
use Test::More;

my $dir = shift or die "which directory?\n";
my $judge = HydraExport::Torture::Judge->new($dir, sub { note(@_) });
$judge->run;
note(explain($judge->{totals}));
done_testing();
