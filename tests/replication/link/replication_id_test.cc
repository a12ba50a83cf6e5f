#include "replication/link/replication_id.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace cloakroom {
namespace {

TEST(ReplicationIdTest, ADefaultIdIsFortyZerosAndNone) {
  EXPECT_EQ(ReplicationId().text(), std::string(40, '0'));
  EXPECT_TRUE(ReplicationId().none());
}

TEST(ReplicationIdTest, RandomIdsAreLowerCaseHexAndDiffer) {
  std::mt19937_64 random(1);
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const ReplicationId id = ReplicationId::Random(random);
    EXPECT_EQ(id.text().find_first_not_of("0123456789abcdef"), std::string_view::npos);
    EXPECT_EQ(id.text().size(), 40u);
    EXPECT_FALSE(id.none());
    ids.emplace(id.text());
  }
  EXPECT_EQ(ids.size(), 100u);
}

TEST(ReplicationIdTest, RandomIdsUseAllDigits) {
  std::mt19937_64 random(2);
  std::set<char> digits;
  for (int i = 0; i < 20; ++i) {
    const ReplicationId id = ReplicationId::Random(random);
    for (const char digit : id.text()) digits.insert(digit);
  }
  EXPECT_EQ(digits.size(), 16u);
}

TEST(ReplicationIdTest, ParseTakesFortyHexDigitsOnly) {
  const std::string digits = "0123456789abcdefABCDEF0123456789abcdef01";
  ASSERT_TRUE(ReplicationId::Parse(digits));
  EXPECT_EQ(ReplicationId::Parse(digits)->text(), digits);
  EXPECT_FALSE(ReplicationId::Parse(""));
  EXPECT_FALSE(ReplicationId::Parse("?"));
  EXPECT_FALSE(ReplicationId::Parse(digits.substr(1)));
  EXPECT_FALSE(ReplicationId::Parse(digits + "0"));
  EXPECT_FALSE(ReplicationId::Parse("g" + digits.substr(1)));
  EXPECT_FALSE(ReplicationId::Parse(std::string(40, '\0')));
}

TEST(ReplicationIdTest, PeersMayWriteItInAnyCase) {
  const ReplicationId id = *ReplicationId::Parse(std::string(40, 'a'));
  EXPECT_TRUE(id.Is(std::string(40, 'A')));
  EXPECT_FALSE(id.Is(std::string(39, 'a')));
  EXPECT_FALSE(id.Is(std::string(40, 'b')));
}

}  // namespace
}  // namespace cloakroom
