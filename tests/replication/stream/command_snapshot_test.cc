#include "replication/stream/command_snapshot.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "storage/values/hash.h"
#include "storage/values/memory_slot.h"
#include "storage/values/mutable_stream.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// The words of RESP commands, "SET key value; …".
std::string Words(std::string_view resp) {
  std::string text;
  while (!resp.empty()) {
    const size_t end = resp.find("\r\n");
    const size_t number = std::stoul(std::string(resp.substr(1, end - 1)));
    const bool begins = resp[0] == '*';
    resp.remove_prefix(end + 2);
    if (begins) {
      if (!text.empty()) text += "; ";
      continue;
    }
    text += (text.empty() || text.ends_with("; ") ? "" : " ") + std::string(resp.substr(0, number));
    resp.remove_prefix(number + 2);
  }
  return text;
}

std::string Said(const EntryView& entry, int64_t now_ms = 0) {
  StringSink sink;
  CommandSnapshot(sink, now_ms).Entry(entry);
  return Words(sink.text());
}

TEST(CommandSnapshotTest, EveryTypeHasItsRow) {
  for (size_t i = 0; i < kValueTypes; ++i) {
    const CommandCodec& codec = CommandCodecOf(static_cast<ValueType>(i));
    EXPECT_EQ(static_cast<size_t>(codec.type), i);
    EXPECT_NE(codec.write, nullptr);
  }
}

TEST(CommandSnapshotTest, AStringSaysItsExpiryItself) {
  MemorySlot slot;
  MutableString(slot).Assign("text");
  EXPECT_EQ(Said({.key = "k", .value = slot.view()}), "SELECT 0; SET k text");
  EXPECT_EQ(Said({.db = 3, .key = "k", .value = slot.view(), .expire_at_ms = 5000}),
            "SELECT 3; SET k text PXAT 5000");
}

TEST(CommandSnapshotTest, AStreamSaysItsEntriesItsIdsAndItsGroups) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableStream stream(slot, limits);
  const std::vector<std::string_view> words = {"f", "v"};
  stream.Append({1, 0}, words);
  stream.Append({2, 0}, words);
  stream.Erase({1, 0});
  stream.CreateGroup("g", {2, 0}, 2);
  MutableStreamGroup group(stream, "g");
  group.CreateConsumer("c", 1);
  const std::vector<StreamId> ids = {{2, 0}};
  group.Claim("c", ids, 77, 3);
  EXPECT_EQ(Said({.key = "k", .value = slot.view()}),
            "SELECT 0; XADD k 2-0 f v; XSETID k 2-0 ENTRIESADDED 2 MAXDELETEDID 1-0; "
            "XGROUP CREATE k g 2-0 ENTRIESREAD 2; XGROUP CREATECONSUMER k g c; "
            "XCLAIM k g c 0 2-0 TIME 77 RETRYCOUNT 3 JUSTID FORCE");
}

TEST(CommandSnapshotTest, AnEmptyStreamIsMadeByAnEntryThatIsGoneAtOnce) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableStream stream(slot, limits);
  stream.Create();
  EXPECT_EQ(Said({.key = "k", .value = slot.view()}),
            "SELECT 0; XADD k MAXLEN 0 0-1 x y; XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0");
}

TEST(CommandSnapshotTest, AHashSaysItsFieldsThenTheirExpiriesThenItsOwn) {
  MemorySlot slot;
  MutableHash hash(slot, {});
  for (const char* field : {"a", "b", "c"}) hash.Set(field, "v", 0);
  hash.SetFieldExpiry("b", 700, 0);
  hash.SetFieldExpiry("c", 300, 0);
  EXPECT_EQ(Said({.key = "h", .value = slot.view(), .expire_at_ms = 5000}, /*now_ms=*/300),
            "SELECT 0; HSET h a v b v; HPEXPIREAT h 700 FIELDS 1 b; PEXPIREAT h 5000");
}

TEST(CommandSnapshotTest, ASetSaysItsMembersThenTheirExpiries) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableSet set(slot, limits);
  for (const char* member : {"a", "b", "c"}) set.Add(member);
  set.SetMemberExpiry("b", 700);
  set.SetMemberExpiry("c", 300);
  EXPECT_EQ(Said({.key = "t", .value = slot.view(), .expire_at_ms = 5000}, /*now_ms=*/300),
            "SELECT 0; SADD t a b; SPEXPIREAT t 700 MEMBERS 1 b; PEXPIREAT t 5000");
}

TEST(CommandSnapshotTest, AZsetSaysItsScoresExactly) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableZset zset(slot, limits);
  zset.Put("a", 0.1);
  zset.Put("b", -std::numeric_limits<double>::infinity());
  zset.Put("c", 1e17);
  EXPECT_EQ(Said({.key = "z", .value = slot.view()}),
            "SELECT 0; ZADD z -inf b 0.10000000000000001 a 1e+17 c");
}

TEST(CommandSnapshotTest, LongSetsComeInPieces) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableSet set(slot, limits);
  std::string first;
  for (int i = 1000; i < 1064; ++i) {
    set.Add(std::to_string(i));
    first += " " + std::to_string(i);
  }
  EXPECT_EQ(Said({.key = "s", .value = slot.view()}), "SELECT 0; SADD s" + first);
  set.Add("2000");
  EXPECT_EQ(Said({.key = "s", .value = slot.view()}), "SELECT 0; SADD s" + first + "; SADD s 2000");
}

TEST(CommandSnapshotTest, ADatabaseIsSelectedOnce) {
  MemorySlot slot;
  MutableString(slot).Assign("1");
  StringSink sink;
  CommandSnapshot snapshot(sink, 0);
  snapshot.Script("return 1");
  snapshot.Function("#!lua");
  for (const int db : {0, 0, 2}) snapshot.Entry({.db = db, .key = "k", .value = slot.view()});
  EXPECT_EQ(
      Words(sink.text()),
      "SCRIPT LOAD return 1; FUNCTION LOAD #!lua; SELECT 0; SET k 1; SET k 1; SELECT 2; SET k "
      "1");
}

}  // namespace
}  // namespace cloakroom
