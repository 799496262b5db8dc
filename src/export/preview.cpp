#include "export/preview.hpp"

#include "export/table_scan.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::exporting {
namespace {

// Those that would be read: map, page headers and WAL are asked, as an export does.
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

// What the planner believes to be in the table.
std::uint64_t estimated_rows(Oid relation) {
  return static_cast<std::uint64_t>(pg::to_int(
      pg::query("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = $1::oid",
                {pg::text(relation)})[0][0]));
}

// As earlier exports had it; 0 before the first.
double bytes_per_row(const tables::Model& model) {
  const pg::Text bytes = pg::query(
      "SELECT round(sum(m.bytes) / nullif(sum(m.rows), 0)) FROM hydra_export.export_models m"
      " JOIN hydra_export.exports e ON e.id = m.export_id"
      " WHERE e.destination = $1 AND m.model = $2",
      {model.destination, model.name})[0][0];
  return bytes ? std::stod(*bytes) : 0;
}

// The rows of the leaf that would be sent, at most; nothing where that is not known beforehand.
std::optional<std::uint64_t> look_at_leaf(ModelPreview& preview, const Leaf& leaf) {
  const std::uint64_t rows = estimated_rows(leaf.relation);
  if (needs_query(leaf))
    return leaf.is_full() && leaf.has_xmin ? std::optional(rows) : std::nullopt;
  change::BlockDispenser dispenser(change::count_blocks(leaf.relation), 1);
  const std::uint64_t to_read = count_blocks_to_read(leaf, dispenser);
  preview.blocks_total += dispenser.blocks();
  preview.blocks_to_read += to_read;
  return dispenser.blocks() > 0 ? rows * to_read / dispenser.blocks() : 0;
}

void look(ModelPreview& preview, const tables::Model& model) {
  ModelPlan plan = lock_model(model, Patience::none);
  const change::ExportSnapshot current(change::BeforeSnapshot{},
                                       change::ExportSnapshot::Use::preview);
  choose_rows(plan, model, current);
  preview.kind = plan.kind();
  preview.reason = plan.reason;
  preview.rows = 0;
  for (const Leaf& leaf : plan.leaves) {
    const std::optional<std::uint64_t> rows = look_at_leaf(preview, leaf);
    preview.rows = rows && preview.rows ? std::optional(*preview.rows + *rows) : std::nullopt;
  }
  if (!preview.rows) return;
  preview.bytes =
      static_cast<std::uint64_t>(static_cast<double>(*preview.rows) * bytes_per_row(model));
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
