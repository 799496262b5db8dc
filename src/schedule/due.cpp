#include "schedule/due.hpp"

#include "base/counted.hpp"
#include "calendar/grid.hpp"
#include "calendar/start_window.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/worker.hpp"
#include "tables/call_of.hpp"
#include "tables/secrets.hpp"

namespace hydra::schedule {
namespace {

using tables::StartedBy;

constexpr Micros second = 1000000;

// What the schedule needs to know of a destination's models.
struct Models {
  bool any = false;
  std::optional<Micros> ready_at;     // when there were both settings and a model
  std::optional<Micros> newcomer_at;  // when the first model that was never exported was added
  std::string newcomer;
  std::int64_t problems = 0;  // number of models that cannot be exported
};

Models load_models(const std::string& destination) {
  const pg::Row row = pg::query(
      "SELECT count(*) > 0,"
      " (extract(epoch FROM greatest(min(m.added_at),"
      "   (SELECT saved_at FROM hydra_export.settings WHERE destination = $1))) * 1000000)::bigint,"
      " (extract(epoch FROM min(m.added_at) FILTER (WHERE s.model_id IS NULL)) * 1000000)::bigint,"
      " (array_agg(m.name ORDER BY m.added_at) FILTER (WHERE s.model_id IS NULL))[1],"
      " count(m.problem)"
      " FROM hydra_export.models m LEFT JOIN hydra_export.model_state s ON s.model_id = m.id"
      " WHERE m.destination = $1",
      {destination})[0];
  Models models;
  models.any = pg::to_bool(row[0]);
  if (models.any) models.ready_at = pg::to_int(row[1]);
  if (row[2]) models.newcomer_at = pg::to_int(row[2]);
  models.newcomer = pg::or_empty(row[3]);
  models.problems = pg::to_int(row[4]);
  return models;
}

// Why nothing is scheduled; '' if there is no reason.
std::string obstacle(const tables::Destination& destination, const Models& models,
                     const std::optional<tables::DestinationState>& state) {
  if (!pg::is_preloaded()) return "hydra_export is not in shared_preload_libraries";
  if (RecoveryInProgress()) return "this server is a standby";
  if (!pg::guc::enabled) return "hydra_export.enabled is off in this server";
  if (const std::string problem = tables::origin_problem(state); !problem.empty()) {
    return "paused: " + problem + "; " + tables::call_of("resume", destination.name) +
           " goes on here";
  }
  if (!destination.enabled) return "paused by hydra_export.pause()";
  if (!models.any) return "no model was added";
  // A dump has no credentials.
  if (destination.credentials == "static" && !tables::load_credentials(destination.name)) {
    return "access_key and secret_key are missing; " +
           tables::call_of("configure", destination.name) + " saves them";
  }
  return "";
}

std::string every(int hours) {
  return hours == 1 ? "every hour" : "every " + counted(hours, "hour");
}

void take_earlier(Due& due, Micros at, const std::string& why, StartedBy started_by) {
  if (due.at && *due.at <= at) return;
  due.at = at;
  due.why = why;
  due.started_by = started_by;
}

// Mentions models that are known to have a problem before an export fails on them.
void name_problems(Due& due, std::int64_t problems) {
  if (problems == 0) return;
  due.why +=
      "; " + counted(problems, "model") + " cannot be exported, see problem in hydra_export.models";
}

// Moves a start into the destination's window. A late start also waits for the next one.
void keep_to_window(Due& due) {
  if (!due.at) return;
  const auto window = calendar::parse_start_window(due.destination.start_window);
  const Micros earliest = std::max(*due.at, pg::now());
  const Micros start = calendar::next_start(window.value_or(calendar::StartWindow{}), earliest);
  if (start == earliest) return;
  due.at = start;
  due.why += "; not before start_window " + due.destination.start_window + " UTC";
}

// If a time that is recorded as past is in the future, the clock was ahead then: what should follow
// it at a distance is due at once, instead of when the clock has reached that time.
Micros in_the_past(Micros time, Micros distance) {
  return time > pg::now() ? pg::now() - distance : time;
}

void choose_time(Due& due, const tables::Destination& destination, const Models& models,
                 const tables::DestinationState& state) {
  const Micros delay = pg::guc::first_export_delay * second;
  if (!state.anchor) {
    take_earlier(due, in_the_past(*models.ready_at, delay) + delay, "first export",
                 StartedBy::schedule);
    return;
  }
  const Micros period =
      Micros{destination.frequency_hours} * pg::guc::debug_seconds_per_hour * second;
  const Micros last_start = in_the_past(state.last_start.value_or(*state.anchor), period);
  take_earlier(due, calendar::next_grid_point(*state.anchor, period, last_start),
               every(destination.frequency_hours), StartedBy::schedule);
  if (state.failures > 0 && state.last_finish) {
    const Micros pause =
        calendar::retry_delay(pg::guc::retry_interval * second, state.failures, period);
    take_earlier(due, in_the_past(*state.last_finish, pause) + pause,
                 "retry: the last export did not succeed", StartedBy::retry);
  }
  if (models.newcomer_at) {
    take_earlier(due, in_the_past(*models.newcomer_at, delay) + delay,
                 "model \"" + models.newcomer + "\" was added", StartedBy::schedule);
  }
}

Due due_of(const tables::Destination& destination) {
  Due due;
  due.destination = destination;
  const Models models = load_models(destination.name);
  const std::optional<tables::DestinationState> state = tables::load_state(destination.name);
  due.without_models = !models.any;
  due.why = obstacle(destination, models, state);
  if (!due.why.empty()) return due;
  choose_time(due, destination, models, *state);
  name_problems(due, models.problems);
  return due;
}

}  // namespace

std::vector<Due> list_due() {
  std::vector<Due> dues;
  for (const tables::Destination& destination : tables::load_destinations()) {
    dues.push_back(due_of(destination));
    keep_to_window(dues.back());
  }
  return dues;
}

}  // namespace hydra::schedule
