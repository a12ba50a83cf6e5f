#include "replication/rdb/rdb_decoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "replication/files/lzf.h"
#include "tests/replication/support/rdb_bytes.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

/// What a value holds, or "error: …".
std::string Decoded(uint8_t type, std::string_view value,
                    rdb::Dialect dialect = rdb::Dialect::kRedis) {
  RdbDecoder decoder{EncodingLimits{}};
  const absl::Status status = decoder.Decode(type, dialect, value);
  EXPECT_TRUE(status.ok() || !decoder.value().exists());
  if (!status.ok()) return "error: " + std::string(status.message());
  return decoder.value().exists() ? TextOf(decoder.value().view()) : "";
}

std::string Compressed(std::string_view text) {
  LzfCompressor compressor;
  std::string out(text.size() + LzfCompressor::kSlack, '\0');
  out.resize(compressor.Compress(text, out.data(), text.size()));
  return "\xc3"s + static_cast<char>(out.size()) + static_cast<char>(0x40 | text.size() >> 8) +
         static_cast<char>(text.size()) + out;
}

TEST(RdbDecoderTest, Strings) {
  EXPECT_EQ(Decoded(rdb::kString, Short("hello")), "hello");
  EXPECT_EQ(Decoded(rdb::kString, "\xc1\x39\x30"), "12345");
  EXPECT_EQ(Decoded(rdb::kString, Compressed(std::string(300, 'a'))), std::string(300, 'a'));
}

TEST(RdbDecoderTest, HashesOfEveryAge) {
  EXPECT_EQ(Decoded(rdb::kHash, "\x02" + Short("a") + Short("1") + Short("b") + "\xc0\x07"),
            "a=1 b=7");
  EXPECT_EQ(Decoded(rdb::kHashZipmap, Short("\x01\x01"
                                            "a"
                                            "\x01\x00"
                                            "1"
                                            "\xff"s)),
            "a=1");
  EXPECT_EQ(Decoded(rdb::kHashZiplist,
                    Short(Bytes(uint32_t{16}) + Bytes(uint32_t{13}) + Bytes(uint16_t{2}) +
                          "\x00\x01"
                          "a"
                          "\x03\xf8\xff"s)),
            "a=7");
  EXPECT_EQ(Decoded(rdb::kHashListpack, Short(Listpack({ListpackString("a"), "\x07"}))), "a=7");
}

TEST(RdbDecoderTest, HashesWithFieldsThatExpire) {
  EXPECT_EQ(Decoded(rdb::kHashMetadata, Bytes(int64_t{5000}) + "\x02" + "\x01"s + Short("a") +
                                            Short("1") + "\x00"s + Short("b") + Short("2")),
            "a=1@5000 b=2");
  EXPECT_EQ(Decoded(rdb::kHashMetadataOld,
                    "\x02\x40\x64"s + Short("a") + Short("1") + "\x00"s + Short("b") + Short("2")),
            "a=1@100 b=2");
  const std::string list =
      Short(Listpack({ListpackString("a"), "\x01", "\x64", ListpackString("b"), "\x02", "\x00"s}));
  EXPECT_EQ(Decoded(rdb::kHashListpackEx, Bytes(int64_t{100}) + list), "a=1@100 b=2");
  EXPECT_EQ(Decoded(rdb::kHashListpackExOld, list), "a=1@100 b=2");
  EXPECT_EQ(Decoded(rdb::kValkeyHash2,
                    "\x02" + Short("a") + Short("1") + Bytes(int64_t{100}) + Short("b") +
                        Short("2") + Bytes(int64_t{-1}),
                    rdb::Dialect::kValkey),
            "a=1@100 b=2");
}

TEST(RdbDecoderTest, SetsOfEveryKind) {
  EXPECT_EQ(Decoded(rdb::kSet, "\x02" + Short("a") + "\xc0\xff"), "a -1");
  EXPECT_EQ(Decoded(rdb::kSetIntset,
                    Short(Bytes(2) + Bytes(2) + Bytes(int16_t{-5}) + Bytes(int16_t{300}))),
            "-5 300");
  EXPECT_EQ(Decoded(rdb::kSetIntset, Short(Bytes(8) + Bytes(1) + Bytes(INT64_MIN))),
            "-9223372036854775808");
  EXPECT_EQ(Decoded(rdb::kSetListpack, Short(Listpack({ListpackString("a"), "\x07"}))), "a 7");
}

TEST(RdbDecoderTest, ListsOfEveryAge) {
  const std::string ziplist = Short(Bytes(uint32_t{16}) + Bytes(uint32_t{13}) + Bytes(uint16_t{2}) +
                                    "\x00\x01"
                                    "a"
                                    "\x03\xf8\xff"s);
  EXPECT_EQ(Decoded(rdb::kList, "\x03" + Short("b") + Short("a") + "\xc0\x07"), "b a 7");
  EXPECT_EQ(Decoded(rdb::kListZiplist, ziplist), "a 7");
  EXPECT_EQ(Decoded(rdb::kQuicklist, "\x02" + ziplist + ziplist), "a 7 a 7");
  EXPECT_EQ(
      Decoded(rdb::kQuicklist2, "\x03\x02" + Short(Listpack({ListpackString("a"), "\x07"})) +
                                    "\x01" + Short("plain") + "\x02" + Short(Listpack({"\x07"}))),
      "a 7 plain 7");
  EXPECT_EQ(Decoded(rdb::kList, "\x00"s), "");
  EXPECT_EQ(Decoded(rdb::kQuicklist2, "\x01\x02" + Short(Listpack({}))), "");
}

TEST(RdbDecoderTest, DamagedListsAreRefused) {
  EXPECT_EQ(Decoded(rdb::kList, "\x02" + Short("a")), "error: the value ends too early");
  EXPECT_EQ(Decoded(rdb::kListZiplist, Short("abc")), "error: Ziplist integrity check failed.");
  EXPECT_EQ(Decoded(rdb::kQuicklist2, "\x01\x03" + Short("a")),
            "error: Quicklist integrity check failed.");
  EXPECT_EQ(Decoded(rdb::kQuicklist2, "\x01\x02" + Short("a")),
            "error: Listpack integrity check failed.");
}

TEST(RdbDecoderTest, ALoadedListIsAListpackUpToItsLimit) {
  // Seven bytes are the listpack's, and seven the element's.
  for (const size_t size : {8192 - 7 - 7, 8192}) {
    RdbDecoder decoder{EncodingLimits{}};
    const std::string text(size, 'x');
    const std::string length = {static_cast<char>(0x40 | size >> 8), static_cast<char>(size)};
    ASSERT_TRUE(decoder.Decode(rdb::kList, rdb::Dialect::kRedis, "\x01" + length + text).ok());
    EXPECT_EQ(EncodingName(decoder.value().view()), size < 8192 ? "listpack" : "quicklist");
  }
}

TEST(RdbDecoderTest, ZsetsOfEveryAge) {
  EXPECT_EQ(Decoded(rdb::kZset,
                    "\x03" + Short("a") + Short("1.5") + Short("b") + "\xfe" + Short("c") + "\xff"),
            "c=-inf a=1.5 b=inf");
  EXPECT_EQ(Decoded(rdb::kZset2, "\x02" + Short("b") + Bytes(2.5) + "\xc0\x07" + Bytes(2.5)),
            "7=2.5 b=2.5");
  // Numbers, and a double as text. Redis keeps the order of a list; here it cannot be wrong.
  EXPECT_EQ(Decoded(rdb::kZsetListpack,
                    Short(Listpack({ListpackString("a"), "\x05", "\x07", ListpackString("1.5")}))),
            "7=1.5 a=5");
  const std::string ziplist = Bytes(uint32_t{16}) + Bytes(uint32_t{13}) + Bytes(uint16_t{2}) +
                              "\x00\x01"
                              "a"s +
                              "\x03\xf3\xff"s;
  EXPECT_EQ(Decoded(rdb::kZsetZiplist, Short(ziplist)), "a=2");
}

TEST(RdbDecoderTest, AZsetWithALongMemberKeepsTheSignOfAZero) {
  const std::string zero = Short("a") + Bytes(-0.0);
  EXPECT_EQ(Decoded(rdb::kZset2, "\x01" + zero), "a=0");
  const std::string long_member = "\x40\x41" + std::string(65, 'x') + Bytes(-1.0);
  EXPECT_EQ(Decoded(rdb::kZset2, "\x02" + zero + long_member), std::string(65, 'x') + "=-1 a=-0");
}

TEST(RdbDecoderTest, ALargeZsetIsDecodedAsOne) {
  std::string value = "\x40\xc8"s;  // 200
  for (int i = 0; i < 200; ++i) value += Short("m" + std::to_string(i)) + Bytes(double(-i));
  RdbDecoder decoder{EncodingLimits{}};
  EXPECT_TRUE(decoder.Decode(rdb::kZset2, rdb::Dialect::kRedis, value).ok());
  EXPECT_EQ(decoder.value().encoding(), Encoding::kBTree);
  EXPECT_EQ(TextOf(decoder.value().view()).substr(0, 19), "m199=-199 m198=-198");
  EXPECT_EQ(Decoded(rdb::kZset2, value.substr(0, 100)), "error: the value ends too early");
  EXPECT_EQ(Decoded(rdb::kZset2, value.substr(0, 2)), "error: the value ends too early");
}

TEST(RdbDecoderTest, DamagedZsetsAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Decoded(rdb::kZset2, "\x01" + Short("a") + Bytes(nan)),
            "error: Zset with NAN score detected");
  EXPECT_EQ(Decoded(rdb::kZset, "\x01" + Short("a") + "\xfd"),
            "error: Zset with NAN score detected");
  EXPECT_EQ(Decoded(rdb::kZset, "\x01" + Short("a") + Short("x")), "error: invalid score");
  EXPECT_EQ(Decoded(rdb::kZset2, "\x02" + Short("a") + Bytes(1.0) + Short("a") + Bytes(2.0)),
            "error: RDB zset has duplicate fields");
  EXPECT_EQ(Decoded(rdb::kZsetListpack, Short(Listpack({ListpackString("a")}))),
            "error: a member without a score");
  EXPECT_EQ(
      Decoded(rdb::kZsetListpack, Short(Listpack({ListpackString("a"), ListpackString("x")}))),
      "error: invalid score");
}

TEST(RdbDecoderTest, ATypeThatIsNotThereIsNamed) {
  EXPECT_EQ(
      Decoded(rdb::kModule, "\x01"),
      "error: a value of type 7 (module-value), which this version of Cloakroom does not have");
  RdbDecoder decoder{EncodingLimits{}};
  EXPECT_TRUE(absl::IsUnimplemented(decoder.Decode(rdb::kModule, rdb::Dialect::kRedis, "\0"s)));
  EXPECT_TRUE(
      absl::IsUnimplemented(decoder.Decode(rdb::kHashMetadata, rdb::Dialect::kValkey, "\0"s)));
  EXPECT_TRUE(absl::IsDataLoss(decoder.Decode(rdb::kHashMetadata, rdb::Dialect::kRedis, "\0"s)));
}

TEST(RdbDecoderTest, OfWhatIsEmptyNothingIsMade) {
  EXPECT_EQ(Decoded(rdb::kHash, "\x00"s), "");
  EXPECT_EQ(Decoded(rdb::kSet, "\x00"s), "");
  EXPECT_EQ(Decoded(rdb::kHashListpack, Short(Listpack({}))), "");
  EXPECT_EQ(Decoded(rdb::kSetListpack, Short(Listpack({}))), "");
}

TEST(RdbDecoderTest, DamageIsNamed) {
  EXPECT_EQ(Decoded(rdb::kSetIntset, Short(Bytes(2) + Bytes(0))),
            "error: Intset integrity check failed.");
  EXPECT_EQ(Decoded(rdb::kHash, "\x02" + Short("a") + Short("1")),
            "error: the value ends too early");
  EXPECT_EQ(Decoded(rdb::kString, Short("a") + "x"), "error: bytes behind the value");
  EXPECT_EQ(Decoded(rdb::kString, "\xc3\x02\x04\x05x"s), "error: Invalid LZF compressed string");
  EXPECT_EQ(
      Decoded(rdb::kSetIntset, Short(Bytes(2) + Bytes(2) + Bytes(int16_t{5}) + Bytes(int16_t{5}))),
      "error: Intset integrity check failed.");
  EXPECT_EQ(Decoded(rdb::kSetIntset, Short(Bytes(3) + Bytes(1) + "abc")),
            "error: Intset integrity check failed.");
  EXPECT_EQ(Decoded(rdb::kHashListpack, Short(Listpack({ListpackString("a")}))),
            "error: a field without a value");
  EXPECT_EQ(Decoded(rdb::kHashListpackExOld,
                    Short(Listpack({ListpackString("a"), "\x01", ListpackString("x")}))),
            "error: invalid expiry of a field");
  EXPECT_EQ(Decoded(rdb::kHashMetadata, Bytes(int64_t{-1}) + "\x01\x00"s + Short("a") + Short("1")),
            "error: invalid expiry");
}

}  // namespace
}  // namespace cloakroom
