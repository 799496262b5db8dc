#include "s3/credentials/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <variant>

#include "s3/credentials/profile.hpp"
#include "s3/errors.hpp"

namespace hydra::s3::credentials {

namespace {

constexpr std::size_t longest_file = 64 * 1024;

class File {
 public:
  // Opened without blocking, in case it is a pipe.
  explicit File(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }
  bool describe(struct stat* status) const { return fstat(fd_, status) == 0; }

  // The whole content, or nothing if it cannot be read or is too long.
  std::optional<std::string> read_all() const {
    std::string text(longest_file + 1, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
      const ssize_t n = read(fd_, text.data() + length, text.size() - length);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::nullopt;
      if (n == 0) break;
      length += static_cast<std::size_t>(n);
    }
    if (length > longest_file) return std::nullopt;
    text.resize(length);
    return text;
  }

 private:
  int fd_;
};

struct Problem {
  std::string why, hint;
};

// The rules of PostgreSQL for its own key files.
std::optional<Problem> access_problem(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Problem{"is not a regular file", "Name a file."};
  if (status.st_uid != geteuid() && status.st_uid != 0)
    return Problem{"belongs to another user", "Give it to the server's user, or to root."};
  const mode_t too_much = status.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((status.st_mode & too_much) != 0) {
    return Problem{"can be read or written by others",
                   "Give it the permissions u=rw (0600) or less where it belongs to the server's "
                   "user, u=rw,g=r (0640) or less where it belongs to root."};
  }
  return std::nullopt;
}

std::string value_of(const std::map<std::string, std::string>& section, const char* name) {
  const auto found = section.find(name);
  return found == section.end() ? "" : found->second;
}

// A value ends at a line break, so it contains none.
bool is_key(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool matches(std::string_view pattern, std::string_view path, std::string_view database) {
  if (pattern.empty()) return path.empty();
  if (pattern.starts_with("%d")) {
    if (database.find('/') != std::string_view::npos || !path.starts_with(database)) return false;
    return matches(pattern.substr(2), path.substr(database.size()), database);
  }
  if (pattern.front() != '*') {
    return !path.empty() && pattern.front() == path.front() &&
           matches(pattern.substr(1), path.substr(1), database);
  }
  const std::size_t longest = std::min(path.find('/'), path.size());
  for (std::size_t n = 0; n <= longest; ++n) {
    if (matches(pattern.substr(1), path.substr(n), database)) return true;
  }
  return false;
}

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t\n") + 1);
}

// Removes one part from the front.
std::string_view next(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace

Step KeyFile::broken(const std::string& why, const std::string& hint) const {
  return Broken{"file \"" + clean_text(path_) + "\" " + why, hint};
}

Step KeyFile::begin(std::int64_t) {
  const File file(path_);
  if (!file.is_open())
    return broken(std::string("cannot be opened: ") + std::strerror(errno),
                  "The user that runs the server must be able to read it.");
  struct stat status {};
  if (!file.describe(&status)) return broken("cannot be read", "Check the server's disk.");
  if (const auto problem = access_problem(status)) return broken(problem->why, problem->hint);
  const std::optional<std::string> text = file.read_all();
  if (!text)
    return broken("cannot be read, or is longer than 64 kB", "The file must contain only keys.");
  const auto section = ini_section(*text, "default").value_or(std::map<std::string, std::string>{});
  const Credentials keys{value_of(section, "aws_access_key_id"),
                         value_of(section, "aws_secret_access_key"),
                         value_of(section, "aws_session_token")};
  if (keys.access_key.empty() || keys.secret_key.empty()) {
    return broken("contains no keys",
                  "It needs a section [default] with aws_access_key_id and aws_secret_access_key.");
  }
  if (!is_key(keys.access_key) || !is_key(keys.secret_key) || !is_key(keys.session_token))
    return broken("contains a character that keys cannot contain", "Copy the keys again.");
  return Found{keys, std::nullopt, std::string(key_file_prefix) + clean_text(path_)};
}

std::optional<std::string> key_file_path_problem(std::string_view path) {
  if (!path.starts_with('/')) return "must be absolute";
  if (path.size() > 1024) return "must be at most 1,024 bytes long";
  if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    return "must not contain control characters";
  path.remove_prefix(1);
  while (true) {
    const bool last = path.find('/') == std::string_view::npos;
    const std::string_view segment = next(path, '/');
    if (segment.empty() || segment == "." || segment == "..")
      return "must not contain an empty, \".\" or \"..\" segment";
    if (last) return std::nullopt;
  }
}

bool is_allowed_file(std::string_view patterns, std::string_view path, std::string_view database) {
  if (key_file_path_problem(path)) return false;
  while (!patterns.empty()) {
    const std::string_view pattern = trim(next(patterns, ','));
    if (!pattern.empty() && matches(pattern, path, database)) return true;
  }
  return false;
}

}  // namespace hydra::s3::credentials
