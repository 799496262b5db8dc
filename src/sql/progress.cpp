// preview() and the rows of the view progress.
#include "export/progress.hpp"

#include "base/clock.hpp"
#include "export/preview.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "sql/arguments.hpp"
#include "tables/destination.hpp"

namespace hydra::sql {
namespace {

void preview(const Arguments& arguments, FunctionCallInfo call) {
  const std::string destination = arguments.required_text("destination");
  ResultRows result(call);
  pg::AsOwner owner;
  tables::get_destination(destination);
  for (const tables::Model& model :
       tables::load_models(destination, pg::guc::debug_seconds_per_hour)) {
    const exporting::ModelPreview row = exporting::preview_model(model);
    result.put({row.model, pg::text_or_null(row.kind), pg::text(row.blocks_total),
                pg::text(row.blocks_to_read), row.rows ? pg::text(*row.rows) : std::nullopt,
                row.bytes ? pg::text(*row.bytes) : std::nullopt, pg::text_or_null(row.reason)});
  }
}

void progress_rows(FunctionCallInfo call) {
  ResultRows result(call);
  pg::extension_owner();  // throws if the SQL objects have another version
  for (const exporting::Progress& row : exporting::list_progress()) {
    result.put({pg::text(row.export_id), pg::text_or_null(row.model), row.phase,
                pg::text(row.blocks_total), pg::text(row.blocks_scanned),
                pg::text(row.blocks_skipped), pg::text(row.rows), pg::text(row.bytes_written),
                pg::text(row.bytes_uploaded), pg::text(row.objects), iso8601(row.started_at),
                pg::text(row.pid)});
  }
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_preview);
PG_FUNCTION_INFO_V1(hydra_export_progress_rows);

Datum hydra_export_preview(PG_FUNCTION_ARGS) {
  hydra::pg::entry([&]() { hydra::sql::preview(hydra::sql::Arguments(fcinfo), fcinfo); });
  return Datum(0);
}

Datum hydra_export_progress_rows(PG_FUNCTION_ARGS) {
  hydra::pg::entry([&]() { hydra::sql::progress_rows(fcinfo); });
  return Datum(0);
}

}  // extern "C"
