#include "sql/arguments.hpp"

#include "pg/compat.hpp"

namespace hydra::sql {

std::string Arguments::output(int number) const {
  FunctionCallInfo call = call_;
  return pg::call([=]() noexcept {
    Oid function = InvalidOid;
    bool varlena = false;
    getTypeOutputInfo(get_fn_expr_argtype(call->flinfo, number), &function, &varlena);
    return OidOutputFunctionCall(function, call->args[number].value);
  });
}

std::optional<std::string> Arguments::text(int number) const {
  if (call_->args[number].isnull) return std::nullopt;
  return output(number);
}

std::optional<int> Arguments::integer(int number) const {
  if (call_->args[number].isnull) return std::nullopt;
  return DatumGetInt32(call_->args[number].value);
}

std::optional<bool> Arguments::boolean(int number) const {
  if (call_->args[number].isnull) return std::nullopt;
  return DatumGetBool(call_->args[number].value);
}

std::optional<Oid> Arguments::oid(int number) const {
  if (call_->args[number].isnull) return std::nullopt;
  return DatumGetObjectId(call_->args[number].value);
}

std::optional<std::vector<std::string>> Arguments::names(int number) const {
  if (call_->args[number].isnull) return std::nullopt;
  return pg::array_items(output(number));
}

std::optional<std::string> Arguments::interval(int number) const {
  return text(number);
}

std::string Arguments::required_text(int number, const char* name) const {
  std::optional<std::string> value = text(number);
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
