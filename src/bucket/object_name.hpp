// Names of objects in the bucket: <prefix><folder>/<model>/<first id>-<last id>[~n].json
// (doc/design.md, "The bucket"). Different objects of one export never have the same name, and no
// segment made from data begins with '.' or '_', because Spark, Hive and Athena skip such files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hydra::bucket {

// How a column's value is written in an id. Plain values (numbers, dates, uuids) keep '-' and '_',
// because their fixed form leaves no ambiguity. In text these are written %2D and %5F, so that a
// separator in a name is always a separator.
enum class IdForm { plain, text };

// S3's limit on the length of a key, in bytes.
inline constexpr std::size_t max_key_bytes = 1024;

std::string encode_id_part(std::string_view value, IdForm form);

// Joins the encoded columns of one key with '_'; a leading '.' or '_' of the result is encoded.
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

// The object's key. If it would exceed 1,024 bytes, or if its ids already look like a truncated
// name, <first>-<last> is truncated (never inside a %XX) and followed by '~' and the SHA-256 of the
// full <first>-<last> as 64 hexadecimal digits. So a truncated name never equals another object's
// name. Throws std::runtime_error if prefix, folder and model leave no room for that.
std::string object_key(const ObjectName& name);

// <prefix><folder>/_manifest.json
std::string manifest_key(std::string_view prefix, std::string_view folder);

// <prefix><folder>/_claim.json
std::string claim_key(std::string_view prefix, std::string_view folder);

}  // namespace hydra::bucket
