// Arguments and results of SQL functions as C++ values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace hydra::sql {

// The arguments of one call. NULL is nullopt.
class Arguments {
 public:
  explicit Arguments(FunctionCallInfo call) : call_(call) {}

  std::optional<std::string> text(int number) const;  // text or name
  std::optional<int> integer(int number) const;
  std::optional<bool> boolean(int number) const;
  std::optional<Oid> oid(int number) const;
  std::optional<std::vector<std::string>> names(int number) const;  // name[]
  std::optional<std::string> interval(int number) const;            // as text

  // Throws when the argument is NULL.
  std::string required_text(int number, const char* name) const;

 private:
  std::string output(int number) const;  // by the type's output function
  FunctionCallInfo call_;
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
