// The uploads of one export, by model, within its memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/history.hpp"
#include "pg/event_loop.hpp"
#include "record/object_buffer.hpp"
#include "s3/client.hpp"

namespace hydra::exporting {

// Sends objects while the reading goes on, and remembers what became of them: the objects that are
// in the bucket, by model, and the first failure of each model. A failure that every other object
// would meet as well (credentials, bucket, an unreachable host) is fatal for the whole export.
class Uploader {
 public:
  // memory: bound on the bodies that wait or are on their way, and the one being filled.
  Uploader(s3::Options options, std::size_t memory);

  // The size at which an object is closed so that several fit into the memory.
  std::size_t object_size() const { return object_size_; }

  // Whether there is memory for another object to be filled. Where there is none, wait() until some
  // upload has moved on.
  bool has_room() const;
  void wait();

  // Sends an object of the model with this number.
  void put(std::size_t model, const std::string& key, record::ClosedObject object);

  // Sends the manifest and waits for it. Throws pg::Error when it does not arrive.
  void put_manifest(const std::string& key, const std::string& text);

  // Waits this long while uploads move on.
  void pause(std::chrono::milliseconds time);

  // Moves uploads on without waiting.
  void progress();

  // Bytes and objects of the model that have arrived.
  std::uint64_t bytes_arrived(std::size_t model);

  // Waits until all uploads have ended; a fatal failure ends them all.
  void drain();

  void cancel() { client_.cancel(); }

  const std::vector<catalog::ObjectRow>& objects(std::size_t model) { return objects_[model]; }
  const std::optional<std::string>& failure(std::size_t model) { return failures_[model]; }
  const std::optional<std::string>& fatal() const { return fatal_; }

 private:
  struct Sent {
    std::size_t model = 0;
    catalog::ObjectRow row;
    std::size_t memory = 0;
  };
  void collect();
  void settle(const s3::Outcome& outcome);
  std::uint64_t send(Sent sent, std::unique_ptr<s3::Body> body, const char* content_type);

  s3::Client client_;
  pg::EventLoop loop_;
  std::size_t memory_;
  std::size_t object_size_;
  std::size_t used_ = 0;
  std::uint64_t next_tag_ = 1;
  int failures_in_a_row_ = 0;
  std::map<std::uint64_t, Sent> sent_;
  std::map<std::size_t, std::vector<catalog::ObjectRow>> objects_;
  std::map<std::size_t, std::optional<std::string>> failures_;
  std::optional<std::string> fatal_;
};

}  // namespace hydra::exporting
