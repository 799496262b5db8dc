// What became of the objects of one export, by model.
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

// Models go by their numbers in the export.
class UploadResults {
 public:
  // What the models are called.
  void name_models(std::vector<std::string> names) { models_ = std::move(names); }
  const std::string& name(std::size_t model) const { return models_.at(model); }

  // Takes an object's key, under which none was sent before; else says what is wrong.
  std::optional<std::string> take_key(const std::string& key);

  void count_put(std::uint64_t rows) { rows_put_ += rows; }
  void add_object(std::size_t model, tables::ObjectRow object);
  void add_failure(std::size_t model, const std::string& text);
  void add_retry(std::size_t model, const std::string& text);  // the first of each model counts
  bool has_retried(std::size_t model) const { return retried_.contains(model); }

  // No more is uploaded, as an object of this model failed. The first call counts.
  void give_up(std::size_t model, const std::string& text);

  // The objects that are in the bucket, and the sum of their bytes.
  const std::vector<tables::ObjectRow>& objects(std::size_t model) { return objects_[model]; }
  std::uint64_t bytes_arrived(std::size_t model) { return bytes_arrived_[model]; }

  // What went wrong with the model's first object that failed, and how many did.
  std::optional<std::string> failure(std::size_t model) const;

  // Why no more is uploaded at all: what went wrong, and where; and how the other models put it.
  struct Fatal {
    std::size_t model = 0;
    std::string text;
    std::string for_others;
  };
  const std::optional<Fatal>& fatal() const { return fatal_; }

  // The first uploads of models that had to be tried again, since the last call.
  struct Retry {
    std::size_t model = 0;
    std::string text;
  };
  std::vector<Retry> take_retries() { return std::exchange(retries_, {}); }

  // Rows of all models that were handed over, and that have arrived.
  std::uint64_t rows_put() const { return rows_put_; }
  std::uint64_t rows_arrived() const { return rows_arrived_; }

 private:
  struct Failed {
    std::string first;  // what went wrong with the first object
    int objects = 0;
  };

  std::vector<std::string> models_;
  std::unordered_set<std::size_t> keys_;  // of all objects, hashed
  std::map<std::size_t, std::vector<tables::ObjectRow>> objects_;
  std::map<std::size_t, std::uint64_t> bytes_arrived_;
  std::map<std::size_t, Failed> failures_;
  std::optional<Fatal> fatal_;
  std::set<std::size_t> retried_;
  std::vector<Retry> retries_;
  std::uint64_t rows_put_ = 0, rows_arrived_ = 0;
};

}  // namespace hydra::exporting
