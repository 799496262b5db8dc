// Keys: how rows are ordered in an object, and what their ids look like.
#pragma once

#include <string>
#include <vector>

#include "bucket/object_name.hpp"
#include "pg/error.hpp"

namespace hydra::row_json {

// A column of the key, as the scan gives it.
struct KeyColumn {
  std::string name;
  std::size_t place;  // in the arrays that the row source gives
  Oid type;
  Oid collation;
};

// The key of one table's rows. Made, used and dropped within one memory context.
class Key {
 public:
  // Looks up comparison and output functions. Throws pg::Error when a type has no order, or when
  // the current role may not run them. They run in the same scope of pg::UntrustedCode as this.
  explicit Key(const std::vector<KeyColumn>& columns);

  std::size_t size() const { return parts_.size(); }

  // Throws unless the current role may run the functions that it calls (pg/untrusted_code.hpp).
  void check_authors() const;

  // Copies a row's key into `to` (size() datums), in the current memory context. Raw; raises when
  // a part is NULL, or would look like that of another row in JSON.
  void copy(const Datum* values, const bool* nulls, Datum* to) const;

  // The order of two keys. Raw.
  int compare(const Datum* a, const Datum* b) const;

  // The id of a row with this key, as in object names.
  std::string id(const Datum* key) const;

  // The id in words, for messages, cut to `room`. Raw.
  void describe(const Datum* values, const bool* nulls, char* to, std::size_t room) const;

 private:
  struct Part {
    std::string name;
    std::size_t place;
    Oid type;  // below domains
    SortSupportData order;
    FmgrInfo output;
    bucket::IdForm form;
    int16 length;
    bool by_value;
    bool is_array;
  };
  std::vector<Part> parts_;
  bool double_codes_;  // the database's encoding may have two codes for a character
};

}  // namespace hydra::row_json
