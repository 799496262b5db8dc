package HydraExport::Node;

# A cluster with sessions that stay, for looks at it that are many or repeated; what a test does itself has a connection of
# its own, as ever.
#
#     is($node->query('postgres', 'SELECT count(*) FROM hydra_export.exports'), 1);
#
# query() is for reads of what is committed. A session knows nothing of ALTER DATABASE … SET and the like since it began.

use strict;
use warnings;

use Carp;
use HydraExport::Session;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use parent 'PostgreSQL::Test::Cluster';

# query(DATABASE, SQL): the output; dies when it fails.
sub query
{
    my ($self, $database, $sql) = @_;

    my ($output, $messages) = $self->try_query($database, $sql);
    croak "$messages\nwhile running $sql" unless defined $output;
    return $output;
}

# The output, or undef, and messages. A session that was there before may have ended with its server: once more then.
sub try_query
{
    my ($self, $database, $sql) = @_;

    my $session = $self->{sessions}{$database};
    if ($session && $session->is_ours)
    {
        my ($output, $messages) = $session->query($sql);
        return ($output, $messages) if defined $output;
    }
    $session = $self->{sessions}{$database} = $self->session($database);
    my ($output, $messages) = $session->query($sql);
    delete $self->{sessions}{$database} unless defined $output;
    return ($output, $messages);
}

sub session
{
    my ($self, $database) = @_;

    local %ENV = $self->_get_env;
    return HydraExport::Session->new([ $self->installed_command('psql'), '-d', $self->connstr($database) ]);
}

# As Cluster's own, without a process for each try.
sub poll_query_until
{
    my ($self, $database, $query, $expected) = @_;

    return $self->SUPER::poll_query_until($database, $query, $expected) unless defined $query;
    $expected //= 't';
    my $end = time + $PostgreSQL::Test::Utils::timeout_default;
    my ($output, $messages);
    do
    {
        ($output, $messages) = $self->try_query($database, $query);
        return 1 if defined $output && $output eq $expected && $messages eq '';
        sleep 0.05;
    } while (time < $end);
    diag("poll_query_until timed out executing this query:\n$query\nexpecting this output:\n$expected\n"
          . 'last actual query output:' . "\n" . ($output // '') . "\nwith stderr:\n$messages");
    return 0;
}

# ---- where a session would be in the way

sub psql
{
    my ($self, $database, $sql, @more) = @_;

    $self->end_sessions if $sql =~ /\b(?:CREATE|ALTER|DROP)\s+DATABASE\b/i;
    return $self->SUPER::psql($database, $sql, @more);
}

sub stop
{
    my ($self, @more) = @_;

    $self->end_sessions;
    return $self->SUPER::stop(@more);
}

sub end_sessions { my ($self) = @_; delete $self->{sessions}; return }

1;
