#include "s3/error_table.hpp"

#include <iterator>

namespace hydra::s3 {

namespace {

using enum Action;

constexpr std::string_view check_keys =
    "Check access_key and secret_key, and that they are meant for this endpoint.";
constexpr std::string_view check_region = "Set region to the bucket's own region.";
constexpr std::string_view check_place = "Check bucket, endpoint and addressing.";
constexpr std::string_view new_token = "Save a new access_key, secret_key and session_token.";
constexpr std::string_view set_clock =
    "Correct this server's clock: it may differ from the store's by 15 minutes at most.";
constexpr std::string_view allow_put =
    "Allow the key s3:PutObject on the bucket and prefix; hydra_export.iam_policy() shows a policy "
    "that does.";
constexpr std::string_view lower_size = "Lower hydra_export.file_size.";
constexpr std::string_view shorter_prefix = "Choose a shorter prefix.";
constexpr std::string_view other_exporter =
    "Another exporter writes to this folder: give each a bucket or prefix of its own.";
constexpr std::string_view check_between =
    "Check endpoint, the key's rights, and what is between this server and the store.";
constexpr std::string_view check_headers = "Check object_headers.";

constexpr KnownError table[] = {
    {400, "RequestTimeout", retry, Fix::none, "the upload was too slow", ""},
    {400, "IncompleteBody", retry, Fix::none, "the upload was cut short", ""},
    {400, "BadDigest", retry, Fix::none, "the contents changed on the way", ""},
    {400, "XAmzContentSHA256Mismatch", retry, Fix::none, "the contents changed on the way", ""},
    {409, "OperationAborted", retry, Fix::none, "another operation on the bucket is in progress",
     ""},
    {409, "ConditionalRequestConflict", retry, Fix::none,
     "another upload of the key is in progress", ""},
    {429, "TooManyRequests", retry, Fix::none, "the store asks for fewer requests", ""},
    {500, "InternalError", retry, Fix::none, "the store had an internal error", ""},
    {503, "SlowDown", retry, Fix::none, "the store asks for fewer requests", ""},
    {503, "ServiceUnavailable", retry, Fix::none, "the store is not available", ""},
    {503, "RequestLimitExceeded", retry, Fix::none, "the store asks for fewer requests", ""},
    {400, "ThrottlingException", retry, Fix::none, "the store asks for fewer requests", ""},
    {400, "KMS.ThrottlingException", retry, Fix::none, "the key service asks for fewer requests",
     ""},

    {403, "RequestTimeTooSkewed", fix, Fix::clock, "the clocks of this server and the store differ",
     set_clock},
    {403, "RequestExpired", fix, Fix::clock, "the clocks of this server and the store differ",
     set_clock},
    {400, "ExpiredToken", fix, Fix::credentials, "the session token has expired", new_token},
    {400, "ExpiredTokenException", fix, Fix::credentials, "the session token has expired",
     new_token},
    {400, "TokenRefreshRequired", fix, Fix::credentials, "the session token has expired",
     new_token},
    {400, "InvalidToken", fix, Fix::credentials, "the session token is not valid", new_token},
    {301, "PermanentRedirect", fix, Fix::place, "the bucket is in another region", check_region},
    {307, "TemporaryRedirect", fix, Fix::place, "the bucket is at another endpoint", check_region},
    {307, "Redirect", fix, Fix::place, "the bucket is at another endpoint", check_region},
    {400, "AuthorizationHeaderMalformed", fix, Fix::place, "the region does not match",
     check_region},
    {400, "IllegalLocationConstraintException", fix, Fix::place, "the region does not match",
     check_region},

    {400, "EntityTooLarge", skip, Fix::none, "the object is too large", lower_size},
    {400, "KeyTooLongError", skip, Fix::none, "the object's key is too long", shorter_prefix},
    {400, "InvalidURI", skip, Fix::none, "the store does not accept the object's key", ""},
    {400, "InvalidObjectName", skip, Fix::none, "the store does not accept the object's key", ""},
    {400, "XMinioInvalidObjectName", skip, Fix::none, "the store does not accept the object's key",
     ""},

    {403, "AccessDenied", stop, Fix::none, "the key lacks s3:PutObject on this bucket and prefix",
     allow_put},
    {403, "InvalidAccessKeyId", stop, Fix::none, "the access key is unknown", check_keys},
    {403, "SignatureDoesNotMatch", stop, Fix::none, "the secret key does not match the access key",
     check_keys},
    {403, "AllAccessDisabled", stop, Fix::none, "the bucket is disabled", ""},
    {403, "AccountProblem", stop, Fix::none, "the account of the bucket has a problem", ""},
    {403, "NotSignedUp", stop, Fix::none, "the account is not signed up for S3", ""},
    {403, "InvalidObjectState", stop, Fix::none, "the object's storage class forbids this", ""},
    {403, "QuotaExceeded", stop, Fix::none, "the store's quota is used up",
     "Raise the quota of the bucket or its owner."},
    {403, "XMinioStorageFull", stop, Fix::none, "the store is full", "Give the store more space."},
    {404, "NoSuchBucket", stop, Fix::none, "the bucket does not exist",
     "Create the bucket, or correct bucket, region or endpoint."},
    {400, "InvalidBucketName", stop, Fix::none, "the bucket's name is not valid", check_place},
    {400, "InvalidArgument", stop, Fix::none, "the store does not accept a header", check_headers},
    {400, "InvalidRequest", stop, Fix::none, "the store does not accept the request", ""},
    {400, "InvalidStorageClass", stop, Fix::none, "the store has no such storage class",
     check_headers},
    {400, "InvalidTag", stop, Fix::none, "the store does not accept the tags", check_headers},
    {400, "AccessControlListNotSupported", stop, Fix::none, "the bucket does not allow ACLs",
     "Remove x-amz-acl from object_headers."},
    {400, "KMS.NotFoundException", stop, Fix::none, "the encryption key does not exist",
     check_headers},
    {400, "KMS.DisabledException", stop, Fix::none, "the encryption key is disabled",
     "Enable the key, or name another one in object_headers."},
    {405, "MethodNotAllowed", stop, Fix::none, "the endpoint does not accept uploads",
     "Check endpoint and addressing."},
    {412, "PreconditionFailed", stop, Fix::none, "the object exists already", other_exporter},
    {501, "NotImplemented", stop, Fix::none, "the store does not support this request",
     "Set conditional to off, and check object_headers."},

    {408, "", retry, Fix::none, "request timeout", ""},
    {409, "", retry, Fix::none, "conflict", ""},
    {425, "", retry, Fix::none, "too early", ""},
    {429, "", retry, Fix::none, "too many requests", ""},
    {500, "", retry, Fix::none, "internal error", ""},
    {502, "", retry, Fix::none, "bad gateway", ""},
    {503, "", retry, Fix::none, "service unavailable", ""},
    {504, "", retry, Fix::none, "gateway timeout", ""},
    {301, "", fix, Fix::place, "the bucket is elsewhere", check_region},
    {302, "", stop, Fix::none, "the endpoint answers with another page", check_place},
    {303, "", stop, Fix::none, "the endpoint answers with another page", check_place},
    {304, "", stop, Fix::none, "the object exists already", other_exporter},
    {307, "", fix, Fix::place, "the bucket is elsewhere", check_region},
    {308, "", fix, Fix::place, "the bucket is elsewhere", check_region},
    {400, "", stop, Fix::none, "bad request", check_place},
    {401, "", stop, Fix::none, "the credentials were not accepted", check_keys},
    {403, "", stop, Fix::none, "access denied", check_between},
    {404, "", stop, Fix::none, "not found", check_place},
    {405, "", stop, Fix::none, "the endpoint does not accept uploads",
     "Check endpoint and addressing."},
    {407, "", stop, Fix::none, "the proxy requires credentials",
     "Check the proxy variables in the server's environment."},
    {411, "", stop, Fix::none, "length required", ""},
    {412, "", stop, Fix::none, "the object exists already", other_exporter},
    {413, "", skip, Fix::none, "the object is too large",
     "Lower hydra_export.file_size, or raise the limit of the proxy in between."},
    {414, "", skip, Fix::none, "the object's key is too long", shorter_prefix},
    {501, "", stop, Fix::none, "the store does not support this request",
     "Set conditional to off, and check object_headers."},
    {505, "", stop, Fix::none, "the endpoint does not support HTTP/1.1", check_place},
    {507, "", stop, Fix::none, "the store is full", "Give the store more space."},
};

const KnownError* find_code(std::string_view code) {
  if (code.empty()) return nullptr;
  for (const KnownError& row : table) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

const KnownError* find_status(int status) {
  for (const KnownError& row : table) {
    if (row.code.empty() && row.status == status) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const KnownError> known_errors() {
  return table;
}

const KnownError* find_known_error(int status, std::string_view code) {
  const KnownError* row = find_code(code);
  return row != nullptr ? row : find_status(status);
}

Action action_for(int status, std::string_view code) {
  const KnownError* by_code = find_code(code);
  const KnownError* by_status = find_status(status);
  for (const KnownError* row : {by_code, by_status}) {
    if (row != nullptr && row->action == retry) return retry;
  }
  if (by_code != nullptr) return by_code->action;
  if (by_status != nullptr) return by_status->action;
  return status >= 500 ? retry : stop;
}

}  // namespace hydra::s3
