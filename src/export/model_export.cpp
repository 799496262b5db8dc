#include "export/model_export.hpp"

#include "export/table_scan.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;

// How often the lock table is asked whether somebody waits for one of the model's tables.
constexpr std::chrono::seconds look_interval{1};

std::vector<record::LineColumn> line_columns(const ModelPlan& plan) {
  std::vector<record::LineColumn> columns;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    columns.push_back({plan.columns[i].name, i, plan.columns[i].type});
  }
  return columns;
}

std::vector<record::KeyColumn> key_columns(const ModelPlan& plan) {
  std::vector<record::KeyColumn> columns;
  for (const std::string& name : plan.key) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      const catalog::Column& column = plan.columns[i];
      if (column.name == name) columns.push_back({name, i, column.type, column.collation});
    }
  }
  return columns;
}

void add_counts(catalog::Blocks& blocks, const change::BlockCounts& counts) {
  blocks.total += counts.total;
  blocks.skipped_by_map += counts.skipped_by_map;
  blocks.skipped_by_lsn += counts.skipped_by_lsn;
  blocks.read += counts.read;
}

catalog::Baseline baseline_of(const Leaf& leaf, const change::Reading& reading) {
  catalog::Baseline baseline;
  baseline.relation = leaf.relation;
  baseline.snapshot = reading.xids().text();
  baseline.cursor = reading.cursor();
  baseline.lsn = reading.lsn();
  baseline.fingerprint = leaf.fingerprint;
  baseline.system_identifier = reading.system_identifier();
  baseline.timeline = reading.timeline();
  baseline.file_number = leaf.file_number;
  baseline.wal_map = static_cast<std::int64_t>(reading.wal().map_position);
  baseline.wal_floor = static_cast<std::int64_t>(reading.wal().floor);
  return baseline;
}

}  // namespace

ModelExport::ModelExport(const catalog::Model& model, std::size_t number,
                         const catalog::Destination& target, const catalog::Claim& claim,
                         Uploader& uploader, Observer& observer)
    : model_(model),
      number_(number),
      target_(target),
      claim_(claim),
      uploader_(uploader),
      observer_(observer),
      pacer_(static_cast<std::uint64_t>(pg::guc::throttle) * 1024,
             std::chrono::steady_clock::now()) {
  result_.row.model = model.name;
  result_.row.relation = pg::display_name(model.relation);
  result_.row.started_at = pg::now();
  result_.row.status = "succeeded";
  result_.manifest.name = pg::to_utf8(model.name);
  result_.manifest.relation = pg::to_utf8(result_.row.relation);
}

ModelResult ModelExport::run(const change::Reading& shared, const change::Horizon& horizon) {
  try {
    pg::Subtransaction subtransaction;
    pg::MemoryScope memory("hydra_export model");
    read(shared, horizon);
  } catch (const Error& error) {
    if (pg::is_cancel(error)) throw;
    result_.row.status = "failed";
    result_.row.error = pg::readable(error.one_line());
  } catch (const std::exception& error) {
    result_.row.status = "failed";
    result_.row.error = error.what();
  }
  result_.row.finished_at = pg::now();
  return std::move(result_);
}

void ModelExport::read(const change::Reading& shared, const change::Horizon& horizon) {
  show("waiting for locks", nullptr);
  ModelPlan plan = lock_model(model_);
  plan_ = &plan;
  // Nobody can rewrite the tables any more, so a snapshot taken now can read them.
  std::optional<change::Reading> fresh;
  if (was_rewritten(plan, shared.snapshot())) fresh.emplace(horizon);
  const change::Reading& reading = fresh ? *fresh : shared;
  choose_rows(plan, model_, reading);
  note(plan, reading, fresh.has_value());
  try {
    read_rows(plan, reading);
  } catch (...) {
    // Its memory is part of this scope.
    object_.reset();
    throw;
  }
}

void ModelExport::note(const ModelPlan& plan, const change::Reading& reading, bool fresh) {
  catalog::ModelRow& row = result_.row;
  row.relation = plan.relation.name;
  row.kind = plan.kind();
  row.reason = plan.reason;
  row.snapshot = reading.xids().text();
  row.lsn = reading.lsn();
  if (!plan.full) row.previous_export_id = model_.previous_export_id;
  result_.full = plan.full;
  for (const Leaf& leaf : plan.leaves)
    result_.baselines.push_back(baseline_of(leaf, reading));

  json::ManifestModel& manifest = result_.manifest;
  manifest.relation = pg::to_utf8(plan.relation.name);
  manifest.kind = plan.kind();
  for (const std::string& name : plan.key)
    manifest.key_columns.push_back(pg::to_utf8(name));
  for (const catalog::Column& column : plan.columns) {
    manifest.columns.push_back(
        {pg::to_utf8(column.name), pg::to_utf8(column.type_name), column.not_null});
  }
  manifest.snapshot = row.snapshot;
  manifest.lsn = row.lsn;
  if (!model_.previous_folder.empty()) manifest.previous_folder = model_.previous_folder;
  if (fresh) {
    manifest.note = "read with a snapshot of its own: rewritten after the export's was taken";
  }
}

void ModelExport::read_rows(const ModelPlan& plan, const change::Reading& reading) {
  const record::Key key(key_columns(plan));
  record::LineWriter writer(line_columns(plan));
  for (const Leaf& leaf : plan.leaves)
    read_leaf(leaf, reading, writer, key);
  flush();
}

void ModelExport::read_leaf(const Leaf& leaf, const change::Reading& reading,
                            record::LineWriter& writer, const record::Key& key) {
  TableScan scan(leaf, reading, model_.added_by, writer, key);
  bool more = true;
  while (more) {
    if (!object_) {
      wait_for_room();
      object_ = std::make_unique<record::ObjectBuffer>(key, uploader_.buffers());
    }
    more = scan.step(*object_, uploader_.object_size());
    if (object_->memory() >= uploader_.object_size() + uploader_.object_size() / 2 ||
        object_->bytes() >= uploader_.object_size()) {
      flush();
    }
    uploader_.progress();
    pg::check_interrupts();
    show("reading", &scan);
    pace(scan);
    stop_if_useless();
  }
  add_counts(result_.row.blocks, scan.counts());
}

// The tables stay locked meanwhile, and S3 may take its time.
void ModelExport::wait_for_room() {
  while (!uploader_.has_room()) {
    uploader_.wait();
    stop_if_useless();
  }
}

// Throws when what is still read could not be used, or somebody needs the tables more.
void ModelExport::stop_if_useless() {
  if (uploader_.failure(number_)) throw Error(ERRCODE_FDW_ERROR, *uploader_.failure(number_));
  if (uploader_.fatal()) throw Error(ERRCODE_FDW_ERROR, *uploader_.fatal());
  give_way(*plan_);
}

void ModelExport::flush() {
  if (!object_) return;
  if (object_->rows() > 0) {
    record::ClosedObject closed = object_->close();
    const std::string key = next_key(closed);
    rows_ += closed.rows;
    bytes_ += closed.bytes;
    object_.reset();
    uploader_.put(number_, key, std::move(closed));
  }
  object_.reset();
}

// Keeps to hydra_export.throttle, by what there is more of: table read, or JSON made of it.
void ModelExport::pace(const TableScan& scan) {
  const std::uint64_t read = (result_.row.blocks.read + scan.counts().read) * BLCKSZ;
  const std::uint64_t work = std::max(read, bytes_ + (object_ ? object_->bytes() : 0));
  if (work <= paced_) return;
  const auto wait = pacer_.note(work - paced_, std::chrono::steady_clock::now());
  paced_ = work;
  if (wait.count() > 0) uploader_.pause(wait);
}

void ModelExport::show(const char* phase, const TableScan* scan) {
  Progress progress;
  progress.export_id = claim_.export_id;
  progress.model = model_.name;
  progress.phase = phase;
  catalog::Blocks blocks = result_.row.blocks;
  if (scan != nullptr) add_counts(blocks, scan->counts());
  progress.blocks_total = blocks.total;
  progress.blocks_skipped = blocks.skipped_by_map + blocks.skipped_by_lsn;
  progress.blocks_scanned = blocks.read;
  progress.rows = rows_ + (object_ ? object_->rows() : 0);
  progress.bytes_written = bytes_ + (object_ ? object_->bytes() : 0);
  progress.bytes_uploaded = uploader_.bytes_arrived(number_);
  progress.objects = uploader_.objects(number_).size();
  progress.started_at = *result_.row.started_at;
  progress.pid = MyProcPid;
  show_progress(progress);
  if (scan != nullptr) observer_.reading(progress);
}

std::string ModelExport::next_key(const record::ClosedObject& object) {
  ObjectName name;
  name.prefix = pg::to_utf8(target_.prefix);
  name.folder = claim_.folder;
  name.model = encode_model(pg::to_utf8(model_.name));
  name.first_id = object.first_id;
  name.last_id = object.last_id;
  name.suffix += uploader_.suffix();
  ++objects_;
  if (plan_->numbered) name.number = objects_;
  return object_key(name);
}

void ModelExport::give_way(const ModelPlan& plan) {
  const auto time = std::chrono::steady_clock::now();
  if (time - looked_ < look_interval) return;
  looked_ = time;
  std::vector<std::string> oids = {std::to_string(plan.relation.oid)};
  for (const Leaf& leaf : plan.leaves)
    oids.push_back(std::to_string(leaf.relation));
  for (const Oid source : plan.sources)
    oids.push_back(std::to_string(source));
  const pg::Rows waiting = pg::query(
      "SELECT pid, relation::regclass FROM pg_locks WHERE locktype = 'relation' AND NOT granted"
      " AND mode = 'AccessExclusiveLock' AND relation = ANY ($1::oid[])"
      " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1",
      {pg::array_literal(oids)});
  if (waiting.empty()) return;
  throw Error(ERRCODE_LOCK_NOT_AVAILABLE,
              "gave way to process " + pg::or_empty(waiting[0][0]) + ", which waits to lock " +
                  pg::or_empty(waiting[0][1]) + " exclusively",
              "", "The model's rows come with the next export.");
}

}  // namespace hydra::exporting
