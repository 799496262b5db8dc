// The uploads of one export, by model, within its memory.
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

// How long a snapshot is held for a store that takes nothing.
std::chrono::milliseconds longest_silence();

// Sends objects while the reading goes on, within a bound on memory. What became of them is in
// results(). When the rest is hopeless (s3::GiveUpRule), it ends early: the rest is left to the
// schedule's retry.
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

  // While a snapshot is held, a store that takes nothing is waited for so long; then its failure is
  // fatal. 0 = for as long as the attempts last.
  void limit_silence(std::chrono::milliseconds limit) { give_up_.limit_silence(limit); }

  // What the names of objects end with after ".json".
  std::string_view suffix() const { return compression_suffix(compression_); }

  // Sends an object of the model with this number.
  void put(std::size_t model, const std::string& key, row_json::ClosedObject object);

  // Takes over what became of objects that another process has sent.
  void adopt_sent(std::size_t model, tables::ObjectRow object);
  void adopt_failure(std::size_t model, const std::string& failure, bool fatal);

  // Sends the manifest and waits for it. Throws pg::Error when it does not arrive.
  void put_manifest(const std::string& key, const std::string& text);

  // Waits this long while uploads move on.
  void pause(std::chrono::milliseconds time);

  // Moves uploads on without waiting.
  void progress();

  // Whether all uploads have ended.
  bool is_drained() const { return client_.pending() == 0; }

  // Waits until they have; after a fatal failure, drops them.
  void drain();

  void cancel() { client_.cancel(); }

  // Logs, once, what an upload that succeeded had to put right.
  void advise(const s3::Outcome& outcome);

  // Its keys are for other processes, too, see there.
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
