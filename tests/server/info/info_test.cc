#include "server/info/info.h"

#include <map>
#include <set>

#include "server/info/sampler.h"
#include "tests/server/support/loop_fixture.h"

namespace cloakroom {
namespace {

class InfoTest : public ServerTest {
 protected:
  std::string Text(std::vector<std::string_view> sections) { return Info(server_, sections); }
  std::vector<std::string> Titles(std::vector<std::string_view> sections) {
    std::vector<std::string> titles;
    std::string text = Text(sections);
    for (size_t at = text.find("# "); at != text.npos; at = text.find("# ", at + 1)) {
      titles.push_back(text.substr(at + 2, text.find("\r\n", at) - at - 2));
    }
    return titles;
  }
  std::map<std::string, std::string> Fields(std::string_view section) {
    std::map<std::string, std::string> fields;
    std::string text = Text({section});
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find("\r\n", at);
      std::string line = text.substr(at, end - at);
      size_t colon = line.find(':');
      if (colon != line.npos) fields[line.substr(0, colon)] = line.substr(colon + 1);
      at = end + 2;
    }
    return fields;
  }
};

TEST_F(InfoTest, WithoutArgumentsItIsTheDefaultSections) {
  std::vector<std::string> expected = {"Server",     "Clients",     "Memory",   "Persistence",
                                       "Stats",      "Replication", "CPU",      "Modules",
                                       "Errorstats", "Cluster",     "Sessions", "Keyspace"};
  EXPECT_EQ(Titles({}), expected);
  EXPECT_EQ(Titles({"default"}), expected);
}

TEST_F(InfoTest, AllAndEverythingAddTheStatisticsOfCommands) {
  EXPECT_EQ(Titles({"all"}).size(), 14u);
  EXPECT_EQ(Titles({"everything"}).size(), 14u);
}

TEST_F(InfoTest, SectionsAreNamedInAnyCaseAndUnknownOnesLeftOut) {
  EXPECT_EQ(Titles({"CPU", "server", "nosuch"}), (std::vector<std::string>{"Server", "CPU"}));
  EXPECT_EQ(Text({"nosuch"}), "");
}

TEST_F(InfoTest, AnEmptyLineStandsBetweenSections) {
  EXPECT_EQ(Text({"modules", "cluster"}), "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
}

TEST_F(InfoTest, KeyspaceListsDatabasesWithKeys) {
  EXPECT_EQ(Text({"keyspace"}), "# Keyspace\r\n");
  Run("SET a 1 EX 50");
  Run("SET b 1");
  server_.sampler().SampleFigures(server_);
  EXPECT_EQ(Text({"keyspace"}), "# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=50000\r\n");
}

TEST_F(InfoTest, KeyspaceCountsKeysWithItemsThatExpire) {
  Run("HSET h f v");
  Run("HEXPIRE h 100 FIELDS 1 f");
  EXPECT_EQ(Text({"keyspace"}), "# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0,subexpiry=1\r\n");
}

TEST_F(InfoTest, CountersFollowTheCommands) {
  Run("SET a 1 PX 10");
  Run("GET a");
  Run("GET b");
  Run("NOSUCH");
  Advance(11);
  Run("GET a");
  auto stats = Fields("stats");
  EXPECT_EQ(stats["total_commands_processed"], "4");
  EXPECT_EQ(stats["keyspace_hits"], "1");
  EXPECT_EQ(stats["keyspace_misses"], "2");
  EXPECT_EQ(stats["expired_keys"], "1");
  EXPECT_EQ(stats["total_error_replies"], "1");
  EXPECT_EQ(Fields("errorstats")["errorstat_ERR"], "count=1");
  EXPECT_EQ(Fields("commandstats")["cmdstat_get"],
            "calls=3,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0");
  EXPECT_EQ(Fields("latencystats")["latency_percentiles_usec_get"],
            "p50=1.000,p99=1.000,p99.9=1.000");
}

TEST_F(InfoTest, TheFieldsThatExportersReadAreThere) {
  std::set<std::string> missing;
  auto expect = [&](std::string_view section, std::vector<std::string> names) {
    auto fields = Fields(section);
    for (const std::string& name : names) {
      if (!fields.contains(name)) missing.insert(name);
    }
  };
  expect("server", {"redis_version", "redis_mode", "os", "process_id", "run_id", "tcp_port",
                    "uptime_in_seconds", "uptime_in_days", "executable", "config_file"});
  expect("clients", {"connected_clients", "blocked_clients", "tracking_clients", "maxclients"});
  expect("memory", {"used_memory", "used_memory_human", "used_memory_rss", "used_memory_peak",
                    "used_memory_lua", "maxmemory", "maxmemory_policy", "mem_allocator",
                    "mem_fragmentation_ratio", "allocator_allocated", "lazyfree_pending_objects"});
  expect("persistence", {"loading", "rdb_changes_since_last_save", "rdb_bgsave_in_progress",
                         "rdb_last_save_time", "rdb_last_bgsave_status", "aof_enabled"});
  expect("stats", {"instantaneous_ops_per_sec", "total_net_input_bytes", "evicted_keys",
                   "pubsub_channels", "pubsub_patterns", "rejected_connections"});
  expect("replication",
         {"role", "connected_slaves", "master_replid", "master_repl_offset", "repl_backlog_size"});
  expect("cpu", {"used_cpu_sys", "used_cpu_user"});
  EXPECT_TRUE(missing.empty()) << testing::PrintToString(missing);
}

TEST_F(InfoTest, IdsHaveFortyHexDigits) {
  for (const std::string& id : {Fields("replication")["master_replid"], Fields("server")["run_id"],
                                Fields("replication")["master_replid2"]}) {
    EXPECT_EQ(id.size(), 40u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), id.npos);
  }
}

TEST(HumanBytesTest, HasTwoDecimalsAboveAKilobyte) {
  EXPECT_EQ(HumanBytes(0), "0B");
  EXPECT_EQ(HumanBytes(1023), "1023B");
  EXPECT_EQ(HumanBytes(1536), "1.50K");
  EXPECT_EQ(HumanBytes(int64_t{3} << 30), "3.00G");
  EXPECT_EQ(HumanBytes(int64_t{1} << 60), "1024.00P");
}

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class BlockedInfoTest : private Disk, public LoopTest {
 protected:
  BlockedInfoTest() : LoopTest(Disk::files, {"--save", ""}) {}
};

TEST_F(BlockedInfoTest, KeysThatClientsWaitForAreCounted) {
  Run("XGROUP CREATE s g $ MKSTREAM");
  Park(Connect(loop(0)), "BLPOP a b 0\r\n");
  Park(Connect(loop(1)), "BLPOP b 0\r\n");
  Park(Connect(loop(0)), "XREADGROUP GROUP g c BLOCK 0 STREAMS s >\r\n");
  Park(Connect(loop(1)), "XREAD BLOCK 0 STREAMS s t $ $\r\n");
  const std::vector<std::string_view> sections = {"clients"};
  const std::string info = Info(server_, sections);
  EXPECT_NE(info.find("total_blocking_keys:4\r\n"), std::string::npos) << info;
  EXPECT_NE(info.find("total_blocking_keys_on_nokey:1\r\n"), std::string::npos) << info;
}

}  // namespace
}  // namespace cloakroom
