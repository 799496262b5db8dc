#include "sql/arguments.hpp"

#include "pg/compat.hpp"

namespace hydra::sql {

Arguments::Arguments(FunctionCallInfo call) : call_(call) {
  struct Names {
    char** items;
    int count;
  };
  const Oid function = call->flinfo->fn_oid;
  const Names names = pg::call([=]() noexcept -> Names {
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) elog(ERROR, "cache lookup failed for function %u", function);
    Oid* types = nullptr;
    char** items = nullptr;
    char* modes = nullptr;
    const int count = get_func_arg_info(row, &types, &items, &modes);
    ReleaseSysCache(row);
    return {items, items != nullptr ? count : 0};
  });
  // Input arguments come first.
  for (int i = 0; i < std::min<int>(names.count, call->nargs); ++i)
    names_.emplace_back(names.items[i]);
}

const NullableDatum& Arguments::find(const char* name, int* number) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    throw pg::Error(ERRCODE_INVALID_FUNCTION_DEFINITION,
                    std::string("the function has no argument \"") + name + '"', "",
                    "The functions of hydra_export are those that CREATE EXTENSION made.");
  }
  const auto place = static_cast<int>(found - names_.begin());
  if (number != nullptr) *number = place;
  return call_->args[place];
}

std::optional<std::string> Arguments::text(const char* name) const {
  int number = 0;
  const NullableDatum& argument = find(name, &number);
  if (argument.isnull) return std::nullopt;
  FmgrInfo* function = call_->flinfo;
  const Datum value = argument.value;
  return pg::call([=]() noexcept {
    Oid output = InvalidOid;
    bool varlena = false;
    getTypeOutputInfo(get_fn_expr_argtype(function, number), &output, &varlena);
    return OidOutputFunctionCall(output, value);
  });
}

std::optional<int> Arguments::integer(const char* name) const {
  const NullableDatum& argument = find(name);
  if (argument.isnull) return std::nullopt;
  return DatumGetInt32(argument.value);
}

std::optional<bool> Arguments::boolean(const char* name) const {
  const NullableDatum& argument = find(name);
  if (argument.isnull) return std::nullopt;
  return DatumGetBool(argument.value);
}

std::optional<Oid> Arguments::oid(const char* name) const {
  const NullableDatum& argument = find(name);
  if (argument.isnull) return std::nullopt;
  return DatumGetObjectId(argument.value);
}

std::optional<std::vector<std::string>> Arguments::names(const char* name) const {
  const std::optional<std::string> items = text(name);
  if (!items) return std::nullopt;
  return pg::array_items(*items);
}

std::string Arguments::required_text(const char* name) const {
  std::optional<std::string> value = text(name);
  if (!value) {
    const bool destination = std::strcmp(name, "destination") == 0;
    throw pg::Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be null", "",
                    destination
                        ? "Give the name of a destination: hydra_export.settings lists them."
                        : "Give the name of a model: hydra_export.models lists them.");
  }
  return *value;
}

ResultRows::ResultRows(FunctionCallInfo call)
    : result_(reinterpret_cast<ReturnSetInfo*>(call->resultinfo)) {
  pg::call([=]() noexcept { pg::compat::materialize_rows(call); });
}

void ResultRows::put(const pg::Row& row) {
  std::vector<char*> values;
  for (const pg::Text& value : row) {
    values.push_back(value ? const_cast<char*>(value->c_str()) : nullptr);
  }
  char** cells = values.data();
  pg::call([=, this]() noexcept {
    AttInMetadata* input = TupleDescGetAttInMetadata(result_->setDesc);
    tuplestore_puttuple(result_->setResult, BuildTupleFromCStrings(input, cells));
  });
}

}  // namespace hydra::sql
