#include "replication/rdb/rdb_writer.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "replication/rdb/rdb_loader.h"
#include "storage/keyspace/access_clock.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "tests/replication/support/rdb_bytes.h"
#include "tests/storage/support/fake_slot.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

class RdbWriterTest : public testing::Test {
 protected:
  static constexpr int64_t kNowMs = TestClock::kStartMs;

  /// What the writer makes of entries added with Add.
  std::string Written() {
    StringSink sink;
    RdbWriter writer(sink, options_);
    writer.Begin();
    for (EntryView& entry : entries_) writer.Entry(entry);
    writer.End();
    status_ = writer.status();
    EXPECT_EQ(writer.bytes_written(), sink.text().size());
    return sink.Take();
  }
  /// The bytes between magic and end.
  std::string Items() {
    const std::string file = Written();
    return file.substr(9, file.size() - 9 - 9);
  }
  /// What our loader finds in the file.
  std::map<std::string, std::string> Reloaded() {
    const std::string file = Written();
    StringSource source(file);
    Keyspace keyspace({.databases = 3}, clock_);
    const RdbLoadResult result =
        LoadRdb(source, file.size(), keyspace, {.drop_expired = false, .now_ms = kNowMs});
    EXPECT_TRUE(result.ok()) << (result.error ? result.error->Text() : "");
    return ContentOf(keyspace);
  }

  void Add(std::string_view key, FakeSlot& slot, int db = 0, int64_t expire_at_ms = kNoExpiry) {
    entries_.push_back({.db = db, .key = key, .value = slot.view(), .expire_at_ms = expire_at_ms});
  }
  void AddString(std::string_view key, std::string_view value, int db = 0,
                 int64_t expire_at_ms = kNoExpiry) {
    MutableString(slots_.emplace_back()).Assign(value);
    Add(key, slots_.back(), db, expire_at_ms);
  }

  RdbOptions options_{.compression = false, .now_ms = kNowMs};
  std::deque<FakeSlot> slots_;
  std::deque<std::string> names_;
  std::vector<EntryView> entries_;
  absl::Status status_;
  TestClock clock_;
};

TEST_F(RdbWriterTest, AnEmptyFileIsRedis) {
  EXPECT_EQ(Written(), RdbFile(""));
  options_.version = 12;
  EXPECT_EQ(Written(), RdbFile("", "REDIS0012"));
  options_.checksum = false;
  EXPECT_EQ(Written(), "REDIS0012\xff"s + std::string(8, '\0'));
}

TEST_F(RdbWriterTest, LibrariesNeedVersion10) {
  for (const int version : {9, 10}) {
    options_.version = version;
    StringSink sink;
    RdbWriter writer(sink, options_);
    writer.Begin();
    writer.Function("#!lua");
    writer.End();
    EXPECT_EQ(writer.status().ok(), version == 10);
    if (version == 10) EXPECT_EQ(sink.text(), RdbFile("\xf5\x05#!lua"));
  }
}

TEST_F(RdbWriterTest, StringsAreWrittenInTheShortestForm) {
  AddString("a", "text");
  AddString("b", "-5");
  AddString("c", "300");
  AddString("d", "70000");
  AddString("e", "5000000000");
  AddString("12", "007");
  EXPECT_EQ(Items(), "\xfe\x00"s +
                         "\x00\x01"
                         "a\x04text"s +
                         "\x00\x01"
                         "b\xc0\xfb"s +
                         "\x00\x01"
                         "c\xc1\x2c\x01"s +
                         "\x00\x01"
                         "d\xc2\x70\x11\x01\x00"s +
                         "\x00\x01"
                         "e\x0a"
                         "5000000000"s +
                         "\x00\xc0\x0c\x03"
                         "007"s);
}

TEST_F(RdbWriterTest, LongStringsAreCompressedWhereThatHelps) {
  options_.compression = true;
  AddString("a", std::string(1000, 'x'));
  EXPECT_LT(Items().size(), 60u);
  EXPECT_EQ(Reloaded(), (std::map<std::string, std::string>{{"0:a", std::string(1000, 'x')}}));
}

TEST_F(RdbWriterTest, ExpiriesAndAccessesComeBeforeTheType) {
  AddString("a", "x", 0, 0x0102030405);
  entries_.back().access = access_clock::LruAt(kNowMs - 70'000);
  EXPECT_EQ(Items(),
            "\xfe\x00\xfc\x05\x04\x03\x02\x01\x00\x00\x00\x00\x01"
            "a\x01x"s);
  options_.access = RdbOptions::Access::kIdle;
  EXPECT_EQ(Items(),
            "\xfe\x00\xfc\x05\x04\x03\x02\x01\x00\x00\x00\xf8\x40\x46\x00\x01"
            "a\x01x"s);
  options_.access = RdbOptions::Access::kFreq;
  entries_.back().access = access_clock::LfuNew(kNowMs);
  EXPECT_EQ(Items(),
            "\xfe\x00\xfc\x05\x04\x03\x02\x01\x00\x00\x00\xf9\x05\x00\x01"
            "a\x01x"s);
}

TEST_F(RdbWriterTest, DatabasesMayComeInAnyOrder) {
  AddString("a", "1", 2);
  AddString("b", "2", 0);
  AddString("c", "3", 2);
  AddString("d", "4", 2);
  EXPECT_EQ(Reloaded(), (std::map<std::string, std::string>{
                            {"2:a", "1"}, {"0:b", "2"}, {"2:c", "3"}, {"2:d", "4"}}));
}

TEST_F(RdbWriterTest, EveryEncodingComesBack) {
  options_.compression = true;
  const EncodingLimits limits;
  for (size_t items : {1, 6, 100, 600, 3000}) {
    MutableHash hash(slots_.emplace_back(), limits);
    for (size_t i = 0; i < items; ++i) {
      hash.Set("field" + std::to_string(i), i == 3 ? std::string(2000, 'b') : std::to_string(i), 0);
    }
    Add(names_.emplace_back("hash" + std::to_string(items)), slots_.back());
    for (const bool integers : {true, false}) {
      MutableSet set(slots_.emplace_back(), limits);
      for (size_t i = 0; i < items; ++i) set.Add((integers ? "" : "m") + std::to_string(i * 700));
      names_.push_back((integers ? "ints" : "set") + std::to_string(items));
      Add(names_.back(), slots_.back());
    }
  }
  AddString("big", std::string(300'000, 'q') + "end");
  AddString("empty", "");
  std::map<std::string, std::string> expected;
  for (const EntryView& entry : entries_) {
    expected["0:" + std::string(entry.key)] = SortedTextOf(entry.value);
  }
  EXPECT_TRUE(Reloaded() == expected);
  options_.compression = false;
  EXPECT_TRUE(Reloaded() == expected);
}

TEST_F(RdbWriterTest, MembersThatExpireNeedNoNewVersion) {
  const EncodingLimits limits;
  MutableSet set(slots_.emplace_back(), limits);
  for (const char* member : {"a", "b", "gone"}) set.Add(member);
  set.SetMemberExpiry("b", kNowMs + 5);
  set.SetMemberExpiry("gone", kNowMs);
  Add("set", slots_.back(), 0, kNowMs + 9);
  MutableSet large(slots_.emplace_back(), limits);
  for (int i = 0; i < 1'000; ++i) {
    large.Add("m" + std::to_string(i));
    if (i % 3 == 0) large.SetMemberExpiry("m" + std::to_string(i), kNowMs + 1 + i);
  }
  Add("large", slots_.back());
  MutableSet expired(slots_.emplace_back(), limits);
  expired.Add("a");
  expired.SetMemberExpiry("a", kNowMs);
  Add("expired", slots_.back());
  options_.version = 9;
  auto reloaded = Reloaded();
  EXPECT_TRUE(status_.ok());
  EXPECT_EQ(reloaded["0:set"],
            "a b@" + std::to_string(kNowMs + 5) + " until " + std::to_string(kNowMs + 9));
  EXPECT_EQ(reloaded["0:large"], SortedTextOf(entries_[1].value));
  EXPECT_FALSE(reloaded.contains("0:expired"));
}

TEST_F(RdbWriterTest, FieldsThatExpireNeedVersion12) {
  MutableHash hash(slots_.emplace_back(), {});
  hash.Set("a", "1", kNowMs);
  hash.Set("b", "2", kNowMs);
  hash.SetFieldExpiry("b", kNowMs + 5, kNowMs);
  Add("session", slots_.back());
  Written();
  EXPECT_TRUE(absl::IsFailedPrecondition(status_));
  EXPECT_NE(std::string(status_.message()).find("'session'"), std::string::npos);
  options_.version = 12;
  EXPECT_EQ(Reloaded()["0:session"], "a=1 b=2@" + std::to_string(kNowMs + 5));
  EXPECT_TRUE(status_.ok());
}

TEST_F(RdbWriterTest, FieldsThatHaveExpiredAreNotWritten) {
  options_.version = 12;
  MutableHash hash(slots_.emplace_back(), {});
  hash.Set("a", "1", kNowMs - 10);
  hash.SetFieldExpiry("a", kNowMs - 5, kNowMs - 10);
  Add("gone", slots_.back());
  MutableHash other(slots_.emplace_back(), {});
  other.Set("a", "1", kNowMs - 10);
  other.Set("b", "2", kNowMs - 10);
  other.SetFieldExpiry("a", kNowMs - 5, kNowMs - 10);
  Add("left", slots_.back());
  EXPECT_EQ(Reloaded(), (std::map<std::string, std::string>{{"0:left", "b=2"}}));
}

TEST_F(RdbWriterTest, EntriesFromOtherEncodersFitIn) {
  StringSink encoded;
  RdbEncoder encoder(encoded, options_);
  AddString("a", "1");
  encoder.Entry(entries_.back());
  encoder.Flush();
  StringSink sink;
  RdbWriter writer(sink, options_);
  writer.Begin();
  writer.Aux("cloakroom-script", "return 1");
  writer.ResizeDb(1, 5, 2);
  writer.Encoded(1, encoded.text());
  writer.End();
  EXPECT_EQ(sink.text(), RdbFile("\xfa\x10"
                                 "cloakroom-script\x08return 1"
                                 "\xfe\x01\xfb\x05\x02"
                                 "\x00\x01"
                                 "a\xc0\x01"s));
}

}  // namespace
}  // namespace cloakroom
