#include "export/model_reader.hpp"

#include <new>

#include "pg/guc.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"
#include "pg/untrusted_code.hpp"

namespace hydra::exporting {
namespace {

// Short enough for the progress shown to users.
constexpr std::chrono::milliseconds longest_pause{1000};

}  // namespace

std::vector<row_json::LineColumn> line_columns(const ModelPlan& plan) {
  std::vector<row_json::LineColumn> columns;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    columns.push_back({plan.columns[i].name, i, plan.columns[i].type});
  }
  return columns;
}

std::vector<row_json::KeyColumn> key_columns(const ModelPlan& plan) {
  std::vector<row_json::KeyColumn> columns;
  for (const std::string& name : plan.key) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      const relations::Column& column = plan.columns[i];
      if (column.name == name) columns.push_back({name, i, column.type, column.collation});
    }
  }
  return columns;
}

std::size_t SharedReading::size(const ReadTask& task) {
  return sizeof(SharedReading) + task.leaves.size() * sizeof(LeafReading);
}

SharedReading* SharedReading::make(void* memory, const ReadTask& task, int readers) {
  SharedReading* shared = new (memory) SharedReading;
  for (std::size_t i = 0; i < task.leaves.size(); ++i) {
    const Leaf& leaf = task.leaves[i];
    const BlockNumber blocks = needs_query(leaf) ? 0 : change::count_blocks(leaf.relation);
    new (shared->leaves() + i) LeafReading{{blocks, readers}};
  }
  return shared;
}

ReadCounts& ReadCounts::operator+=(const ReadCounts& other) {
  blocks += other.blocks;
  rows += other.rows;
  bytes += other.bytes;
  return *this;
}

ModelReader::ModelReader(const ReadTask& task, SharedReading& shared, Snapshot snapshot,
                         std::size_t number, Uploader& uploader)
    : task_(task),
      shared_(shared),
      as_{snapshot, task.next_xid},
      number_(number),
      uploader_(uploader),
      pacer_(task.bytes_per_second, std::chrono::steady_clock::now()) {
  pg::UntrustedCode code(task.owner);
  key_.emplace(task.key);
}

void ModelReader::begin_leaf() {
  const Leaf& leaf = task_.leaves[leaf_];
  if (!writer_ || writes_as_ != leaf.owner) {
    pg::UntrustedCode code(leaf.owner);
    key_->check_authors();
    writer_.emplace(task_.columns);
    writes_as_ = leaf.owner;
  }
  scan_ = std::make_unique<TableScan>(leaf, as_, *writer_, *key_, shared_.dispenser(leaf_));
}

bool ModelReader::step() {
  if (is_paused()) return true;
  if (leaf_ == task_.leaves.size()) return false;
  if (!object_) {
    if (!uploader_.has_room()) {
      uploader_.wait();
      return true;
    }
    object_ = std::make_unique<row_json::ObjectBuffer>(*key_, uploader_.buffers());
  }
  if (!scan_) begin_leaf();
  const bool more = scan_->step(*object_, uploader_.object_size());
  if (object_->memory() >= uploader_.object_size() + uploader_.object_size() / 2 ||
      object_->bytes() >= uploader_.object_size()) {
    flush();
  }
  if (!more) {
    done_.blocks += scan_->counts();
    if (scan_->left_out()) shared_.note_left_out(leaf_);
    scan_.reset();
    if (leaf_ + 1 == task_.leaves.size() || task_.apart) flush();
    ++leaf_;
  }
  uploader_.progress();
  pg::check_interrupts();
  pace();
  return true;
}

ReadCounts ModelReader::counts() const {
  ReadCounts counts = done_;
  if (scan_) counts.blocks += scan_->counts();
  if (object_) {
    counts.rows += object_->rows();
    counts.bytes += object_->bytes();
  }
  return counts;
}

// Comparison functions may run queries. After an error, the end of the subtransaction pops the
// snapshot.
row_json::ClosedObject ModelReader::close() {
  pg::UntrustedCode code(task_.owner);
  pg::call([this]() noexcept { PushActiveSnapshot(as_.snapshot); });
  row_json::ClosedObject closed = object_->close();
  pg::call([]() noexcept { PopActiveSnapshot(); });
  return closed;
}

void ModelReader::flush() {
  if (object_ && object_->rows() > 0) {
    row_json::ClosedObject closed = close();
    if (task_.apart) name_table(closed);
    const std::string key = next_key(closed);
    done_.rows += closed.rows;
    done_.bytes += closed.bytes;
    object_.reset();
    uploader_.put(number_, key, std::move(closed));
  }
  object_.reset();
}

void ModelReader::name_table(row_json::ClosedObject& object) const {
  object.relation = pg::to_utf8(task_.leaves[leaf_].name);
  object.relation_oid = task_.leaves[leaf_].relation;
}

// By the larger of table data read and JSON written.
void ModelReader::pace() {
  const ReadCounts done = counts();
  const std::uint64_t work = std::max(done.blocks.read * BLCKSZ, done.bytes);
  if (work <= paced_) return;
  const auto now = std::chrono::steady_clock::now();
  resume_at_ = now + pacer_.note(work - paced_, now);
  paced_ = work;
}

// Waits for a part of the time that the pace requires, if any is left.
bool ModelReader::is_paused() {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(resume_at_ - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  uploader_.pause(std::min(left, longest_pause));
  return true;
}

std::string ModelReader::next_key(const row_json::ClosedObject& object) {
  bucket::ObjectName name = task_.name;
  name.first_id = object.first_id;
  name.last_id = object.last_id;
  if (task_.numbered) name.number = shared_.next_number();
  return bucket::object_key(name);
}

}  // namespace hydra::exporting
