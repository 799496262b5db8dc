// Compression of objects: gzip (ISA-L) and zstd (libzstd), each where the build found its library.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"

namespace hydra {

enum class Compression { none, gzip, zstd };

// "none", "gzip" or "zstd"; nothing for other words.
std::optional<Compression> parse_compression(std::string_view name);

// Whether this build can do it.
bool is_available(Compression compression);

// What an object's name ends with after ".json": "", ".gz" or ".zst".
std::string_view compression_suffix(Compression compression);

// One compressed stream (a single gzip member, a single zstd frame: readers that stop after the
// first one see it all).
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Throws std::bad_alloc, or std::runtime_error when the library fails.
  virtual void add(std::string_view bytes) = 0;
  // All of it; add() no more.
  virtual ByteBuffer finish() = 0;
};

// `size` is how many bytes will come. Throws std::runtime_error where is_available() is false.
std::unique_ptr<Compressor> make_compressor(Compression compression, std::size_t size);

}  // namespace hydra
