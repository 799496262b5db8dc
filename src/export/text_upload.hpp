// Objects that are in memory in one piece.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "s3/client.hpp"

namespace hydra::exporting {

// Bytes in one piece (a std::string or a ByteBuffer) that are sent as they are.
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

// Uploads a text and waits for its outcome. Nothing else is on its way meanwhile.
s3::Outcome upload_text(s3::Client& client, const std::string& key, const std::string& text,
                        const char* content_type, s3::Existing existing);

// An upload's failure in one line, with the object's key and the hint.
std::string describe(const s3::Outcome& outcome);

// Logs what an upload that succeeded had to put right (the clock, the region). Whether there was
// something.
bool advise(const s3::Outcome& outcome);

}  // namespace hydra::exporting
