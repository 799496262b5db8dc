#include "export/uploader.hpp"

#include "base/sha256.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/worker.hpp"

namespace hydra::exporting {
namespace {

using std::chrono::milliseconds;

// So long at the most is a wait without a look at the clock.
constexpr milliseconds turn{1000};

// After so many objects in a row that failed for the same reason, the others are not tried.
constexpr int patience = 3;

// A process that was busy for longer did not look after its uploads meanwhile.
constexpr std::chrono::seconds longest_turn{5};

constexpr std::size_t compressed_at_once = 1024 * 1024;

constexpr std::size_t manifest_model = static_cast<std::size_t>(-1);

// Bytes in one piece (a std::string or a ByteBuffer) that are sent as they are.
template <typename Bytes>
class WholeBody : public s3::Body {
 public:
  explicit WholeBody(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void rewind() override { done_ = 0; }
  std::size_t read(char* to, std::size_t room) noexcept override {
    const std::size_t n = std::min(room, bytes_.size() - done_);
    std::memcpy(to, bytes_.data() + done_, n);
    done_ += n;
    return n;
  }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  std::size_t memory() const { return bytes_.capacity(); }

 private:
  Bytes bytes_;
  std::size_t done_ = 0;
};

using TextBody = WholeBody<std::string>;
using BufferBody = WholeBody<ByteBuffer>;

// Blocks that are kept for the next objects: a multiple of what can be on its way at once, however
// many small objects memory_limit has room for.
constexpr std::size_t most_kept = 256;

// One object is filled while at least one other is on its way, and a filling buffer may be half
// empty. Compression may take as much again, and half more while its buffer grows.
std::size_t parts(Compression compression) {
  return compression == Compression::none ? 3 : 5;
}

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
  upload.body = std::make_unique<TextBody>(text);
  upload.sha256 = hex(sha256(text));
  upload.content_type = content_type;
  upload.existing = existing;
  client.put(std::move(upload));
  while (client.pending() > 0)
    loop.wait(turn);
  return std::move(client.take_outcomes().at(0));
}

std::chrono::milliseconds longest_silence() {
  return std::min<milliseconds>(std::chrono::seconds(pg::guc::max_snapshot_age),
                                std::chrono::minutes(2));
}

std::size_t Uploader::full_memory(Compression compression) {
  return parts(compression) * static_cast<std::size_t>(pg::guc::file_size) * 1024;
}

Uploader::Uploader(s3::Options options, Compression compression, std::size_t memory)
    : client_(std::move(options)), compression_(compression), loop_(client_) {
  set_memory(memory);
}

void Uploader::set_memory(std::size_t memory) {
  memory_ = memory;
  object_size_ = std::min(full_memory(compression_), memory) / parts(compression_);
  buffers_.resize(object_size_, std::min(memory / object_size_, most_kept));
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
  const std::size_t one = object_size_ + object_size_ / 2;
  const std::size_t wanted = compression_ == Compression::none ? one : 2 * one;
  return used_ + wanted <= memory_ || client_.pending() == 0;
}

void Uploader::drain() {
  while (!is_drained() && !fatal_)
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

void Uploader::put(std::size_t model, const std::string& key, row_json::ClosedObject object) {
  if (const auto problem = take_name(key)) throw pg::Error(ERRCODE_UNIQUE_VIOLATION, *problem);
  Sent sent;
  sent.model = model;
  sent.memory = object.body->memory();
  rows_put_ += object.rows;
  sent.row = {key, object.first_id, object.last_id,     object.rows, object.bytes, "", "",
              0,   object.relation, object.relation_oid};
  std::unique_ptr<s3::Body> body;
  if (compression_ != Compression::none) {
    body = compress(*object.body, sent);
  } else {
    sent.row.sha256 = object.body->sha256();
    body = std::move(object.body);
  }
  send(std::move(sent), std::move(body), "application/x-ndjson");
}

// Other uploads go on meanwhile. Content-Encoding is not set: it would have readers undo what the
// name says, some of them twice.
std::unique_ptr<s3::Body> Uploader::compress(row_json::LinesBody& body, Sent& sent) {
  std::string piece(compressed_at_once, '\0');
  const auto compressor = make_compressor(compression_, body.size());
  body.rewind();
  while (const std::size_t n = body.read(piece.data(), piece.size())) {
    compressor->add(std::string_view(piece.data(), n));
    progress();
  }
  auto compressed = std::make_unique<BufferBody>(compressor->finish());
  sent.memory = compressed->memory();
  sent.row.bytes = compressed->size();
  sent.row.sha256 = hex(sha256(compressed->bytes()));
  return compressed;
}

void Uploader::put_manifest(const std::string& key, const std::string& text) {
  Sent sent;
  sent.model = manifest_model;
  sent.row.key = key;
  sent.row.sha256 = hex(sha256(text));
  send(std::move(sent), std::make_unique<TextBody>(text), "application/json");
  drain();
  if (const auto error = failure(manifest_model)) throw pg::Error(ERRCODE_FDW_ERROR, *error);
}

// What sets rows apart for their key's index may not be seen in their ids.
std::optional<std::string> Uploader::take_name(const std::string& key) {
  if (names_.insert(std::hash<std::string>{}(key)).second) return std::nullopt;
  return "two objects would have the name \"" + pg::from_utf8(key) +
         "\": different values of the key columns have the same text";
}

void Uploader::adopt_sent(std::size_t model, tables::ObjectRow object) {
  if (const auto problem = take_name(object.key)) adopt_failure(model, *problem, false);
  rows_put_ += object.rows;
  adopt(model, std::move(object));
}

void Uploader::adopt(std::size_t model, tables::ObjectRow object) {
  bytes_arrived_[model] += object.bytes;
  rows_arrived_ += object.rows;
  objects_[model].push_back(std::move(object));
}

void Uploader::adopt_failure(std::size_t model, const std::string& failure, bool fatal) {
  Failed& failed = failures_[model];
  if (++failed.objects == 1) failed.first = failure;
  if (fatal && !fatal_) fail_all(model, failure);
}

void Uploader::adopt_retry(std::size_t model, const std::string& words) {
  if (retried_.insert(model).second) retries_.push_back({model, words});
}

void Uploader::fail_all(std::size_t model, const std::string& text) {
  fatal_ = {model, text, text};
  if (model < models_.size()) {
    fatal_->for_others =
        "the export ended early, as an object of model \"" + models_[model] + "\" was not uploaded";
  }
}

std::optional<std::string> Uploader::failure(std::size_t model) const {
  if (fatal_ && fatal_->model == model) return fatal_->text;
  const auto found = failures_.find(model);
  if (found == failures_.end()) return std::nullopt;
  const Failed& failed = found->second;
  if (failed.objects == 1) return failed.first;
  return failed.first + " (the first of " + std::to_string(failed.objects) + " objects)";
}

void Uploader::collect() {
  for (const s3::Outcome& outcome : client_.take_outcomes())
    settle(outcome);
  note_retries();
  end_silence();
}

void Uploader::note_retries() {
  const auto trouble = client_.trouble();
  if (!trouble) return;
  const auto found = sent_.find(trouble->tag);
  if (found == sent_.end() || retried_.contains(found->second.model)) return;
  adopt_retry(found->second.model, pg::from_utf8("object \"" + trouble->key +
                                                 "\" is tried again: " + trouble->failure.text()));
}

void Uploader::end_silence() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at_ > longest_turn) looked_since_ = now;
  looked_at_ = now;
  const auto since = client_.quiet_since();
  if (longest_silence_.count() == 0 || !since || fatal_ || sent_.empty()) return;
  if (now - std::max(*since, looked_since_) < longest_silence_) return;
  const auto trouble = client_.trouble();
  const auto found = trouble ? sent_.find(trouble->tag) : sent_.begin();
  const Sent& sent = found == sent_.end() ? sent_.begin()->second : found->second;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest_silence_);
  std::string text = "object \"" + sent.row.key + "\": the store has taken nothing for " +
                     std::to_string(seconds.count()) + " s";
  if (trouble) text += ": " + trouble->failure.text();
  adopt_failure(sent.model, pg::from_utf8(text), true);
}

void Uploader::settle(const s3::Outcome& outcome) {
  const auto found = sent_.find(outcome.tag);
  if (found == sent_.end()) return;
  Sent sent = std::move(found->second);
  sent_.erase(found);
  used_ -= sent.memory;
  if (!outcome.ok) return fail(sent.model, outcome);
  failures_in_a_row_ = 0;
  advise(outcome);
  sent.row.etag = outcome.etag;
  sent.row.uploaded_at = pg::now();
  if (sent.model != manifest_model) adopt(sent.model, std::move(sent.row));
}

void Uploader::fail(std::size_t model, const s3::Outcome& outcome) {
  const std::string text = describe(outcome);
  const s3::Failure& failure = *outcome.failure;
  Failed& failed = failures_[model];
  if (++failed.objects == 1) failed.first = text;
  const bool again = last_failure_ && last_failure_->same_reason(failure);
  failures_in_a_row_ = again ? failures_in_a_row_ + 1 : 1;
  last_failure_ = failure;
  const bool hopeless = failure.action == s3::Action::stop || failure.action == s3::Action::fix;
  if (fatal_ || (!hopeless && failures_in_a_row_ < patience)) return;
  fail_all(model, hopeless ? text : text + " (" + std::to_string(patience) + " objects in a row)");
}

// An upload that succeeded once the region or the clock was put right: say so, once.
void Uploader::advise(const s3::Outcome& outcome) {
  if (advised_ || !outcome.failure || outcome.failure->action != s3::Action::fix) return;
  advised_ = true;
  pg::report(LOG,
             pg::Error(ERRCODE_WARNING, "hydra_export: " + pg::from_utf8(outcome.failure->text()),
                       "The export goes on, as the answer said what to put right.",
                       outcome.failure->hint().value_or("")));
}

}  // namespace hydra::exporting
