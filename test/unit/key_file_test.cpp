#include "s3/credentials/key_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace hydra::s3::credentials {

class KeyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/key_file_test_XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/keys";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  void write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }

  // Why there are no keys; '' where there are.
  std::string problem(const std::string& path) const {
    KeyFile file(path);
    const Step step = file.begin(0);
    const Broken* broken = std::get_if<Broken>(&step);
    if (broken == nullptr) return "";
    EXPECT_NE(broken->hint, "");
    EXPECT_TRUE(broken->why.starts_with("file \"" + path + "\" ")) << broken->why;
    return broken->why.substr(path.size() + 8);
  }

  const std::string keys_ = "[default]\naws_access_key_id = AK\naws_secret_access_key=S/+=K\n";
  std::string folder_, path_;
};

TEST_F(KeyFileTest, Keys) {
  write("# by the administrator\n" + keys_ + "aws_session_token=T\n[other]\naws_access_key_id=X\n");
  KeyFile file(path_);
  const Found first = std::get<Found>(file.begin(0));
  EXPECT_EQ(first.keys.access_key, "AK");
  EXPECT_EQ(first.keys.secret_key, "S/+=K");
  EXPECT_EQ(first.keys.session_token, "T");
  EXPECT_EQ(first.source, "file:" + path_);
  // Files may be rotated.
  write("[default]\naws_access_key_id=AK2\naws_secret_access_key=SK2\n");
  const Found second = std::get<Found>(file.begin(0));
  EXPECT_EQ(second.keys.access_key, "AK2");
  EXPECT_EQ(second.keys.session_token, "");
}

TEST_F(KeyFileTest, MustBeForTheServerAlone) {
  // The rules differ for files of root, which tests may run as.
  const bool root = geteuid() == 0;
  write(keys_, 0600);
  EXPECT_EQ(problem(path_), "");
  write(keys_, 0640);
  EXPECT_EQ(problem(path_) == "", root);
  for (const mode_t mode : {0660, 0620, 0650, 0604, 0602, 0601, 0777}) {
    write(keys_, mode);
    EXPECT_EQ(problem(path_), "can be read or written by others") << std::oct << mode;
  }
  if (!root) {
    EXPECT_EQ(problem("/etc/passwd"), "can be read or written by others");
    return;
  }
  write(keys_, 0600);
  ASSERT_EQ(chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(problem(path_), "belongs to another user");
}

TEST_F(KeyFileTest, ProblemsHoldNothingOfTheFile) {
  EXPECT_EQ(problem(path_), "cannot be opened: No such file or directory");
  EXPECT_EQ(problem(folder_), "is not a regular file");
  for (const char* text :
       {"", "secret", "[other]\naws_access_key_id=secret\n", "[default]\nsecret",
        "[default]\naws_access_key_id=secret\n", "[default]\ncredential_process=/bin/secret\n"}) {
    write(text);
    EXPECT_EQ(problem(path_), "contains no keys") << text;
  }
  write("[default]\naws_access_key_id=secret\naws_secret_access_key=se\x01cret\n");
  EXPECT_EQ(problem(path_), "contains a character that keys cannot contain");
  write(keys_ + std::string(100000, '#'));
  EXPECT_EQ(problem(path_), "cannot be read, or is longer than 64 kB");
}

TEST_F(KeyFileTest, DoesNotWaitForAPipe) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(problem(path_), "is not a regular file");
}

TEST(KeyFilePathTest, IsAbsoluteAndPlain) {
  EXPECT_FALSE(key_file_path_problem("/etc/hydra/keys"));
  EXPECT_FALSE(key_file_path_problem("/..keys"));
  for (const char* path : {"", "keys", "./keys", "/", "/a/", "//a", "/a//b", "/a/../b", "/a/./b",
                           "/..", "/a/..", "/a\nb", "~/keys"}) {
    EXPECT_TRUE(key_file_path_problem(path)) << path;
  }
}

TEST(KeyFilePathTest, IsAllowedByAPattern) {
  const auto allowed = [](const char* patterns, const char* path, const char* database = "app") {
    return is_allowed_file(patterns, path, database);
  };
  EXPECT_FALSE(allowed("", "/keys"));
  EXPECT_TRUE(allowed("/keys", "/keys"));
  EXPECT_FALSE(allowed("/keys", "/keys2"));
  EXPECT_TRUE(allowed("/a/one , /a/two", "/a/two"));
  EXPECT_TRUE(allowed("/a/*", "/a/one"));
  EXPECT_FALSE(allowed("/a/*", "/a/one/two"));
  EXPECT_FALSE(allowed("/a/*", "/a/.."));
  EXPECT_FALSE(allowed("/a/*", "/a/"));
  EXPECT_TRUE(allowed("/a/*.keys", "/a/b.c.keys"));
  EXPECT_FALSE(allowed("/a/*.keys", "/a/b.keysx"));
  EXPECT_TRUE(allowed("/a/%d/*", "/a/app/one"));
  EXPECT_FALSE(allowed("/a/%d/*", "/a/other/one"));
  EXPECT_TRUE(allowed("/a/%d.*", "/a/app.one"));
  // A database's name is neither a pattern nor part of a path.
  EXPECT_FALSE(allowed("/a/%d/keys", "/a/any/keys", "*"));
  EXPECT_FALSE(allowed("/a/%d/keys", "/a/b/c/keys", "b/c"));
  EXPECT_FALSE(allowed("/a/%d/keys", "/a/../keys", ".."));
}

}  // namespace hydra::s3::credentials
