#include "bucket/object_name.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/percent.hpp"
#include "base/sha256.hpp"

namespace hydra::bucket {

namespace {

constexpr std::size_t hash_digits = 64;

// Readers such as Spark, Hive and Athena skip names that begin with '.' or '_'.
std::string visible(std::string encoded) {
  if (encoded.empty() || (encoded[0] != '.' && encoded[0] != '_')) return encoded;
  std::string shown;
  append_percent(shown, encoded[0]);
  return shown.append(encoded, 1);
}

std::string with_slash(std::string_view prefix) {
  std::string whole(prefix);
  if (!whole.empty() && whole.back() != '/') whole += '/';
  return whole;
}

// Whether the ids end like a truncated name. Such ids are hashed too, whatever their length;
// otherwise an id could be chosen that gives its object the same name as a truncated one.
bool ends_like_a_cut(std::string_view ids) {
  if (ids.size() <= hash_digits) return false;
  const std::string_view tail = ids.substr(ids.size() - hash_digits - 1);
  return tail[0] == '~' &&
         tail.substr(1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// At most `room` bytes from the front, without an incomplete %XX at the end.
std::string_view cut(std::string_view encoded, std::size_t room) {
  if (encoded.size() <= room) return encoded;
  std::string_view kept = encoded.substr(0, room);
  const std::size_t percent = kept.rfind('%');
  if (percent != std::string_view::npos && percent + 3 > room) kept = kept.substr(0, percent);
  return kept;
}

}  // namespace

std::string encode_id_part(std::string_view value, IdForm form) {
  std::string encoded;
  encoded.reserve(value.size());
  for (char byte : value) {
    const bool separator = byte == '-' || byte == '_';
    if (is_unreserved(byte) && !(separator && form == IdForm::text))
      encoded += byte;
    else
      append_percent(encoded, byte);
  }
  return encoded;
}

std::string join_id(std::span<const std::string> encoded_parts) {
  std::string joined;
  for (std::size_t i = 0; i < encoded_parts.size(); ++i) {
    if (i > 0) joined += '_';
    joined += encoded_parts[i];
  }
  return visible(std::move(joined));
}

std::string encode_model(std::string_view name) {
  return visible(percent_encode(name));
}

std::string object_key(const ObjectName& name) {
  const std::string front = with_slash(name.prefix) + name.folder + '/' + name.model + '/';
  const std::string ids = name.first_id + '-' + name.last_id;
  const std::string back = (name.number ? '~' + std::to_string(*name.number) : "") + name.suffix;

  if (front.size() + ids.size() + back.size() <= max_key_bytes && !ends_like_a_cut(ids))
    return front + ids + back;

  const std::string hash = '~' + hex(sha256(ids));
  const std::size_t taken = front.size() + hash.size() + back.size();
  if (taken > max_key_bytes)
    throw std::runtime_error("prefix and model name are too long for an object's key");
  return front + std::string(cut(ids, max_key_bytes - taken)) + hash + back;
}

std::string manifest_key(std::string_view prefix, std::string_view folder) {
  return with_slash(prefix).append(folder) + "/_manifest.json";
}

std::string claim_key(std::string_view prefix, std::string_view folder) {
  return with_slash(prefix).append(folder) + "/_claim.json";
}

}  // namespace hydra::bucket
