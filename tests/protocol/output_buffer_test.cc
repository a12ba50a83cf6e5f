#include "protocol/output_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;

SharedBytes Shared(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {owner, *owner};
}

std::vector<std::string> Spans(const OutputBuffer& buffer, size_t max = 100) {
  std::vector<std::string_view> spans(max);
  spans.resize(buffer.Gather(spans));
  return {spans.begin(), spans.end()};
}

std::string Content(const OutputBuffer& buffer) {
  std::string content;
  for (const std::string& span : Spans(buffer, 1000)) content += span;
  return content;
}

OutputBuffer Mixed() {
  OutputBuffer buffer;
  buffer.Append("one");
  buffer.Append(Shared("TWO"));
  buffer.Append(Shared("THREE"));
  buffer.Append("four");
  return buffer;
}

TEST(OutputBufferTest, StartsEmptyAndHoldsNoMemory) {
  OutputBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.size(), 0u);
  EXPECT_EQ(buffer.owned_bytes(), 0u);
  EXPECT_THAT(Spans(buffer), ElementsAre());
}

TEST(OutputBufferTest, TextIsOneSpan) {
  OutputBuffer buffer;
  buffer.Append("+OK\r\n");
  buffer.Append("");
  buffer.Append(":1\r\n");
  EXPECT_EQ(buffer.size(), 9u);
  EXPECT_THAT(Spans(buffer), ElementsAre("+OK\r\n:1\r\n"));
}

TEST(OutputBufferTest, SharedBytesStandInOrderAndAreNotCopied) {
  SharedBytes shared = Shared("TWO");
  OutputBuffer buffer;
  buffer.Append("one");
  buffer.Append(shared);
  std::array<std::string_view, 2> spans;
  ASSERT_EQ(buffer.Gather(spans), 2u);
  EXPECT_EQ(spans[1].data(), shared.bytes.data());
  EXPECT_THAT(Spans(Mixed()), ElementsAre("one", "TWO", "THREE", "four"));
  EXPECT_EQ(Mixed().size(), 15u);
}

TEST(OutputBufferTest, EmptySharedBytesLeaveNoSpan) {
  OutputBuffer buffer;
  buffer.Append(Shared(""));
  EXPECT_THAT(Spans(buffer), ElementsAre());
}

TEST(OutputBufferTest, GatherStopsWhereItsSpansEnd) {
  OutputBuffer buffer = Mixed();
  EXPECT_THAT(Spans(buffer, 0), ElementsAre());
  EXPECT_THAT(Spans(buffer, 1), ElementsAre("one"));
  EXPECT_THAT(Spans(buffer, 3), ElementsAre("one", "TWO", "THREE"));
}

TEST(OutputBufferTest, ConsumeDropsFromTheFrontAtEveryPlace) {
  const std::string all = "oneTWOTHREEfour";
  for (size_t n = 0; n <= all.size(); ++n) {
    OutputBuffer buffer = Mixed();
    buffer.Consume(n);
    EXPECT_EQ(Content(buffer), all.substr(n));
    EXPECT_EQ(buffer.size(), all.size() - n);
  }
}

TEST(OutputBufferTest, SharedBytesAreReleasedWhenSent) {
  SharedBytes shared = Shared("TWO");
  OutputBuffer buffer;
  buffer.Append(shared);
  buffer.Append("three");
  EXPECT_EQ(shared.owner.use_count(), 2);
  buffer.Consume(2);
  EXPECT_EQ(shared.owner.use_count(), 2);
  buffer.Consume(1);
  EXPECT_EQ(shared.owner.use_count(), 1);
}

TEST(OutputBufferTest, ClearKeepsAModestCapacity) {
  OutputBuffer buffer;
  buffer.Append(std::string(10'000, 'x'));
  size_t owned = buffer.owned_bytes();
  buffer.Clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.owned_bytes(), owned);
}

TEST(OutputBufferTest, ClearGivesALargeCapacityBack) {
  OutputBuffer buffer;
  buffer.Append(std::string(OutputBuffer::kKeptCapacity + 1, 'x'));
  buffer.Clear();
  EXPECT_EQ(buffer.owned_bytes(), 0u);
  buffer.Append("again");
  EXPECT_EQ(Content(buffer), "again");
}

TEST(OutputBufferTest, SendingEverythingGivesALargeCapacityBack) {
  OutputBuffer buffer;
  buffer.Append(std::string(1'000'000, 'x'));
  buffer.Consume(1'000'000);
  EXPECT_EQ(buffer.owned_bytes(), 0u);
}

TEST(OutputBufferTest, ReleaseHoldsNothing) {
  OutputBuffer buffer = Mixed();
  buffer.Release();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.owned_bytes(), 0u);
}

TEST(OutputBufferTest, SteadyFlowDoesNotGrow) {
  OutputBuffer buffer;
  buffer.Append(std::string(500, 'x'));
  for (int i = 0; i < 10'000; ++i) {
    buffer.Append(std::string(100, 'y'));
    buffer.Consume(100);
  }
  EXPECT_EQ(buffer.size(), 500u);
  EXPECT_LE(buffer.owned_bytes(), 4096u);
}

TEST(OutputBufferTest, MovedFromBufferIsEmpty) {
  OutputBuffer from = Mixed();
  OutputBuffer to = std::move(from);
  EXPECT_EQ(Content(to), "oneTWOTHREEfour");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): this is the promise
  EXPECT_EQ(from.owned_bytes(), 0u);
}

TEST(OutputBufferTest, MoveToAppendsEverythingAndClears) {
  OutputBuffer from = Mixed();
  OutputBuffer to;
  to.Append("zero");
  from.Consume(4);
  from.MoveTo(to);
  EXPECT_EQ(Content(to), "zeroWOTHREEfour");
  EXPECT_TRUE(from.empty());
}

TEST(OutputBufferTest, MoveToAnEmptyBufferCopiesNothing) {
  OutputBuffer from;
  from.Append("text");
  std::array<std::string_view, 1> before;
  std::array<std::string_view, 1> after;
  from.Gather(before);
  OutputBuffer to;
  from.MoveTo(to);
  to.Gather(after);
  EXPECT_EQ(before[0].data(), after[0].data());
  EXPECT_TRUE(from.empty());
}

TEST(OutputBufferTest, MoveTailToCutsAtEveryPlace) {
  const std::string all = "oneTWOTHREEfour";
  for (size_t from = 0; from <= all.size(); ++from) {
    OutputBuffer buffer = Mixed();
    OutputBuffer other;
    other.Append("0");
    buffer.MoveTailTo(from, other);
    EXPECT_EQ(Content(buffer), all.substr(0, from));
    EXPECT_EQ(Content(other), "0" + all.substr(from));
    EXPECT_EQ(other.size(), 1 + all.size() - from);
  }
}

TEST(OutputBufferTest, TruncateCutsAtEveryPlace) {
  const std::string all = "oneTWOTHREEfour";
  for (size_t size = 0; size <= all.size(); ++size) {
    OutputBuffer buffer = Mixed();
    buffer.Truncate(size);
    EXPECT_EQ(buffer.size(), size);
    buffer.Append("!");
    EXPECT_EQ(Content(buffer), all.substr(0, size) + "!");
  }
}

TEST(OutputBufferTest, InsertAtPutsBytesAtTheMark) {
  OutputBuffer buffer;
  buffer.Append("a");
  buffer.Append(Shared("BEFORE"));
  size_t mark = buffer.Mark();
  buffer.Append(Shared("BEHIND"));
  buffer.Append("b");
  buffer.InsertAt(mark, "*2\r\n");
  EXPECT_EQ(Content(buffer), "aBEFORE*2\r\nBEHINDb");
  EXPECT_EQ(buffer.size(), 18u);
}

TEST(OutputBufferTest, InsertAtWorksBehindSentBytesAndAcrossGrowth) {
  OutputBuffer buffer;
  buffer.Append(std::string(1000, 's'));
  buffer.Consume(900);
  size_t mark = buffer.Mark();
  std::string tail(5000, 't');
  buffer.Append(tail);
  buffer.InsertAt(mark, "HEAD");
  EXPECT_EQ(Content(buffer), std::string(100, 's') + "HEAD" + tail);
}

// Compares it with a plain string that does the same.
TEST(OutputBufferTest, RandomOperationsAgreeWithAString) {
  std::mt19937 random(7);
  auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  OutputBuffer buffer;
  OutputBuffer other;
  std::string model;
  std::string other_model;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(below(40), static_cast<char>('a' + below(26)));
    size_t place = below(model.size() + 1);
    switch (below(8)) {
      case 0:
      case 1:
        buffer.Append(bytes);
        model += bytes;
        break;
      case 2:
        buffer.Append(Shared(bytes));
        model += bytes;
        break;
      case 3:
        buffer.Consume(place);
        model.erase(0, place);
        break;
      case 4: {
        size_t mark = buffer.Mark();
        buffer.Append(Shared(bytes));
        buffer.Append("text");
        buffer.InsertAt(mark, "*12\r\n");
        model += "*12\r\n" + bytes + "text";
        break;
      }
      case 5:
        place = model.size() - std::min<size_t>(model.size(), below(20));
        buffer.Truncate(place);
        model.resize(place);
        break;
      case 6:
        buffer.MoveTailTo(place, other);
        other_model += model.substr(place);
        model.resize(place);
        break;
      case 7:
        other.MoveTo(buffer);
        model += std::exchange(other_model, {});
        break;
    }
    ASSERT_EQ(buffer.size(), model.size());
    ASSERT_EQ(Content(buffer), model) << "after operation " << i;
    ASSERT_EQ(Content(other), other_model);
  }
}

}  // namespace
}  // namespace cloakroom
