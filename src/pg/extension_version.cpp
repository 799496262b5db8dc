#include "pg/extension_version.hpp"

#include <charconv>

namespace hydra::pg {
namespace {

// Compares part by part: 0.10.0 is newer than 0.9.1. A part that is not a number counts as 0.
bool is_older(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    int parts[] = {0, 0};
    std::string_view* rests[] = {&a, &b};
    for (int i = 0; i < 2; ++i) {
      const std::size_t end = std::min(rests[i]->find('.'), rests[i]->size());
      std::from_chars(rests[i]->data(), rests[i]->data() + end, parts[i]);
      rests[i]->remove_prefix(std::min(end + 1, rests[i]->size()));
    }
    if (parts[0] != parts[1]) return parts[0] < parts[1];
  }
  return false;
}

}  // namespace

void check_version(const std::string& installed) {
  if (installed == HYDRA_VERSION) return;
  throw WrongVersion(
      ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
      "hydra_export's SQL objects are of version " + installed + ", its library of " HYDRA_VERSION,
      "",
      is_older(installed, HYDRA_VERSION)
          ? "Run ALTER EXTENSION hydra_export UPDATE."
          : "Install that version, and restart the server, which still has the library that it "
            "loaded when it started.");
}

}  // namespace hydra::pg
