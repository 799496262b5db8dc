#include "export/run.hpp"

#include "base/clock.hpp"
#include "export/claim_object.hpp"
#include "export/model_export.hpp"
#include "export/s3_connection.hpp"
#include "pg/compat.hpp"
#include "pg/give_way.hpp"
#include "pg/guc.hpp"
#include "pg/interrupts.hpp"
#include "pg/lock.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "tables/call_of.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;
using pg::Transaction;

constexpr std::size_t kilobyte = 1024;
constexpr int record_attempts = 10;

// If this many consecutive folders belong to other exporters, it is not by chance.
constexpr int most_folders = 100;

void hold_extension() {
  if (pg::hold_extension()) return;
  throw Error(ERRCODE_UNDEFINED_OBJECT, "extension hydra_export was dropped while it exported");
}

std::vector<std::string> names_of(const std::vector<tables::Model>& models) {
  std::vector<std::string> names;
  for (const tables::Model& model : models)
    names.push_back(model.name);
  return names;
}

// One export. run() calls the parts in order; each leaves the input of the next in the members.
class Export {
 public:
  Export(const std::string& destination, tables::StartedBy started_by, Observer& observer)
      : name_(destination), started_by_(started_by), observer_(observer) {}

  ExportResult run();

 private:
  void claim();
  void transfer();
  void claim_folder(Uploader& uploader);
  change::WalChanges load_changes(const change::ExportSnapshot& current);
  void read_models(Uploader& uploader);
  std::size_t read_some_models(std::size_t next, const change::BeforeSnapshot& before,
                               Uploader& uploader);
  void read_model(std::size_t i, const change::ExportSnapshot& current,
                  const change::BeforeSnapshot& before, const change::WalChanges& changes,
                  Uploader& uploader);
  std::string reason_of(const Error& error) const;
  void settle_models(Uploader& uploader);
  void write_manifest(Uploader& uploader);
  void show_waiting();
  void show_phases(const char* phase);
  void show_all_uploads(Uploader& uploader);
  void finish_uploads(Uploader& uploader);
  void interrupted(const std::string& error);
  void conclude();
  void record_in_the_end();
  void record_failure(const Error& error);
  void record();

  const std::string name_;
  const tables::StartedBy started_by_;
  Observer& observer_;
  Account account_;
  std::vector<tables::Model> models_;
  tables::Claim claim_;
  std::optional<pg::ExtensionHold> extension_;
  change::WalMark wal_mark_;
  std::vector<ModelResult> results_;  // one per model; status '' until it was read
  std::int64_t read_until_ = 0;
  std::string failure_;  // the error that ended the export before its manifest
  bool cancelled_ = false;
  bool whole_ = false;  // the manifest is written
  ExportResult result_;
};

ExportResult Export::run() {
  claim();
  show_waiting();
  try {
    transfer();
  } catch (const Error& error) {
    cancelled_ = pg::is_cancel(error) && !pg::termination_requested();
    interrupted(reason_of(error));
  } catch (const std::exception& error) {
    interrupted(error.what());
  }
  pg::ExtensionHold::stop_looking();
  conclude();
  try {
    record_in_the_end();
  } catch (const Error&) {
    // The history has been dropped too, so only the caller and the log learn how the export ended.
    if (!pg::ExtensionHold::wanted_by() || whole_) throw;
  }
  hide_progress();
  return result_;
}

std::string Export::reason_of(const Error& error) const {
  if (pg::termination_requested()) return "the worker was terminated, or the server stopped";
  if (cancelled_) return "cancelled by a user";
  if (const auto& by = pg::ExtensionHold::wanted_by()) {
    return "process " + std::to_string(by->pid) + " drops the extension";
  }
  return error.one_line();
}

void Export::claim() {
  // Taken some moments before the snapshot, so that most transactions running now have ended by
  // then.
  wal_mark_ = change::take_wal_mark();
  Transaction transaction;
  hold_extension();
  pg::AsOwner owner;
  // Sessions that save settings wait, so that the destination and its models are from one state. A
  // change of the place increments the models' generation, which is checked before baselines are
  // saved.
  tables::hold_destinations();
  tables::fail_abandoned(name_);
  const tables::Destination destination = tables::get_destination(name_);
  tables::let_go_of_dropped(name_);
  models_ = tables::load_models(name_, pg::guc::debug_seconds_per_hour);
  if (models_.empty()) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + name_ + "\" has no models", "",
                "Choose tables with " + tables::call_of("add_model", name_) + ".");
  }
  claim_ = tables::claim_export(destination, models_, started_by_, pg::now());
  for (const tables::Model& model : models_) {
    results_.emplace_back();
    results_.back().row.model = model.name;
    results_.back().row.relation = model.relation_name;
  }
  account_ = account_of(destination);
  result_.database = pg::or_empty(pg::query("SELECT current_database()")[0][0]);
  extension_.emplace();
  transaction.commit();
  result_.id = claim_.export_id;
  observer_.claimed(claim_);
}

void Export::transfer() {
  s3::Options options;
  {
    Transaction transaction(Transaction::Mode::read_only);
    options = client_options(account_);
    transaction.commit();
  }
  Uploader uploader(std::move(options), account_.destination.compression_kind(),
                    static_cast<std::size_t>(pg::guc::memory_limit) * kilobyte);
  uploader.results().name_models(names_of(models_));
  try {
    claim_folder(uploader);
    uploader.limit_silence(longest_silence());
    read_models(uploader);
    uploader.limit_silence({});
    finish_uploads(uploader);
  } catch (...) {
    uploader.cancel();
    settle_models(uploader);
    throw;
  }
  settle_models(uploader);
  if (uploader.fatal()) throw Error(ERRCODE_FDW_ERROR, uploader.fatal()->for_others);
  write_manifest(uploader);
  whole_ = true;
}

// Tries folders until one belongs to this export, as far as the store's responses show.
void Export::claim_folder(Uploader& uploader) {
  for (int i = 0; i < most_folders; ++i) {
    if (exporting::claim_folder(uploader, account_.destination, claim_) != ClaimOutcome::taken)
      return;
    Transaction transaction;
    hold_extension();
    pg::AsOwner owner;
    tables::take_next_folder(claim_, account_.destination);
    transaction.commit();
  }
  throw Error(ERRCODE_FDW_ERROR,
              "folder \"" + claim_.folder + "\" and those before it belong to another exporter", "",
              "Give each exporter a bucket or prefix of its own.");
}

// The changes in WAL of the tables for which there are baselines. If WAL cannot be read, the other
// rules apply.
change::WalChanges Export::load_changes(const change::ExportSnapshot& current) {
  std::map<change::Lsn, std::vector<Oid>> files;
  for (const tables::Model& model : models_) {
    for (const tables::Baseline& baseline : model.baselines) {
      if (baseline.wal_floor == 0 || baseline.timeline != current.timeline()) continue;
      files[static_cast<change::Lsn>(baseline.wal_floor)].push_back(baseline.file_number);
    }
  }
  change::WalChanges changes;
  try {
    pg::GiveWay give_way;
    pg::Subtransaction subtransaction;
    pg::MemoryScope memory("hydra_export WAL changes");
    for (const auto& [floor, of_models] : files)
      changes.load(of_models, floor, current.flushed());
  } catch (const Error& error) {
    if (pg::is_cancel(error) || pg::ExtensionHold::wanted_by()) throw;
    pg::report(LOG, Error(error.sqlstate(),
                          "hydra_export: changes are not looked up in WAL: " + error.one_line()));
  }
  return changes;
}

void Export::read_models(Uploader& uploader) {
  change::BeforeSnapshot before;
  {
    Transaction transaction(Transaction::Mode::read_only);
    before = change::look_before_snapshot(wal_mark_);
    transaction.commit();
  }
  for (std::size_t next = 0; next < models_.size() && !uploader.fatal();)
    next = read_some_models(next, before, uploader);
  read_until_ = pg::now();
}

// Reads models in one transaction and under one snapshot, until that is too old or another session
// waits for the end of the transaction. Returns the first model that was not read.
std::size_t Export::read_some_models(std::size_t next, const change::BeforeSnapshot& before,
                                     Uploader& uploader) {
  Transaction transaction(Transaction::Mode::read_only);
  std::optional<pg::KeepLock> lock(std::in_place, name_);
  std::optional<change::ExportSnapshot> current(std::in_place, before);
  const change::WalChanges changes = load_changes(*current);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(pg::guc::max_snapshot_age);
  do {
    read_model(next, *current, before, changes, uploader);
  } while (++next < models_.size() && !uploader.fatal() &&
           std::chrono::steady_clock::now() <= end && !pg::find_waiter());
  current.reset();
  lock.reset();
  transaction.commit();
  return next;
}

void Export::read_model(std::size_t i, const change::ExportSnapshot& current,
                        const change::BeforeSnapshot& before, const change::WalChanges& changes,
                        Uploader& uploader) {
  ModelExport model(models_[i], i, account_, claim_, uploader, observer_);
  results_[i] = model.run(current, before, changes);
  show_phase(i, results_[i].row.status == "failed" ? "failed" : "uploading");
  show_all_uploads(uploader);
  observer_.model_read(results_[i].row, model.rows());
}

// Copies the outcomes of the uploads into the models' results.
void Export::settle_models(Uploader& uploader) {
  for (std::size_t i = 0; i < results_.size(); ++i) {
    tables::ModelRow& row = results_[i].row;
    row.objects = uploader.results().objects(i);
    if (row.status == "succeeded" && uploader.results().failure(i)) {
      row.status = "failed";
      row.error = *uploader.results().failure(i);
    }
  }
}

bucket::ManifestModel manifest_of(const ModelResult& result) {
  bucket::ManifestModel model = result.manifest;
  const tables::ModelRow& row = result.row;
  model.rows = row.rows();
  model.bytes = row.bytes();
  model.status = row.status;
  if (!row.error.empty()) model.error = pg::to_utf8(row.error);
  model.objects.assign(row.objects.begin(), row.objects.end());
  // What replaces something has not arrived, or not all of it.
  if (row.status != "succeeded") model.replaced.clear();
  return model;
}

void Export::show_waiting() {
  std::vector<Progress> models;
  for (const tables::Model& model : models_) {
    Progress progress;
    progress.export_id = claim_.export_id;
    progress.model = model.name;
    progress.phase = "waiting";
    progress.started_at = claim_.started_at;
    models.push_back(progress);
  }
  show_models(models);
}

void Export::show_phases(const char* phase) {
  for (std::size_t i = 0; i < results_.size(); ++i)
    show_phase(i, results_[i].row.status == "failed" ? "failed" : phase);
}

void Export::show_all_uploads(Uploader& uploader) {
  for (std::size_t i = 0; i < results_.size(); ++i)
    show_uploads(i, uploader.results().bytes_arrived(i), uploader.results().objects(i).size());
}

void Export::finish_uploads(Uploader& uploader) {
  while (!uploader.is_drained() && !uploader.fatal()) {
    uploader.wait();
    show_all_uploads(uploader);
    for (const UploadResults::Retry& retry : uploader.results().take_retries())
      observer_.retrying(models_[retry.model].name, retry.text);
    observer_.uploading(uploader.results().rows_put(), uploader.results().rows_arrived());
  }
  uploader.drain();
}

void Export::write_manifest(Uploader& uploader) {
  show_phases("writing the manifest");
  conclude();
  bucket::Manifest manifest;
  std::string key;
  {
    Transaction transaction(Transaction::Mode::read_only);
    manifest.server_version = pg::or_empty(pg::query("SHOW server_version")[0][0]);
    manifest.database = pg::to_utf8(result_.database);
    manifest.destination = pg::to_utf8(name_);
    key = bucket::manifest_key(pg::to_utf8(account_.destination.prefix), claim_.folder);
    for (const ModelResult& result : results_)
      manifest.models.push_back(manifest_of(result));
    transaction.commit();
  }
  manifest.timeline = pg::compat::timeline();
  manifest.export_id = claim_.export_id;
  manifest.folder = claim_.folder;
  manifest.started_at = iso8601(claim_.started_at);
  manifest.finished_at = iso8601(read_until_);
  manifest.status = result_.status;
  uploader.put_manifest(key, bucket::serialize(manifest));
}

// The export ended before its manifest: no model succeeded, even if its objects are in the bucket.
void Export::interrupted(const std::string& error) {
  failure_ = error;
  const char* status = cancelled_ ? "cancelled" : "failed";
  for (ModelResult& result : results_) {
    if (result.row.status == "failed") continue;
    result.row.status = status;
    result.row.error = error;
  }
}

// Sets the export's status and error, from those of its models and its own failure.
void Export::conclude() {
  std::size_t succeeded = 0;
  std::string errors;
  for (const ModelResult& result : results_) {
    if (result.row.status == "succeeded") {
      ++succeeded;
      continue;
    }
    if (result.row.error == failure_) continue;
    if (!errors.empty()) errors += "; ";
    errors += "model \"" + result.row.model + "\": " + result.row.error;
  }
  if (cancelled_) {
    result_.status = "cancelled";
  } else if (succeeded == results_.size()) {
    result_.status = "succeeded";
  } else {
    result_.status = succeeded > 0 ? "partial" : "failed";
  }
  // The first error is more informative.
  if (!failure_.empty()) errors += (errors.empty() ? "" : "; ") + failure_;
  result_.error = errors;
}

// Waits for locks, because otherwise all the work would be lost; but does not wait if the process
// has to end.
void Export::record_in_the_end() {
  const int attempts = pg::termination_requested() ? 1 : record_attempts;
  for (int attempt = 1;; ++attempt) {
    try {
      return record();
    } catch (const Error& error) {
      const bool in_the_way = error.sqlstate() == ERRCODE_T_R_DEADLOCK_DETECTED ||
                              error.sqlstate() == ERRCODE_LOCK_NOT_AVAILABLE ||
                              error.sqlstate() == ERRCODE_QUERY_CANCELED;
      if (in_the_way && attempt < attempts) continue;
      if (in_the_way || pg::termination_requested()) throw;
      return record_failure(error);
    }
  }
}

// If recording the result failed, records at least that failure.
void Export::record_failure(const Error& error) {
  whole_ = false;
  for (ModelResult& result : results_)
    result.row.objects.clear();
  interrupted("the history could not be written: " + error.one_line());
  conclude();
  record();
}

void Export::record() {
  pg::DeferCancel defer;
  Transaction transaction;
  // The record contains nothing that must survive a failover.
  if (cancelled_ || pg::termination_requested()) transaction.hurry();
  hold_extension();
  pg::AsOwner owner;
  std::vector<tables::ModelRow> rows;
  for (const ModelResult& result : results_)
    rows.push_back(result.row);
  tables::finish_export(claim_, result_.status, result_.error, rows);
  if (started_by_ != tables::StartedBy::user) {
    // After a cancel, the export is not retried before the next point of the grid.
    tables::note_finish(name_, result_.status == "succeeded" || cancelled_);
  }
  for (std::size_t i = 0; whole_ && i < results_.size(); ++i) {
    if (results_[i].row.status != "succeeded") continue;
    tables::save_success(models_[i], results_[i].baselines,
                         {claim_.export_id, claim_.folder, results_[i].row.relation,
                          results_[i].full, results_[i].full_next});
  }
  change::save_wal_mark(wal_mark_);
  tables::remove_old_history(pg::guc::history_retention);
  // A wait for a standby may be cancelled: the transaction is committed already.
  defer.end();
  transaction.commit();
}

}  // namespace

ExportResult run_export(const std::string& destination, tables::StartedBy started_by,
                        Observer& observer) {
  return Export(destination, started_by, observer).run();
}

}  // namespace hydra::exporting
