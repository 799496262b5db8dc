// The uploads of one export, by model, within a memory limit.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/compress.hpp"
#include "export/upload_results.hpp"
#include "pg/event_loop.hpp"
#include "row_json/object_buffer.hpp"
#include "s3/client.hpp"
#include "s3/give_up_rule.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

// How long a snapshot is held while the store accepts no data.
std::chrono::milliseconds longest_silence();

// Sends objects while the reading goes on, within a memory limit. Outcomes are in results(). If the
// remaining uploads would fail as well (s3::GiveUpRule), it stops early and leaves them to the
// schedule's retry.
class Uploader {
 public:
  // With less memory than this, objects are smaller than configured.
  static std::size_t full_memory(Compression compression);

  // memory: limit for the bodies that wait or are being sent, the one being filled, and the output
  // of its compression.
  Uploader(s3::Options options, Compression compression, std::size_t memory);

  // Changes the limit. Uploads in progress keep their memory until they end.
  void set_memory(std::size_t memory);
  bool is_within_memory() const { return used_ <= memory_; }

  // The size at which an object is closed, so that several fit into the memory.
  std::size_t object_size() const { return object_size_; }

  // The pool from which objects take their buffers, so that those of sent objects are reused.
  BufferPool& buffers() { return buffers_; }

  // Whether there is memory to fill another object. If not, call pause() until an upload has ended.
  bool has_room() const;
  void wait();

  // While a snapshot is held, limits how long a store may accept no data; after that, the failure
  // is fatal. 0 = no limit other than the number of attempts.
  void limit_silence(std::chrono::milliseconds limit) { give_up_.limit_silence(limit); }

  // The end of object names after ".json".
  std::string_view suffix() const { return compression_suffix(compression_); }

  // Sends an object of the model with this number.
  void put(std::size_t model, const std::string& key, row_json::ClosedObject object);

  // Takes over the outcome of an object that another process has sent.
  void adopt_sent(std::size_t model, tables::ObjectRow object);
  void adopt_failure(std::size_t model, const std::string& failure, bool fatal);

  // Sends the manifest and waits for it. Throws pg::Error if it is not stored.
  void put_manifest(const std::string& key, const std::string& text);

  // Waits this long while uploads proceed.
  void pause(std::chrono::milliseconds time);

  // Lets uploads proceed, without waiting.
  void progress();

  // Whether all uploads have ended.
  bool is_drained() const { return client_.pending() == 0; }

  // Waits until they have; drops them after a fatal failure.
  void drain();

  void cancel() { client_.cancel(); }

  // Logs, once, corrections that a successful upload needed.
  void advise(const s3::Outcome& outcome);

  // Other processes also use its keys, see there.
  s3::Client& client() { return client_; }

  UploadResults& results() { return results_; }
  const std::optional<UploadResults::Fatal>& fatal() const { return results_.fatal(); }

 private:
  struct Sent {
    std::size_t model = 0;
    tables::ObjectRow row;
    std::size_t memory = 0;
  };
  void collect();
  void settle(const s3::Outcome& outcome);
  void fail(std::size_t model, const s3::Outcome& outcome);
  void note_retries();
  void end_silence();
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
  bool advised_ = false;
  std::map<std::uint64_t, Sent> sent_;
  UploadResults results_;
  s3::GiveUpRule give_up_;
};

}  // namespace hydra::exporting
