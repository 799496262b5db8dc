#include "sql/secret_statement.hpp"

#include "pg/error.hpp"
#include "pg/statement_log.hpp"
#include "pg/worker.hpp"

namespace hydra::sql {
namespace {

using pg::Error;

constexpr int access_key_argument = 1;  // of configure(); the other two follow it

// An argument as the planner knows it.
std::optional<std::string> planned_text(const List* arguments, int number) {
  const Node* node = static_cast<const Node*>(list_nth(arguments, number));
  if (!IsA(node, Const)) return "";  // not known yet
  const Const* constant = reinterpret_cast<const Const*>(node);
  if (constant->constisnull) return std::nullopt;
  return pg::call([=]() noexcept { return TextDatumGetCString(constant->constvalue); });
}

bool has_parameters(const SupportRequestSimplify* request) {
  if (request->root == nullptr || request->root->glob == nullptr) return false;
  const ParamListInfo parameters = request->root->glob->boundParams;
  return parameters != nullptr && parameters->numParams > 0;
}

// A constant is part of the text, unless it was the value of a parameter.
void plan(const SupportRequestSimplify* request) {
  const List* arguments = request->fcall->args;
  if (list_length(arguments) < access_key_argument + 3) return;
  const GivenKeys given{planned_text(arguments, access_key_argument),
                        planned_text(arguments, access_key_argument + 1),
                        planned_text(arguments, access_key_argument + 2)};
  if (!given.any()) return;
  const std::vector<std::string> secrets = given.secrets();
  pg::StatementText text = pg::blank_statement(secrets);
  text.literal = text.literal || (!secrets.empty() && !has_parameters(request));
  pg::note_planned(text);
}

}  // namespace

std::vector<std::string> GivenKeys::secrets() const {
  std::vector<std::string> secrets;
  for (const auto& value : {secret_key, session_token}) {
    if (value && !value->empty()) secrets.push_back(*value);
  }
  return secrets;
}

Exposure hold_back(const GivenKeys& given) {
  const pg::StatementText planned = pg::take_planned();
  if (!given.any()) return {};
  const std::vector<std::string> secrets = given.secrets();
  const pg::StatementText text = pg::blank_statement(secrets);
  Exposure exposure;
  exposure.literal = text.literal || planned.literal;
  // If it was a parameter of configure() itself, the filter kept it out of the log, if preloaded.
  const bool guarded = pg::is_preloaded() && (text.guarded || planned.guarded);
  if (!guarded && !secrets.empty()) exposure.logged_by = pg::setting_that_logs_parameters();
  return exposure;
}

void warn_of(const Exposure& exposure) {
  if (exposure.literal) {
    pg::report(
        WARNING,
        Error(ERRCODE_WARNING, "secret_key is part of the statement's text",
              "The server's log leaves it out. The histories of clients, connection poolers, "
              "and extensions that look at statements may keep it.",
              "Make a new key, and give it in a file on the server (credentials => "
              "'file:/path') or as a parameter."),
        pg::Statement::hidden);
  } else if (exposure.logged_by != nullptr) {
    pg::report(WARNING,
               Error(ERRCODE_WARNING,
                     std::string("the server's log may hold secret_key: ") + exposure.logged_by +
                         " logs parameters",
                     "",
                     "Make a new key, and give it in a file on the server (credentials => "
                     "'file:/path'), or after SET log_parameter_max_length = 0."),
               pg::Statement::hidden);
  }
}

}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_configure_support);

// The planner calls this for each call of configure(): the earliest time at which the extension
// learns of a call, and the only one if the call is never run (EXPLAIN) or something before it
// fails.
Datum hydra_export_configure_support(PG_FUNCTION_ARGS) {
  const Node* request = reinterpret_cast<const Node*>(PG_GETARG_POINTER(0));
  hydra::pg::entry([=]() {
    if (IsA(request, SupportRequestSimplify))
      hydra::sql::plan(reinterpret_cast<const SupportRequestSimplify*>(request));
  });
  return Datum(0);
}

}  // extern "C"
