#include "storage/values/stream_id.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(StreamIdTest, IdsAreOrderedByTimeThenSequence) {
  EXPECT_LT((StreamId{1, 9}), (StreamId{2, 0}));
  EXPECT_LT((StreamId{1, 1}), (StreamId{1, 2}));
  EXPECT_EQ((StreamId{1, 1}), (StreamId{1, 1}));
}

TEST(StreamIdTest, NeighboursCarryIntoTheTime) {
  EXPECT_EQ((StreamId{1, 1}).Next(), (StreamId{1, 2}));
  EXPECT_EQ((StreamId{1, UINT64_MAX}).Next(), (StreamId{2, 0}));
  EXPECT_EQ(kLastStreamId.Next(), std::nullopt);
  EXPECT_EQ((StreamId{1, 1}).Previous(), (StreamId{1, 0}));
  EXPECT_EQ((StreamId{1, 0}).Previous(), (StreamId{0, UINT64_MAX}));
  EXPECT_EQ(kFirstStreamId.Previous(), std::nullopt);
}

TEST(StreamIdTest, TextHasBothNumbers) {
  EXPECT_EQ(StreamIdText({0, 0}).view(), "0-0");
  EXPECT_EQ(StreamIdText({1700000000000, 12}).view(), "1700000000000-12");
  EXPECT_EQ(StreamIdText(kLastStreamId).view(), "18446744073709551615-18446744073709551615");
}

}  // namespace
}  // namespace cloakroom
