#include "export/preview.hpp"

#include <cmath>

#include "export/table_scan.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::exporting {
namespace {

// Counts the blocks that would be read, from map, page headers and WAL, as an export does.
std::uint64_t count_blocks_to_read(const Leaf& leaf, change::BlockDispenser& dispenser) {
  const Oid oid = leaf.relation;
  ::Relation relation = pg::call([=]() noexcept { return table_open(oid, NoLock); });
  change::BlockSelection selection(relation, leaf.wal, dispenser);
  using Next = change::BlockSelection::Next;
  for (Next next = Next::run; next != Next::end;) {
    change::BlockRun run;
    next = pg::call([&]() noexcept { return selection.next(&run); });
    pg::check_interrupts();
  }
  pg::call([=]() noexcept { table_close(relation, NoLock); });
  return selection.counts().read;
}

// The planner's estimate of the table's rows, which exists even if it was never analyzed.
std::uint64_t estimated_rows(Oid relation) {
  const double rows = pg::call([=]() noexcept {
    ::Relation table = table_open(relation, NoLock);
    BlockNumber pages = 0;  // for a small new table, more than it has
    double tuples = 0, all_visible = 0;
    estimate_rel_size(table, nullptr, &pages, &tuples, &all_visible);
    const double blocks = RelationGetNumberOfBlocks(table);
    table_close(table, NoLock);
    return pages == 0 ? 0 : tuples / pages * blocks;
  });
  return static_cast<std::uint64_t>(std::llround(std::max(rows, 0.0)));
}

// From earlier exports; 0 before the first.
double sent_per_row(const tables::Model& model) {
  const pg::Text bytes = pg::query(
      "SELECT round(sum(m.bytes) / nullif(sum(m.rows), 0)) FROM hydra_export.export_models m"
      " JOIN hydra_export.exports e ON e.id = m.export_id"
      " WHERE e.destination = $1 AND m.model = $2",
      {model.destination, model.name})[0][0];
  return bytes ? std::stod(*bytes) : 0;
}

// Bytes of JSON for a value, by its type and its average width in the table.
double value_bytes(Oid type, int width) {
  switch (type) {
    case BOOLOID:
      return 5;
    case INT2OID:
      return 4;
    case INT4OID:
      return 7;
    case INT8OID:
      return 10;
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
      return 10;
    case DATEOID:
      return std::strlen("\"2026-11-25\"");
    case TIMESTAMPOID:
      return std::strlen("\"2026-11-25T01:02:03.456789\"");
    case TIMESTAMPTZOID:
      return std::strlen("\"2026-11-25T01:02:03.456789+00:00\"");
    case UUIDOID:
      return std::strlen("\"00000000-0000-0000-0000-000000000000\"");
    case BYTEAOID:
      return 2.0 * width + std::strlen("\"\\\\x\"");
    default:
      return width + std::strlen("\"\"");
  }
}

// Bytes of a line, by the averages of ANALYZE, or by the planner's defaults for types before that.
double line_bytes(const Leaf& leaf) {
  double bytes = std::strlen("{}\n");
  for (const relations::Column& column : leaf.columns) {
    const Oid relation = leaf.relation;
    const auto number = static_cast<AttrNumber>(column.number);
    const Oid type = column.type;
    const int width = pg::call([=]() noexcept {
      const int found = get_attavgwidth(relation, number);
      return found > 0 ? found : get_typavgwidth(type, -1);
    });
    bytes += static_cast<double>(column.name.size()) + std::strlen("\"\":,");
    bytes += value_bytes(column.type, width);
  }
  return bytes;
}

// An upper limit for the leaf's rows that would be sent; nothing if it is not known in advance.
std::optional<std::uint64_t> look_at_leaf(ModelPreview& preview, const Leaf& leaf) {
  if (needs_query(leaf)) {
    if (leaf.is_full() && leaf.has_xmin) return estimated_rows(leaf.relation);
    return std::nullopt;
  }
  change::BlockDispenser dispenser(change::count_blocks(leaf.relation), 1);
  const std::uint64_t to_read = count_blocks_to_read(leaf, dispenser);
  preview.blocks_total += dispenser.blocks();
  preview.blocks_to_read += to_read;
  if (dispenser.blocks() == 0) return 0;
  return estimated_rows(leaf.relation) * to_read / dispenser.blocks();
}

void look(ModelPreview& preview, const tables::Model& model) {
  ModelPlan plan = lock_model(model, Patience::none);
  const change::ExportSnapshot current(change::BeforeSnapshot{},
                                       change::ExportSnapshot::Use::preview);
  choose_rows(plan, model, current);
  preview.kind = plan.kind();
  preview.reason = plan.reason;
  preview.rows = 0;
  double bytes = 0;
  const double sent = sent_per_row(model);
  for (const Leaf& leaf : plan.leaves) {
    const std::optional<std::uint64_t> rows = look_at_leaf(preview, leaf);
    preview.rows = rows && preview.rows ? std::optional(*preview.rows + *rows) : std::nullopt;
    if (rows) bytes += static_cast<double>(*rows) * (sent > 0 ? sent : line_bytes(leaf));
  }
  if (preview.rows) preview.bytes = static_cast<std::uint64_t>(bytes);
}

}  // namespace

ModelPreview preview_model(const tables::Model& model) {
  ModelPreview preview;
  preview.model = model.name;
  try {
    pg::Subtransaction subtransaction;
    pg::MemoryScope memory("hydra_export preview");
    look(preview, model);
  } catch (const pg::Error& error) {
    if (error.sqlstate() == ERRCODE_QUERY_CANCELED) throw;
    preview = {};
    preview.model = model.name;
    preview.reason = error.one_line();
  }
  return preview;
}

}  // namespace hydra::exporting
