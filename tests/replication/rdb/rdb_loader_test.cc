#include "replication/rdb/rdb_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "storage/keyspace/access_clock.h"
#include "tests/replication/support/rdb_bytes.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;
using Content = std::map<std::string, std::string>;

class RdbLoaderTest : public KeyspaceTest {
 protected:
  RdbLoaderTest() { options_.now_ms = now_ms(); }

  RdbLoadResult Load(const std::string& file) {
    StringSource source(file);
    return LoadRdb(source, file.size(), keyspace_, options_);
  }
  std::string ErrorOf(const std::string& file) {
    const RdbLoadResult result = Load(file);
    return result.error ? result.error->Text() : "none";
  }

  static std::string String(std::string_view key, std::string_view value) {
    return "\x00"s + Short(key) + Short(value);
  }
  static std::string Expiry(int64_t at_ms) { return "\xfc" + Bytes(at_ms); }

  RdbLoadOptions options_;
};

TEST_F(RdbLoaderTest, LoadsEveryDatabase) {
  const std::string file =
      RdbFile("\xfe\x00"s + String("a", "1") + "\xfe\x02" + Expiry(now_ms() + 500) +
              String("b", "2") + "\x04" + Short("h") + "\x01" + Short("f") + Short("v"));
  const RdbLoadResult result = Load(file);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.keys, 3u);
  EXPECT_EQ(result.bytes, file.size());
  EXPECT_EQ(ContentOf(keyspace_), (Content{{"0:a", "1"},
                                           {"2:b", "2 until " + std::to_string(now_ms() + 500)},
                                           {"2:h", "f=v"}}));
  EXPECT_EQ(db(2).size(), 2u);
  EXPECT_EQ(db(2).expires(), 1u);
}

TEST_F(RdbLoaderTest, AnyNumberOfThreadsLoadsTheSame) {
  std::string items;
  for (int i = 0; i < 30'000; ++i) items += String("key" + std::to_string(i), std::to_string(i));
  const std::string file = RdbFile(items);
  for (int threads : {1, 2, 5}) {
    Keyspace keyspace({.databases = 1}, clock_);
    StringSource source(file);
    options_.threads = threads;
    EXPECT_EQ(LoadRdb(source, file.size(), keyspace, options_).keys, 30'000u);
    EXPECT_EQ(keyspace.db(0).size(), 30'000u);
    EXPECT_EQ(ContentOf(keyspace)["0:key29999"], "29999");
  }
}

TEST_F(RdbLoaderTest, ExpiredKeysAreDroppedUnlessAReplicaLoads) {
  const std::string file = RdbFile(Expiry(now_ms()) + String("a", "1") + String("b", "2"));
  const RdbLoadResult result = Load(file);
  EXPECT_EQ(result.keys, 1u);
  EXPECT_EQ(result.expired, 1u);
  EXPECT_EQ(ContentOf(keyspace_).count("0:a"), 0u);
  options_.drop_expired = false;
  Keyspace replica({.databases = 1}, clock_);
  StringSource source(file);
  EXPECT_EQ(LoadRdb(source, file.size(), replica, options_).keys, 2u);
}

TEST_F(RdbLoaderTest, ExpiredKeysAreKeptIfReplicasMayContinue) {
  const std::string history = "\xfa" + Short("repl-id") + Short(std::string(40, 'a'));
  const RdbLoadResult result =
      Load(RdbFile(history + Expiry(now_ms()) + String("a", "1") + String("b", "2")));
  EXPECT_EQ(result.keys, 2u);
  EXPECT_EQ(result.expired, 0u);
}

TEST_F(RdbLoaderTest, KeysWithoutElementsAreSkipped) {
  const RdbLoadResult result =
      Load(RdbFile(String("a", "1") + "\x02" + Short("s") + "\x00"s + "\x10" + Short("h") +
                   Short(Listpack({})) + String("empty string", "")));
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.keys, 2u);
  EXPECT_EQ(result.empty, 2u);
  EXPECT_EQ(ContentOf(keyspace_), (Content{{"0:a", "1"}, {"0:empty string", ""}}));
}

TEST_F(RdbLoaderTest, AHashOfWhichNoFieldIsLeftHasExpired) {
  auto field = [&](std::string_view name, int64_t time) {
    return static_cast<char>(time) + Short(name) + Short("v");
  };
  const std::string file = RdbFile(
      "\x18" + Short("gone") + Bytes(now_ms() - 1) + "\x02" + field("f", 1) + field("g", 2) +
      "\x18" + Short("half") + Bytes(now_ms()) + "\x02" + field("f", 1) + field("g", 2) + "\x18" +
      Short("kept") + Bytes(now_ms()) + "\x02" + field("f", 0) + field("g", 1) + String("a", "1"));
  const RdbLoadResult result = Load(file);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.keys, 3u);
  EXPECT_EQ(result.expired, 1u);
  EXPECT_EQ(db().size(), 3u);
  EXPECT_EQ(ContentOf(keyspace_).count("0:gone"), 0u);
  options_.drop_expired = false;
  Keyspace log({.databases = 1}, clock_);
  StringSource source(file);
  EXPECT_EQ(LoadRdb(source, file.size(), log, options_).keys, 4u);
}

TEST_F(RdbLoaderTest, AWrongChecksumPassesWhenNobodyAsks) {
  std::string file = RdbFile(String("c", "1"));
  file.back() ^= 1;
  options_.checksum = false;
  EXPECT_TRUE(Load(file).ok());
}

TEST_F(RdbLoaderTest, AuxDataOfAModuleIsRefusedAndPassedOverByRepair) {
  // The id's nine letters and version; when; a number; the end.
  const std::string aux = "\xf7\x81"s + std::string(8, '\0') + "\x02\x01\x02\x05\x00"s;
  const std::string file = RdbFile(aux + String("a", "1"));
  EXPECT_EQ(ErrorOf(file),
            "offset 24: AUX data of the module 'AAAAAAAAA'; Cloakroom does not have modules");
  options_.lenient = true;
  const RdbLoadResult repaired = Load(file);
  EXPECT_TRUE(repaired.ok());
  EXPECT_EQ(repaired.keys, 1u);
  EXPECT_EQ(repaired.lost, 1u);
}

TEST_F(RdbLoaderTest, ASoundFileIsToldFromADamagedOne) {
  auto cause = [&](const std::string& file) { return Load(file).error->cause; };
  EXPECT_EQ(cause(RdbFile(ModuleValue("list"))), RdbCause::kUnsupported);
  EXPECT_EQ(cause(RdbFile("", "REDIS0013")), RdbCause::kUnsupported);
  EXPECT_EQ(cause(RdbFile("\xfe\x07" + String("b", "1"))), RdbCause::kSettings);
  EXPECT_EQ(cause(RdbFile(String("a", "1")).substr(0, 13)), RdbCause::kDamage);
  EXPECT_EQ(cause("REDISabcd"), RdbCause::kDamage);
}

TEST_F(RdbLoaderTest, RepairDoesNotTakeAnythingForAnRdbFile) {
  options_.lenient = true;
  EXPECT_TRUE(Load("").error);
  EXPECT_TRUE(Load(RdbFile("", "REDIS0013")).error);
}

TEST_F(RdbLoaderTest, AuxFieldsAreToldInOrder) {
  std::vector<std::string> told;
  options_.aux = [&](std::string_view name, std::string_view value) {
    told.push_back(std::string(name) + "=" + std::string(value));
  };
  const RdbLoadResult result = Load(RdbFile("\xfa" + Short("cloakroom-script") + Short("return 1") +
                                            "\xfa" + Short("cloakroom-script") + Short("return 2") +
                                            "\xfa" + Short("x") + "\xc0\x05"));
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(told, (std::vector<std::string>{"cloakroom-script=return 1",
                                            "cloakroom-script=return 2", "x=5"}));
}

TEST_F(RdbLoaderTest, LibrariesAreHandedOver) {
  const std::string file = RdbFile("\xf5" + Short("#!lua name=x") + String("a", "1"));
  EXPECT_TRUE(Load(file).ok()) << "skipped, since nobody takes them";
  std::vector<std::string> told;
  options_.replace = true;
  options_.function = [&](std::string_view source) {
    told.emplace_back(source);
    return absl::OkStatus();
  };
  EXPECT_EQ(Load(file).keys, 1U);
  EXPECT_EQ(told, std::vector<std::string>{"#!lua name=x"});
}

TEST_F(RdbLoaderTest, ALibraryThatIsRefusedIsAnErrorOfTheFile) {
  const std::string file = RdbFile("\xf5" + Short("#!lua name=x") + String("a", "1"));
  options_.function = [](std::string_view) {
    return absl::InvalidArgumentError("ERR No functions registered");
  };
  EXPECT_EQ(ErrorOf(file), "offset 23: a function library: ERR No functions registered");
  options_.lenient = true;
  const RdbLoadResult result = Load(file);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.lost, 1U);
  EXPECT_EQ(result.keys, 1U);
}

TEST_F(RdbLoaderTest, AccessesAreKept) {
  EXPECT_TRUE(Load(RdbFile("\xf8\x32" + String("a", "1"))).ok());
  Stripe& stripe = db().StripeOf(KeyHash::Of("a"));
  {
    const MutexLock lock(stripe.mutex);
    const Entry& entry = **stripe.table.Find("a", KeyHash::Of("a"));
    EXPECT_EQ(access_clock::IdleSeconds(entry.access(), now_ms()), 50);
  }
  keyspace_.settings().policy = EvictionPolicy::kAllKeysLfu;
  EXPECT_TRUE(Load(RdbFile("\xf9\x63" + String("b", "1"))).ok());
  Stripe& other = db().StripeOf(KeyHash::Of("b"));
  const MutexLock lock(other.mutex);
  const Entry& entry = **other.table.Find("b", KeyHash::Of("b"));
  EXPECT_EQ(access_clock::LfuDecayed(entry.access(), now_ms(), 1), 0x63);
}

TEST_F(RdbLoaderTest, ErrorsNameTheKey) {
  EXPECT_EQ(ErrorOf(RdbFile(ModuleValue("queue"))),
            "offset 9, key 'queue': a value of type 7 (module-value), which this version of "
            "Cloakroom does not have");
  EXPECT_EQ(ErrorOf(RdbFile(String("a", "1") + String("a", "2"))),
            "offset 14, key 'a': the key was in the file before");
  EXPECT_EQ(ErrorOf(RdbFile("\xfe\x07" + String("b", "1"))),
            "offset 11, key 'b': it is in database 7, and the setting `databases` is 3");
  EXPECT_EQ(ErrorOf("REDIS0010"), "offset 9: Unexpected EOF reading RDB file");
  std::string wrong_sum = RdbFile(String("c", "1"));
  wrong_sum.back() ^= 1;
  EXPECT_EQ(ErrorOf(wrong_sum), "offset 23: RDB CRC error");
}

TEST_F(RdbLoaderTest, TheFirstErrorOfTheFileCounts) {
  const std::string bad = "\x0b" + Short("s") + Short("x");
  EXPECT_EQ(ErrorOf(RdbFile(String("a", "1") + bad) + "\xf2"),
            "offset 14, key 's': Intset integrity check failed.");
}

TEST_F(RdbLoaderTest, LenientLoadsTheRest) {
  options_.lenient = true;
  std::string items = String("first", "1") + ModuleValue("list");
  for (int i = 0; i < 9; ++i) items += String("key" + std::to_string(i), "v");
  std::string file = RdbFile(items);
  file[file.find("key2") - 2] = '\x77';
  const RdbLoadResult result = Load(file);
  EXPECT_FALSE(result.error);
  EXPECT_EQ(result.keys, 9u);
  EXPECT_EQ(result.lost, 2u);
  ASSERT_EQ(result.damage.size(), 2u);
  EXPECT_EQ(result.damage[0].key, "list");
  EXPECT_EQ(result.damage[1].message, "Invalid object type: 119");
  EXPECT_EQ(ContentOf(keyspace_).count("0:key8"), 1u);
}

TEST_F(RdbLoaderTest, LenientKeepsWhatCameBeforeACut) {
  options_.lenient = true;
  const std::string file = RdbFile(String("a", "1") + String("b", "2"));
  EXPECT_EQ(Load(file.substr(0, 17)).keys, 1u);
  EXPECT_EQ(ContentOf(keyspace_), (Content{{"0:a", "1"}}));
}

TEST_F(RdbLoaderTest, StopsWhenAsked) {
  std::string items;
  for (int i = 0; i < 60'000; ++i) {
    items += String("key" + std::to_string(i), std::string(40, 'x'));
  }
  std::atomic<bool> stop = true;
  options_.stop = &stop;
  uint64_t told = 0;
  options_.progress = [&](uint64_t bytes) { told = bytes; };
  const RdbLoadResult result = Load(RdbFile(items));
  EXPECT_TRUE(result.stopped);
  EXPECT_FALSE(result.ok());
  EXPECT_LT(result.keys, 60'000u);
  EXPECT_GT(told, 0u);
}

TEST_F(RdbLoaderTest, WhatFollowsTheRdbIsHandedOn) {
  EXPECT_EQ(Load(RdbFile(String("a", "1")) + "*1\r\n").rest, "*1\r\n");
}

TEST_F(RdbLoaderTest, AFileThatIsNotThereIsAFileError) {
  const RdbLoadResult result = LoadRdb(SystemFiles(), "/nonexistent/dump.rdb", keyspace_, options_);
  EXPECT_TRUE(absl::IsNotFound(result.file_status));
  EXPECT_FALSE(result.ok());
}

TEST_F(RdbLoaderTest, EveryFlippedBitIsNoticedAndCrashesNothing) {
  const std::string file =
      RdbFile("\xfe\x01" + String("a", "1") + "\x04" + Short("h") + "\x02" + Short("f") +
              Short("v") + Short("g") +
              "\xc3\x05\x09\x01xx\xe0"
              "\x00\x00"s +
              "\x10" + Short("l") + Short(Listpack({ListpackString("a"), "\x07"})) + "\x0b" +
              Short("s") + Short(Bytes(2) + Bytes(1) + Bytes(int16_t{1})));
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    Keyspace keyspace({.databases = 3}, clock_);
    StringSource source(flipped);
    options_.threads = 1;
    EXPECT_FALSE(LoadRdb(source, flipped.size(), keyspace, options_).ok()) << bit;
  }
}

}  // namespace
}  // namespace cloakroom
