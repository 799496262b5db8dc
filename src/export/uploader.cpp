#include "export/uploader.hpp"

#include "base/sha256.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"

namespace hydra::exporting {
namespace {

using std::chrono::milliseconds;

// So long at the most is a wait without a look at the clock.
constexpr milliseconds turn{1000};

// After so many objects in a row that failed for good, the others are not tried.
constexpr int patience = 3;

constexpr std::size_t manifest_model = static_cast<std::size_t>(-1);

// A text that is sent as it is.
class TextBody : public s3::Body {
 public:
  explicit TextBody(std::string contents) : text_(std::move(contents)) {}
  std::uint64_t size() const override { return text_.size(); }
  void rewind() override { done_ = 0; }
  std::size_t read(char* to, std::size_t room) noexcept override {
    const std::size_t n = std::min(room, text_.size() - done_);
    std::memcpy(to, text_.data() + done_, n);
    done_ += n;
    return n;
  }

 private:
  std::string text_;
  std::size_t done_ = 0;
};

catalog::Micros now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string describe(const s3::Outcome& outcome) {
  std::string text = "object \"" + outcome.key + "\": " + outcome.failure->text();
  if (outcome.attempts > 1) text += " (" + std::to_string(outcome.attempts) + " attempts)";
  if (const std::optional<std::string> hint = outcome.failure->hint()) text += ". " + *hint;
  return pg::from_utf8(text);
}

}  // namespace

Uploader::Uploader(s3::Options options, std::size_t memory)
    : client_(std::move(options)), loop_(client_), memory_(memory) {
  // One is filled while at least one other is on its way, and a filling buffer may be half empty.
  object_size_ = std::min(static_cast<std::size_t>(pg::guc::file_size) * 1024, memory / 3);
}

void Uploader::wait() {
  loop_.wait(turn);
  collect();
}

void Uploader::progress() {
  client_.perform();
  collect();
}

void Uploader::pause(milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= milliseconds(0)) return;
    loop_.wait(std::min(left, turn));
    collect();
  }
}

bool Uploader::has_room() const {
  const std::size_t wanted = object_size_ + object_size_ / 2;
  return used_ + wanted <= memory_ || client_.pending() == 0;
}

std::uint64_t Uploader::bytes_arrived(std::size_t model) {
  std::uint64_t bytes = 0;
  for (const catalog::ObjectRow& object : objects_[model])
    bytes += object.bytes;
  return bytes;
}

void Uploader::drain() {
  while (client_.pending() > 0 && !fatal_)
    wait();
  collect();
  if (fatal_) client_.cancel();
}

std::uint64_t Uploader::send(Sent sent, std::unique_ptr<s3::Body> body, const char* content_type) {
  const std::uint64_t tag = next_tag_++;
  s3::Upload upload;
  upload.tag = tag;
  upload.key = sent.row.key;
  upload.body = std::move(body);
  upload.sha256 = sent.row.sha256;
  upload.content_type = content_type;
  used_ += sent.memory;
  sent_.emplace(tag, std::move(sent));
  client_.put(std::move(upload));
  return tag;
}

void Uploader::put(std::size_t model, const std::string& key, record::ClosedObject object) {
  Sent sent;
  sent.model = model;
  sent.memory = object.body->memory();
  sent.row = {key, object.first_id, object.last_id, object.rows, object.bytes, object.sha256, "",
              0};
  send(std::move(sent), std::move(object.body), "application/x-ndjson");
}

void Uploader::put_manifest(const std::string& key, const std::string& text) {
  Sent sent;
  sent.model = manifest_model;
  sent.row.key = key;
  sent.row.sha256 = hex(sha256(text));
  send(std::move(sent), std::make_unique<TextBody>(text), "application/json");
  drain();
  if (failures_[manifest_model]) {
    throw pg::Error(ERRCODE_FDW_ERROR, *failures_[manifest_model]);
  }
}

void Uploader::collect() {
  for (const s3::Outcome& outcome : client_.take_outcomes())
    settle(outcome);
}

void Uploader::settle(const s3::Outcome& outcome) {
  const auto found = sent_.find(outcome.tag);
  if (found == sent_.end()) return;
  Sent sent = std::move(found->second);
  sent_.erase(found);
  used_ -= sent.memory;
  if (outcome.ok) {
    failures_in_a_row_ = 0;
    sent.row.etag = outcome.etag;
    sent.row.uploaded_at = now();
    if (sent.model != manifest_model) objects_[sent.model].push_back(std::move(sent.row));
    return;
  }
  const std::string text = describe(outcome);
  if (!failures_[sent.model]) failures_[sent.model] = text;
  const bool hopeless = outcome.failure->action == s3::Action::stop ||
                        outcome.failure->http_status == 0 || ++failures_in_a_row_ >= patience;
  if (hopeless && !fatal_) fatal_ = text;
}

}  // namespace hydra::exporting
