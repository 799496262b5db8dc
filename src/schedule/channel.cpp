#include "schedule/channel.hpp"

#include "pg/compat.hpp"

namespace hydra::schedule {
namespace {

constexpr Size queue_size = 64 * 1024;

// The beginning of the segment; the queue follows.
struct Header {
  Task task;
  Size name_size;
  char name[1024];  // the destination's
};

shm_mq* queue_of(dsm_segment* segment) {
  char* start = static_cast<char*>(dsm_segment_address(segment));
  return reinterpret_cast<shm_mq*>(start + MAXALIGN(sizeof(Header)));
}

}  // namespace

Caller::Caller(const std::string& destination, Task task) {
  if (destination.size() > sizeof(Header::name)) {
    throw pg::Error(ERRCODE_UNDEFINED_OBJECT, "destination name is too long");
  }
  const char* name = destination.data();
  const Size size = destination.size();
  pg::call([&]() noexcept {
    segment_ = dsm_create(MAXALIGN(sizeof(Header)) + queue_size, 0);
    Header* header = static_cast<Header*>(dsm_segment_address(segment_));
    header->task = task;
    header->name_size = size;
    std::memcpy(header->name, name, size);
    shm_mq* queue = shm_mq_create(queue_of(segment_), queue_size);
    shm_mq_set_receiver(queue, MyProc);
    queue_ = shm_mq_attach(queue, segment_, nullptr);
  });
}

Caller::~Caller() {
  dsm_detach(segment_);
}

dsm_handle Caller::handle() const {
  return dsm_segment_handle(segment_);
}

void Caller::listen_to(BackgroundWorkerHandle* worker) {
  pg::call([=, this]() noexcept { shm_mq_set_handle(queue_, worker); });
}

bool Caller::receive(Message* message) {
  struct Received {
    const char* data;
    Size size;
  };
  const Received received = pg::call([&]() noexcept -> Received {
    Size size = 0;
    void* data = nullptr;
    if (shm_mq_receive(queue_, &size, &data, false) != SHM_MQ_SUCCESS) return {nullptr, 0};
    return {static_cast<const char*>(data), size};
  });
  if (received.data == nullptr || received.size == 0) return false;
  message->kind = static_cast<Message::Kind>(received.data[0]);
  message->text.assign(received.data + 1, received.size - 1);
  return true;
}

Listener::Listener(dsm_handle handle) {
  pg::call([&]() noexcept {
    segment_ = dsm_attach(handle);
    if (segment_ == nullptr) ereport(ERROR, errmsg("the caller of export_now() has disconnected"));
    // The segment must outlive the transactions of the export.
    dsm_pin_mapping(segment_);
    shm_mq* queue = queue_of(segment_);
    shm_mq_set_sender(queue, MyProc);
    MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);
    queue_ = shm_mq_attach(queue, segment_, nullptr);
    MemoryContextSwitchTo(previous);
  });
  const Header* header = static_cast<Header*>(dsm_segment_address(segment_));
  destination_.assign(header->name, header->name_size);
  task_ = header->task;
}

Listener::~Listener() {
  dsm_detach(segment_);
}

void Listener::send(const Message& message) {
  const std::string bytes = std::string(1, message.kind) + message.text;
  const char* data = bytes.data();
  const Size size = bytes.size();
  pg::call([=, this]() noexcept { pg::compat::send_message(queue_, size, data); });
}

}  // namespace hydra::schedule
