// Arguments and results of SQL functions as C++ values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace hydra::sql {

// The arguments of one call, by their names in the function's definition. NULL is nullopt.
class Arguments {
 public:
  explicit Arguments(FunctionCallInfo call);

  std::optional<std::string> text(const char* name) const;  // of any type, by its output function
  std::optional<int> integer(const char* name) const;
  std::optional<bool> boolean(const char* name) const;
  std::optional<Oid> oid(const char* name) const;
  std::optional<std::vector<std::string>> names(const char* name) const;  // name[]

  // Throws if the argument is NULL.
  std::string required_text(const char* name) const;

 private:
  const NullableDatum& find(const char* name, int* number = nullptr) const;

  FunctionCallInfo call_;
  std::vector<std::string> names_;  // in order
};

// The rows that a set-returning function returns, added as text.
class ResultRows {
 public:
  explicit ResultRows(FunctionCallInfo call);
  void put(const pg::Row& row);

 private:
  ReturnSetInfo* result_;
};

}  // namespace hydra::sql
