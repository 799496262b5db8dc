#include "base/compress.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <stdexcept>

#ifdef HYDRA_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif
#ifdef HYDRA_HAVE_ZSTD
#include <zstd.h>
#endif

namespace hydra {

namespace {

constexpr std::size_t step = 256 * 1024;  // how much room for output is added at once

[[maybe_unused]] void make_room(ByteBuffer& buffer) {
  if (!buffer.reserve(step)) throw std::bad_alloc();
}

#ifdef HYDRA_HAVE_ISAL

// Level 1 of ISA-L is twice as fast as libdeflate's at about the same size. It also streams, so a
// body in pieces need not be joined first.
class Gzip : public Compressor {
 public:
  Gzip() : work_(new unsigned char[ISAL_DEF_LVL1_DEFAULT]) {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = work_.get();
    stream_.level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream_.gzip_flag = IGZIP_GZIP;
  }

  void add(std::string_view bytes) override {
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<std::uint32_t>(bytes.size());
    while (stream_.avail_in > 0)
      run();
  }

  ByteBuffer finish() override {
    stream_.end_of_stream = 1;
    stream_.avail_in = 0;
    do {
      run();
    } while (stream_.internal_state.state != ZSTATE_END);
    return std::move(out_);
  }

 private:
  void run() {
    make_room(out_);
    const std::size_t room = std::min<std::size_t>(out_.capacity() - out_.size(), UINT32_MAX);
    stream_.next_out = reinterpret_cast<unsigned char*>(out_.end());
    stream_.avail_out = static_cast<std::uint32_t>(room);
    if (isal_deflate(&stream_) != COMP_OK) throw std::runtime_error("ISA-L failed to compress");
    out_.advance(room - stream_.avail_out);
  }

  std::unique_ptr<unsigned char[]> work_;
  isal_zstream stream_;
  ByteBuffer out_;
};

#endif

#ifdef HYDRA_HAVE_ZSTD

class Zstd : public Compressor {
 public:
  explicit Zstd(std::size_t size) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1));
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    // Written into the frame, so that readers know the size.
    check(ZSTD_CCtx_setPledgedSrcSize(context_.get(), size));
  }

  void add(std::string_view bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size)
      run(in, ZSTD_e_continue);
  }

  ByteBuffer finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (run(in, ZSTD_e_end) != 0)
      continue;
    return std::move(out_);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };

  static std::size_t check(std::size_t result) {
    if (ZSTD_isError(result))
      throw std::runtime_error(std::string("libzstd failed: ") + ZSTD_getErrorName(result));
    return result;
  }

  std::size_t run(ZSTD_inBuffer& in, ZSTD_EndDirective how) {
    make_room(out_);
    ZSTD_outBuffer out{out_.end(), out_.capacity() - out_.size(), 0};
    const std::size_t left = check(ZSTD_compressStream2(context_.get(), &out, &in, how));
    out_.advance(out.pos);
    return left;
  }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
  ByteBuffer out_;
};

#endif

}  // namespace

std::optional<Compression> parse_compression(std::string_view name) {
  if (name == "none") return Compression::none;
  if (name == "gzip") return Compression::gzip;
  if (name == "zstd") return Compression::zstd;
  return std::nullopt;
}

bool is_available(Compression compression) {
#ifndef HYDRA_HAVE_ISAL
  if (compression == Compression::gzip) return false;
#endif
#ifndef HYDRA_HAVE_ZSTD
  if (compression == Compression::zstd) return false;
#endif
  return compression == Compression::none || compression == Compression::gzip ||
         compression == Compression::zstd;
}

std::string_view compression_suffix(Compression compression) {
  if (compression == Compression::gzip) return ".gz";
  if (compression == Compression::zstd) return ".zst";
  return "";
}

std::unique_ptr<Compressor> make_compressor([[maybe_unused]] Compression compression,
                                            [[maybe_unused]] std::size_t size) {
#ifdef HYDRA_HAVE_ISAL
  if (compression == Compression::gzip) return std::make_unique<Gzip>();
#endif
#ifdef HYDRA_HAVE_ZSTD
  if (compression == Compression::zstd) return std::make_unique<Zstd>(size);
#endif
  throw std::runtime_error("this build has no such compression");
}

}  // namespace hydra
