// Arguments and results of SQL functions as C++ values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace hydra::sql {

// The arguments of one call, by the names that the function's definition gives them. NULL is
// nullopt.
class Arguments {
 public:
  explicit Arguments(FunctionCallInfo call);

  std::optional<std::string> text(const char* name) const;  // of any type, as its output
  std::optional<int> integer(const char* name) const;
  std::optional<bool> boolean(const char* name) const;
  std::optional<Oid> oid(const char* name) const;
  std::optional<std::vector<std::string>> names(const char* name) const;  // name[]

  // Throws when the argument is NULL.
  std::string required_text(const char* name) const;

 private:
  const NullableDatum& find(const char* name, int* number = nullptr) const;

  FunctionCallInfo call_;
  std::vector<std::string> names_;  // in their order
};

// The rows that a set-returning function gives, put in as text.
class ResultRows {
 public:
  explicit ResultRows(FunctionCallInfo call);
  void put(const pg::Row& row);

 private:
  ReturnSetInfo* result_;
};

}  // namespace hydra::sql
