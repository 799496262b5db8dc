// Uploads of objects that are one block of memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "s3/client.hpp"

namespace hydra::exporting {

// A contiguous block of bytes (a std::string or a ByteBuffer), sent as it is.
template <typename Bytes>
class WholeBody : public s3::Body {
 public:
  explicit WholeBody(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void rewind() override { done_ = 0; }
  std::size_t read(char* to, std::size_t room) noexcept override {
    const std::size_t n = std::min(room, bytes_.size() - done_);
    std::memcpy(to, bytes_.data() + done_, n);
    done_ += n;
    return n;
  }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  std::size_t memory() const { return bytes_.capacity(); }

 private:
  Bytes bytes_;
  std::size_t done_ = 0;
};

// Uploads a text and waits for its outcome. No other upload of the client may be pending.
s3::Outcome upload_text(s3::Client& client, const std::string& key, const std::string& text,
                        const char* content_type, s3::Existing existing);

// An upload's failure in one line, with the object's key and the hint.
std::string describe(const s3::Outcome& outcome);

// Logs corrections (of the clock or the region) that a successful upload needed. True if there were
// any.
bool advise(const s3::Outcome& outcome);

}  // namespace hydra::exporting
