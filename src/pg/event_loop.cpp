#include "pg/event_loop.hpp"

#include "pg/compat.hpp"
#include "pg/interrupts.hpp"

namespace hydra::pg {
namespace {

constexpr int max_events = 16;

// Raw.
WaitEventSet* build(const s3::Watch* watches, int count) {
  WaitEventSet* set = compat::create_wait_event_set(count + 2);
  AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
  AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
  for (int i = 0; i < count; ++i) {
    const uint32 events = (watches[i].readable ? WL_SOCKET_READABLE : 0) |
                          (watches[i].writable ? WL_SOCKET_WRITEABLE : 0);
    AddWaitEventToSet(set, events, watches[i].fd, nullptr, nullptr);
  }
  return set;
}

}  // namespace

EventLoop::~EventLoop() {
  if (set_ != nullptr) FreeWaitEventSet(set_);
}

void EventLoop::rebuild() {
  if (set_ != nullptr && version_ == client_.watches_version()) return;
  if (set_ != nullptr) FreeWaitEventSet(set_);
  set_ = nullptr;
  const s3::Watch* watches = client_.watches().data();
  const int count = static_cast<int>(client_.watches().size());
  set_ = call([=]() noexcept { return build(watches, count); });
  version_ = client_.watches_version();
}

void EventLoop::wait(std::chrono::milliseconds limit) {
  rebuild();
  const long timeout =
      static_cast<long>(std::min(limit, client_.timeout().value_or(limit)).count());
  WaitEvent events[max_events];
  const int count = call([&]() noexcept {
    const int ready =
        WaitEventSetWait(set_, std::max(timeout, 0L), events, max_events, compat::wait_event());
    ResetLatch(MyLatch);
    return ready;
  });
  for (int i = 0; i < count; ++i) {
    if (events[i].fd == PGINVALID_SOCKET) continue;
    client_.ready(events[i].fd, (events[i].events & WL_SOCKET_READABLE) != 0,
                  (events[i].events & WL_SOCKET_WRITEABLE) != 0);
  }
  client_.perform();
  check_interrupts();
}

bool wait_for_latch(std::chrono::milliseconds limit) {
  const long timeout = static_cast<long>(limit.count());
  call([=]() noexcept {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, timeout,
                    compat::wait_event());
    ResetLatch(MyLatch);
  });
  return check_interrupts();
}

}  // namespace hydra::pg
