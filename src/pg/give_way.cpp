#include "pg/give_way.hpp"

#include <csignal>
#include <ctime>

#include "pg/compat.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"

namespace hydra::pg {
namespace {

// In nanoseconds.
constexpr long look_interval = 500000000;

// Which locks of this process are checked for waiters.
enum Look : int { nothing, extension_lock, all_locks };
volatile std::sig_atomic_t looked_after = nothing;

// The waiter found by the last check, and whether the check before found it too. Only the signal
// handler uses these until it sets `found`.
Waiter found_waiter;
volatile std::sig_atomic_t found = false;

LOCKTAG extension_tag;
std::optional<Waiter> dropper, gave_way_to;
bool has_timer = false;
timer_t look_timer;

bool is_extension(const LOCKTAG& tag) {
  return std::memcmp(&tag, &extension_tag, sizeof(tag)) == 0;
}

bool is_ours(const PGPROC* process) {
  return process == MyProc || process->lockGroupLeader == MyProc;
}

// The caller has locked the lock's partition.
bool is_held_against(LOCK* lock, LOCKMODE mode) {
  const LOCKMASK conflicts = GetLocksMethodTable(lock)->conflictTab[mode];
  bool held = false;
  compat::for_each_holder(lock, [&](const PROCLOCK* holder) {
    held = held || (is_ours(holder->tag.myProc) && (holder->holdMask & conflicts) != 0);
  });
  return held;
}

// What a process waits for cannot change while the lock's partition is locked. The partition is
// determined before it is locked, so the process is checked again afterwards. If the partition is
// not free, the next check is soon enough.
bool waits_for_us(const PGPROC* process, Waiter* waiter) {
  LOCK* const lock = *const_cast<LOCK* volatile*>(&process->waitLock);
  if (lock == nullptr || is_ours(process)) return false;
  const LOCKTAG tag = lock->tag;
  const uint32 code = LockTagHashCode(&tag);
  LWLock* const partition = LockHashPartitionLock(code);
  if (!LWLockConditionalAcquire(partition, LW_SHARED)) return false;
  const bool same = process->waitLock == lock && std::memcmp(&lock->tag, &tag, sizeof(tag)) == 0;
  const bool waits = same && process->waitStatus == PROC_WAIT_STATUS_WAITING &&
                     is_held_against(lock, process->waitLockMode);
  if (waits) *waiter = {process->pid, process->waitLockMode, tag};
  LWLockRelease(partition);
  return waits;
}

bool find(Look among, Waiter* waiter) {
  for (uint32 i = 0; i < ProcGlobal->allProcCount; ++i) {
    if (!waits_for_us(&ProcGlobal->allProcs[i], waiter)) continue;
    if (among == all_locks || is_extension(waiter->tag)) return true;
  }
  return false;
}

// A check takes LWLocks, without waiting for them. While interrupts are held off, the process may
// hold or be taking such locks itself; otherwise it does not.
bool may_look() {
  return looked_after != nothing && InterruptHoldoffCount == 0 && CritSectionCount == 0 &&
         !proc_exit_inprogress && MyProc != nullptr;
}

// A waiter that is gone at the second check did not wait long: a small model is read by then.
void look() {
  Waiter waiter;
  const bool any = find(static_cast<Look>(looked_after), &waiter);
  const bool again = any && waiter.pid == found_waiter.pid &&
                     std::memcmp(&waiter.tag, &found_waiter.tag, sizeof(LOCKTAG)) == 0;
  found_waiter = any ? waiter : Waiter{};
  found = again;
}

void handle_look(HYDRA_UNUSED_SIGNAL) {
  const int saved = errno;
  if (may_look()) {
    if (!found) look();
    // User code may have caught the first cancel.
    if (found) raise_cancel();
  }
  errno = saved;
}

void set_timer(long interval) {
  const itimerspec times = {{0, interval}, {0, interval}};
  (void)timer_settime(look_timer, 0, &times, nullptr);
}

void start_timer() {
  if (!has_timer) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    if (timer_create(CLOCK_MONOTONIC, &event, &look_timer) != 0) {
      throw Error(ERRCODE_SYSTEM_ERROR, "could not create a timer");
    }
    has_timer = true;
    pqsignal(SIGRTMIN, handle_look);
  }
  set_timer(look_interval);
}

// Saves the waiter that the handler found.
void settle() {
  if (!found) return;
  std::optional<Waiter>& who = is_extension(found_waiter.tag) ? dropper : gave_way_to;
  if (!who) who = found_waiter;
}

// An aborted transaction has released the lock already, and releasing it once more would give a
// warning. So it is taken again, if no other process has it, and released as often as it is held.
void release() {
  try {
    call([]() noexcept {
      const LockAcquireResult taken = LockAcquire(&extension_tag, AccessShareLock, true, true);
      if (taken == LOCKACQUIRE_NOT_AVAIL) return;
      LockRelease(&extension_tag, AccessShareLock, true);
      if (taken != LOCKACQUIRE_OK) LockRelease(&extension_tag, AccessShareLock, true);
    });
  } catch (const Error&) {
    // The end of the process releases it.
  }
}

std::string name_of(const LOCKTAG& tag) {
  const Rows rows = query("SELECT $1::oid::regclass", {text(tag.locktag_field2)});
  return or_empty(rows[0][0]);
}

}  // namespace

std::optional<Waiter> find_waiter() {
  Waiter waiter;
  if (!find(all_locks, &waiter)) return std::nullopt;
  return waiter;
}

std::string describe(const Waiter& waiter) {
  std::string text = "process " + std::to_string(waiter.pid) + ", which waits ";
  switch (waiter.tag.locktag_type) {
    case LOCKTAG_RELATION:
      return text + "to lock " + name_of(waiter.tag) + " (" +
             GetLockmodeName(waiter.tag.locktag_lockmethodid, waiter.mode) + ")";
    case LOCKTAG_VIRTUALTRANSACTION:
      return text + "for older transactions to end";
    default:
      return text + "for a lock that the export holds";
  }
}

ExtensionHold::ExtensionHold() {
  call([]() noexcept {
    const Oid extension = get_extension_oid("hydra_export", false);
    SET_LOCKTAG_OBJECT(extension_tag, MyDatabaseId, ExtensionRelationId, extension, 0);
    (void)LockAcquire(&extension_tag, AccessShareLock, true, false);
  });
  dropper.reset();
  found = false;
  looked_after = extension_lock;
  start_timer();
}

ExtensionHold::~ExtensionHold() {
  stop_looking();
  release();
}

void ExtensionHold::stop_looking() {
  looked_after = nothing;
  set_timer(0);
  settle();
  if (found) forget_raised_cancel();
  found = false;
}

const std::optional<Waiter>& ExtensionHold::wanted_by() {
  settle();
  return dropper;
}

GiveWay::GiveWay() {
  gave_way_to.reset();
  looked_after = all_locks;
}

GiveWay::~GiveWay() {
  looked_after = extension_lock;
  settle();
  if (!found || is_extension(found_waiter.tag)) return;
  forget_raised_cancel();
  found = false;
}

const std::optional<Waiter>& GiveWay::to() {
  return gave_way_to;
}

void throw_if_awaited() {
  if (!found) return;
  throw Error(ERRCODE_QUERY_CANCELED,
              is_extension(found_waiter.tag)
                  ? "another session is dropping the extension"
                  : "another session waits for a lock that the export holds");
}

}  // namespace hydra::pg
