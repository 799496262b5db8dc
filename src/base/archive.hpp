// Serializes structs to bytes for another process that runs the same build.
//
// A struct supports this by a function `fields`, found by argument-dependent lookup, which lists
// all members once, for both directions:
//
//   template <typename Archive>
//   void fields(Archive& archive, Point& point) { archive(point.x, point.y); }
#pragma once

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace hydra {

template <typename T>
inline constexpr bool is_plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Packer {
 public:
  template <typename... T>
  void operator()(T&... values) {
    (put(values), ...);
  }

  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  void put(T& value) {
    if constexpr (is_plain<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    } else {
      fields(*this, value);
    }
  }
  void put(std::string& text) {
    std::size_t size = text.size();
    put(size);
    bytes_ += text;
  }
  template <typename T>
  void put(std::optional<T>& value) {
    bool there = value.has_value();
    put(there);
    if (there) put(*value);
  }
  template <typename T>
  void put(std::vector<T>& values) {
    std::size_t size = values.size();
    put(size);
    for (T& value : values)
      put(value);
  }

  std::string bytes_;
};

// Throws std::runtime_error if there are not enough bytes.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  template <typename... T>
  void operator()(T&... values) {
    (get(values), ...);
  }

 private:
  std::string_view next(std::size_t size) {
    if (size > bytes_.size()) throw std::runtime_error("packed bytes end too soon");
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  template <typename T>
  void get(T& value) {
    if constexpr (is_plain<T>) {
      std::memcpy(&value, next(sizeof(value)).data(), sizeof(value));
    } else {
      fields(*this, value);
    }
  }
  void get(std::string& text) {
    std::size_t size = 0;
    get(size);
    text = next(size);
  }
  template <typename T>
  void get(std::optional<T>& value) {
    bool there = false;
    get(there);
    if (!there) return value.reset();
    T inner;
    get(inner);
    value = std::move(inner);
  }
  template <typename T>
  void get(std::vector<T>& values) {
    std::size_t size = 0;
    get(size);
    values.clear();
    while (size-- > 0)
      get(values.emplace_back());
  }

  std::string_view bytes_;
};

template <typename T>
std::string pack(const T& value) {
  Packer packer;
  packer(const_cast<T&>(value));  // a packer does not change it
  return packer.take();
}

template <typename T>
T unpack(std::string_view bytes) {
  T value;
  Unpacker unpacker(bytes);
  unpacker(value);
  return value;
}

}  // namespace hydra
