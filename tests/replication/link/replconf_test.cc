#include "replication/link/replconf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloakroom {
namespace {

using namespace std::string_view_literals;

// Replies and errors are those of redis-server 7.0.15, but for VERSION (Valkey 8) and FACK (Redis
// 7.2).
class ReplconfTest : public testing::Test {
 protected:
  Replconf Read(std::vector<std::string_view> words, bool is_replica = false) {
    return ReadReplconf(words, is_replica, options_);
  }
  /// "+OK", "-" and the error, or "" if there is no reply.
  std::string Reply(std::vector<std::string_view> words, bool is_replica = false) {
    const Replconf result = Read(std::move(words), is_replica);
    if (result.reply == Replconf::Reply::kError) return "-" + result.error;
    return result.reply == Replconf::Reply::kOk ? "+OK" : "";
  }

  ReplicaOptions options_;
};

TEST_F(ReplconfTest, WithoutOptionsIsOk) { EXPECT_EQ(Reply({}), "+OK"); }

TEST_F(ReplconfTest, AnOptionNeedsAValue) {
  EXPECT_EQ(Reply({"capa"}), "-ERR syntax error");
  EXPECT_EQ(Reply({"listening-port", "1", "capa"}), "-ERR syntax error");
  EXPECT_EQ(options_, ReplicaOptions()) << "nothing is set then";
}

TEST_F(ReplconfTest, UnknownOptionsAreErrors) {
  EXPECT_EQ(Reply({"fack", "1"}), "-ERR Unrecognized REPLCONF option: fack");
  EXPECT_EQ(Reply({"no\r\nthing\0x"sv, "1"}), "-ERR Unrecognized REPLCONF option: no\r\nthing")
      << "the reply's writer makes spaces of line ends";
}

TEST_F(ReplconfTest, ListeningPortIsAnyInteger) {
  EXPECT_EQ(Reply({"Listening-Port", "6380"}), "+OK");
  EXPECT_EQ(options_.listening_port, 6380);
  EXPECT_EQ(Reply({"listening-port", "-5"}), "+OK");
  EXPECT_EQ(Reply({"listening-port", "9223372036854775807"}), "+OK");
  for (const char* wrong : {"x", " 1", "", "99999999999999999999"})
    EXPECT_EQ(Reply({"listening-port", wrong}), "-ERR value is not an integer or out of range");
}

TEST_F(ReplconfTest, IpAddressHasAtMost255Bytes) {
  const std::string longest(255, 'a');
  EXPECT_EQ(Reply({"ip-address", longest}), "+OK");
  EXPECT_EQ(options_.ip_address, longest);
  EXPECT_EQ(Reply({"ip-address", longest + "a"}),
            "-ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes");
  EXPECT_EQ(options_.ip_address, longest);
  EXPECT_EQ(Reply({"ip-address", ""}), "+OK");
  EXPECT_EQ(options_.ip_address, "");
}

TEST_F(ReplconfTest, CapabilitiesThatWeDoNotKnowAreIgnored) {
  EXPECT_EQ(Reply({"CAPA", "EOF", "capa", "dual-channel"}), "+OK");
  EXPECT_TRUE(options_.capa_eof);
  EXPECT_FALSE(options_.capa_psync2);
  EXPECT_EQ(Reply({"capa", "psync2"}), "+OK");
  EXPECT_TRUE(options_.capa_eof) << "they add up";
  EXPECT_TRUE(options_.capa_psync2);
}

TEST_F(ReplconfTest, RdbOnlyIsZeroOrOne) {
  EXPECT_EQ(Reply({"rdb-only", "1"}), "+OK");
  EXPECT_TRUE(options_.rdb_only);
  EXPECT_EQ(Reply({"rdb-only", "0"}), "+OK");
  EXPECT_FALSE(options_.rdb_only);
  EXPECT_EQ(Reply({"rdb-only", "2"}), "-ERR value is out of range, value must between 0 and 1");
  EXPECT_EQ(Reply({"rdb-only", "-1"}), "-ERR value is out of range, value must between 0 and 1");
  EXPECT_EQ(Reply({"rdb-only", "x"}), "-ERR value is not an integer or out of range");
}

TEST_F(ReplconfTest, AnEmptyFilterLeavesOutAll) {
  EXPECT_EQ(Reply({"rdb-filter-only", ""}), "+OK");
  EXPECT_TRUE(options_.exclude_data);
  EXPECT_TRUE(options_.exclude_functions);
}

TEST_F(ReplconfTest, AFilterNamesWhatIsWanted) {
  EXPECT_EQ(Reply({"rdb-filter-only", "functions \"FUNCTIONS\""}), "+OK");
  EXPECT_TRUE(options_.exclude_data);
  EXPECT_FALSE(options_.exclude_functions);
}

TEST_F(ReplconfTest, FiltersThatWeDoNotHaveAreErrors) {
  EXPECT_EQ(Reply({"rdb-filter-only", "functions keys"}),
            "-ERR Unsupported rdb-filter-only option: keys");
  EXPECT_TRUE(options_.exclude_data) << "as in Redis, it was taken apart before";
  EXPECT_EQ(Reply({"rdb-filter-only", "a\r\nb"}), "-ERR Unsupported rdb-filter-only option: a");
  EXPECT_EQ(Reply({"rdb-filter-only", "\"a\\r\\nb\\x00c\""}),
            "-ERR Unsupported rdb-filter-only option: a\r\nb");
  EXPECT_EQ(Reply({"rdb-filter-only", "\""}), "-ERR Missing rdb-filter-only values");
}

TEST_F(ReplconfTest, VersionIsThreeNumbers) {
  EXPECT_EQ(Reply({"version", "8.1.0"}), "+OK");
  EXPECT_EQ(options_.version, 0x080100);
  EXPECT_EQ(Reply({"version", "255.255.255"}), "+OK");
  for (const std::string wrong : {"", "8", "8.1", "8.1.0.0", "8..0", "8.1.x", "256.0.0", "-1.0.0"})
    EXPECT_EQ(Reply({"version", wrong}), "-ERR Unrecognized version format: " + wrong);
  EXPECT_EQ(options_.version, 0xffffff);
}

TEST_F(ReplconfTest, OptionsBeforeAWrongOneStayInForce) {
  EXPECT_EQ(Reply({"capa", "eof", "nonsense", "1", "capa", "psync2"}),
            "-ERR Unrecognized REPLCONF option: nonsense");
  EXPECT_TRUE(options_.capa_eof);
  EXPECT_FALSE(options_.capa_psync2);
}

TEST_F(ReplconfTest, AckIsNeverAnswered) {
  for (const bool is_replica : {false, true}) {
    EXPECT_EQ(Reply({"ack", "5"}, is_replica), "");
    EXPECT_EQ(Reply({"ack", "x"}, is_replica), "");
    EXPECT_EQ(Reply({"ack", "5", "nonsense", "1"}, is_replica), "");
    EXPECT_EQ(Reply({"capa", "eof", "ack", "1"}, is_replica), "");
  }
}

TEST_F(ReplconfTest, AckOfAReplicaGivesItsOffset) {
  const Replconf result = Read({"ACK", "500"}, true);
  EXPECT_TRUE(result.acked);
  EXPECT_EQ(result.ack, 500);
  EXPECT_EQ(result.fack, std::nullopt);
}

TEST_F(ReplconfTest, AckOfAClientIsIgnored) {
  const Replconf result = Read({"ack", "500", "fack", "400"});
  EXPECT_FALSE(result.acked);
  EXPECT_EQ(result.ack, std::nullopt);
  EXPECT_EQ(result.fack, std::nullopt);
}

TEST_F(ReplconfTest, AckMaySayWhatIsOnTheDisk) {
  const Replconf result = Read({"ack", "500", "FACK", "400"}, true);
  EXPECT_TRUE(result.acked);
  EXPECT_EQ(result.ack, 500);
  EXPECT_EQ(result.fack, 400);
}

TEST_F(ReplconfTest, AWrongNumberIsNoSignOfLife) {
  EXPECT_FALSE(Read({"ack", "5x"}, true).acked);
  EXPECT_EQ(Read({"ack", "5x"}, true).ack, std::nullopt);
  const Replconf result = Read({"ack", "500", "fack", "4x"}, true);
  EXPECT_FALSE(result.acked);
  EXPECT_EQ(result.ack, 500);
  EXPECT_EQ(result.fack, std::nullopt);
}

TEST_F(ReplconfTest, WordsBehindAnAckAreIgnored) {
  EXPECT_EQ(Read({"ack", "5", "capa", "eof"}, true).ack, 5);
  EXPECT_FALSE(options_.capa_eof);
}

TEST_F(ReplconfTest, GetackIsNeverAnswered) {
  const Replconf result = Read({"GETACK", "*", "capa", "eof"});
  EXPECT_EQ(result.reply, Replconf::Reply::kNone);
  EXPECT_TRUE(result.getack);
  EXPECT_FALSE(options_.capa_eof);
  EXPECT_FALSE(Read({"ack", "1"}, true).getack);
}

}  // namespace
}  // namespace cloakroom
