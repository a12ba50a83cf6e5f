#include "replication/link/sync_receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace cloakroom {
namespace {

constexpr std::string_view kMark = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
constexpr std::string_view kStream = "*1\r\n$4\r\nPING\r\n";

SyncSize Length(int64_t length) { return {.length = length}; }

SyncSize Mark(std::string_view mark) {
  SyncSize size = {.has_mark = true};
  std::copy(mark.begin(), mark.end(), size.mark.begin());
  return size;
}

/// Gives `bytes` in pieces of `piece` bytes; the rest that does not belong to the transfer.
std::string Feed(SyncReceiver& receiver, std::string_view bytes, size_t piece) {
  std::string rest;
  while (!bytes.empty()) {
    std::string_view next = bytes.substr(0, piece);
    const size_t taken = receiver.Receive(next);
    EXPECT_TRUE(taken == next.size() || receiver.done());
    rest += next.substr(taken);
    bytes.remove_prefix(next.size());
  }
  return rest;
}

/// The same result at every cut into two, and with pieces of every size.
void ExpectData(const SyncSize& size, const std::string& bytes, std::string_view data,
                std::string_view rest) {
  for (size_t cut = 0; cut <= bytes.size(); cut++) {
    StringSink sink;
    SyncReceiver receiver(size, sink);
    std::string left = Feed(receiver, bytes.substr(0, cut), std::string::npos);
    left += Feed(receiver, bytes.substr(cut), std::string::npos);
    EXPECT_EQ(sink.text(), data) << cut;
    EXPECT_EQ(left, rest) << cut;
    EXPECT_TRUE(receiver.done()) << cut;
    EXPECT_EQ(receiver.read_bytes(), static_cast<int64_t>(bytes.size() - rest.size()));
  }
  for (size_t piece = 1; piece <= bytes.size(); piece++) {
    StringSink sink;
    SyncReceiver receiver(size, sink);
    EXPECT_EQ(Feed(receiver, bytes, piece), rest) << piece;
    EXPECT_EQ(sink.text(), data) << piece;
  }
}

TEST(SyncReceiverTest, CountsToTheLengthAndLeavesTheStream) {
  const std::string data(100, 'x');
  ExpectData(Length(100), data + std::string(kStream), data, kStream);
}

TEST(SyncReceiverTest, ALengthOfNothingIsDoneAtOnce) {
  StringSink sink;
  SyncReceiver receiver(Length(0), sink);
  EXPECT_TRUE(receiver.done());
  EXPECT_EQ(receiver.Receive("abc"), 0U);
  EXPECT_EQ(sink.text(), "");
}

TEST(SyncReceiverTest, FindsTheMarkHoweverItIsCut) {
  const std::string data = "some data, longer than the mark, so that bytes are passed on before it";
  ExpectData(Mark(kMark), data + std::string(kMark) + std::string(kStream), data, kStream);
}

TEST(SyncReceiverTest, FindsAMarkBehindLessDataThanAMark) {
  ExpectData(Mark(kMark), "short" + std::string(kMark) + std::string(kStream), "short", kStream);
  ExpectData(Mark(kMark), std::string(kMark) + std::string(kStream), "", kStream);
  ExpectData(Mark(kMark), std::string(kMark), "", "");
}

TEST(SyncReceiverTest, PartsOfTheMarkAreData) {
  std::string data;
  for (size_t length = 1; length < kMark.size(); length++) data += kMark.substr(0, length);
  const std::string bytes = data + std::string(kMark) + std::string(kStream);
  for (size_t piece : {size_t{1}, size_t{7}, size_t{39}, size_t{40}, size_t{41}, bytes.size()}) {
    StringSink sink;
    SyncReceiver receiver(Mark(kMark), sink);
    EXPECT_EQ(Feed(receiver, bytes, piece), kStream);
    EXPECT_EQ(sink.text(), data);
  }
}

TEST(SyncReceiverTest, TheFirstOfOverlappingMarksEndsTheTransfer) {
  ExpectData(Mark(std::string(40, 'a')), std::string(50, 'a') + "b", "", "aaaaaaaaaab");
  std::string half = "aaaaaaaaaaaaaaaaaaab";
  ExpectData(Mark(half + half), half.substr(5) + half + half + half, half.substr(5), half);
}

TEST(SyncReceiverTest, PassesOnAllButWhatMayBeginTheMark) {
  StringSink sink;
  SyncReceiver receiver(Mark(kMark), sink);
  receiver.Receive(std::string(100, 'x'));
  EXPECT_EQ(sink.text().size(), 61U);
  for (int i = 0; i < 100; i++) receiver.Receive("y");
  EXPECT_EQ(sink.text().size(), 161U);
  EXPECT_FALSE(receiver.done());
  EXPECT_EQ(receiver.read_bytes(), 200);
}

TEST(SyncReceiverTest, TakesNothingOnceItIsDone) {
  StringSink sink;
  SyncReceiver receiver(Mark(kMark), sink);
  receiver.Receive(kMark);
  EXPECT_EQ(receiver.Receive(kMark), 0U);
  EXPECT_EQ(receiver.read_bytes(), 40);
  EXPECT_EQ(sink.text(), "");
}

TEST(SyncReceiverTest, RandomDataInRandomPiecesArrivesWhole) {
  std::minstd_rand random(7);
  for (int trial = 0; trial < 300; trial++) {
    // Two letters make many beginnings of a mark.
    std::string mark(40, 'a');
    for (char& c : mark) c = random() % 4 == 0 ? 'b' : 'a';
    std::string bytes(random() % 500, 'a');
    for (char& c : bytes) c = random() % 4 == 0 ? 'b' : 'a';
    bytes += mark;
    const size_t end = bytes.find(mark);
    bytes += "tail";
    StringSink sink;
    SyncReceiver receiver(Mark(mark), sink);
    std::string rest;
    for (std::string_view left = bytes; !left.empty();) {
      std::string_view piece = left.substr(0, 1 + random() % 60);
      rest += piece.substr(receiver.Receive(piece));
      left.remove_prefix(piece.size());
    }
    EXPECT_EQ(sink.text(), bytes.substr(0, end));
    EXPECT_EQ(rest, bytes.substr(end + 40));
  }
}

}  // namespace
}  // namespace cloakroom
