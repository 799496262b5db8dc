#include "export/model_export.hpp"

#include "export/scan_workers.hpp"
#include "pg/give_way.hpp"
#include "pg/guc.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;

// How often the model takes a snapshot of its own, if tables are attached meanwhile.
constexpr int snapshot_attempts = 10;

// The memory that all processes of an export may use for their objects together.
std::size_t all_memory() {
  return static_cast<std::size_t>(pg::guc::memory_limit) * 1024;
}

tables::Baseline baseline_of(const Leaf& leaf, const change::ExportSnapshot& current) {
  tables::Baseline baseline;
  baseline.relation = leaf.relation;
  baseline.snapshot = current.xids().text();
  baseline.cursor = current.cursor();
  baseline.lsn = current.lsn();
  baseline.fingerprint = leaf.fingerprint;
  baseline.system_identifier = current.system_identifier();
  baseline.timeline = current.timeline();
  baseline.file_number = leaf.file_number;
  baseline.wal_map = static_cast<std::int64_t>(current.wal().map_position);
  baseline.wal_floor = static_cast<std::int64_t>(current.wal().floor);
  baseline.relation_name = leaf.name;
  baseline.condition = leaf.condition;
  return baseline;
}

// Called when the model's tables are no longer locked.
std::string describe_waiter() {
  return "gave way to " + pg::describe(*pg::GiveWay::to()) +
         ". The model's rows come with the next export.";
}

}  // namespace

ModelExport::ModelExport(const tables::Model& model, std::size_t number, const Account& account,
                         const tables::Claim& claim, Uploader& uploader, Observer& observer)
    : model_(model),
      number_(number),
      account_(account),
      claim_(claim),
      uploader_(uploader),
      observer_(observer) {
  result_.row.model = model.name;
  result_.row.relation = model.relation_name;
  result_.row.started_at = pg::now();
  result_.row.status = "succeeded";
  result_.manifest.name = pg::to_utf8(model.name);
  result_.manifest.relation = pg::to_utf8(result_.row.relation);
}

ModelResult ModelExport::run(const change::ExportSnapshot& shared,
                             const change::BeforeSnapshot& before,
                             const change::WalChanges& changes) {
  try {
    pg::GiveWay give_way;
    pg::Subtransaction subtransaction;
    pg::MemoryScope memory("hydra_export model");
    read(shared, before, changes);
    // User code may have caught the cancel, and returned a value nevertheless.
    pg::check_interrupts();
  } catch (const Error& error) {
    if (pg::is_cancel(error) || pg::ExtensionHold::wanted_by()) throw;
    result_.row.status = "failed";
    result_.row.error = pg::GiveWay::to() ? describe_waiter() : pg::readable(error.one_line());
  } catch (const std::exception& error) {
    result_.row.status = "failed";
    result_.row.error = error.what();
  }
  result_.row.finished_at = pg::now();
  return std::move(result_);
}

void ModelExport::read(const change::ExportSnapshot& shared, const change::BeforeSnapshot& before,
                       const change::WalChanges& changes) {
  show("waiting for locks");
  ModelPlan plan = lock_model(model_);
  plan_ = &plan;
  std::optional<change::ExportSnapshot> fresh;
  if (!fits(plan, shared.snapshot())) read_anew(plan, fresh, before);
  const change::ExportSnapshot& current = fresh ? *fresh : shared;
  choose_rows(plan, model_, current, fresh ? change::WalChanges{} : changes);
  note(plan, current, fresh.has_value());
  read_rows(plan, current);
}

// The tables are locked against rewrites, so a snapshot taken now can read them; but partitions may
// still be attached.
void ModelExport::read_anew(ModelPlan& plan, std::optional<change::ExportSnapshot>& fresh,
                            const change::BeforeSnapshot& before) {
  for (int attempt = 0; attempt < snapshot_attempts; ++attempt) {
    fresh.emplace(before);
    if (fits(plan, fresh->snapshot())) return;
    plan = lock_model(model_);
  }
  throw Error(ERRCODE_OBJECT_IN_USE,
              "partitions of " + plan.relation.name + " are attached all the time", "",
              "The model's rows come with the next export.");
}

void ModelExport::note(const ModelPlan& plan, const change::ExportSnapshot& current, bool fresh) {
  tables::ModelRow& row = result_.row;
  row.relation = plan.relation.name;
  row.kind = plan.kind();
  row.reason = plan.reason;
  row.snapshot = current.xids().text();
  row.lsn = current.lsn();
  if (!plan.full) row.previous_export_id = model_.previous_export_id;
  result_.full = plan.full;
  for (const Leaf& leaf : plan.leaves)
    result_.baselines.push_back(baseline_of(leaf, current));

  bucket::ManifestModel& manifest = result_.manifest;
  manifest.relation = pg::to_utf8(plan.relation.name);
  manifest.kind = plan.kind();
  for (const std::string& name : plan.key)
    manifest.key_columns.push_back(pg::to_utf8(name));
  for (const relations::Column& column : plan.columns) {
    manifest.columns.push_back(
        {pg::to_utf8(column.name), pg::to_utf8(column.type_name), column.not_null});
  }
  manifest.snapshot = row.snapshot;
  manifest.lsn = row.lsn;
  if (!model_.previous_folder.empty()) manifest.previous_folder = model_.previous_folder;
  if (fresh) {
    manifest.note =
        "read with a separate snapshot: its tables were rewritten, added or removed after the "
        "export's snapshot was taken";
  }
}

void ModelExport::read_rows(const ModelPlan& plan, const change::ExportSnapshot& current) {
  uploader_.set_memory(all_memory());
  ReadTask task = task_of(plan, current);
  const int workers = wanted_workers(plan, most_workers());
  if (workers > 0) {
    read_with_workers(task, current, workers);
  } else {
    read_alone(task, current);
  }
  check_definitions(plan);
}

ReadTask ModelExport::task_of(const ModelPlan& plan, const change::ExportSnapshot& current) const {
  ReadTask task;
  task.leaves = plan.leaves;
  task.columns = line_columns(plan);
  task.key = key_columns(plan);
  task.next_xid = current.next_xid();
  task.owner = plan.relation.owner;
  task.name.prefix = pg::to_utf8(account_.destination.prefix);
  task.name.folder = claim_.folder;
  task.name.model = bucket::encode_model(pg::to_utf8(model_.name));
  task.name.suffix += uploader_.suffix();
  task.numbered = plan.numbered;
  task.apart = plan.apart;
  task.bytes_per_second = static_cast<std::uint64_t>(pg::guc::throttle) * 1024;
  return task;
}

// As many as leave each process enough memory for objects of a quarter of the configured size.
std::size_t ModelExport::most_workers() const {
  const std::size_t least = Uploader::full_memory(account_.destination.compression_kind()) / 4;
  const std::size_t processes = std::max<std::size_t>(all_memory() / least, 1);
  return std::min<std::size_t>(static_cast<std::size_t>(pg::guc::parallel_workers), processes - 1);
}

void ModelExport::read_alone(const ReadTask& task, const change::ExportSnapshot& current) {
  const auto memory = std::make_unique<std::max_align_t[]>(
      SharedReading::size(task) / sizeof(std::max_align_t) + 1);
  SharedReading* shared = SharedReading::make(memory.get(), task, 1);
  ModelReader reader(task, *shared, current.snapshot(), number_, uploader_);
  finish_reading(reader, *shared, nullptr);
  note_whole_tables(*shared);
}

void ModelExport::read_with_workers(ReadTask& task, const change::ExportSnapshot& current,
                                    int workers) {
  const auto processes = static_cast<unsigned>(workers) + 1;
  const std::size_t memory = all_memory() / processes;
  uploader_.set_memory(memory);
  // The workers sign with the keys that this process fetches.
  uploader_.client().keep_keys(true);
  while (!uploader_.is_within_memory() || !uploader_.client().keys()) {
    uploader_.wait();
    stop_if_useless();
    if (uploader_.client().keys_failure()) {
      uploader_.client().keep_keys(false);
      return read_alone(task, current);
    }
  }
  if (task.bytes_per_second > 0) {
    task.bytes_per_second = std::max<std::uint64_t>(task.bytes_per_second / processes, 1);
  }
  ScanWorkers scan_workers(task, account_, memory, current.snapshot(), workers, number_, uploader_);
  result_.row.workers = scan_workers.started();
  ModelReader reader(task, scan_workers.shared(), current.snapshot(), number_, uploader_);
  finish_reading(reader, scan_workers.shared(), &scan_workers);
  note_whole_tables(scan_workers.shared());
  scan_workers.finish();
}

// Where all rows of a table were sent, whatever was looked for, they are all that it holds: readers
// are told to forget what they have of it. So are they of tables that are gone. A table that was
// empty before, and still is, is no news.
void ModelExport::note_whole_tables(SharedReading& shared) {
  std::vector<const Leaf*> news;
  std::size_t whole = 0;
  for (std::size_t i = 0; i < plan_->leaves.size(); ++i) {
    const Leaf& leaf = plan_->leaves[i];
    if (!shared.sent_all(i)) continue;
    ++whole;
    const bool empty = !needs_query(leaf) && shared.dispenser(i).blocks() == 0;
    const tables::Baseline* before = model_.baseline_of(leaf.relation);
    // An export that did not end well may have sent rows that came and went since.
    const bool was_empty = before != nullptr && before->empty && !model_.unfinished;
    if (!empty || !was_empty) news.push_back(&leaf);
    result_.baselines[i].empty = empty;
  }
  const bool nothing_new = news.empty() && plan_->gone.empty() && !model_.unfinished;
  if (plan_->full || nothing_new) return;
  if (whole == plan_->leaves.size()) return become_full();
  for (const tables::Baseline& gone : plan_->gone) {
    result_.manifest.replaced.push_back(
        {pg::to_utf8(gone.relation_name), gone.relation, pg::to_utf8(gone.condition)});
  }
  for (const Leaf* leaf : news)
    replace(*leaf);
  if (model_.unfinished) replace_unknown();
}

// An export that did not end well may have sent rows of a partition that no baseline knows.
void ModelExport::replace_unknown() {
  std::string all;
  for (const Leaf& leaf : plan_->leaves) {
    if (leaf.condition.empty()) return;
    all += (all.empty() ? "" : " OR ") + leaf.condition;
  }
  const relations::RelationInfo& relation = plan_->relation;
  result_.manifest.replaced.push_back(
      {pg::to_utf8(relation.name), relation.oid, "NOT (" + pg::to_utf8(all) + ")"});
}

void ModelExport::become_full() {
  result_.full = true;
  result_.row.kind = "full";
  result_.row.previous_export_id.reset();
  result_.manifest.kind = "full";
  const std::string others = result_.row.reason;
  result_.row.reason = counts_.rows == 0 ? "there are no rows" : "all rows were changed";
  if (!others.empty()) result_.row.reason += "; " + others;
}

// All rows of this table were sent, and not all of another one.
void ModelExport::replace(const Leaf& leaf) {
  const tables::Baseline* before = model_.baseline_of(leaf.relation);
  std::vector<bucket::Replaced>& replaced = result_.manifest.replaced;
  if (plan_->apart || !leaf.condition.empty())
    replaced.push_back({pg::to_utf8(leaf.name), leaf.relation, pg::to_utf8(leaf.condition)});
  if (before == nullptr) return;
  // It was detached and attached again, and may have held other rows.
  if (!before->condition.empty() && before->condition != leaf.condition)
    replaced.push_back({pg::to_utf8(leaf.name), leaf.relation, pg::to_utf8(before->condition)});
  const bool rewritten = before->file_number != leaf.file_number;
  if (!plan_->apart && leaf.condition.empty() && rewritten)
    result_.full_next = leaf.name + " was truncated or rewritten, and no condition tells its rows";
}

void ModelExport::finish_reading(ModelReader& reader, SharedReading& shared, ScanWorkers* workers) {
  for (std::size_t i = 0; i < plan_->leaves.size(); ++i)
    result_.row.blocks_total += shared.dispenser(i).blocks();
  bool reading = true;
  bool working = workers != nullptr;
  while (reading || working) {
    if (reading) {
      reading = reader.step();
    } else {
      uploader_.wait();
    }
    if (working) working = workers->collect();
    counts_ = reader.counts();
    if (workers != nullptr) counts_ += workers->counts();
    show("reading");
    stop_if_useless();
  }
}

// Throws if the rows still to be read could not be used.
void ModelExport::stop_if_useless() {
  if (uploader_.results().failure(number_))
    throw Error(ERRCODE_FDW_ERROR, *uploader_.results().failure(number_));
  if (uploader_.fatal()) throw Error(ERRCODE_FDW_ERROR, uploader_.fatal()->for_others);
}

void ModelExport::show(const char* phase) {
  result_.row.blocks = counts_.blocks;
  Progress progress;
  progress.export_id = claim_.export_id;
  progress.model = model_.name;
  progress.phase = phase;
  progress.blocks_total = result_.row.blocks_total;
  progress.blocks_skipped = counts_.blocks.skipped();
  progress.blocks_scanned = counts_.blocks.read;
  progress.rows = counts_.rows;
  progress.bytes_written = counts_.bytes;
  progress.bytes_uploaded = uploader_.results().bytes_arrived(number_);
  progress.objects = uploader_.results().objects(number_).size();
  progress.started_at = *result_.row.started_at;
  progress.pid = MyProcPid;
  show_progress(number_, progress);
  observer_.reading(progress);
  for (const UploadResults::Retry& retry : uploader_.results().take_retries())
    observer_.retrying(uploader_.results().name(retry.model), retry.text);
}

}  // namespace hydra::exporting
