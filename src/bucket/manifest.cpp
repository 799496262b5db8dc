#include "bucket/manifest.hpp"

#include <jansson.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

namespace hydra::bucket {

namespace {

struct Release {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};
using Value = std::unique_ptr<json_t, Release>;

struct FreeText {
  void operator()(char* text) const noexcept { std::free(text); }
};

Value checked(json_t* value) {
  if (value == nullptr) throw std::bad_alloc();
  return Value(value);
}

// The server exports its own json_object(), which would be called instead of jansson's.
Value object() {
  return checked(json_pack("{}"));
}

Value array() {
  return checked(json_pack("[]"));
}

// `field` is used in the error message.
Value text(const std::string& field, const std::string& value) {
  json_t* made = json_stringn(value.data(), value.size());
  if (made == nullptr)
    throw std::runtime_error("field \"" + field + "\" of the manifest is not valid UTF-8");
  return Value(made);
}

// One object under construction. Fields are written in the order in which they were added.
class Fields {
 public:
  Fields& add(const char* field, Value value) {
    if (json_object_set_new(object_.get(), field, value.release()) != 0) throw std::bad_alloc();
    return *this;
  }
  Fields& add(const char* field, const std::string& value) {
    return add(field, text(field, value));
  }
  Fields& add(const char* field, const std::optional<std::string>& value) {
    return value ? add(field, *value) : add(field, checked(json_null()));
  }
  Fields& add_number(const char* field, std::uint64_t value) {
    return add(field, checked(json_integer(static_cast<json_int_t>(value))));
  }
  Fields& add_flag(const char* field, bool value) {
    return add(field, checked(value ? json_true() : json_false()));
  }
  template <typename Items, typename Make>
  Fields& add_list(const char* field, const Items& items, Make make) {
    Value list = array();
    for (const auto& item : items) {
      if (json_array_append_new(list.get(), make(item).release()) != 0) throw std::bad_alloc();
    }
    return add(field, std::move(list));
  }
  Value take() { return std::move(object_); }

 private:
  Value object_ = object();
};

Value column_value(const ManifestColumn& column) {
  return Fields()
      .add("name", column.name)
      .add("type", column.type)
      .add_flag("not_null", column.not_null)
      .take();
}

Value object_value(const ManifestObject& item) {
  Fields fields;
  fields.add("key", item.key)
      .add_number("rows", item.rows)
      .add_number("bytes", item.bytes)
      .add("sha256", item.sha256)
      .add("etag", item.etag)
      .add("first_id", item.first_id)
      .add("last_id", item.last_id);
  if (!item.relation.empty()) {
    fields.add("relation", item.relation).add_number("relation_oid", item.relation_oid);
  }
  return fields.take();
}

Value replaced_value(const Replaced& replaced) {
  Fields fields;
  fields.add("relation", replaced.relation).add_number("relation_oid", replaced.relation_oid);
  if (!replaced.condition.empty()) fields.add("condition", replaced.condition);
  return fields.take();
}

Value model_value(const ManifestModel& model) {
  const auto key_column = [](const std::string& name) { return text("key_columns", name); };
  return Fields()
      .add("name", model.name)
      .add("relation", model.relation)
      .add("kind", model.kind)
      .add_list("key_columns", model.key_columns, key_column)
      .add_list("columns", model.columns, column_value)
      .add_number("rows", model.rows)
      .add_number("bytes", model.bytes)
      .add("status", model.status)
      .add("error", model.error)
      .add("snapshot", model.snapshot)
      .add("previous_folder", model.previous_folder)
      .add("lsn", model.lsn)
      .add("note", model.note)
      .add_list("replaced", model.replaced, replaced_value)
      .add_list("objects", model.objects, object_value)
      .take();
}

Value manifest_value(const Manifest& manifest) {
  return Fields()
      .add_number("version", static_cast<std::uint64_t>(manifest.version))
      .add("server_version", manifest.server_version)
      .add("database", manifest.database)
      .add_number("timeline", manifest.timeline)
      .add("destination", manifest.destination)
      .add_number("export_id", static_cast<std::uint64_t>(manifest.export_id))
      .add("folder", manifest.folder)
      .add("started_at", manifest.started_at)
      .add("finished_at", manifest.finished_at)
      .add("status", manifest.status)
      .add_list("models", manifest.models, model_value)
      .take();
}

}  // namespace

std::string serialize(const Manifest& manifest) {
  const Value value = manifest_value(manifest);
  const std::unique_ptr<char, FreeText> dumped(json_dumps(value.get(), JSON_INDENT(2)));
  if (dumped == nullptr) throw std::bad_alloc();
  return std::string(dumped.get()) + '\n';
}

}  // namespace hydra::bucket
