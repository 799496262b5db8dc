# A short run of the torture test (test/torture), with everything that can go wrong.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../torture/lib";
use HydraExport::Torture;
use Test::More;

HydraExport::Torture::run(seed => $ENV{SEED} || 1 + $$ % 100000, seconds => 20, mode => 'faults');
done_testing();
