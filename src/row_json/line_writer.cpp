#include "row_json/line_writer.hpp"

namespace hydra::row_json {

LineWriter::LineWriter(const std::vector<LineColumn>& columns) {
  columns_.reserve(columns.size());
  for (const LineColumn& column : columns) {
    Column& added = columns_.emplace_back();
    added.place = column.place;
    added.name = column.name;
    const char* before = columns_.size() == 1 ? "{" : ",";
    pg::call([&]() noexcept {
      added.lead = make_member_lead(before, added.name.c_str());
      added.writer = make_value_writer(column.type);
    });
  }
}

void LineWriter::write(Line& line, const Datum* values, const bool* nulls) {
  char* to = line.begin();
  for (const Column& column : columns_) {
    current_ = &column;
    to = write_member(line, to, column.lead, column.writer, values[column.place],
                      nulls[column.place]);
  }
  current_ = nullptr;
  if (columns_.empty()) to = line.put(to, '{');
  line.end(line.append(to, "}\n", 2));
}

}  // namespace hydra::row_json
