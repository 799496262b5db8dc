#include "sql/arguments.hpp"

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
    throw pg::Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be null");
  }
  return *value;
}

}  // namespace hydra::sql
