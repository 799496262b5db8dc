package HydraExport::Torture::Judge;

# Judges a run of the torture test only from the files that were kept of it.
#
#     my $judge = HydraExport::Torture::Judge->new($dir, sub { my ($text) = @_; … });
#     $judge->run;                     # as assertions of Test::More; what they found goes to the function
#     $judge->{totals}, $judge->{exports}

use strict;
use warnings;

use Exporter 'import';
use HydraExport::BucketCopy;
use HydraExport::Checker;
use HydraExport::Torture::Account qw(compare follow);
use HydraExport::Torture::Tables qw(@names models_of key_of meets);
use JSON::PP;
use Test::More;

our @EXPORT_OK = qw(%destinations);

# By name, with the prefix in the bucket.
our %destinations = (default => 'main/', fast => 'fast/');

sub new { my ($class, $dir, $say) = @_; return bless { dir => $dir, say => $say }, $class }

sub run
{
    my ($self) = @_;

    my $copy = HydraExport::BucketCopy->attach("$self->{dir}/bucket");
    my $history = decode_json(HydraExport::S3::slurp("$self->{dir}/history.json"));
    $self->{totals} = { sent => 0, lost => 0, stale => 0, extra => 0, late => 0, twice => {} };
    foreach my $name (sort keys %destinations)
    {
        my $result = HydraExport::Checker::check($copy, $history, $name, $destinations{$name});
        $self->{exports}{$name} = $result->{counts};
        $self->none("$name: bucket, manifests and history agree, object by object", @{ $result->{problems} });
        $self->judge_models($copy, $history, $name);
    }
    my $log = HydraExport::S3::slurp("$self->{dir}/server.log");
    # SIGKILL is the disturber's.
    my @crashes = grep { /PANIC|TRAP|terminated by signal (?!9:)|could not abort/ } split /\n/, $log;
    $self->{totals}{crashes} = @crashes;
    $self->none('the server is well', @crashes);
    $self->none('no process of the test died', grep { HydraExport::S3::slurp($_) =~ /"died"/ } glob "$self->{dir}/*.json");
    return;
}

sub none
{
    my ($self, $name, @problems) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(1, $name) unless @problems;
    $self->{say}->("$name: $_") foreach map { substr $_, 0, 700 } @problems[ 0 .. ($#problems > 19 ? 19 : $#problems) ];
    $self->{say}->("$name: " . @problems . ' in all') if @problems > 20;
    fail($name);
    diag(scalar(@problems) . ":\n" . join "\n", map { substr $_, 0, 500 } @problems[ 0 .. ($#problems > 4 ? 4 : $#problems) ]);
    return;
}

sub gone_keys
{
    my ($self, $name) = @_;

    return { map { /^\Q$name\E\|(.*)/ ? ($1 => 1) : () } split /\n/, HydraExport::S3::slurp("$self->{dir}/gone") };
}

sub judge_models
{
    my ($self, $copy, $history, $destination) = @_;

    my $prefix = $destinations{$destination};
    my @exports = grep { $_->{destination} eq $destination } @{ $history->{exports} };
    foreach my $name (@names)
    {
        my %expected = map { key_of($_) => $_ } split /\n/, HydraExport::S3::slurp("$self->{dir}/tables/$name");
        my $gone = $self->gone_keys($name);
        my @rewrites = map { /^"(.*)"\|\Q$name\E\|rewrite$/ } split /\n/, HydraExport::S3::slurp("$self->{dir}/events");
        foreach my $model (models_of($name))
        {
            my $title = "$destination: $model";
            foreach my $rule (qw(rebuild rebuild_by_chain))
            {
                my $how = $rule eq 'rebuild' ? '' : ', by previous_folder';
                my $result = compare($copy->$rule($prefix, $model, \&key_of, \&meets), \%expected, $gone);
                $self->none("$title$how: no row is $_", @{ $result->{$_} }) foreach qw(lost stale);
                $self->none("$title$how: all other keys are known to be gone", @{ $result->{extra} });
                $self->{totals}{$_} += @{ $result->{$_} } foreach qw(lost stale extra);
            }
            my %rows = map { $_->{model} eq $model ? ($_->{export_id} => $_) : () } @{ $history->{models} };
            my $story = follow($copy, $prefix, $name, $model, \@exports, \%rows, \@rewrites);
            $self->none("$title: no row comes later than it could", @{ $story->{late} });
            # Where exports fail, what they sent is not always known to history: the account tells, but does not judge.
            $self->none("$title: nothing is sent twice without need", @{ $story->{examples} })
              if $self->{dir} =~ m{(^|/)calm-[^/]*$};
            $self->{totals}{sent} += $story->{sent};
            $self->{totals}{late} += @{ $story->{late} };
            $self->{totals}{twice}{$_} += $story->{twice}{$_} foreach keys %{ $story->{twice} };
        }
    }
    return;
}

1;
