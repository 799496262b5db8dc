// The outcomes of the uploads of one export, by model.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tables/history.hpp"

namespace hydra::exporting {

// Models are identified by their numbers in the export.
class UploadResults {
 public:
  // The models' names.
  void name_models(std::vector<std::string> names) { models_ = std::move(names); }
  const std::string& name(std::size_t model) const { return models_.at(model); }

  // Reserves an object's key. Returns an error text if an object with this key was sent before.
  std::optional<std::string> take_key(const std::string& key);

  void count_put(std::uint64_t rows) { rows_put_ += rows; }
  void add_object(std::size_t model, tables::ObjectRow object);
  void add_failure(std::size_t model, const std::string& text);
  // only the first of each model counts
  void add_retry(std::size_t model, const std::string& text);
  bool has_retried(std::size_t model) const { return retried_.contains(model); }

  // Ends all uploads, because an object of this model failed. Only the first call counts.
  void give_up(std::size_t model, const std::string& text);

  // The objects that are in the bucket, and the sum of their bytes.
  const std::vector<tables::ObjectRow>& objects(std::size_t model) { return objects_[model]; }
  std::uint64_t bytes_arrived(std::size_t model) { return bytes_arrived_[model]; }

  // The error of the model's first object that failed, and how many failed.
  std::optional<std::string> failure(std::size_t model) const;

  // Why nothing more is uploaded: the error, the model that met it, and the text for other models.
  struct Fatal {
    std::size_t model = 0;
    std::string text;
    std::string for_others;
  };
  const std::optional<Fatal>& fatal() const { return fatal_; }

  // The first retries of models since the last call.
  struct Retry {
    std::size_t model = 0;
    std::string text;
  };
  std::vector<Retry> take_retries() { return std::exchange(retries_, {}); }

  // Rows of all models that were passed to the uploader, and that were stored.
  std::uint64_t rows_put() const { return rows_put_; }
  std::uint64_t rows_arrived() const { return rows_arrived_; }

 private:
  struct Failed {
    std::string first;  // the error of the first object
    int objects = 0;
  };

  std::vector<std::string> models_;
  std::unordered_set<std::size_t> keys_;  // hashes of all objects' keys
  std::map<std::size_t, std::vector<tables::ObjectRow>> objects_;
  std::map<std::size_t, std::uint64_t> bytes_arrived_;
  std::map<std::size_t, Failed> failures_;
  std::optional<Fatal> fatal_;
  std::set<std::size_t> retried_;
  std::vector<Retry> retries_;
  std::uint64_t rows_put_ = 0, rows_arrived_ = 0;
};

}  // namespace hydra::exporting
