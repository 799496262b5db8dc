#include "bucket/claim.hpp"

#include <jansson.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

namespace hydra::bucket {

namespace {

struct Release {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};
struct FreeText {
  void operator()(char* text) const noexcept { std::free(text); }
};

}  // namespace

std::string serialize(const Claim& claim) {
  const std::unique_ptr<json_t, Release> object(
      json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:s}", "version", 1, "system_identifier",
                std::to_string(claim.system_identifier).c_str(), "database", claim.database.c_str(),
                "destination", claim.destination.c_str(), "export_id",
                static_cast<json_int_t>(claim.export_id), "folder", claim.folder.c_str(),
                "started_at", claim.started_at.c_str()));
  if (object == nullptr) throw std::runtime_error("the folder's claim is not valid UTF-8");
  const std::unique_ptr<char, FreeText> text(json_dumps(object.get(), JSON_COMPACT));
  if (text == nullptr) throw std::bad_alloc();
  return std::string(text.get()) + '\n';
}

}  // namespace hydra::bucket
