#include "clients/reply_counter.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

// One reply of each kind, RESP2's and RESP3's.
const std::string kReplies[] = {
    "+OK\r\n",
    ":7\r\n",
    "$5\r\na\r\nbc\r\n",
    "$0\r\n\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n",
    "_\r\n",
    "#t\r\n",
    ",1.5\r\n",
    "(123\r\n",
    "=7\r\ntxt:abc\r\n",
    "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
    "~2\r\n:1\r\n:2\r\n",
    ">2\r\n+message\r\n+x\r\n",
    "|1\r\n+ttl\r\n:3\r\n*1\r\n+x\r\n",
};

TEST(ReplyCounterTest, EveryKindOfReplyCountsOnce) {
  for (const std::string& reply : kReplies) {
    ReplyCounter counter;
    EXPECT_EQ(counter.Feed(reply), 1u) << reply;
    EXPECT_FALSE(counter.broken()) << reply;
    EXPECT_EQ(counter.errors(), 0u) << reply;
  }
}

TEST(ReplyCounterTest, PortionsOfAnySizeCountTheSame) {
  std::string all;
  for (const std::string& reply : kReplies) all += reply;
  for (size_t portion = 1; portion < 9; ++portion) {
    ReplyCounter counter;
    size_t done = 0;
    for (size_t at = 0; at < all.size(); at += portion)
      done += counter.Feed(all.substr(at, portion));
    EXPECT_EQ(done, std::size(kReplies)) << portion;
  }
}

TEST(ReplyCounterTest, ReplyCountsWithItsLastByte) {
  ReplyCounter counter;
  EXPECT_EQ(counter.Feed("*2\r\n:1\r\n$3\r\nabc\r"), 0u);
  EXPECT_EQ(counter.Feed("\n"), 1u);
}

TEST(ReplyCounterTest, LimitLeavesWhatComesBehind) {
  ReplyCounter counter;
  std::string_view bytes = ":1\r\n:2\r\n:3\r\n";
  EXPECT_EQ(counter.Feed(&bytes, 2), 2u);
  EXPECT_EQ(bytes, ":3\r\n");
  EXPECT_EQ(counter.Feed(&bytes, 0), 0u);
  EXPECT_EQ(bytes, ":3\r\n");
}

TEST(ReplyCounterTest, ErrorsCountAtAnyDepth) {
  ReplyCounter counter;
  EXPECT_EQ(counter.Feed("-ERR one\r\n*2\r\n-WRONGTYPE two\r\n:1\r\n"), 2u);
  EXPECT_EQ(counter.errors(), 2u);
  EXPECT_EQ(counter.last_error(), "WRONGTYPE two");
  EXPECT_EQ(counter.Feed("!5\r\nERR x\r\n"), 1u);
  EXPECT_EQ(counter.errors(), 3u);
}

TEST(ReplyCounterTest, WhatIsNoReplyBreaksTheStream) {
  for (const std::string_view bytes :
       {"nonsense\r\n", "\r\n", "$\r\n", "$x\r\n", "*-2\r\n", "$99999999999999999999\r\n"}) {
    ReplyCounter counter;
    EXPECT_EQ(counter.Feed(bytes), 0u) << bytes;
    EXPECT_TRUE(counter.broken()) << bytes;
    EXPECT_EQ(counter.Feed("+OK\r\n"), 0u) << bytes;
  }
}

}  // namespace
}  // namespace cloakroom
