// The uploads of one export, by model, within its memory.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/compress.hpp"
#include "pg/event_loop.hpp"
#include "row_json/object_buffer.hpp"
#include "s3/client.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

// Uploads a text and waits for its outcome. Nothing else is on its way meanwhile.
s3::Outcome upload_text(s3::Client& client, const std::string& key, const std::string& text,
                        const char* content_type, s3::Existing existing);

// An upload's failure in one line, with the object's key and the hint.
std::string describe(const s3::Outcome& outcome);

// How long a snapshot is held for a store that takes nothing.
std::chrono::milliseconds longest_silence();

// Sends objects while the reading goes on, and remembers what became of them: the objects that are
// in the bucket, by model, and the first failure of each model. A failure that every other object
// would meet as well (credentials, bucket) is fatal for the whole export, and so are several
// objects in a row that failed for the same reason: the rest is left to the schedule's retry.
class Uploader {
 public:
  // With less memory than this, objects are smaller than configured.
  static std::size_t full_memory(Compression compression);

  // memory: bound on the bodies that wait or are on their way, the one being filled, and what its
  // compression makes of it.
  Uploader(s3::Options options, Compression compression, std::size_t memory);

  // Another bound from now on. What is on its way keeps its memory until it has arrived.
  void set_memory(std::size_t memory);
  bool is_within_memory() const { return used_ <= memory_; }

  // The size at which an object is closed so that several fit into the memory.
  std::size_t object_size() const { return object_size_; }

  // The buffers of objects are taken from here, so that those of sent ones serve again.
  BufferPool& buffers() { return buffers_; }

  // Whether there is memory for another object to be filled. Where there is none, wait() until some
  // upload has moved on.
  bool has_room() const;
  void wait();

  // What the models are called, by their numbers.
  void name_models(std::vector<std::string> names) { models_ = std::move(names); }

  const std::string& name(std::size_t model) const { return models_.at(model); }

  // While a snapshot is held, a store that takes nothing is waited for so long; then its failure is
  // fatal. 0 = for as long as the attempts last.
  void limit_silence(std::chrono::milliseconds limit) { longest_silence_ = limit; }

  // What the names of objects end with after ".json".
  std::string_view suffix() const { return compression_suffix(compression_); }

  // Sends an object of the model with this number.
  void put(std::size_t model, const std::string& key, row_json::ClosedObject object);

  // Takes over what became of objects that another process has sent.
  void adopt_sent(std::size_t model, tables::ObjectRow object);
  void adopt_failure(std::size_t model, const std::string& failure, bool fatal);
  void adopt_retry(std::size_t model, const std::string& words);

  // Sends the manifest and waits for it. Throws pg::Error when it does not arrive.
  void put_manifest(const std::string& key, const std::string& text);

  // Waits this long while uploads move on.
  void pause(std::chrono::milliseconds time);

  // Moves uploads on without waiting.
  void progress();

  // Bytes and objects of the model that have arrived.
  std::uint64_t bytes_arrived(std::size_t model) { return bytes_arrived_[model]; }

  // Whether all uploads have ended.
  bool is_drained() const { return client_.pending() == 0; }

  // Waits until they have; after a fatal failure, drops them.
  void drain();

  void cancel() { client_.cancel(); }

  // Logs, once, what an upload that succeeded had to put right.
  void advise(const s3::Outcome& outcome);

  // Its keys are for other processes, too, see there.
  s3::Client& client() { return client_; }

  const std::vector<tables::ObjectRow>& objects(std::size_t model) { return objects_[model]; }
  std::optional<std::string> failure(std::size_t model) const;

  // Why no more is uploaded at all: what went wrong, and where; and how the other models put it.
  struct Fatal {
    std::size_t model = 0;
    std::string text;
    std::string for_others;
  };
  const std::optional<Fatal>& fatal() const { return fatal_; }

  // The first uploads of models that had to be tried again, since the last call.
  struct Retry {
    std::size_t model = 0;
    std::string text;
  };
  std::vector<Retry> take_retries() { return std::exchange(retries_, {}); }

  // Rows of all models that were handed over, and that have arrived.
  std::uint64_t rows_put() const { return rows_put_; }
  std::uint64_t rows_arrived() const { return rows_arrived_; }

 private:
  struct Sent {
    std::size_t model = 0;
    tables::ObjectRow row;
    std::size_t memory = 0;
  };
  struct Failed {
    std::string first;  // what went wrong with the first object
    int objects = 0;
  };
  std::optional<std::string> take_name(const std::string& key);
  void adopt(std::size_t model, tables::ObjectRow object);
  void collect();
  void settle(const s3::Outcome& outcome);
  void fail(std::size_t model, const s3::Outcome& outcome);
  void note_retries();
  void end_silence();
  void fail_all(std::size_t model, const std::string& text);
  std::uint64_t send(Sent sent, std::unique_ptr<s3::Body> body, const char* content_type);

  std::unique_ptr<s3::Body> compress(row_json::LinesBody& body, Sent& sent);

  std::size_t memory_ = 0;
  std::size_t object_size_ = 0;
  BufferPool buffers_;  // outlives the client, which holds bodies
  s3::Client client_;
  Compression compression_;
  pg::EventLoop loop_;
  std::size_t used_ = 0;
  std::uint64_t next_tag_ = 1;
  int failures_in_a_row_ = 0;  // for the same reason
  std::optional<s3::Failure> last_failure_;
  bool advised_ = false;
  std::unordered_set<std::size_t> names_;  // of all objects, hashed
  std::map<std::uint64_t, Sent> sent_;
  std::map<std::size_t, std::vector<tables::ObjectRow>> objects_;
  std::map<std::size_t, std::uint64_t> bytes_arrived_;
  std::map<std::size_t, Failed> failures_;
  std::optional<Fatal> fatal_;
  std::vector<std::string> models_;
  std::set<std::size_t> retried_;
  std::vector<Retry> retries_;
  std::uint64_t rows_put_ = 0, rows_arrived_ = 0;
  std::chrono::milliseconds longest_silence_{0};
  // Uploads move only while they are looked after: when they were last, and since when without a
  // gap.
  std::chrono::steady_clock::time_point looked_at_, looked_since_;
};

}  // namespace hydra::exporting
