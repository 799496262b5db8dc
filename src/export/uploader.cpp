#include "export/uploader.hpp"

#include "base/sha256.hpp"
#include "export/text_upload.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/worker.hpp"

namespace hydra::exporting {
namespace {

using std::chrono::milliseconds;

// The longest wait between two checks of the clock.
constexpr milliseconds turn{1000};

constexpr std::size_t compressed_at_once = 1024 * 1024;

constexpr std::size_t manifest_model = static_cast<std::size_t>(-1);

using TextBody = WholeBody<std::string>;
using BufferBody = WholeBody<ByteBuffer>;

// The maximum number of blocks kept for later objects: a multiple of the concurrent uploads, even
// if memory_limit has room for many small objects.
constexpr std::size_t most_kept = 256;

// One object is filled while at least one other is being sent, and a buffer that is being filled
// may be half empty. Compression may need as much again, and half more while its buffer grows.
std::size_t parts(Compression compression) {
  return compression == Compression::none ? 3 : 5;
}

}  // namespace

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
  while (!is_drained() && !fatal())
    wait();
  collect();
  if (fatal()) client_.cancel();
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
  if (const auto problem = results_.take_key(key))
    throw pg::Error(ERRCODE_UNIQUE_VIOLATION, *problem);
  Sent sent;
  sent.model = model;
  sent.memory = object.body->memory();
  results_.count_put(object.rows);
  sent.row.key = key;
  sent.row.first_id = object.first_id;
  sent.row.last_id = object.last_id;
  sent.row.rows = object.rows;
  sent.row.bytes = object.bytes;
  sent.row.relation = object.relation;
  sent.row.relation_oid = object.relation_oid;
  std::unique_ptr<s3::Body> body;
  if (compression_ != Compression::none) {
    body = compress(*object.body, sent);
  } else {
    sent.row.sha256 = object.body->sha256();
    body = std::move(object.body);
  }
  send(std::move(sent), std::move(body), "application/x-ndjson");
}

// Other uploads continue meanwhile. Content-Encoding is not set: readers would then decompress the
// object in addition to what its name asks for, some of them twice.
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
  if (const auto error = results_.failure(manifest_model))
    throw pg::Error(ERRCODE_FDW_ERROR, *error);
}

void Uploader::adopt_sent(std::size_t model, tables::ObjectRow object) {
  if (const auto problem = results_.take_key(object.key)) adopt_failure(model, *problem, false);
  results_.count_put(object.rows);
  results_.add_object(model, std::move(object));
}

void Uploader::adopt_failure(std::size_t model, const std::string& failure, bool fatal) {
  results_.add_failure(model, failure);
  if (fatal) results_.give_up(model, failure);
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
  if (found == sent_.end() || results_.has_retried(found->second.model)) return;
  results_.add_retry(
      found->second.model,
      pg::from_utf8("object \"" + trouble->key + "\" is tried again: " + trouble->failure.text()));
}

void Uploader::end_silence() {
  const auto silence = give_up_.silence(client_.quiet_since(), s3::GiveUpRule::Clock::now());
  if (!silence || fatal() || sent_.empty()) return;
  const auto trouble = client_.trouble();
  const auto found = trouble ? sent_.find(trouble->tag) : sent_.begin();
  const Sent& sent = found == sent_.end() ? sent_.begin()->second : found->second;
  std::string text = "object \"" + sent.row.key + "\": the store has accepted no data for " +
                     std::to_string(silence->count()) + " s";
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
  give_up_.succeeded();
  advise(outcome);
  sent.row.etag = outcome.etag;
  sent.row.uploaded_at = pg::now();
  if (sent.model != manifest_model) results_.add_object(sent.model, std::move(sent.row));
}

void Uploader::fail(std::size_t model, const s3::Outcome& outcome) {
  const std::string text = describe(outcome);
  results_.add_failure(model, text);
  const std::optional<std::string> why = give_up_.failed(*outcome.failure);
  if (why) results_.give_up(model, text + *why);
}

void Uploader::advise(const s3::Outcome& outcome) {
  if (!advised_) advised_ = exporting::advise(outcome);
}

}  // namespace hydra::exporting
