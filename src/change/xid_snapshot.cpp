#include "change/xid_snapshot.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace hydra::change {
namespace {

// Removes the number at the front of `text`; `end` or the end of the text must follow it.
FullXid take_number(std::string_view& text, char end) {
  FullXid value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) throw std::invalid_argument("not a snapshot");
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (!text.empty()) {
    if (text.front() != end) throw std::invalid_argument("not a snapshot");
    text.remove_prefix(1);
  }
  return value;
}

}  // namespace

XidSnapshot::XidSnapshot(FullXid xmin, FullXid xmax, std::vector<FullXid> in_progress)
    : xmin_(xmin), xmax_(std::max(xmin, xmax)), in_progress_(std::move(in_progress)) {
  std::erase_if(in_progress_, [this](FullXid xid) { return xid < xmin_ || xid >= xmax_; });
  std::sort(in_progress_.begin(), in_progress_.end());
  in_progress_.erase(std::unique(in_progress_.begin(), in_progress_.end()), in_progress_.end());
}

XidSnapshot XidSnapshot::parse(std::string_view text) {
  const FullXid xmin = take_number(text, ':');
  const FullXid xmax = take_number(text, ':');
  std::vector<FullXid> in_progress;
  while (!text.empty())
    in_progress.push_back(take_number(text, ','));
  return XidSnapshot(xmin, xmax, std::move(in_progress));
}

std::string XidSnapshot::text() const {
  std::string text = std::to_string(xmin_) + ":" + std::to_string(xmax_) + ":";
  for (std::size_t i = 0; i < in_progress_.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(in_progress_[i]);
  }
  return text;
}

bool XidSnapshot::saw(FullXid xid) const noexcept {
  if (xid < xmin_) return true;
  if (xid >= xmax_) return false;
  return !std::binary_search(in_progress_.begin(), in_progress_.end(), xid);
}

}  // namespace hydra::change
