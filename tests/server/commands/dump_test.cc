#include <string>

#include "replication/files/crc64.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/persistence_fixture.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

constexpr char kWrongPayload[] = "-ERR DUMP payload version or checksum are wrong\r\n";
constexpr char kBadFormat[] = "-ERR Bad data format\r\n";

/// The bytes of a bulk reply.
std::string Unwrapped(const std::string& reply) {
  const size_t begin = reply.find("\r\n") + 2;
  return reply.substr(begin, reply.size() - begin - 2);
}

/// A payload of these bytes with a right footer.
std::string Payload(std::string_view content, char version = 10) {
  std::string bytes = std::string(content) + version + '\0';
  const uint64_t sum = Crc64(0, bytes);
  return bytes.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
}

class DumpTest : public ServerTest {
 protected:
  std::string Dumped(const std::string& key) { return Unwrapped(Run({"DUMP", key})); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(DumpTest, AnAbsentKeyIsNull) { EXPECT_EQ(Run("DUMP absent"), "$-1\r\n"); }

TEST_F(DumpTest, EveryTypeComesBack) {
  Run("SET s text");
  Run("HSET h a 1 b 2");
  Run("SADD t a b c");
  Run("SADD i 1 2 3");
  for (const std::string key : {"s", "h", "t", "i"}) {
    const std::string digest = Run({"DEBUG", "DIGEST-VALUE", key});
    const std::string encoding = Run({"OBJECT", "ENCODING", key});
    const std::string payload = Dumped(key);
    EXPECT_EQ(Run({"RESTORE", key + "2", "0", payload}), "+OK\r\n");
    EXPECT_EQ(Run({"DEBUG", "DIGEST-VALUE", key + "2"}), digest);
    EXPECT_EQ(Run({"OBJECT", "ENCODING", key + "2"}), encoding);
    EXPECT_EQ(Run({"DUMP", key + "2"}), Run({"DUMP", key}));
  }
}

TEST_F(DumpTest, ATtlThatDoesNotFitIsOverAtOnce) {
  Run("SET a 1");
  const std::string payload = Dumped("a");
  EXPECT_EQ(Run({"RESTORE", "b", "9223372036854775807", payload}), "+OK\r\n");
  EXPECT_EQ(Run("EXISTS b"), ":0\r\n");
  EXPECT_EQ(Run({"RESTORE", "b", "9223372036854775807", payload, "ABSTTL"}), "+OK\r\n");
  EXPECT_EQ(Run("PEXPIRETIME b"), ":9223372036854775807\r\n");
}

TEST_F(DumpTest, AKeyInTheWayOfRestoreIsUsed) {
  Run("CONFIG SET maxmemory-policy allkeys-lfu");
  Run("SET a 1");
  EXPECT_EQ(Run("OBJECT FREQ a"), ":5\r\n");
  EXPECT_EQ(Run("RESTORE a 0 x"), "-BUSYKEY Target key name already exists.\r\n");
  EXPECT_EQ(Run("OBJECT FREQ a"), ":6\r\n");
}

TEST_F(DumpTest, DamagedSizesInsideAreBadFormat) {
  // A hash with the field a: the listpack's elements have 2 and 1 bytes, as the sizes behind say.
  const std::string good =
      "\x10\x0c\x0c\x00\x00\x00\x02\x00\x81"
      "a\x02\x01\x01\xff"s;
  EXPECT_EQ(Run({"RESTORE", "good", "0", Payload(good)}), "+OK\r\n");
  for (const size_t at : {10u, 12u}) {
    std::string damaged = good;
    damaged[at] = 3;
    EXPECT_EQ(Run({"RESTORE", "bad", "0", Payload(damaged)}), kBadFormat) << at;
  }
}

TEST_F(DumpTest, RestoreReplacesOnlyIfAsked) {
  Run("MSET a 1 b 2");
  Run("EXPIRE b 100");
  const std::string payload = Dumped("a");
  EXPECT_EQ(Run({"RESTORE", "b", "0", payload}), "-BUSYKEY Target key name already exists.\r\n");
  events_.Take();
  EXPECT_EQ(Run({"RESTORE", "b", "0", payload, "REPLACE"}), "+OK\r\n");
  EXPECT_EQ(events_.Take(), "restore b; ");
  EXPECT_EQ(Run("GET b"), "$1\r\n1\r\n");
  EXPECT_EQ(Run("TTL b"), ":-1\r\n");
  EXPECT_EQ(server_.keyspace().db(0).expires(), 0u);
}

TEST_F(DumpTest, TheTimeToLiveIsRelativeOrAbsolute) {
  Run("SET a 1");
  const std::string payload = Dumped("a");
  EXPECT_EQ(Run({"RESTORE", "b", "5000", payload}), "+OK\r\n");
  EXPECT_EQ(Run("PTTL b"), ":5000\r\n");
  EXPECT_EQ(Run({"RESTORE", "c", std::to_string(now_ms() + 700), payload, "ABSTTL"}), "+OK\r\n");
  EXPECT_EQ(Run("PTTL c"), ":700\r\n");
  EXPECT_EQ(Run({"RESTORE", "d", "-1", payload}), "-ERR Invalid TTL value, must be >= 0\r\n");
  EXPECT_EQ(Run({"RESTORE", "d", "x", payload}),
            "-ERR value is not an integer or out of range\r\n");
}

TEST_F(DumpTest, WhatHasExpiredIsNotMadeButReplaces) {
  Run("MSET a 1 b 2");
  const std::string payload = Dumped("a");
  events_.Take();
  EXPECT_EQ(Run({"RESTORE", "c", "1", payload, "ABSTTL"}), "+OK\r\n");
  EXPECT_EQ(events_.Take(), "");
  EXPECT_EQ(Run({"RESTORE", "b", "1", payload, "ABSTTL", "REPLACE"}), "+OK\r\n");
  EXPECT_EQ(events_.Take(), "del b; ");
  EXPECT_EQ(Run("EXISTS b c"), ":0\r\n");
}

TEST_F(DumpTest, AHashWhoseFieldsHaveExpiredIsNotMade) {
  Run("HSET h f v");
  Run("HPEXPIRE h 100 FIELDS 1 f");
  const std::string payload = Dumped("h");
  Advance(200);
  EXPECT_EQ(Run({"RESTORE", "g", "0", payload}), "+OK\r\n");
  EXPECT_EQ(Run("EXISTS g"), ":0\r\n");
  EXPECT_EQ(Run("DUMP h"), "$-1\r\n");
}

TEST_F(DumpTest, OptionsAreCheckedInRedisOrder) {
  Run("SET a 1");
  const std::string payload = Dumped("a");
  const auto restored = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"RESTORE", "n", "0", payload};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  };
  EXPECT_EQ(restored({"IDLETIME", "-1"}), "-ERR Invalid IDLETIME value, must be >= 0\r\n");
  EXPECT_EQ(restored({"IDLETIME"}), "-ERR syntax error\r\n");
  EXPECT_EQ(restored({"IDLETIME", "x"}), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(restored({"FREQ", "256"}), "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n");
  EXPECT_EQ(restored({"FREQ", "-1"}), "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n");
  EXPECT_EQ(restored({"FREQ", "1", "IDLETIME", "1"}), "-ERR syntax error\r\n");
  EXPECT_EQ(restored({"IDLETIME", "1", "FREQ", "1"}), "-ERR syntax error\r\n");
  EXPECT_EQ(restored({"BOGUS"}), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("RESTORE a -1 x"), "-BUSYKEY Target key name already exists.\r\n");
  EXPECT_EQ(Run("RESTORE n -1 x"), "-ERR Invalid TTL value, must be >= 0\r\n");
  EXPECT_EQ(Run("RESTORE n 0 x"), kWrongPayload);
}

TEST_F(DumpTest, TheIdleTimeAndTheFrequencyAreKept) {
  Run("SET a 1");
  const std::string payload = Dumped("a");
  EXPECT_EQ(Run({"RESTORE", "b", "0", payload, "IDLETIME", "1000"}), "+OK\r\n");
  EXPECT_EQ(Run("OBJECT IDLETIME b"), ":1000\r\n");
  EXPECT_EQ(Run("CONFIG SET maxmemory-policy allkeys-lfu"), "+OK\r\n");
  EXPECT_EQ(Run({"RESTORE", "c", "0", payload, "FREQ", "77"}), "+OK\r\n");
  EXPECT_EQ(Run("OBJECT FREQ c"), ":77\r\n");
}

TEST_F(DumpTest, WrongBytesAreRefused) {
  EXPECT_EQ(Run({"RESTORE", "k", "0", ""}), kWrongPayload);
  EXPECT_EQ(Run({"RESTORE", "k", "0", Payload("\x00\x01x"s, 13)}), kWrongPayload);
  EXPECT_EQ(Run({"RESTORE", "k", "0", Payload("")}), kBadFormat);
  EXPECT_EQ(Run({"RESTORE", "k", "0", Payload("\xfe\x01x"s)}), kBadFormat);
  EXPECT_EQ(Run({"RESTORE", "k", "0", Payload("\x00\x05x"s)}), kBadFormat);
  EXPECT_EQ(Run({"RESTORE", "k", "0", Payload("\x02\x00"s)}), kBadFormat);
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
}

TEST_F(DumpTest, ALargeValueIsReadAndWrittenOutsideTheEventLoop) {
  for (int i = 0; i < 20'000; ++i) Run("SADD big member:" + std::to_string(i));
  const std::string payload = Dumped("big");
  int prepared = 0;
  after_preparing_ = [&] {
    ++prepared;
    EXPECT_EQ(Run("EXISTS copy"), ":0\r\n");
  };
  EXPECT_EQ(Run({"RESTORE", "copy", "0", payload}), "+OK\r\n");
  EXPECT_EQ(prepared, 1);
  EXPECT_EQ(Run("DEBUG DIGEST-VALUE copy"), Run("DEBUG DIGEST-VALUE big"));
  after_preparing_ = nullptr;
  std::string wrong = payload;
  wrong[100] = static_cast<char>(wrong[100] ^ 1);
  EXPECT_EQ(Run({"RESTORE", "other", "0", wrong}), kWrongPayload);
}

TEST_F(DumpTest, ALargeValueDoesNotReplaceAKeyThatCameMeanwhile) {
  for (int i = 0; i < 20'000; ++i) Run("SADD big member:" + std::to_string(i));
  const std::string payload = Dumped("big");
  after_preparing_ = [&] { Run("SET copy mine"); };
  EXPECT_EQ(Run({"RESTORE", "copy", "0", payload}), "-BUSYKEY Target key name already exists.\r\n");
  EXPECT_EQ(Run("GET copy"), "$4\r\nmine\r\n");
}

class DumpLogTest : public JournalledTest {};

TEST_F(DumpLogTest, ARestoredKeyIsThereAfterARestart) {
  Run("HSET h f v");
  Run("HPEXPIRE h 5000 FIELDS 1 f");
  const std::string payload = Unwrapped(Run("DUMP h"));
  EXPECT_EQ(Run({"RESTORE", "g", "7000", payload}), "+OK\r\n");
  EXPECT_EQ(Run({"RESTORE", "gone", "100", payload}), "+OK\r\n");
  FlushLog();
  Life next(clock_, files_, {"--appendonly", "yes"});
  ASSERT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 3u);
}

}  // namespace
}  // namespace cloakroom
