#include "export/claim_object.hpp"

#include "base/clock.hpp"
#include "bucket/claim.hpp"
#include "bucket/object_name.hpp"
#include "export/condition.hpp"
#include "export/text_upload.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::exporting {
namespace {

ConditionalText claim_text(const tables::Destination& destination, const tables::Claim& claim) {
  bucket::Claim text;
  pg::Transaction transaction(pg::Transaction::Mode::read_only);
  text.system_identifier = GetSystemIdentifier();
  text.database = pg::to_utf8(pg::or_empty(pg::query("SELECT current_database()")[0][0]));
  text.destination = pg::to_utf8(destination.name);
  text.export_id = claim.export_id;
  text.folder = claim.folder;
  text.started_at = iso8601(claim.started_at);
  const std::string key = bucket::claim_key(pg::to_utf8(destination.prefix), claim.folder);
  transaction.commit();
  return {key, bucket::serialize(text), "application/json"};
}

}  // namespace

ClaimOutcome claim_folder(Uploader& uploader, tables::Destination& destination,
                          const tables::Claim& claim) {
  if (!destination.asks_condition()) {
    uploader.client().set_conditional(false);
    return ClaimOutcome::unproven;
  }
  const Asked asked = ask_condition(uploader.client(), destination, claim_text(destination, claim));
  if (!asked.answer.empty() && asked.answer != destination.condition_answer) {
    destination.condition_answer = asked.answer;
    remember_condition(destination.name, asked.answer);
  }
  if (!asked.outcome.ok && !asked.was_there)
    throw pg::Error(ERRCODE_FDW_ERROR, describe(asked.outcome));
  check_condition(destination, asked);
  uploader.advise(asked.outcome);
  if (asked.was_there) return ClaimOutcome::taken;
  return asked.answer == tables::condition::honoured ? ClaimOutcome::ours : ClaimOutcome::unproven;
}

}  // namespace hydra::exporting
