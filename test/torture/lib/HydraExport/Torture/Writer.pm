package HydraExport::Torture::Writer;

# One writer: random transactions, one after another, until the time is over.

use strict;
use warnings;

use HydraExport::Torture::Session;
use HydraExport::Torture::Tables qw(@names write);
use Time::HiRes qw(sleep time);

# new(name => …, session => …, random => sub, until => time, long => seconds a transaction may stay open)
sub new { my ($class, %self) = @_; return bless { %self, prepared => 0, counts => {} }, $class }

sub random { my ($self, $below) = @_; return $self->{random}->($below) }

sub run
{
    my ($self) = @_;

    my $start = $self->random(2) ? 'SET synchronous_commit = off;' : '';
    $self->{session}{start} = "$start SET lock_timeout = '700ms'; SET deadlock_timeout = '200ms'";
    while (time < $self->{until})
    {
        $self->transaction;
        sleep $self->random(10) / 100;
    }
    $self->{session}->close;
    return;
}

sub count { my ($self, $what) = @_; ++$self->{counts}{$what}; return }

sub statement
{
    my ($self) = @_;

    my $name = $names[ $self->random(scalar @names) ];
    return write($name, $self->{random});
}

sub transaction
{
    my ($self) = @_;

    # Without a transaction block.
    if ($self->random(4) == 0)
    {
        $self->count('single statements');
        return $self->{session}->run($self->statement);
    }
    my $session = $self->{session};
    $session->run('BEGIN');
    # The time between its beginning and its first id matters to updated_at.
    $self->stay_open if $self->random(15) == 0;
    foreach (0 .. $self->random(4))
    {
        defined $session->run($self->step) or return;
        $self->stay_open if $self->random(12) == 0;
    }
    return $self->end;
}

# Idle in the transaction, or active.
sub stay_open
{
    my ($self) = @_;

    $self->count('left open');
    my $seconds = 0.3 + $self->random($self->random(10) == 0 ? 100 * $self->{long} : 300) / 100;
    my $left = $self->{until} - time;
    $seconds = $left if $seconds > $left && $left > 0;
    if ($self->random(2)) { sleep $seconds }
    else { $self->{session}->run("SELECT pg_sleep($seconds)") }
    return;
}

# A part of a transaction.
sub step
{
    my ($self) = @_;

    my $choice = $self->random(100);
    return $self->statement if $choice < 50;
    return $self->savepoints if $choice < 70;
    return $self->block if $choice < 97 || !$self->{overflow};
    return $self->many_blocks;
}

sub savepoints
{
    my ($self) = @_;

    my @sql;
    my @open;
    foreach my $level (0 .. $self->random(3))
    {
        push @sql, "SAVEPOINT s$level", $self->statement;
        push @open, "s$level";
    }
    while (my $name = pop @open)
    {
        # What stays open goes on to be written to.
        my $choice = $self->random(10);
        if ($choice < 4) { push @sql, "RELEASE $name" }
        elsif ($choice < 7)
        {
            push @sql, "ROLLBACK TO $name";
            $self->count('savepoints rolled back');
        }
        push @sql, $self->statement if $self->random(3) == 0;
    }
    $self->count('savepoints');
    return join ";\n", @sql;
}

# The exception of a block is raised after its statement, or not.
sub block
{
    my ($self) = @_;

    $self->count('EXCEPTION blocks');
    my ($before, $inside, $after) = map { $self->statement } 1 .. 3;
    my $raise = $self->random(2) ? 'PERFORM 1 / 0;' : '';
    $raise = "PERFORM pg_sleep(0.2); $raise" if $self->random(6) == 0;
    return "DO \$block\$ BEGIN $before; BEGIN $inside; $raise EXCEPTION WHEN division_by_zero OR unique_violation THEN NULL; END;"
      . " $after; EXCEPTION WHEN unique_violation THEN NULL; END \$block\$";
}

# More than the 64 that a snapshot can hold.
sub many_blocks
{
    my ($self) = @_;

    $self->count('transactions with more than 64 subtransactions');
    my $name = $names[ $self->random(scalar @names) ];
    my $one = write($name, $self->{random});
    my $count = 66 + $self->random(20);
    my $sleep = $self->random(20) / 10;
    return "DO \$block\$ BEGIN FOR round IN 1 .. $count LOOP BEGIN $one; INSERT INTO gone VALUES ('none', round);"
      . " EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP; PERFORM pg_sleep($sleep); END \$block\$";
}

sub end
{
    my ($self) = @_;

    my $session = $self->{session};
    my $choice = $self->random(100);
    if ($choice < 12)
    {
        $self->count('rolled back');
        return $session->run('ROLLBACK');
    }
    if ($choice < 20)
    {
        $self->count('prepared');
        my $name = "$self->{name}_" . ++$self->{prepared};
        push @{ $self->{waiting} }, $name;
        $session->run("PREPARE TRANSACTION '$name'");
        # Its locks are in the way of the others; some wait for the end, with the server.
        return $self->random(4) == 0 ? undef : $self->settle;
    }
    $self->count('committed');
    $session->run('COMMIT');
    return $self->random(10) == 0 ? $self->settle : undef;
}

# Ends the oldest prepared transaction. One that could not be prepared is not known; that is an error like others.
sub settle
{
    my ($self) = @_;

    my $name = shift @{ $self->{waiting} // [] } // return;
    sleep $self->random(150) / 100;
    my $how = $self->random(4) ? 'COMMIT' : 'ROLLBACK';
    $self->count($how eq 'COMMIT' ? 'prepared, committed' : 'prepared, rolled back');
    return $self->{session}->run("$how PREPARED '$name'");
}

1;
