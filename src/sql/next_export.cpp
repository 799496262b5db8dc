#include "sql/next_export.hpp"

#include "base/clock.hpp"
#include "pg/spi.hpp"
#include "pg/worker.hpp"
#include "schedule/due.hpp"
#include "tables/call_of.hpp"

namespace hydra::sql {
namespace {

using pg::Error;

Error notice(const std::string& message, const std::string& hint = "") {
  return Error(ERRCODE_SUCCESSFUL_COMPLETION, message, "", hint);
}

// Formats a time in the session's time zone and style, to the second.
std::string to_local(schedule::Micros time) {
  return pg::or_empty(
      pg::query("SELECT date_trunc('second', $1::timestamptz)", {iso8601(time)})[0][0]);
}

Error no_export(const schedule::Due& due) {
  const std::string& name = due.destination.name;
  std::string hint;
  if (due.without_models) hint = "Choose tables with " + tables::call_of("add_model", name) + ".";
  if (!pg::is_preloaded())
    hint =
        "Add it there and restart the server, or run " + tables::call_of("export_now", name) + ".";
  return notice("no export of destination \"" + name + "\" is scheduled: " + due.why, hint);
}

Error next_export(const schedule::Due& due) {
  const std::string place = " of destination \"" + due.destination.name + "\" at ";
  const std::string first = "first export";
  if (!due.why.starts_with(first))
    return notice("next export" + place + to_local(*due.at) + " (" + due.why + ")");
  return notice(first + place + to_local(*due.at) + due.why.substr(first.size()));
}

}  // namespace

void tell_next_export(const std::string& destination) {
  for (const schedule::Due& due : schedule::list_due()) {
    if (due.destination.name != destination) continue;
    // The statement may be a call of configure(), with a secret.
    pg::report(NOTICE, due.at ? next_export(due) : no_export(due), pg::Statement::hidden);
  }
}

}  // namespace hydra::sql
