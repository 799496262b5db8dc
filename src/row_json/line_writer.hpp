// A row as one JSON line.
#pragma once

#include <string>
#include <vector>

#include "pg/error.hpp"
#include "row_json/value_writer.hpp"

namespace hydra::row_json {

// A column of the line, in the row source.
struct LineColumn {
  std::string name;
  std::size_t place;  // index in the arrays of the row source
  Oid type;
};

// Writes rows of one table as row_to_json() does. Created, used and destroyed within one memory
// context, which contains the writers of the columns.
class LineWriter {
 public:
  explicit LineWriter(const std::vector<LineColumn>& columns);

  // Appends the line and its newline. Raw. Leaves allocations in the current memory context.
  void write(Line& line, const Datum* values, const bool* nulls);

  // The column being written, for messages; nullptr between rows.
  const char* current() const { return current_ != nullptr ? current_->name.c_str() : nullptr; }

 private:
  struct Column {
    MemberLead lead;
    std::size_t place;
    ValueWriter* writer;
    std::string name;
  };
  std::vector<Column> columns_;
  const Column* current_ = nullptr;
};

}  // namespace hydra::row_json
