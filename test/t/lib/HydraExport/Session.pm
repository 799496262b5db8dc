package HydraExport::Session;

# A psql that stays, as it takes longer to start than what a test asks it. Either it stays connected to one database, for
# many looks at it, or it has a new connection for each script.
#
#     my $session = HydraExport::Session->new([ $node->installed_command('psql'), '-d', $node->connstr('postgres') ]);
#     my ($output, $messages) = $session->query('SELECT 1');      # no output when it failed; the session has ended then
#     $session->reconnect('');
#     my ($status, $output, $messages) = $session->run("CREATE TABLE t (); SELECT 1 / 0");
#
# Between queries it has no transaction, no snapshot and no settings of its own.

use strict;
use warnings;

use File::Temp;
use IO::Select;
use IPC::Open3 qw(open3);
use Symbol qw(gensym);
use Time::HiRes qw(sleep time);

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

    # What is shown of the session while it is idle must not look like the query, and SET holds for one query.
    my ($ended, $output, $messages) = $self->exchange("$sql\n;\nRESET ALL;\n");
    return ($ended ? undef : $output, $messages);
}

# run(SQL, SECONDS): (psql's status, output, messages) of a script, as `psql -f -` has them: on a connection that nobody has
# used, and which is closed after it.
sub run
{
    my ($self, $sql, $seconds) = @_;

    return ($self->exit_status, '', $self->{refusal}) if defined $self->{refusal};
    my $file = $self->{script} //= File::Temp->new;
    truncate $file, 0;
    seek $file, 0, 0;
    print $file $sql;
    $file->flush;
    # psql looks at ON_ERROR_STOP when a line begins: the script ends with its first error, and psql does not.
    my $lines = "\\set ON_ERROR_STOP off\n\\set ON_ERROR_STOP on \\\\ \\i $file\n\\echo :ERROR\n";
    my ($ended, $output, $messages) = $self->exchange($lines, $seconds);
    $messages =~ s/^psql:\Q$file\E:/psql:<stdin>:/mg;
    return ($self->exit_status, $output, $messages) if $ended;
    $output =~ s/\n?(true|false)\z//;
    my $status = $1 eq 'true' ? 3 : 0;
    $self->reconnect;
    return ($status, $output, $messages);
}

# Closes the last script's connection and has one for the next. Its backend ends before this returns, so that nothing is left
# of a script: no lock, no temporary table.
sub reconnect
{
    my ($self, $command) = @_;

    my $before = $self->{backend};
    my ($ended, $backend, $messages) = $self->exchange(($command // "\\c -\n") . "SELECT pg_catalog.pg_backend_pid();\n");
    $self->{backend} = $ended ? undef : $backend;
    $self->{refusal} = $ended ? $messages : undef;
    my $limit = time + 10;
    sleep 0.001 while $before && kill(0, $before) && time < $limit;
    return;
}

# Whether the server has ended the connection in the meantime.
sub is_connected { my ($self) = @_; return $self->{backend} && kill 0, $self->{backend} }

sub exit_status { my ($self) = @_; $self->end; return $self->{status} }

# exchange(LINES, SECONDS): (whether psql ended, output, messages). Dies when it takes longer.
sub exchange
{
    my ($self, $lines, $seconds) = @_;

    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{input}, "$lines\\echo $marker\n\\warn $marker\n";
    my %read = (output => '', messages => '');
    my $ended = grep { !$_ } $self->read_until_marker(\%read, defined $seconds ? time + $seconds : undef);
    s/\n?\Q$marker\E\n\z// || s/\n\z// foreach values %read;
    return ($ended, @read{qw(output messages)});
}

# For each stream, whether the marker came.
sub read_until_marker
{
    my ($self, $read, $deadline) = @_;

    my %name = map { fileno $self->{$_} => $_ } keys %$read;
    my $select = IO::Select->new(map { $self->{$_} } keys %$read);
    my %seen = map { $_ => 0 } keys %$read;
    while ($select->count)
    {
        my @ready = $select->can_read(defined $deadline ? $deadline - time : undef);
        $self->give_up if !@ready && defined $deadline && time >= $deadline;
        foreach my $stream (@ready)
        {
            my $name = $name{ fileno $stream };
            my $more = sysread $stream, $read->{$name}, 1 << 16, length $read->{$name};
            $seen{$name} = $read->{$name} =~ /(?:\A|\n)\Q$marker\E\n\z/ ? 1 : 0;
            $select->remove($stream) if !$more || $seen{$name};
        }
    }
    return values %seen;
}

sub give_up
{
    my ($self) = @_;

    kill TERM => $self->{pid};
    die "psql timed out\n";
}

# Other processes may have the pipe, too, so that closing it is not enough.
sub end
{
    my ($self) = @_;

    my $pid = delete $self->{pid};
    delete $self->{backend};
    return if !$pid || !$self->is_ours;
    local ($?, $!);
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{input}, "\\q\n";
    close $self->{$_} foreach qw(input output messages);
    waitpid $pid, 0;
    $self->{status} = $? >> 8;
    return;
}

sub DESTROY { my ($self) = @_; $self->end; return }

1;
