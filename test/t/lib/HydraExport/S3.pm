package HydraExport::S3;

# An S3 server of its own for a test (see test/s3/server), and the requests with which a test looks into a bucket.
#
# Keys, bodies and lines are byte strings. Uses only modules that come with Perl.

use strict;
use warnings;

use Carp;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp;
use HydraExport::SignedHttp;
use JSON::PP;

my $server = abs_path(dirname(__FILE__) . '/../../../s3/server');

# start(DIR, %environment): starts a server with its state in DIR; it ends with the object, or with this process.
sub start
{
    my ($class, $dir, %environment) = @_;

    local %ENV = (%ENV, %environment);
    system($server, 'start', $dir) == 0 or croak "no S3 server in $dir";
    my $self = $class->attach($dir);
    $self->{owner} = $$;
    return $self;
}

# attach(DIR): one that is running already.
sub attach
{
    my ($class, $dir) = @_;

    my %env = map { /^S3_(\w+)='(.*)'$/ ? (lc $1 => $2) : () } split /\n/, slurp("$dir/env");
    return bless { %env, dir => $dir, owner => 0, tenant => '' }, $class;
}

# tenant(NAME): the same server for an owner and a writer of their own, who see no other's buckets. NAME is of letters,
# digits and underscores.
sub tenant
{
    my ($self, $name) = @_;

    my %tenant = (%$self, dir => $self->{dir}, owner => 0, tenant => $name);
    # Access keys are one for all tenants.
    my ($unique) = slurp('/proc/sys/kernel/random/uuid') =~ /(\w{12})$/;
    foreach my $user (['owner', 1000], ['writer', -1])
    {
        my ($uid, $buckets) = @$user;
        $tenant{"${uid}_key"} = uc "${uid}KEY$unique";
        # Some versions decode a + twice.
        $tenant{"${uid}_secret"} =~ tr/+/-/;
        my %fields = (uid => "$name\$$uid", 'display-name' => $uid, 'max-buckets' => $buckets, 'access-key' => $tenant{"${uid}_key"},
            'secret-key' => $tenant{"${uid}_secret"});
        my $query = join '&', map { "$_=" . encode($fields{$_}, '') } sort keys %fields;
        my $answer = $self->request('PUT', "/admin/user?$query");
        croak "no user $fields{uid}: $answer->{status} $answer->{body}" if $answer->{status} != 200;
    }
    return bless \%tenant, ref $self;
}

sub stop
{
    my ($self) = @_;

    return if $self->{owner} != $$;
    $self->{owner} = 0;
    local $?;
    system($server, 'stop', $self->{dir}) == 0 or carp "could not stop the S3 server in $self->{dir}";
    return;
}

sub DESTROY { my ($self) = @_; $self->stop; return }

# endpoint is http, by path or as BUCKET.s3.localhost; the TLS pair exists when started with TLS => 1.
sub endpoint       { return $_[0]{endpoint} }
sub https_endpoint { return $_[0]{https_endpoint} }
sub ca_file        { return $_[0]{ca_file} }
sub region         { return $_[0]{region} }

# The writer may do nothing but PutObject; the owner may do everything.
sub writer { return ($_[0]{writer_key}, $_[0]{writer_secret}) }
sub owner  { return ($_[0]{owner_key}, $_[0]{owner_secret}) }

# make_bucket(NAME): also lets the writer put objects into it.
sub make_bucket
{
    my ($self, $bucket) = @_;

    (my $policy = slurp("$self->{dir}/policy.json")) =~ s/\@BUCKET\@/$bucket/g;
    $policy =~ s/\@TENANT\@/$self->{tenant}/g;
    foreach my $answer ($self->request('PUT', "/$bucket"), $self->request('PUT', "/$bucket?policy", body => $policy))
    {
        croak "could not create bucket $bucket: $answer->{status} $answer->{body}" if $answer->{status} !~ /^2/;
    }
    return;
}

# request(METHOD, PATH, %options): one request, as { status, body }; over plain HTTP, `head` has the answer's headers.
# PATH is as sent, so encode() it. Options: keys => [access key, secret] (default: the owner's), body, endpoint.
sub request
{
    my ($self, $method, $path, %options) = @_;

    my $endpoint = delete $options{endpoint} // $self->{endpoint};
    $options{keys} //= [ $self->owner ];
    return $self->request_by_curl($method, $endpoint . $path, %options) if $endpoint =~ /^https:/;
    # Between requests to faults, no connection is kept.
    my $http = HydraExport::SignedHttp->new($endpoint, $self->{region});
    $http = $self->{http} //= $http if $endpoint eq $self->{endpoint};
    my $answer = eval { $http->request($method, $path, %options) } or croak "$method $path: $@";
    return $answer;
}

# Perl has no TLS of its own.
sub request_by_curl
{
    my ($self, $method, $url, %options) = @_;

    my @command = (
        qw(curl --silent --show-error --globoff --max-time 60),
        # Newer versions refuse it for signed requests.
        $url =~ m{/\.\.?(/|$)} ? '--path-as-is' : (),
        '--aws-sigv4', "aws:amz:$self->{region}:s3",
        '--user', join(':', @{ $options{keys} }),
        '--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD',
        '--request', $method,
        '--write-out', '\n%{http_code}');
    push @command, '--cacert', $self->{ca_file} if defined $self->{ca_file};
    my $file = File::Temp->new;
    if (defined $options{body})
    {
        binmode $file;
        print $file $options{body};
        close $file;
        push @command, '--header', 'Content-Type: application/octet-stream', '--data-binary', "\@$file";
    }
    open(my $curl, '-|', @command, $url) or croak "curl: $!";
    binmode $curl;
    my $body = do { local $/; <$curl> };
    close $curl or croak "curl $method $url: no answer (status " . ($? >> 8) . ')';
    $body =~ s/\n(\d+)\z//;
    return { status => $1 + 0, body => $body };
}

# encode(TEXT): percent-encodes it once for a path or a query; `/` stays in a path only.
sub encode
{
    my ($text, $safe) = @_;

    $safe //= '/';
    $text =~ s{([^A-Za-z0-9._~\-$safe])}{sprintf '%%%02X', ord $1}ge;
    return $text;
}

sub object_path
{
    my ($bucket, $key) = @_;
    return "/$bucket/" . encode($key);
}

sub put
{
    my ($self, $bucket, $key, $body, %options) = @_;
    return $self->request('PUT', object_path($bucket, $key), %options, body => $body);
}

# get(BUCKET, KEY): the object's bytes.
sub get
{
    my ($self, $bucket, $key) = @_;

    my $answer = $self->request('GET', object_path($bucket, $key));
    croak "GET $bucket/$key: $answer->{status} $answer->{body}" if $answer->{status} != 200;
    return $answer->{body};
}

# list(BUCKET, PREFIX, PAGE): [{ key, size, etag }…] in key order. PAGE is the number of keys asked for at once.
sub list
{
    my ($self, $bucket, $prefix, $page) = @_;

    my (@objects, $token);
    do
    {
        my $xml = $self->list_page($bucket, $prefix // '', $page // 1000, $token);
        while ($xml =~ m{<Contents>(.*?)</Contents>}gs)
        {
            my $object = $1;
            push @objects, { key => xml_text($object, 'Key'), size => xml_text($object, 'Size') + 0, etag => xml_text($object, 'ETag') };
        }
        $token = xml_text($xml, 'NextContinuationToken');
    } while (defined $token);
    return [ sort { $a->{key} cmp $b->{key} } @objects ];
}

sub list_page
{
    my ($self, $bucket, $prefix, $page, $token) = @_;

    my @query = ("list-type=2", "max-keys=$page", 'prefix=' . encode($prefix, ''));
    unshift @query, 'continuation-token=' . encode($token, '') if defined $token;
    my $answer = $self->request('GET', "/$bucket?" . join('&', @query));
    croak "LIST $bucket/$prefix: $answer->{status} $answer->{body}" if $answer->{status} != 200;
    return $answer->{body};
}

sub xml_text
{
    my ($xml, $element) = @_;

    my ($text) = $xml =~ m{<$element>(.*?)</$element>}s or return;
    my %entity = (lt => '<', gt => '>', quot => '"', apos => "'", amp => '&');
    $text =~ s/&(lt|gt|quot|apos|amp);/$entity{$1}/g;
    return $text;
}

# keys(BUCKET, PREFIX): the keys alone.
sub keys
{
    my ($self, @arguments) = @_;
    return map { $_->{key} } @{ $self->list(@arguments) };
}

# lines(BUCKET, PREFIX): the lines of all objects under PREFIX, manifests aside, in the order of keys.
sub lines
{
    my ($self, $bucket, $prefix) = @_;

    my @keys = grep { !m{(?:^|/)_} } $self->keys($bucket, $prefix);
    return map { split /\n/, $self->get($bucket, $_) } @keys;
}

# rows(BUCKET, PREFIX): the same lines, decoded.
sub rows
{
    my ($self, @arguments) = @_;
    return map { decode_json($_) } $self->lines(@arguments);
}

# manifest(BUCKET, FOLDER): the decoded manifest; FOLDER begins with the destination's prefix.
sub manifest
{
    my ($self, $bucket, $folder) = @_;
    return decode_json($self->get($bucket, "$folder/_manifest.json"));
}

sub slurp
{
    my ($path) = @_;

    open(my $file, '<', $path) or croak "$path: $!";
    local $/;
    return scalar <$file>;
}

1;
