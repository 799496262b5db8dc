// Keys: the order of rows in an object, and the text of their ids.
#pragma once

#include <string>
#include <vector>

#include "bucket/object_name.hpp"
#include "pg/error.hpp"

namespace hydra::row_json {

// A column of the key, in the row source.
struct KeyColumn {
  std::string name;
  std::size_t place;  // index in the arrays of the row source
  Oid type;
  Oid collation;
};

// The key of one table's rows. Created, used and destroyed within one memory context.
class Key {
 public:
  // Looks up comparison and output functions. Throws pg::Error if a type has no order, or if the
  // current role may not run the functions. They run in the same scope of pg::UntrustedCode as
  // this.
  explicit Key(const std::vector<KeyColumn>& columns);

  std::size_t size() const { return parts_.size(); }

  // Throws unless the current role may run the key's functions (pg/untrusted_code.hpp).
  void check_authors() const;

  // Copies a row's key into `to` (size() datums), in the current memory context. Raw; raises an
  // error if a part is NULL, or would have the same JSON as another value.
  void copy(const Datum* values, const bool* nulls, Datum* to) const;

  // Compares two keys. Raw.
  int compare(const Datum* a, const Datum* b) const;

  // The id of a row with this key, as in object names.
  std::string id(const Datum* key) const;

  // The id as readable text for messages, cut to `room`. Raw.
  void describe(const Datum* values, const bool* nulls, char* to, std::size_t room) const;

 private:
  struct Part {
    std::string name;
    std::size_t place;
    Oid type;  // the base type of a domain
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
