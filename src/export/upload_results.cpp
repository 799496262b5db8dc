#include "export/upload_results.hpp"

#include "pg/spi.hpp"

namespace hydra::exporting {

// Keys that are different in their index may have the same text as ids.
std::optional<std::string> UploadResults::take_key(const std::string& key) {
  if (keys_.insert(std::hash<std::string>{}(key)).second) return std::nullopt;
  return "two objects would have the name \"" + pg::from_utf8(key) +
         "\": different values of the key columns have the same text";
}

void UploadResults::add_object(std::size_t model, tables::ObjectRow object) {
  bytes_arrived_[model] += object.bytes;
  rows_arrived_ += object.rows;
  objects_[model].push_back(std::move(object));
}

void UploadResults::add_failure(std::size_t model, const std::string& text) {
  Failed& failed = failures_[model];
  if (++failed.objects == 1) failed.first = text;
}

void UploadResults::add_retry(std::size_t model, const std::string& text) {
  if (retried_.insert(model).second) retries_.push_back({model, text});
}

void UploadResults::give_up(std::size_t model, const std::string& text) {
  if (fatal_) return;
  fatal_ = {model, text, text};
  if (model < models_.size()) {
    fatal_->for_others =
        "the export ended early, as an object of model \"" + models_[model] + "\" was not uploaded";
  }
}

std::optional<std::string> UploadResults::failure(std::size_t model) const {
  if (fatal_ && fatal_->model == model) return fatal_->text;
  const auto found = failures_.find(model);
  if (found == failures_.end()) return std::nullopt;
  const Failed& failed = found->second;
  if (failed.objects == 1) return failed.first;
  return failed.first + " (the first of " + std::to_string(failed.objects) + " objects)";
}

}  // namespace hydra::exporting
