#include "replication/rdb/rdb_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/replication/support/rdb_bytes.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

/// Gives at most a fixed number of bytes at a time, as a socket may.
class SlowSource final : public ByteSource {
 public:
  SlowSource(std::string_view text, size_t step) : rest_(text), step_(step) {}
  size_t Read(std::span<char> into) override {
    const size_t n = rest_.copy(into.data(), std::min(step_, into.size()));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  size_t step_;
};

/// A line for each item: "aux a=b; 0:key type 4 until 9; end".
std::string Told(RdbReader& reader) {
  std::string told;
  while (true) {
    const RdbReader::Item item = reader.Next();
    const RdbRecord& record = reader.record();
    switch (item) {
      case RdbReader::Item::kAux:
        told += "aux " + reader.name() + "=" + reader.value();
        break;
      case RdbReader::Item::kSelectDb:
        told += "db " + std::to_string(reader.db());
        break;
      case RdbReader::Item::kFunction:
        told += "function " + reader.value();
        break;
      case RdbReader::Item::kModuleAux:
        told += "module " + reader.name();
        break;
      case RdbReader::Item::kRecord:
        told += std::to_string(record.db) + ":" + std::string(record.key.bytes) + " type " +
                std::to_string(record.type) + " of " + std::to_string(record.value.size());
        if (record.expire_at_ms >= 0) told += " until " + std::to_string(record.expire_at_ms);
        if (record.idle_seconds >= 0) told += " idle " + std::to_string(record.idle_seconds);
        if (record.lfu_counter >= 0) told += " freq " + std::to_string(record.lfu_counter);
        break;
      case RdbReader::Item::kEnd:
        return told + "end";
      case RdbReader::Item::kError:
        return told + reader.error().Text();
    }
    told += "; ";
  }
}

std::string Told(std::string_view file, size_t step = SIZE_MAX) {
  SlowSource source(file, step);
  RdbReader reader(source);
  return Told(reader);
}

std::string ManyItems() {
  return "\xfa" + Short("ver") + Short("7") + "\xfe\x01\xfb\x05\x01"s + "\xfc" +
         Bytes(int64_t{777}) + "\xf8\x0a"s + "\x00"s + Short("a") + Short("1") + "\xf9\x05" +
         "\x04" + Short("h") + "\x01" + Short("f") + Short("v") + "\xfd" + Bytes(int32_t{2}) +
         "\x0b" + Short("s") + Short(Bytes(2) + Bytes(1) + Bytes(int16_t{1})) + "\xf4\x01\x02\x03";
}

TEST(RdbReaderTest, TellsEveryItem) {
  EXPECT_EQ(Told(RdbFile(ManyItems())),
            "aux ver=7; db 1; 1:a type 0 of 2 until 777 idle 10; 1:h type 4 of 5 freq 5; "
            "1:s type 11 of 11 until 2000; end");
}

TEST(RdbReaderTest, PiecesOfAnySizeMakeTheSameFile) {
  const std::string file = RdbFile(ManyItems());
  for (size_t step = 1; step < 40; ++step) EXPECT_EQ(Told(file, step), Told(file)) << step;
}

TEST(RdbReaderTest, SkipsTypesThatNobodyHasYet) {
  const std::string items =
      "\x01" + Short("list") + "\x02" + Short("a") + Short("b") +                          //
      "\x03" + Short("zset") + "\x02" + Short("a") + Short("1.5") + Short("b") + "\xfe" +  //
      "\x05" + Short("zset2") + "\x01" + Short("a") + Bytes(1.5) +                         //
      "\x12" + Short("quick") + "\x01\x02" + Short("lp") +                                 //
      "\x07" + Short("mod") + "\x09\x01\x05\x04" + Bytes(2.5) + "\x05" + Short("x") + "\x00"s +
      "\x0f" + Short("stream") + "\x01" + Short(std::string(16, 'i')) + Short("lp") +
      "\x01\x02\x03" + "\x01" + Short("group") + "\x02\x03" + "\x01" + std::string(24, 'p') +
      "\x01" + "\x01" + Short("consumer") + Bytes(int64_t{1}) + "\x01" + std::string(16, 'q');
  EXPECT_EQ(Told(RdbFile(items)),
            "0:list type 1 of 5; 0:zset type 3 of 10; 0:zset2 type 5 of 11; 0:quick type 18 of 5; "
            "0:mod type 7 of 16; 0:stream type 15 of 94; end");
}

TEST(RdbReaderTest, SumsAreChecked) {
  std::string file = RdbFile("\x00"s + Short("a") + Short("1"));
  const size_t size = file.size();
  file[13] = '2';
  EXPECT_EQ(Told(file), "0:a type 0 of 2; offset 23: RDB CRC error");
  file.replace(size - 8, 8, 8, '\0');
  EXPECT_EQ(Told(file), "0:a type 0 of 2; end");
  EXPECT_EQ(Told("REDIS0004\xff"), "end");
}

TEST(RdbReaderTest, VersionsAndDialects) {
  for (const char* magic : {"REDIS0001", "REDIS0009", "REDIS0012", "VALKEY080"}) {
    EXPECT_EQ(Told(RdbFile("", magic)), "end") << magic;
  }
  EXPECT_EQ(Told(RdbFile("", "REDIS0013")), "offset 9: Can't handle RDB format version 13");
  EXPECT_EQ(Told(RdbFile("", "VALKEY081")), "offset 9: Can't handle RDB format version 81");
  EXPECT_EQ(Told("garbage!!"), "offset 9: Wrong signature trying to load DB from file");
  const std::string hash =
      "\x16" + Short("h") + "\x01" + Short("f") + Short("v") + Bytes(int64_t{-1});
  EXPECT_EQ(Told(RdbFile(hash, "VALKEY080")), "0:h type 22 of 13; end");
}

TEST(RdbReaderTest, ErrorsNameOffsetAndKey) {
  EXPECT_EQ(Told("REDIS0010\x00\x03key\x09"
                 "abc"s),
            "offset 15, key 'key': Unexpected EOF reading RDB file");
  EXPECT_EQ(Told("REDIS0010\x63"), "offset 10: Invalid object type: 99");
  EXPECT_EQ(Told("REDIS0010\x00\x01\n\xc9"s),
            "offset 13, key '\\n': Unknown RDB string encoding type 9");
}

TEST(RdbReaderTest, CutAtEveryByteItIsAnError) {
  const std::string file = RdbFile(ManyItems());
  for (size_t cut = 0; cut < file.size(); ++cut) {
    const std::string told = Told(std::string_view(file).substr(0, cut));
    EXPECT_NE(told.find("Unexpected EOF"), std::string::npos) << cut;
  }
}

TEST(RdbReaderTest, EveryFlippedBitIsNoticed) {
  const std::string file = RdbFile(ManyItems());
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const std::string told = Told(flipped);
    EXPECT_FALSE(told.ends_with("end")) << bit << ": " << told;
  }
}

TEST(RdbReaderTest, AClaimBeyondTheFileIsAnErrorAtOnce) {
  const std::string file =
      "REDIS0010\x00\x01k\x81\x00\x00\x7f\xff\xff\xff\xff\xff"
      "abc"s;
  StringSource source(file);
  RdbReader reader(source, file.size());
  EXPECT_EQ(reader.Next(), RdbReader::Item::kError);
  EXPECT_LE(reader.chunk()->capacity, size_t{1} << 20);
}

TEST(RdbReaderTest, LargeRecordsComeWhole) {
  const std::string text(3 << 20, 'x');
  std::string set = "\x02" + Short("set") + "\x80" + Bytes(__builtin_bswap32(400'000));
  for (int i = 0; i < 400'000; ++i) set += Short(std::to_string(i));
  const std::string file = RdbFile("\x00"s + Short("a") + Long(text) + set);
  SlowSource source(file, 100'000);
  RdbReader reader(source);
  ASSERT_EQ(reader.Next(), RdbReader::Item::kRecord);
  EXPECT_TRUE(reader.record().value == Long(text));
  ASSERT_EQ(reader.Next(), RdbReader::Item::kRecord);
  EXPECT_TRUE(reader.record().value == std::string_view(set).substr(5));
  EXPECT_EQ(reader.Next(), RdbReader::Item::kEnd);
  EXPECT_EQ(reader.offset(), file.size());
}

TEST(RdbReaderTest, RoomForALargeRecordGrowsByDoubling) {
  std::string set = "\x02" + Short("set") + "\x80" + Bytes(__builtin_bswap32(400'000));
  for (int i = 0; i < 400'000; ++i) set += Short(std::to_string(i));
  const std::string file = RdbFile(set);
  StringSource source(file);
  RdbReader reader(source, file.size());
  ASSERT_EQ(reader.Next(), RdbReader::Item::kRecord);
  EXPECT_TRUE(reader.record().value == std::string_view(set).substr(5));
  EXPECT_GE(reader.chunk()->capacity, set.size());
  EXPECT_LE(reader.chunk()->capacity, 2 * set.size() + (1 << 20));
}

TEST(RdbReaderTest, RecordsOutliveTheReadersProgressWithTheirChunk) {
  std::string items;
  for (int i = 0; i < 5000; ++i) {
    items +=
        "\x00"s + Short("k" + std::to_string(i)) + Long(std::string(500, static_cast<char>(i)));
  }
  StringSource source(items = RdbFile(items));
  RdbReader reader(source);
  ASSERT_EQ(reader.Next(), RdbReader::Item::kRecord);
  const std::shared_ptr<RdbChunk> chunk = reader.chunk();
  const RdbRecord first = reader.record();
  while (reader.Next() == RdbReader::Item::kRecord) {
  }
  EXPECT_NE(reader.chunk(), chunk);
  EXPECT_EQ(first.key.bytes, "k0");
  EXPECT_TRUE(first.value == Long(std::string(500, '\0')));
}

TEST(RdbReaderTest, WhatFollowsTheFileIsLeft) {
  const std::string file = RdbFile("\x00"s + Short("a") + Short("1")) + "*1\r\n$4\r\nPING\r\n";
  StringSource source(file);
  RdbReader reader(source);
  EXPECT_EQ(Told(reader), "0:a type 0 of 2; end");
  EXPECT_EQ(reader.rest(), "*1\r\n$4\r\nPING\r\n");
}

TEST(RdbReaderTest, GoesOnBehindDamage) {
  std::string items;
  for (int i = 0; i < 20; ++i) items += "\x00"s + Short("key" + std::to_string(i)) + Short("value");
  std::string file = RdbFile(items);
  const size_t hit = file.find("key5");
  file[hit - 2] = '\x77';  // Its type.
  StringSource source(file);
  RdbReader reader(source, file.size());
  std::string told = Told(reader);
  EXPECT_TRUE(told.ends_with("Invalid object type: 119")) << told;
  ASSERT_TRUE(reader.Resync());
  told = Told(reader);
  EXPECT_TRUE(told.starts_with("0:key6 type 0 of 6; 0:key7")) << told;
  EXPECT_TRUE(told.ends_with("0:key19 type 0 of 6; end")) << told;
}

TEST(RdbReaderTest, GivesUpWhereNothingCanBeRead) {
  const std::string file = "REDIS0010\x77" + std::string(5000, 'z');
  StringSource source(file);
  RdbReader reader(source, file.size());
  EXPECT_EQ(reader.Next(), RdbReader::Item::kError);
  EXPECT_FALSE(reader.Resync());
}

TEST(RdbReaderTest, NoiseNeverCrashes) {
  std::minstd_rand random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string file = "REDIS0012";
    for (int i = 0; i < 60; ++i) {
      file.push_back(static_cast<char>(random() % 3 == 0 ? random() % 26 : random() >> 8));
    }
    StringSource source(file);
    RdbReader reader(source, round % 2 == 0 ? file.size() : RdbReader::kUnknownSize);
    while (true) {
      const RdbReader::Item item = reader.Next();
      if (item == RdbReader::Item::kEnd) break;
      if (item == RdbReader::Item::kError && !reader.Resync()) break;
    }
  }
}

}  // namespace
}  // namespace cloakroom
