#include "export/text_upload.hpp"

#include "base/sha256.hpp"
#include "pg/error.hpp"
#include "pg/event_loop.hpp"
#include "pg/spi.hpp"

namespace hydra::exporting {
namespace {

// The longest wait between two checks of the clock.
constexpr std::chrono::milliseconds longest_wait{1000};

}  // namespace

std::string describe(const s3::Outcome& outcome) {
  std::string text = "object \"" + outcome.key + "\": " + outcome.failure->text();
  if (outcome.attempts > 1) text += " (" + std::to_string(outcome.attempts) + " attempts)";
  if (const std::optional<std::string> hint = outcome.failure->hint()) text += ". " + *hint;
  return pg::from_utf8(text);
}

s3::Outcome upload_text(s3::Client& client, const std::string& key, const std::string& text,
                        const char* content_type, s3::Existing existing) {
  pg::EventLoop loop(client);
  s3::Upload upload;
  upload.key = key;
  upload.body = std::make_unique<WholeBody<std::string>>(text);
  upload.sha256 = hex(sha256(text));
  upload.content_type = content_type;
  upload.existing = existing;
  client.put(std::move(upload));
  while (client.pending() > 0)
    loop.wait(longest_wait);
  return std::move(client.take_outcomes().at(0));
}

bool advise(const s3::Outcome& outcome) {
  if (!outcome.failure || outcome.failure->action != s3::Action::fix) return false;
  pg::report(LOG,
             pg::Error(ERRCODE_WARNING, "hydra_export: " + pg::from_utf8(outcome.failure->text()),
                       "The export continues with the correction from the store's response.",
                       outcome.failure->hint().value_or("")));
  return true;
}

}  // namespace hydra::exporting
