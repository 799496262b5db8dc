package HydraExport::Torture::Account;

# What a bucket holds, against the tables and the writers' own log. Works on what was kept of a run, so that a run can
# be judged again later.
#
# The promise, by the rule of README for readers: each row of a table is the last line of its key in the bucket, to the
# byte; every other key there was deleted, changed, truncated or detached.
#
# Two more, export by export, as later full exports would heal what an incremental one left out:
#
# late     a row version that was sent first by an export although an earlier one that succeeded had seen its
#          transaction. (Not looked at in partitions that come and go.)
# twice    a line that was sent again. Sent in full, after a failed export, after a snapshot that overflowed, and after
#          DDL that rewrote the table with new row versions, that is by design; all else is needless.

use strict;
use warnings;

use Digest::MD5 qw(md5);
use Exporter 'import';
use HydraExport::Torture::Tables qw(%tables key_of partitions);

our @EXPORT_OK = qw(compare follow);

# compare(FOUND, EXPECTED, GONE): hashes by key; returns { lost, stale, extra } as lists of texts.
sub compare
{
    my ($found, $expected, $gone) = @_;

    my %result = (lost => [], stale => [], extra => []);
    foreach my $key (sort keys %$expected)
    {
        if (!defined $found->{$key}) { push @{ $result{lost} }, $expected->{$key} }
        elsif ($found->{$key} ne $expected->{$key}) { push @{ $result{stale} }, "$found->{$key}\n    is now $expected->{$key}" }
    }
    $result{extra} = [ map { $found->{$_} } grep { !defined $expected->{$_} && !$gone->{$_} } sort keys %$found ];
    return \%result;
}

# Whether a snapshot saw a transaction.
sub saw
{
    my ($snapshot, $xid) = @_;

    my ($xmin, $xmax, $list) = split /:/, $snapshot->{text}, 3;
    return 1 if $xid < $xmin;
    return 0 if $xid >= $xmax;
    $snapshot->{in_progress} //= { map { $_ => 1 } split /,/, $list // '' };
    return !$snapshot->{in_progress}{$xid};
}

# An overflowed snapshot is stored without what lies between xmin and xmax.
sub overflowed { my ($snapshot) = @_; return defined $snapshot && $snapshot =~ /^(\d+):\1:$/ }

sub why_again
{
    my ($first, $again, $rows, $rewrites) = @_;

    # Of which history does not know the baseline.
    return 'by an export that was killed' if !defined $again->{export_id};
    return 'full' if $again->{kind} eq 'full';
    return 'some partitions in full' if ($again->{reason} // '') =~ /tables in full/;
    return 'repeated' if $first->{status} ne 'succeeded';
    return 'overflow' if overflowed(($rows->{ $again->{previous_export_id} // 0 } // {})->{snapshot});
    # The rewrite may have taken some seconds, from its note on.
    my $rewritten = grep { $_ gt seconds_before($first->{started_at}, 20) && $_ lt $again->{finished_at} } @$rewrites;
    return 'rewritten with new ids' if $rewritten && ($again->{reason} // '') =~ /relation rewritten/;
    return 'needless';
}

sub seconds_before
{
    my ($time, $seconds) = @_;

    my ($hours, $minutes, $rest) = $time =~ /T(\d+):(\d+):(.*)/ or return '';
    my $all = ($hours * 3600 + $minutes * 60 + $rest) - $seconds;
    return $all < 0 ? '' : sprintf '%sT%02d:%02d:%09.6f', substr($time, 0, 10), $all / 3600, $all / 60 % 60, $all - 60 * int($all / 60);
}

# follow(COPY, PREFIX, NAME, MODEL, EXPORTS, ROWS, REWRITES): EXPORTS are the destination's, in order, ROWS those of
# export_models by export, REWRITES the times of DDL that gave the table's rows new transaction ids. Returns { sent, twice => { why => count }, examples, late => [texts] }.
sub follow
{
    my ($copy, $prefix, $name, $model, $exports, $rows, $rewrites) = @_;

    my %result = (sent => 0, twice => {}, examples => [], late => []);
    my %moves = map { $_->{moves} ? ($_->{from} / 1000 => 1) : () } partitions();
    my (%sent, %versions, $last);
    foreach my $export (@$exports)
    {
        my $row = $rows->{ $export->{id} } // { status => 'failed', kind => '' };
        $row->{kind} //= '';
        my $whole = $row->{status} eq 'succeeded';
        foreach my $line (map { $copy->lines($_) } $copy->objects($prefix, $export->{folder}, $model))
        {
            ++$result{sent};
            my $key = key_of($line);
            my ($xid, $version) = $line =~ /"xid":(\d+),"ver":(\d+)/ or die "no version in $line";
            my $digest = md5($line);
            if (my $first = $sent{$digest})
            {
                my $why = why_again($first, $row, $rows, $rewrites);
                ++$result{twice}{$why};
                push @{ $result{examples} }, "exports $first->{export_id} and $export->{id}: $line" if $why eq 'needless';
            }
            $sent{$digest} = $row;
            next unless $whole;
            next if $versions{$version}++;
            next if !$last || $name eq 'parts' && $moves{ int($key / 1000) };
            push @{ $result{late} }, "export $export->{id}, seen by $last->{text}: $line" if saw($last, $xid);
        }
        $last = { text => $row->{snapshot} } if $whole;
    }
    return \%result;
}

1;
