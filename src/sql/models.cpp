// add_model(), alter_model(), remove_model(), reset_model().
#include "bucket/object_name.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "relations/requirements.hpp"
#include "relations/rows_elsewhere.hpp"
#include "sql/arguments.hpp"
#include "sql/next_export.hpp"
#include "tables/destination.hpp"
#include "tables/model.hpp"

namespace hydra::sql {
namespace {

using pg::Error;
using relations::RelationInfo;
using tables::ChangedBy;
using tables::Model;

// A folder, a model and two ids must fit into a key of 1,024 bytes.
constexpr std::size_t longest_name = 200;

Error invalid(const std::string& message, const std::string& hint) {
  return Error(ERRCODE_INVALID_PARAMETER_VALUE, message, "", hint);
}

ChangedBy to_changed_by(const std::string& text) {
  if (text == "xmin") return ChangedBy::xmin;
  if (text == "updated_at") return ChangedBy::updated_at;
  throw invalid("changed_by must be xmin or updated_at",
                "xmin suits every table; updated_at needs a column that every write sets.");
}

std::string name_problem(const std::string& name) {
  if (name.empty()) return "must not be empty";
  if (name == "." || name == ".." || name.find('/') != std::string::npos) {
    return "\"" + name + "\" cannot be the name of a folder";
  }
  const std::size_t size = bucket::encode_model(pg::to_utf8(name)).size();
  if (size <= longest_name) return "";
  return "takes " + std::to_string(size) + " bytes in an object's key, more than " +
         std::to_string(longest_name);
}

void check_name(const std::string& name) {
  const std::string problem = name_problem(name);
  if (problem.empty()) return;
  throw invalid("model name " + problem, "Give another name, without '/', with name => '...'.");
}

void check_full_every(const std::optional<int>& hours, const char* hint) {
  if (!hours || *hours > 0) return;
  throw invalid("full_every_hours must be positive", hint);
}

// Subtracting the interval from a time must give one that the server can represent, whatever parts
// the interval has.
void check_look_back(const std::string& look_back) {
  const pg::Row range = pg::query(
      "SELECT $1::interval < interval '0', $1::interval > interval '1000 years' OR greatest("
      " abs(extract(year FROM $1::interval)), abs(extract(day FROM $1::interval)) / 366) > 1000",
      {look_back})[0];
  const char* hint = "'1 hour' is the default.";
  if (pg::to_bool(range[0])) throw invalid("look_back must not be negative", hint);
  if (pg::to_bool(range[1])) throw invalid("look_back must not be longer than 1000 years", hint);
}

std::string default_name(const RelationInfo& relation) {
  return relation.schema == "public" ? relation.table : relation.schema + "." + relation.table;
}

RelationInfo get_relation(Oid oid) {
  std::optional<RelationInfo> relation = relations::describe_relation(oid);
  if (!relation) {
    throw Error(ERRCODE_UNDEFINED_TABLE,
                "relation with OID " + std::to_string(oid) + " does not exist", "",
                "Give the table's name, such as 'sales.orders'.");
  }
  return *relation;
}

RelationInfo get_relation_of(const Model& model) {
  std::optional<RelationInfo> relation = relations::describe_relation(model.relation);
  if (!relation) throw relations::no_relation(model);
  return *relation;
}

void check_unused(const Model& model) {
  const pg::Rows rows = pg::query(
      "SELECT 'It ' || coalesce('cannot be exported: ' || m.problem,"
      " 'exports ' || c.oid::regclass, $3) || '.', m.problem IS NULL AND c.oid IS NOT NULL"
      " FROM hydra_export.models m LEFT JOIN pg_class c ON c.oid = m.relation"
      " WHERE m.destination = $1 AND m.name = $2",
      {model.destination, model.name, std::string("cannot be exported: ") + tables::table_dropped});
  if (rows.empty()) return;
  throw Error(
      ERRCODE_DUPLICATE_OBJECT,
      "model \"" + model.name + "\" exists already in destination \"" + model.destination + "\"",
      pg::or_empty(rows[0][0]),
      pg::to_bool(rows[0][1])
          ? "Choose another name with name => '...', or change it with hydra_export.alter_model()."
          : "Remove it with " + relations::removal_of(model) + " first.");
}

// Called before anything of the destination is read: the destination cannot be moved while its
// models change, and a role that moves it must have rights on all existing models.
void hold_place(const std::string& destination) {
  tables::hold_destination(destination);
  pg::query("LOCK TABLE hydra_export.models IN ROW EXCLUSIVE MODE");
}

void add_model(const Arguments& arguments, Oid caller) {
  Model model;
  model.destination = arguments.required_text("destination");
  hold_place(model.destination);
  const std::optional<Oid> oid = arguments.oid("relation");
  if (!oid) {
    throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "relation must not be null", "",
                "Name the table, view or foreign table to export.");
  }
  const RelationInfo relation = get_relation(*oid);
  model.relation = *oid;
  model.name = arguments.text("name").value_or(default_name(relation));
  model.changed_by = to_changed_by(arguments.text("changed_by").value_or("xmin"));
  if (model.changed_by == ChangedBy::updated_at) {
    model.updated_at_column = arguments.text("updated_at_column").value_or("updated_at");
  }
  model.key_columns = arguments.names("key_columns").value_or(std::vector<std::string>());
  model.columns = arguments.names("columns").value_or(std::vector<std::string>());
  model.look_back = arguments.text("look_back").value_or("1 hour");
  model.full_every_hours = arguments.integer("full_every_hours");
  model.added_by = caller;

  check_name(model.name);
  check_full_every(model.full_every_hours, "Leave it out for never.");
  check_look_back(model.look_back);
  check_unused(model);
  relations::check_model(model, relation, caller);
  relations::check_rows_in_heaps(relation.oid);
  // Another session may have added a model of that name meanwhile, and has committed by now.
  if (!tables::insert_model(model)) check_unused(model);
  tell_next_export(model.destination);
}

// Whether the change would find, name or write unchanged rows differently.
bool asks_for_full(const Model& before, const Model& after) {
  return before.changed_by != after.changed_by ||
         before.updated_at_column != after.updated_at_column ||
         before.key_columns != after.key_columns || before.columns != after.columns;
}

void alter_model(const Arguments& arguments, Oid caller) {
  const std::string destination = arguments.required_text("destination");
  hold_place(destination);
  const Model before = tables::hold_model(destination, arguments.required_text("name"));
  Model model = before;
  if (const auto changed_by = arguments.text("changed_by"))
    model.changed_by = to_changed_by(*changed_by);
  if (const auto column = arguments.text("updated_at_column")) model.updated_at_column = *column;
  if (model.changed_by == ChangedBy::xmin) model.updated_at_column.clear();
  if (model.changed_by == ChangedBy::updated_at && model.updated_at_column.empty()) {
    model.updated_at_column = "updated_at";
  }
  if (const auto key = arguments.names("key_columns")) model.key_columns = *key;
  if (const auto columns = arguments.names("columns")) model.columns = *columns;
  if (const auto look_back = arguments.text("look_back")) model.look_back = *look_back;
  if (const auto hours = arguments.integer("full_every_hours")) {
    model.full_every_hours = *hours == 0 ? std::nullopt : hours;
  }
  check_full_every(model.full_every_hours, "0 means never again.");
  check_look_back(model.look_back);
  const RelationInfo relation = get_relation_of(model);
  // A role must not read through the privileges of another role.
  relations::check_model(model, relation, caller);
  relations::check_model(model, relation, model.added_by);
  tables::update_model(model);
  if (!asks_for_full(before, model)) return;
  const bool news = tables::was_exported(destination, model.name);
  tables::reset_models(destination, model.name);
  if (!news) return;
  pg::notice("the next export of model \"" + model.name + "\" is a full one");
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

using hydra::pg::entry;
using hydra::sql::Arguments;

PG_FUNCTION_INFO_V1(hydra_export_add_model);
PG_FUNCTION_INFO_V1(hydra_export_alter_model);
PG_FUNCTION_INFO_V1(hydra_export_remove_model);
PG_FUNCTION_INFO_V1(hydra_export_reset_model);

Datum hydra_export_add_model(PG_FUNCTION_ARGS) {
  entry([&]() {
    const Oid caller = GetUserId();
    hydra::pg::AsOwner owner;
    hydra::sql::add_model(Arguments(fcinfo), caller);
  });
  PG_RETURN_VOID();
}

Datum hydra_export_alter_model(PG_FUNCTION_ARGS) {
  entry([&]() {
    const Oid caller = GetUserId();
    hydra::pg::AsOwner owner;
    hydra::sql::alter_model(Arguments(fcinfo), caller);
  });
  PG_RETURN_VOID();
}

Datum hydra_export_remove_model(PG_FUNCTION_ARGS) {
  entry([&]() {
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text("name");
    const std::string destination = arguments.required_text("destination");
    hydra::pg::AsOwner owner;
    hydra::tables::hold_destination(destination);
    hydra::tables::hold_model(destination, name);
    hydra::tables::remove_models(destination, name);
  });
  PG_RETURN_VOID();
}

Datum hydra_export_reset_model(PG_FUNCTION_ARGS) {
  entry([&]() {
    const Arguments arguments(fcinfo);
    const std::string name = arguments.required_text("name");
    const std::string destination = arguments.required_text("destination");
    hydra::pg::AsOwner owner;
    hydra::tables::hold_destination(destination);
    hydra::tables::hold_model(destination, name);
    hydra::tables::reset_models(destination, name);
  });
  PG_RETURN_VOID();
}

}  // extern "C"
