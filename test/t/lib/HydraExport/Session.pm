package HydraExport::Session;

# A psql that stays connected to one database, for a test's many looks at it: a query costs no process and no connection.
#
#     my $session = HydraExport::Session->new([ $node->installed_command('psql'), '-d', $node->connstr('postgres') ]);
#     my ($output, $messages) = $session->query('SELECT 1');      # no output when it failed; the session has ended then
#
# Between queries it has no transaction, no snapshot and no settings of its own.

use strict;
use warnings;

use IO::Select;
use IPC::Open3 qw(open3);
use POSIX ();
use Symbol qw(gensym);

my $marker = '-- that was all --';

# new(COMMAND): psql and where it connects to.
sub new
{
    my ($class, $command) = @_;

    my $messages = gensym;
    my $pid = open3(my $input, my $output, $messages, @$command, qw(-XAtq -f - -v ON_ERROR_STOP=1));
    return bless { pid => $pid, input => $input, output => $output, messages => $messages, process => $$ }, $class;
}

# Processes that a test forked have sessions of their own.
sub is_ours { return $_[0]{process} == $$ }

# query(SQL): (output, messages), each without its last newline.
sub query
{
    my ($self, $sql) = @_;

    local $SIG{PIPE} = 'IGNORE';
    # What is shown of the session while it is idle must not look like the query, and SET holds for one query.
    syswrite $self->{input}, "$sql\n;\nRESET ALL;\n\\echo $marker\n\\warn $marker\n";
    my %read = (output => '', messages => '');
    my $ended = grep { !$_ } $self->read_until_marker(\%read);
    s/\n?\Q$marker\E\n\z// || s/\n\z// foreach values %read;
    return ($ended ? undef : $read{output}, $read{messages});
}

# For each stream, whether the marker came.
sub read_until_marker
{
    my ($self, $read) = @_;

    my %name = map { fileno $self->{$_} => $_ } keys %$read;
    my $select = IO::Select->new(map { $self->{$_} } keys %$read);
    my %seen = map { $_ => 0 } keys %$read;
    while ($select->count)
    {
        foreach my $stream ($select->can_read)
        {
            my $name = $name{ fileno $stream };
            my $more = sysread $stream, $read->{$name}, 1 << 16, length $read->{$name};
            $seen{$name} = $read->{$name} =~ /^\Q$marker\E\n\z/m ? 1 : 0;
            $select->remove($stream) if !$more || $seen{$name};
        }
    }
    return values %seen;
}

# Other processes may have the pipe, too, so that closing it is not enough.
sub end
{
    my ($self) = @_;

    my $pid = delete $self->{pid};
    return if !$pid || !$self->is_ours;
    local ($?, $!);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{input}, "\\q\n";
    close $self->{$_} foreach qw(input output messages);
    waitpid $pid, 0;
    return;
}

sub DESTROY { my ($self) = @_; $self->end; return }

1;
