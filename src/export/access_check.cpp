#include "export/access_check.hpp"

#include "export/condition.hpp"
#include "export/s3_connection.hpp"
#include "export/text_upload.hpp"
#include "pg/error.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;

constexpr const char* check_name = "_hydra_export_check";
constexpr const char* check_text = "hydra_export may write here\n";

// Fewer attempts than in an export, because a user waits for the result.
constexpr int attempts_of_a_check = 3;

// Overwrites the object if the destination permits it.
Asked store_check(s3::Client& client, const tables::Destination& destination,
                  const std::string& key) {
  const ConditionalText object{key, check_text, "text/plain"};
  if (destination.conditional != "off") return ask_condition(client, destination, object);
  Asked asked;
  asked.outcome = upload_text(client, key, object.text, object.content_type, s3::Existing::welcome);
  return asked;
}

}  // namespace

AccessCheck check_access(const std::string& name) {
  tables::Destination destination;
  s3::Options options;
  AccessCheck access;
  {
    pg::Transaction transaction;
    pg::AsOwner owner;
    destination = tables::get_destination(name);
    options = client_options(account_of(destination));
    access.key = pg::to_utf8(destination.prefix) + check_name;
    transaction.commit();
  }
  options.max_attempts = std::min(options.max_attempts, attempts_of_a_check);
  s3::Client client(std::move(options));
  // The condition is tested again even if it is known, because the store may have changed.
  destination.condition_answer.clear();
  const Asked asked = store_check(client, destination, access.key);
  if (!asked.outcome.ok && !asked.was_there) {
    throw Error(ERRCODE_FDW_ERROR,
                "could not write object \"" + pg::from_utf8(access.key) +
                    "\": " + pg::from_utf8(asked.outcome.failure->text()),
                "", pg::from_utf8(asked.outcome.failure->hint().value_or("")));
  }
  if (!asked.answer.empty()) remember_condition(name, asked.answer);
  check_condition(destination, asked);
  access.conditional = asked.answer;
  access.identity = client.identity();
  return access;
}

}  // namespace hydra::exporting
