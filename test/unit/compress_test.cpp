#include "base/compress.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace hydra {
namespace {

std::string lines(std::size_t size) {
  std::string text;
  unsigned state = 1;
  while (text.size() < size) {
    state = state * 1664525u + 1013904223u;
    text += "{\"id\":" + std::to_string(state) + ",\"name\":\"someone\"}\n";
  }
  return text;
}

std::string noise(std::size_t size) {
  std::string text(size, '\0');
  unsigned state = 1;
  for (char& c : text)
    c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

std::string compressed(Compression how, const std::string& text, std::size_t piece) {
  const auto compressor = make_compressor(how, text.size());
  for (std::size_t at = 0; at < text.size(); at += piece)
    compressor->add(std::string_view(text).substr(at, piece));
  const ByteBuffer result = compressor->finish();
  return std::string(result.data(), result.size());
}

// Decompressed by another program, which does not use our library.
std::string undone(const std::string& program, const std::string& bytes) {
  const std::string path = testing::TempDir() + "hydra_compress_" + std::to_string(getpid());
  std::ofstream(path, std::ios::binary) << bytes;
  std::string text;
  FILE* pipe = popen((program + " < " + path).c_str(), "r");
  char buffer[65536];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, n);
  EXPECT_EQ(pclose(pipe), 0);
  std::remove(path.c_str());
  return text;
}

void check(Compression how, const std::string& program) {
  if (!is_available(how)) GTEST_SKIP() << "not in this build";
  for (const std::string& text :
       {std::string(), std::string("{}\n"), lines(3 << 20), noise(1 << 20)})
    for (std::size_t piece : {std::size_t{7777}, std::size_t{1} << 20})
      EXPECT_TRUE(undone(program, compressed(how, text, piece)) == text) << text.size();
  EXPECT_LT(compressed(how, lines(1 << 20), 1 << 20).size(), std::size_t{1} << 19);
}

TEST(Compress, Gzip) {
  check(Compression::gzip, "gzip -dc");
}

TEST(Compress, Zstd) {
  if (std::system("zstd --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no zstd here";
  check(Compression::zstd, "zstd -dcq");
}

TEST(Compress, Names) {
  EXPECT_EQ(parse_compression("none"), Compression::none);
  EXPECT_EQ(parse_compression("gzip"), Compression::gzip);
  EXPECT_EQ(parse_compression("zstd"), Compression::zstd);
  EXPECT_EQ(parse_compression("GZIP"), std::nullopt);
  EXPECT_EQ(compression_suffix(Compression::none), "");
  EXPECT_EQ(compression_suffix(Compression::gzip), ".gz");
  EXPECT_EQ(compression_suffix(Compression::zstd), ".zst");
  EXPECT_TRUE(is_available(Compression::none));
  EXPECT_THROW(make_compressor(Compression::none, 0), std::runtime_error);
}

}  // namespace
}  // namespace hydra
