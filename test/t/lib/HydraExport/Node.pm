package HydraExport::Node;

# A cluster that is looked at by sessions that stay. What a test does itself has a connection of its own, as ever, but
# not always a psql of its own.
#
#     is($node->query('postgres', 'SELECT count(*) FROM hydra_export.exports'), 1);
#
# query() is for reads of what is committed. A session knows nothing of ALTER DATABASE … SET and the like since it began.

use strict;
use warnings;

use Carp;
use HydraExport::Session;
# Nothing imported from it: its run_log() would take the place of the cluster's method.
use PostgreSQL::Test::Utils ();
use Test::More ();
use Time::HiRes qw(sleep time);

use parent 'PostgreSQL::Test::Cluster';

# As Cluster's own, from the copy that a whole run shares (test/lib/tap.pl) where that will do: clusters that meet in one file
# are told apart by their system identifiers, so only the first of them can be such a copy.
my $used_template;

sub init
{
    my ($self, %options) = @_;

    my $template = $ENV{SHARED_CLUSTER};
    return $self->SUPER::init(%options) if !defined $template || %options || $self->{_install_path} || $used_template++;
    my $run = \&PostgreSQL::Test::Utils::system_or_bail;
    no warnings 'redefine';
    local *PostgreSQL::Test::Utils::system_or_bail = sub {
        return $run->($_[0] eq 'initdb' ? ('cp', '-a', $template, $self->data_dir) : @_);
    };
    return $self->SUPER::init;
}

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

    my $place = place($database);
    my $session = $self->{sessions}{$place};
    if ($session && $session->is_ours)
    {
        my ($output, $messages) = $session->query($sql);
        return ($output, $messages) if defined $output;
    }
    $session = $self->{sessions}{$place} = $self->session($database);
    my ($output, $messages) = $session->query($sql);
    delete $self->{sessions}{$place} unless defined $output;
    return ($output, $messages);
}

# What psql's connections depend on: a test may set PGOPTIONS, for a while.
sub place
{
    my ($database) = @_;
    return join "\n", $database, map { "$_=$ENV{$_}" } sort grep { /^PG/ } keys %ENV;
}

# Its application_name tells it from what a test starts itself.
sub session
{
    my ($self, $database) = @_;

    local %ENV = $self->_get_env;
    my $connection = $self->connstr($database) . q( application_name='HydraExport::Node');
    return HydraExport::Session->new([ $self->installed_command('psql'), '-d', $connection ]);
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
    Test::More::diag("poll_query_until timed out executing this query:\n$query\nexpecting this output:\n$expected\n"
          . 'last actual query output:' . "\n" . ($output // '') . "\nwith stderr:\n$messages");
    return 0;
}

# ---- what a test does itself

# As Cluster's own, by a psql that was started before. Where the options are others, or there may be commands of psql, which
# could change it, it is one of its own.
sub psql
{
    my ($self, $database, $sql, %options) = @_;

    # Sessions would be in the way of some, and what comes after others needs a connection that knows of them.
    $self->end_sessions if $sql =~ /\b(?:CREATE|ALTER|DROP)\s+(?:DATABASE|ROLE|USER|GROUP|SYSTEM)\b|pg_reload_conf/i;
    my %other = %options;
    delete @other{qw(stdout stderr on_error_die timeout)};
    delete $other{on_error_stop} if $other{on_error_stop};
    return $self->SUPER::psql($database, $sql, %options) if %other || $sql =~ /\\/;
    my ($status, $output, $messages) = $self->run_script($database, $sql, $options{timeout});
    die "error running SQL: '$messages'\nwhile running psql with sql '$sql'" if $status && $options{on_error_die};
    return ($status, $output, $messages) if wantarray && !$options{stdout};
    ${ $options{stdout} // \my $no_output } = $output;
    ${ $options{stderr} // \my $no_messages } = $messages;
    return wantarray ? ($status, $output, $messages) : $status;
}

sub run_script
{
    my ($self, $database, $sql, $seconds) = @_;

    my $place = place($database);
    my $runner = delete $self->{runners}{$place};
    if (!$runner || !$runner->is_ours || !$runner->is_connected)
    {
        $runner = $self->session($database);
        # Where it cannot connect, the script does not run, and its messages are those of the connection.
        $runner->reconnect('');
    }
    my ($status, @said) = $runner->run($sql, $seconds);
    $self->{runners}{$place} = $runner if $runner->is_connected;
    return ($status, @said);
}

# ---- the end of sessions

# A server that died may have backends that have not noticed.
sub start
{
    my ($self, @more) = @_;

    $self->end_sessions;
    return $self->SUPER::start(@more);
}

sub restart
{
    my ($self, @more) = @_;

    $self->end_sessions;
    return $self->SUPER::restart(@more);
}

sub stop
{
    my ($self, @more) = @_;

    $self->end_sessions;
    return $self->SUPER::stop(@more);
}

sub reload
{
    my ($self, @more) = @_;

    $self->end_sessions;
    return $self->SUPER::reload(@more);
}

sub end_sessions { my ($self) = @_; delete @{$self}{qw(sessions runners)}; return }

1;
