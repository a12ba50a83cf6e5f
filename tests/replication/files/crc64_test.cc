#include "replication/files/crc64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cloakroom {
namespace {

std::string RandomBytes(size_t size) {
  std::minstd_rand random(static_cast<unsigned>(size) + 1);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(Crc64Test, HasTheCheckValueOfJones) {
  EXPECT_EQ(Crc64(0, "123456789"), 0xe9c6d914c4b8d9caU);
  EXPECT_EQ(Crc64ByTables(0, "123456789"), 0xe9c6d914c4b8d9caU);
}

TEST(Crc64Test, NothingChangesNothing) {
  EXPECT_EQ(Crc64(0, ""), 0u);
  EXPECT_EQ(Crc64(77, ""), 77u);
}

TEST(Crc64Test, MultiplicationAgreesWithTablesAtEverySize) {
  const std::string bytes = RandomBytes(700);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string_view part = std::string_view(bytes).substr(0, size);
    EXPECT_EQ(Crc64(size * 1'234'567, part), Crc64ByTables(size * 1'234'567, part)) << size;
  }
}

TEST(Crc64Test, ContinuesWhereverTheBytesAreCut) {
  const std::string bytes = RandomBytes(300);
  const std::string_view all = bytes;
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(Crc64(Crc64(0, all.substr(0, cut)), all.substr(cut)), Crc64(0, all)) << cut;
  }
}

TEST(Crc64Test, CombinesPiecesSummedUpApart) {
  const std::string bytes = RandomBytes(5000);
  const std::string_view all = bytes;
  for (size_t cut : {0, 1, 7, 64, 2500, 4999, 5000}) {
    EXPECT_EQ(
        Crc64Combine(Crc64(0, all.substr(0, cut)), Crc64(0, all.substr(cut)), bytes.size() - cut),
        Crc64(0, all));
  }
}

}  // namespace
}  // namespace cloakroom
