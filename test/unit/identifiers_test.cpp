#include "json/identifiers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hydra::json {
namespace {

TEST(Identifiers, HaveTheirSeparators) {
  const std::string bytes("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10", 16);
  char room[max_mac_size + uuid_size];
  EXPECT_EQ(std::string(room, put_uuid(room, bytes.data())),
            "01234567-89ab-cdef-fedc-ba9876543210");
  EXPECT_EQ(std::string(room, put_mac(room, bytes.data(), 6)), "01:23:45:67:89:ab");
  EXPECT_EQ(std::string(room, put_mac(room, bytes.data(), 8)), "01:23:45:67:89:ab:cd:ef");
}

}  // namespace
}  // namespace hydra::json
