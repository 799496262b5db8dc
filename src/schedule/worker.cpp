// The database worker: connects, does what is due, reports when to visit the database again, exits.
// See README.md.
#include "pg/worker.hpp"

#include "base/clock.hpp"
#include "base/counted.hpp"
#include "export/access_check.hpp"
#include "export/run.hpp"
#include "pg/extension_version.hpp"
#include "pg/guc.hpp"
#include "pg/interrupts.hpp"
#include "pg/lock.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "s3/client.hpp"
#include "schedule/channel.hpp"
#include "schedule/due.hpp"
#include "schedule/timetable.hpp"

namespace hydra::schedule {
namespace {

using exporting::ExportResult;
using pg::Error;
using pg::Transaction;

TimestampTz to_timestamp(Micros micros) {
  return micros - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

// The time between two messages about the same model.
constexpr std::chrono::seconds notice_interval{5};

// Sends an export's progress to the caller of export_now().
class Talking : public exporting::Observer {
 public:
  explicit Talking(Listener& listener) : listener_(listener) {}

  void claimed(const tables::Claim& claim) override {
    listener_.send({Message::claimed, std::to_string(claim.export_id)});
  }

  void reading(const exporting::Progress& now) override {
    const auto time = std::chrono::steady_clock::now();
    if (now.model != model_) {
      model_ = now.model;
      model_began_ = said_ = time;
    }
    if (time - said_ < notice_interval) return;
    say(describe(now, std::chrono::duration<double>(time - model_began_).count()));
  }

  void model_read(const tables::ModelRow& row, std::uint64_t rows) override {
    const std::string name = "model \"" + row.model + "\": ";
    const std::string read = row.kind + ", " + counted(rows, "row") + " read";
    say(name + (row.status == "succeeded" ? read : row.error));
  }

  void retrying(const std::string& model, const std::string& text) override {
    say("model \"" + model + "\": " + text);
  }

  void uploading(std::uint64_t rows, std::uint64_t arrived) override {
    if (std::chrono::steady_clock::now() - said_ < notice_interval) return;
    say(std::to_string(arrived) + " of " + counted(rows, "row") + " sent");
  }

 private:
  void say(const std::string& words) {
    said_ = std::chrono::steady_clock::now();
    listener_.send({Message::progress, words});
  }

  // "model "orders": 42 %, 85 MB/s, 20 s left"
  static std::string describe(const exporting::Progress& now, double seconds) {
    const std::uint64_t done = now.blocks_scanned + now.blocks_skipped;
    const double share = now.blocks_total == 0 ? 0 : static_cast<double>(done) / now.blocks_total;
    const auto whole = [](double value) { return std::to_string(static_cast<long long>(value)); };
    std::string text = "model \"" + now.model + "\": ";
    if (share > 0) text += whole(100 * share) + " %, ";
    text += whole(now.bytes_written / seconds / 1e6) + " MB/s";
    if (share > 0) text += ", " + whole(seconds / share - seconds) + " s left";
    return text;
  }

  Listener& listener_;
  std::string model_;
  std::chrono::steady_clock::time_point model_began_, said_;
};

// Scheduled exports report only to the log.
class Logging : public exporting::Observer {
 public:
  void retrying(const std::string& model, const std::string& text) override {
    pg::report(LOG, Error(ERRCODE_FDW_ERROR, "hydra_export: model \"" + model + "\": " + text));
  }
};

void log_result(const std::string& destination, const ExportResult& result) {
  if (result.status == "succeeded") return;
  const bool cancelled = result.status == "cancelled";
  const std::string verb = result.status == "failed" ? " failed: "
                           : cancelled               ? " was cancelled: "
                                                     : " is partial: ";
  pg::report(cancelled ? LOG : WARNING,
             Error(ERRCODE_FDW_ERROR, "hydra_export: export " + std::to_string(result.id) +
                                          " of destination \"" + destination + "\" in database \"" +
                                          result.database + "\"" + verb + result.error));
}

// Marks exports whose process no longer exists.
void mark_abandoned() {
  const pg::Rows running =
      pg::query("SELECT DISTINCT destination FROM hydra_export.exports WHERE status = 'running'");
  for (const pg::Row& row : running) {
    pg::DestinationLock lock(pg::or_empty(row[0]));
    if (lock.try_lock()) tables::fail_abandoned(pg::or_empty(row[0]));
  }
}

// The result of a check of the database.
struct Visit {
  std::optional<Due> due;  // to be exported now; `lock` is held
  std::unique_ptr<pg::DestinationLock> lock;
  TimestampTz next_visit = never;  // for the other destinations
};

// Looks for a destination that is due and is not being exported. Those being exported are left to
// the workers that do it: each checks the database again when it is done.
Visit look() {
  Visit visit;
  Transaction transaction;
  if (!pg::hold_extension()) return visit;
  pg::AsOwner owner;
  mark_abandoned();
  for (Due& due : list_due()) {
    if (!due.at) continue;
    if (*due.at > pg::now() || visit.due) {
      visit.next_visit = std::min(visit.next_visit, to_timestamp(*due.at));
      continue;
    }
    auto lock = std::make_unique<pg::DestinationLock>(due.destination.name);
    if (!lock->try_lock()) continue;
    visit.due = std::move(due);
    visit.lock = std::move(lock);
  }
  transaction.commit();
  return visit;
}

// Nothing can be done until ALTER EXTENSION, whose commit requests the next visit, or a restart: an
// earlier visit would only repeat this message in the log.
void wait_for_version(const pg::WrongVersion& error, std::uint64_t seen) {
  pg::report(LOG, error);
  report(MyDatabaseId, never, seen);
}

// Does all that is due in this database.
void visit_database() {
  for (;;) {
    const std::uint64_t seen = generation(MyDatabaseId);
    // Loads the configuration that the launcher had when it requested this visit.
    pg::check_interrupts();
    Visit visit;
    try {
      visit = look();
    } catch (const pg::WrongVersion& error) {
      return wait_for_version(error, seen);
    }
    if (!visit.due) {
      report(MyDatabaseId, visit.next_visit, seen);
      return;
    }
    ExportPlace place;
    if (!place.taken()) {
      // The launcher starts another visit when a slot is free.
      report(MyDatabaseId, 0, seen);
      return;
    }
    report(MyDatabaseId, visit.next_visit, seen);
    Logging observer;
    const std::string& name = visit.due->destination.name;
    try {
      log_result(name, exporting::run_export(name, visit.due->started_by, observer));
    } catch (...) {
      // The failure could not be recorded, so the schedule does not know of it.
      const TimestampTz later = GetCurrentTimestamp() + pg::guc::retry_interval * USECS_PER_SEC;
      report(MyDatabaseId, std::min(visit.next_visit, later), generation(MyDatabaseId));
      throw;
    }
    if (pg::termination_requested()) return;
    pg::forget_cancel();
  }
}

Message to_message(const ExportResult& result) {
  if (result.status == "succeeded") return {Message::succeeded, ""};
  if (result.status == "partial") return {Message::partial, result.error};
  return {Message::failed, (result.status == "failed" ? "failed: " : "was ") + result.error};
}

Message to_refusal(const Error& error) {
  return {Message::refused, pack(Refusal{error.message(), error.detail(), error.hint()})};
}

void hold_extension() {
  if (pg::hold_extension()) return;
  throw Error(ERRCODE_UNDEFINED_OBJECT, "extension hydra_export is not committed yet", "",
              "COMMIT first.");
}

// Runs the export for a call of export_now().
Message export_for(Listener& listener) {
  const std::string& name = listener.destination();
  pg::DestinationLock lock(name);
  {
    Transaction transaction;
    hold_extension();
    if (!lock.try_lock()) {
      throw Error(ERRCODE_OBJECT_IN_USE, "destination \"" + name + "\" is being exported already",
                  "", "Wait for it to end: see hydra_export.recent_exports.");
    }
    transaction.commit();
  }
  ExportPlace place;
  if (!place.taken()) throw no_free_place();
  Talking observer(listener);
  const ExportResult result = exporting::run_export(name, tables::StartedBy::user, observer);
  log_result(name, result);
  return to_message(result);
}

// Runs the check for a call of check_access().
Message check_access_for(const Listener& listener) {
  {
    Transaction transaction(Transaction::Mode::read_only);
    hold_extension();
    transaction.commit();
  }
  ExportPlace place;
  if (!place.taken()) throw no_free_place();
  const exporting::AccessCheck access = exporting::check_access(listener.destination());
  const auto& identity = access.identity;
  const std::string expires_at = identity.expires_at ? iso8601(*identity.expires_at * 1000000) : "";
  return {Message::checked,
          pack(CheckResult{pg::from_utf8(access.key), identity.endpoint, identity.region,
                           pg::from_utf8(identity.source), expires_at, access.conditional})};
}

void serve_caller(dsm_handle handle) {
  Listener listener(handle);
  Message last{Message::succeeded, ""};
  try {
    last =
        listener.task() == Task::check_access ? check_access_for(listener) : export_for(listener);
  } catch (const Error& error) {
    last = to_refusal(error);
  }
  // Destinations that became due meanwhile were skipped, because they were locked.
  touch(MyDatabaseId);
  listener.send(last);
}

void run() {
  pg::WorkerRequest request;
  std::memcpy(&request, MyBgworkerEntry->bgw_extra, sizeof(request));
  pg::connect_worker(request.database);
  s3::initialize_library();
  if (request.channel != 0) {
    serve_caller(request.channel);
  } else {
    visit_database();
  }
}

}  // namespace
}  // namespace hydra::schedule

extern "C" PGDLLEXPORT void hydra_export_worker_main(Datum argument) {
  (void)argument;
  hydra::pg::entry([]() { hydra::schedule::run(); });
}
