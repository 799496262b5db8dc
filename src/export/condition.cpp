#include "export/condition.hpp"

#include "export/text_upload.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::exporting {
namespace {

namespace condition = tables::condition;

s3::Outcome put(s3::Client& client, const ConditionalText& object) {
  return upload_text(client, object.key, object.text, object.content_type, s3::Existing::taken);
}

bool exists(const s3::Outcome& outcome) {
  return !outcome.ok && outcome.failure->exists();
}

// The first response was a success, which proves nothing yet.
void ask_again(s3::Client& client, const ConditionalText& object, Asked& asked) {
  s3::Outcome second = put(client, object);
  if (exists(second)) {
    asked.answer = condition::honoured;
  } else {
    asked.outcome = std::move(second);
    if (asked.outcome.ok) asked.answer = condition::ignored;
  }
}

// The header may not be the reason for which the store refuses.
void store_without(s3::Client& client, const ConditionalText& object, Asked& asked) {
  asked.refusal = describe(asked.outcome);
  client.set_conditional(false);
  asked.outcome = put(client, object);
  if (asked.outcome.ok) asked.answer = condition::refused;
}

}  // namespace

Asked ask_condition(s3::Client& client, const tables::Destination& destination,
                    const ConditionalText& object) {
  client.set_conditional(true);
  Asked asked;
  asked.outcome = put(client, object);
  asked.was_there = exists(asked.outcome);
  if (asked.was_there || (asked.outcome.ok && destination.knows_condition()))
    asked.answer = condition::honoured;
  else if (asked.outcome.ok)
    ask_again(client, object, asked);
  else if (asked.outcome.failure->refuses_condition())
    store_without(client, object, asked);
  client.set_conditional(asked.answer == condition::honoured);
  return asked;
}

void check_condition(const tables::Destination& destination, const Asked& asked) {
  if (destination.conditional != "on" || asked.answer == condition::honoured) return;
  throw pg::Error(ERRCODE_FDW_ERROR,
                  asked.answer == condition::refused
                      ? "the store refuses If-None-Match: " + asked.refusal
                      : "the store ignores If-None-Match: it has overwritten object \"" +
                            pg::from_utf8(asked.outcome.key) + "\"",
                  "",
                  "Set conditional to auto or off, and make sure that nobody else writes to the "
                  "bucket's prefix.");
}

void remember_condition(const std::string& destination, const std::string& answer) {
  pg::Transaction transaction;
  pg::AsOwner owner;
  tables::note_condition(destination, answer);
  transaction.commit();
}

}  // namespace hydra::exporting
