// One small HTTP exchange at a time on libcurl's multi handle. Internal to the client.
#pragma once

#include <string>

#include "s3/credentials/source.hpp"
#include "s3/easy.hpp"
#include "s3/multi.hpp"

namespace hydra::s3::credentials {

// An exchange is in progress between begin() and finish() or give_up(); the owner of the multi
// handle reports when it is done. The caller blocks signals around each method, and the destructor.
class Fetch {
 public:
  Fetch(const std::string& ca_file, const std::string& user_agent, Multi& multi);
  ~Fetch() { give_up(); }
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  CURL* handle() const { return easy_.get(); }
  bool under_way() const { return under_way_; }

  // special_allowed: see Easy.
  void begin(HttpRequest request, bool special_allowed);
  HttpReply finish(CURLcode result);
  void give_up() noexcept;

 private:
  static std::size_t on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept;

  Multi& multi_;
  HttpRequest request_;  // libcurl reads its body
  HeaderList headers_;
  HttpReply reply_;
  bool under_way_ = false;
  Easy easy_;
};

}  // namespace hydra::s3::credentials
