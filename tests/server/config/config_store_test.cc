#include "server/config/config_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "server/context/errors.h"
#include "storage/base/blob.h"
#include "tests/server/config/temporary_folder.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

/// CONFIG REWRITE always writes where the files are, as in Redis.
const std::string kDir = "dir \"" + std::filesystem::current_path().string() + "\"\n";

absl::Status Set(ConfigStore& store, std::vector<std::string_view> words,
                 ConfigCaller caller = {}) {
  return store.Set(words, caller);
}

std::vector<std::pair<std::string, std::string>> Get(const ConfigStore& store,
                                                     std::vector<std::string_view> patterns) {
  return store.Get(patterns);
}

class ConfigStoreTest : public ::testing::Test {
 protected:
  absl::Status Load(const std::string& text, std::vector<std::string> options = {}) {
    options.insert(options.begin(), folder_.Write("c.conf", text));
    return store_.Load(ParseCommandLine(options));
  }

  TemporaryFolder folder_;
  ConfigStore store_;
};

TEST_F(ConfigStoreTest, AValueMayBeNoLongerThanABlob) {
  EXPECT_OK(Set(store_, {"proto-max-bulk-len", "10gb"}));
  EXPECT_EQ(store_.live().proto_max_bulk_len_bytes, static_cast<int64_t>(Blob::kMaxSize));
  EXPECT_THAT(Get(store_, {"proto-max-bulk-len"}),
              ElementsAre(Pair("proto-max-bulk-len", "10737418240")));
}

TEST_F(ConfigStoreTest, StartsWithRedisDefaults) {
  EXPECT_EQ(store_.Text("save"), "3600 1 300 100 60 10000");
  EXPECT_EQ(store_.live().port, 6379);
  EXPECT_EQ(store_.live().maxmemory_policy, EvictionPolicy::kNoEviction);
  EXPECT_GE(store_.live().io_threads, 1);
  EXPECT_LE(store_.live().io_threads, 4);
  EXPECT_THAT(store_.Words("bind"), ElementsAre("*", "-::*"));
}

TEST_F(ConfigStoreTest, LoadsAFileAndLetsOptionsWin) {
  EXPECT_OK(Load("PORT 7000\nmaxmemory 1gb\nsave 900 1\nsave 300 10\n", {"--port", "7001"}));
  EXPECT_EQ(store_.live().port, 7001);
  EXPECT_EQ(store_.live().maxmemory_bytes, 1 << 30);
  EXPECT_EQ(store_.Text("save"), "900 1 300 10");
}

TEST_F(ConfigStoreTest, SavesNothingWhenAskedSo) {
  EXPECT_OK(Load("save 900 1\n", {"--save", ""}));
  EXPECT_EQ(store_.Text("save"), "");
}

TEST_F(ConfigStoreTest, NamesFileLineAndWordOfAnUnknownDirective) {
  const absl::Status error = Load("# x\nmaxmemroy 1gb\n");
  EXPECT_THAT(error, FailsWith(HasSubstr("*** FATAL CONFIG FILE ERROR")));
  EXPECT_THAT(error, FailsWith(HasSubstr("c.conf, at line 2\n>>> 'maxmemroy 1gb'\n"
                                         "Bad directive or wrong number of arguments\n"
                                         "Did you mean 'maxmemory'?")));
}

TEST_F(ConfigStoreTest, NamesTheOptionThatIsWrong) {
  EXPECT_THAT(Load("", {"--hz", "1", "--port", "x"}),
              FailsWith(HasSubstr("at option 2\n>>> 'port \"x\"'\n"
                                  "argument couldn't be parsed into an integer")));
}

TEST_F(ConfigStoreTest, LoadsAllOrNothing) {
  EXPECT_THAT(Load("port 7000\nnonsense\n"), FailsWith(HasSubstr("nonsense")));
  EXPECT_EQ(store_.live().port, 6379);
  EXPECT_EQ(store_.Text("port"), "6379");
  EXPECT_EQ(store_.ConfigFile(), "");
}

TEST_F(ConfigStoreTest, ListsWhatWasGivenInVain) {
  EXPECT_OK(Load("cluster-enabled no\nport 7000\nslave-lazy-flush no\ncluster-enabled no\n"));
  EXPECT_THAT(store_.GivenWithoutEffect(), ElementsAre("replica-lazy-flush", "cluster-enabled"));
}

TEST_F(ConfigStoreTest, WhatTheServerNotesOutlastsAConfigSet) {
  EXPECT_OK(Load("port 7000\n"));
  store_.Note("replicaof", "10.0.0.1 6380");
  EXPECT_EQ(store_.Text("replicaof"), "10.0.0.1 6380");
  EXPECT_OK(store_.Set({"hz", "20"}));
  EXPECT_THAT(store_.Words("replicaof"), ElementsAre("10.0.0.1", "6380"));
  EXPECT_THAT(store_.Get({"slaveof"}), ElementsAre(Pair("slaveof", "10.0.0.1 6380")));
  store_.Note("replicaof", "");
  EXPECT_EQ(store_.Text("replicaof"), "");
}

TEST_F(ConfigStoreTest, KeepsTheLinesOfRepeatableDirectives) {
  EXPECT_OK(Load("user a on\nuser b off >\"p w\"\nrename-command keys \"\"\n"));
  EXPECT_THAT(store_.Repeated("user"),
              ElementsAre(ElementsAre("a", "on"), ElementsAre("b", "off", ">p w")));
  EXPECT_THAT(store_.Repeated("rename-command"), ElementsAre(ElementsAre("keys", "")));
  EXPECT_THAT(Load("user\n"), FailsWith(HasSubstr("user")));
}

TEST_F(ConfigStoreTest, GetsEachMatchOnceInTheTablesOrder) {
  EXPECT_THAT(Get(store_, {"maxmemory-[ps]*", "MaxMemory", "hz", "HZ", "*-policy", "tcp-*"}),
              ElementsAre(Pair("tcp-backlog", "511"), Pair("tcp-keepalive", "300"),
                          Pair("MaxMemory", "0"), Pair("maxmemory-policy", "noeviction"),
                          Pair("maxmemory-samples", "5"), Pair("hz", "10")));
}

TEST_F(ConfigStoreTest, GetsAliasesBesideTheirNames) {
  EXPECT_THAT(Get(store_, {"hash-max-*-value"}), ElementsAre(Pair("hash-max-listpack-value", "64"),
                                                             Pair("hash-max-ziplist-value", "64")));
  EXPECT_THAT(Get(store_, {"LUA-time-limit"}), ElementsAre(Pair("LUA-time-limit", "5000")));
}

TEST_F(ConfigStoreTest, GetsHiddenDirectivesByNameOnly) {
  EXPECT_THAT(Get(store_, {"cluster-ping*"}), IsEmpty());
  EXPECT_THAT(Get(store_, {"cluster-ping-interval"}),
              ElementsAre(Pair("cluster-ping-interval", "1000")));
  EXPECT_THAT(Get(store_, {"loadmodule", "user", "nonsense"}), IsEmpty());
}

TEST_F(ConfigStoreTest, SetsSeveralAtOnce) {
  EXPECT_OK(Set(store_, {"MAXMEMORY", "100mb", "maxmemory-policy", "allkeys-lru"}));
  EXPECT_EQ(store_.live().maxmemory_bytes, 100 << 20);
  EXPECT_EQ(store_.live().maxmemory_policy, EvictionPolicy::kAllKeysLru);
  EXPECT_EQ(store_.Text("maxmemory"), "104857600");
}

TEST_F(ConfigStoreTest, SetsNothingWhenOneValueIsRefused) {
  EXPECT_THAT(Set(store_, {"maxmemory", "1gb", "port", "70000"}),
              FailsWith("ERR CONFIG SET failed (possibly related to argument 'port') - argument "
                        "must be between 0 and 65535 inclusive"));
  EXPECT_EQ(store_.live().maxmemory_bytes, 0);
  EXPECT_EQ(store_.Text("maxmemory"), "0");
}

TEST_F(ConfigStoreTest, RefusesInRedisWords) {
  const std::string failed = "ERR CONFIG SET failed (possibly related to argument '";
  EXPECT_THAT(Set(store_, {"foo", "1"}),
              FailsWith("ERR Unknown option or number of arguments for CONFIG SET - 'foo'"));
  EXPECT_THAT(Set(store_, {"hz", "10", "foo"}), FailsWith("ERR syntax error"));
  EXPECT_THAT(Set(store_, {"daemonize", "yes"}),
              FailsWith(failed + "daemonize') - can't set immutable config"));
  EXPECT_THAT(Set(store_, {"hz", "1", "HZ", "2"}),
              FailsWith(failed + "hz') - duplicate parameter"));
  EXPECT_THAT(Set(store_, {"dir", "/tmp"}),
              FailsWith(failed + "dir') - can't set protected config"));
  EXPECT_THAT(Set(store_, {"slave-priority", "x"}),
              FailsWith(failed + "slave-priority') - argument couldn't be parsed into an integer"));
}

TEST_F(ConfigStoreTest, LetsLocalCallersSetProtectedNamesWhenSoConfigured) {
  EXPECT_OK(Load("enable-protected-configs local\n"));
  EXPECT_THAT(Set(store_, {"dir", "/tmp"}), FailsWith(EndsWith("can't set protected config")));
  EXPECT_OK(Set(store_, {"dir", "/tmp"}, {.is_local = true}));
  EXPECT_EQ(store_.Text("dir"), "/tmp");
  EXPECT_THAT(Set(store_, {"dir", "/"}, {.is_local = true, .is_loading = true}),
              FailsWith(std::string(kLoadingError)));
  EXPECT_THAT(Set(store_, {"appendonly", "yes"}, {.is_loading = true}),
              FailsWith(std::string(kLoadingError)));
  EXPECT_OK(Set(store_, {"maxmemory", "0"}, {.is_loading = true}));
}

TEST_F(ConfigStoreTest, TellsASubscriberOnceAndOnlyOfRealChanges) {
  int calls = 0;
  store_.Subscribe({"hz", "timeout"}, [&] {
    ++calls;
    EXPECT_EQ(store_.Text("hz"), "20");
    return absl::OkStatus();
  });
  EXPECT_OK(Set(store_, {"hz", "20", "timeout", "5"}));
  EXPECT_EQ(calls, 1);
  EXPECT_OK(Set(store_, {"hz", "20"}));
  EXPECT_OK(Set(store_, {"maxmemory", "1"}));
  EXPECT_EQ(calls, 1);
}

TEST_F(ConfigStoreTest, RollsBackWhatASubscriberRefuses) {
  std::vector<int> seen;
  store_.Subscribe({"hz"}, [&] {
    seen.push_back(store_.live().hz);
    return absl::OkStatus();
  });
  store_.Subscribe({"maxclients"},
                   [] { return absl::ResourceExhaustedError("too many for this machine"); });
  EXPECT_THAT(
      Set(store_, {"hz", "20", "maxclients", "5"}),
      FailsWith(
          "ERR CONFIG SET failed (possibly related to argument 'maxclients') - too many for this "
          "machine"));
  EXPECT_THAT(seen, ElementsAre(20, 10));
  EXPECT_EQ(store_.live().maxclients, 10000);
  EXPECT_EQ(store_.Text("hz"), "10");
}

TEST_F(ConfigStoreTest, RewritesItsFile) {
  EXPECT_OK(Load("# mine\nmaxmemory 100mb\nsave 900 1\nsave 300 10\nhz 20"));
  EXPECT_OK(Set(store_, {"maxmemory", "200mb", "save", "60 1", "timeout", "9", "hz", "10"}));
  EXPECT_OK(store_.Rewrite());
  const std::string expected =
      "# mine\nmaxmemory 200mb\nsave 60 1\nhz 10\n"
      "# Generated by CONFIG REWRITE\ntimeout 9\n" +
      kDir;
  EXPECT_EQ(folder_.Read("c.conf"), expected);
  EXPECT_OK(store_.Rewrite());
  EXPECT_EQ(folder_.Read("c.conf"), expected);
  EXPECT_EQ(folder_.CountFiles(), 1u);
}

TEST_F(ConfigStoreTest, RewritesAnIncludedSettingAtTheEndOfTheMainFile) {
  folder_.Write("i.conf", "timeout 5\nhz 20\n");
  EXPECT_OK(Load("timeout 3\ninclude i.conf\n"));
  EXPECT_OK(store_.Rewrite());
  const std::string rewritten = "# Generated by CONFIG REWRITE\n" + kDir;
  EXPECT_EQ(folder_.Read("c.conf"), "timeout 3\ninclude i.conf\n" + rewritten);
  EXPECT_OK(Set(store_, {"timeout", "0"}));
  EXPECT_OK(store_.Rewrite());
  EXPECT_EQ(folder_.Read("c.conf"), "include i.conf\n" + rewritten + "timeout 0\n");
  EXPECT_EQ(folder_.Read("i.conf"), "timeout 5\nhz 20\n");
}

TEST_F(ConfigStoreTest, RewritesTheLinesOfASource) {
  EXPECT_OK(Load("user a on\nuser b on\nport 7000\n"));
  store_.SetLineSource("user", [] { return std::vector<std::string>{"user c on"}; });
  EXPECT_OK(store_.Rewrite());
  EXPECT_EQ(folder_.Read("c.conf"), "user c on\nport 7000\n# Generated by CONFIG REWRITE\n" + kDir);
}

TEST_F(ConfigStoreTest, RewritesWhatItCanReadBack) {
  EXPECT_OK(Load(""));
  EXPECT_OK(Set(store_, {"requirepass", "a b\"c\n\x01", "client-output-buffer-limit",
                         "pubsub 1gb 5 6", "bind", "127.0.0.1 -::1", "save", ""}));
  EXPECT_OK(store_.Rewrite());
  ConfigStore again;
  EXPECT_OK(again.Load(ParseCommandLine({folder_.Path("c.conf")})));
  std::vector<std::string_view> all = {"*"};
  EXPECT_EQ(again.Get(all), store_.Get(all));
}

TEST_F(ConfigStoreTest, CannotRewriteWithoutAFile) {
  EXPECT_THAT(store_.Rewrite(), FailsWith("ERR The server is running without a config file"));
}

TEST_F(ConfigStoreTest, ReadersSeeWholeValuesWhileOthersChangeThem) {
  std::thread writer([this] {
    for (int i = 0; i < 200; ++i) EXPECT_OK(Set(store_, {"hz", i % 2 == 0 ? "20" : "30"}));
  });
  for (int i = 0; i < 200; ++i) {
    int hz = store_.live().hz;
    EXPECT_TRUE(hz == 10 || hz == 20 || hz == 30) << hz;
    EXPECT_EQ(store_.Text("hz").size(), 2u);
  }
  writer.join();
}

}  // namespace
}  // namespace cloakroom
