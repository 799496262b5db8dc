#include "record/line_writer.hpp"

#include "json/escape.hpp"
#include "pg/spi.hpp"

namespace hydra::record {
namespace {

std::string escaped(const std::string& text) {
  std::string to(json::max_escaped_size(text.size()), '\0');
  to.resize(json::escape_string(to.data(), text.data(), text.size()));
  return to;
}

}  // namespace

LineWriter::LineWriter(const std::vector<LineColumn>& columns) {
  for (const LineColumn& column : columns) {
    const Oid type = column.type;
    ValueWriter* writer = pg::call([=]() noexcept { return make_value_writer(type); });
    const char* before = columns_.empty() ? "{" : ",";
    columns_.push_back(
        {column.name, before + escaped(pg::to_utf8(column.name)) + ":", column.place, writer});
  }
}

void LineWriter::write(Line& line, const Datum* values, const bool* nulls) {
  line.begin();
  for (const Column& column : columns_) {
    current_ = column.name.c_str();
    line.append(column.lead.data(), column.lead.size());
    if (nulls[column.place]) {
      line.append("null", 4);
    } else {
      write_value(line, column.writer, values[column.place]);
    }
  }
  if (columns_.empty()) line.put('{');
  line.append("}\n", 2);
  current_ = nullptr;
}

}  // namespace hydra::record
