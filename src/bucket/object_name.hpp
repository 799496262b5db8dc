// Names of objects in the bucket: <prefix><folder>/<model>/<first id>-<last id>[~n].json
// (doc/design.md, "The bucket"). Two different objects of one export never get one name, and no
// segment made from data begins with '.' or '_', which Spark, Hive and Athena skip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hydra::bucket {

// How a column's value appears in an id. Plain values (numbers, dates, uuids) keep '-' and '_', as
// they have a fixed form that cannot be mistaken. In text both are written %2D and %5F, so that a
// separator in a name is always a separator.
enum class IdForm { plain, text };

// S3's limit on the length of a key, in bytes.
inline constexpr std::size_t max_key_bytes = 1024;

std::string encode_id_part(std::string_view value, IdForm form);

// Joins the encoded columns of one key with '_'; a leading '.' or '_' of the whole is encoded.
std::string join_id(std::span<const std::string> encoded_parts);

// A model's name as one segment of a key.
std::string encode_model(std::string_view name);

struct ObjectName {
  std::string prefix;    // as configured: empty, or with or without a '/' at its end
  std::string folder;    // "201601310400" or "201601310400_002"
  std::string model;     // from encode_model()
  std::string first_id;  // from join_id()
  std::string last_id;
  std::optional<std::uint64_t> number;  // unique in the export, where the key is not; all or none
                                        // of a model's objects have one
  std::string suffix = ".json";
};

// The object's key. Where it would pass 1,024 bytes, or where its ids already look like a cut
// name, <first>-<last> is cut (never inside a %XX) and ends in '~' and the SHA-256, as 64
// hexadecimal digits, of the whole <first>-<last>. So a cut name is never another object's name.
// Throws std::runtime_error when prefix, folder and model leave no room for that.
std::string object_key(const ObjectName& name);

// <prefix><folder>/_manifest.json
std::string manifest_key(std::string_view prefix, std::string_view folder);

// <prefix><folder>/_claim.json
std::string claim_key(std::string_view prefix, std::string_view folder);

}  // namespace hydra::bucket
