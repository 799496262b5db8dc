# One run of the torture test, as `make torture` starts it; see lib/HydraExport/Torture.pm.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use HydraExport::Torture;
use Test::More;

my %options = map { defined $ENV{ uc $_ } && $ENV{ uc $_ } ne '' ? ($_ => $ENV{ uc $_ }) : () } qw(seed seconds mode writers overflow looks);
HydraExport::Torture::run(seed => $$, seconds => 60, %options);
done_testing();
