// Compression of objects: gzip (ISA-L) and zstd (libzstd), if the build found the library.
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

// Whether this build supports it.
bool is_available(Compression compression);

// What an object's name ends with after ".json": "", ".gz" or ".zst".
std::string_view compression_suffix(Compression compression);

// One compressed stream: a single gzip member or zstd frame, as some readers stop after the first.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Throws std::bad_alloc, or std::runtime_error when the library fails.
  virtual void add(std::string_view bytes) = 0;
  // The compressed bytes. Ends the stream.
  virtual ByteBuffer finish() = 0;
};

// `size`: the total number of bytes to be added. Throws std::runtime_error unless is_available().
std::unique_ptr<Compressor> make_compressor(Compression compression, std::size_t size);

}  // namespace hydra
