#include "server/config/config_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "server/context/errors.h"
#include "storage/base/blob.h"
#include "tests/server/config/temporary_folder.h"

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

/// CONFIG REWRITE always says where the files are, as in Redis.
const std::string kDir = "dir \"" + std::filesystem::current_path().string() + "\"\n";

std::optional<std::string> Set(ConfigStore& store, std::vector<std::string_view> words,
                               ConfigCaller caller = {}) {
  return store.Set(words, caller);
}

std::vector<std::pair<std::string, std::string>> Get(const ConfigStore& store,
                                                     std::vector<std::string_view> patterns) {
  return store.Get(patterns);
}

class ConfigStoreTest : public ::testing::Test {
 protected:
  std::optional<std::string> Load(const std::string& text, std::vector<std::string> options = {}) {
    options.insert(options.begin(), folder_.Write("c.conf", text));
    return store_.Load(ParseCommandLine(options));
  }

  TemporaryFolder folder_;
  ConfigStore store_;
};

TEST_F(ConfigStoreTest, AValueMayBeNoLongerThanABlob) {
  EXPECT_EQ(Set(store_, {"proto-max-bulk-len", "10gb"}), std::nullopt);
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
  EXPECT_EQ(Load("PORT 7000\nmaxmemory 1gb\nsave 900 1\nsave 300 10\n", {"--port", "7001"}),
            std::nullopt);
  EXPECT_EQ(store_.live().port, 7001);
  EXPECT_EQ(store_.live().maxmemory_bytes, 1 << 30);
  EXPECT_EQ(store_.Text("save"), "900 1 300 10");
}

TEST_F(ConfigStoreTest, SavesNothingWhenAskedSo) {
  EXPECT_EQ(Load("save 900 1\n", {"--save", ""}), std::nullopt);
  EXPECT_EQ(store_.Text("save"), "");
}

TEST_F(ConfigStoreTest, NamesFileLineAndWordOfAnUnknownDirective) {
  std::optional<std::string> error = Load("# x\nmaxmemroy 1gb\n");
  EXPECT_THAT(error, Optional(HasSubstr("*** FATAL CONFIG FILE ERROR")));
  EXPECT_THAT(error, Optional(HasSubstr("c.conf, at line 2\n>>> 'maxmemroy 1gb'\n"
                                        "Bad directive or wrong number of arguments\n"
                                        "Did you mean 'maxmemory'?")));
}

TEST_F(ConfigStoreTest, NamesTheOptionThatIsWrong) {
  EXPECT_THAT(Load("", {"--hz", "1", "--port", "x"}),
              Optional(HasSubstr("at option 2\n>>> 'port \"x\"'\n"
                                 "argument couldn't be parsed into an integer")));
}

TEST_F(ConfigStoreTest, LoadsAllOrNothing) {
  EXPECT_TRUE(Load("port 7000\nnonsense\n"));
  EXPECT_EQ(store_.live().port, 6379);
  EXPECT_EQ(store_.Text("port"), "6379");
  EXPECT_EQ(store_.ConfigFile(), "");
}

TEST_F(ConfigStoreTest, ListsWhatWasGivenInVain) {
  EXPECT_EQ(Load("cluster-enabled no\nport 7000\nslaveof no one\ncluster-enabled no\n"),
            std::nullopt);
  EXPECT_THAT(store_.GivenWithoutEffect(), ElementsAre("replicaof", "cluster-enabled"));
}

TEST_F(ConfigStoreTest, KeepsTheLinesOfRepeatableDirectives) {
  EXPECT_EQ(Load("user a on\nuser b off >\"p w\"\nrename-command keys \"\"\n"), std::nullopt);
  EXPECT_THAT(store_.Repeated("user"),
              ElementsAre(ElementsAre("a", "on"), ElementsAre("b", "off", ">p w")));
  EXPECT_THAT(store_.Repeated("rename-command"), ElementsAre(ElementsAre("keys", "")));
  EXPECT_TRUE(Load("user\n"));
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
  EXPECT_EQ(Set(store_, {"MAXMEMORY", "100mb", "maxmemory-policy", "allkeys-lru"}), std::nullopt);
  EXPECT_EQ(store_.live().maxmemory_bytes, 100 << 20);
  EXPECT_EQ(store_.live().maxmemory_policy, EvictionPolicy::kAllKeysLru);
  EXPECT_EQ(store_.Text("maxmemory"), "104857600");
}

TEST_F(ConfigStoreTest, SetsNothingWhenOneValueIsRefused) {
  EXPECT_THAT(Set(store_, {"maxmemory", "1gb", "port", "70000"}),
              Optional(std::string("ERR CONFIG SET failed (possibly related to argument 'port') - "
                                   "argument must be between 0 and 65535 inclusive")));
  EXPECT_EQ(store_.live().maxmemory_bytes, 0);
  EXPECT_EQ(store_.Text("maxmemory"), "0");
}

TEST_F(ConfigStoreTest, RefusesInRedisWords) {
  const std::string failed = "ERR CONFIG SET failed (possibly related to argument '";
  EXPECT_EQ(Set(store_, {"foo", "1"}),
            "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  EXPECT_EQ(Set(store_, {"hz", "10", "foo"}), "ERR syntax error");
  EXPECT_EQ(Set(store_, {"daemonize", "yes"}), failed + "daemonize') - can't set immutable config");
  EXPECT_EQ(Set(store_, {"hz", "1", "HZ", "2"}), failed + "hz') - duplicate parameter");
  EXPECT_EQ(Set(store_, {"dir", "/tmp"}), failed + "dir') - can't set protected config");
  EXPECT_EQ(Set(store_, {"slave-priority", "x"}),
            failed + "slave-priority') - argument couldn't be parsed into an integer");
}

TEST_F(ConfigStoreTest, LetsLocalCallersSetProtectedNamesWhenSoConfigured) {
  EXPECT_EQ(Load("enable-protected-configs local\n"), std::nullopt);
  EXPECT_THAT(Set(store_, {"dir", "/tmp"}), Optional(EndsWith("can't set protected config")));
  EXPECT_EQ(Set(store_, {"dir", "/tmp"}, {.is_local = true}), std::nullopt);
  EXPECT_EQ(store_.Text("dir"), "/tmp");
  EXPECT_EQ(Set(store_, {"dir", "/"}, {.is_local = true, .is_loading = true}), kLoadingError);
  EXPECT_EQ(Set(store_, {"appendonly", "yes"}, {.is_loading = true}), kLoadingError);
  EXPECT_EQ(Set(store_, {"maxmemory", "0"}, {.is_loading = true}), std::nullopt);
}

TEST_F(ConfigStoreTest, TellsASubscriberOnceAndOnlyOfRealChanges) {
  int calls = 0;
  store_.Subscribe({"hz", "timeout"}, [&] {
    ++calls;
    EXPECT_EQ(store_.Text("hz"), "20");
    return std::string();
  });
  EXPECT_EQ(Set(store_, {"hz", "20", "timeout", "5"}), std::nullopt);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(Set(store_, {"hz", "20"}), std::nullopt);
  EXPECT_EQ(Set(store_, {"maxmemory", "1"}), std::nullopt);
  EXPECT_EQ(calls, 1);
}

TEST_F(ConfigStoreTest, RollsBackWhatASubscriberRefuses) {
  std::vector<int> seen;
  store_.Subscribe({"hz"}, [&] {
    seen.push_back(store_.live().hz);
    return std::string();
  });
  store_.Subscribe({"maxclients"}, [] { return std::string("too many for this machine"); });
  EXPECT_EQ(Set(store_, {"hz", "20", "maxclients", "5"}),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - too many for this "
            "machine");
  EXPECT_THAT(seen, ElementsAre(20, 10));
  EXPECT_EQ(store_.live().maxclients, 10000);
  EXPECT_EQ(store_.Text("hz"), "10");
}

TEST_F(ConfigStoreTest, RewritesItsFile) {
  EXPECT_EQ(Load("# mine\nmaxmemory 100mb\nsave 900 1\nsave 300 10\nhz 20"), std::nullopt);
  EXPECT_EQ(Set(store_, {"maxmemory", "200mb", "save", "60 1", "timeout", "9", "hz", "10"}),
            std::nullopt);
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  const std::string expected =
      "# mine\nmaxmemory 200mb\nsave 60 1\nhz 10\n"
      "# Generated by CONFIG REWRITE\ntimeout 9\n" +
      kDir;
  EXPECT_EQ(folder_.Read("c.conf"), expected);
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  EXPECT_EQ(folder_.Read("c.conf"), expected);
  EXPECT_EQ(folder_.CountFiles(), 1u);
}

TEST_F(ConfigStoreTest, RewritesAnIncludedSettingAtTheEndOfTheMainFile) {
  folder_.Write("i.conf", "timeout 5\nhz 20\n");
  EXPECT_EQ(Load("timeout 3\ninclude i.conf\n"), std::nullopt);
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  const std::string rewritten = "# Generated by CONFIG REWRITE\n" + kDir;
  EXPECT_EQ(folder_.Read("c.conf"), "timeout 3\ninclude i.conf\n" + rewritten);
  EXPECT_EQ(Set(store_, {"timeout", "0"}), std::nullopt);
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  EXPECT_EQ(folder_.Read("c.conf"), "include i.conf\n" + rewritten + "timeout 0\n");
  EXPECT_EQ(folder_.Read("i.conf"), "timeout 5\nhz 20\n");
}

TEST_F(ConfigStoreTest, RewritesTheLinesOfASource) {
  EXPECT_EQ(Load("user a on\nuser b on\nport 7000\n"), std::nullopt);
  store_.SetLineSource("user", [] { return std::vector<std::string>{"user c on"}; });
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  EXPECT_EQ(folder_.Read("c.conf"), "user c on\nport 7000\n# Generated by CONFIG REWRITE\n" + kDir);
}

TEST_F(ConfigStoreTest, RewritesWhatItCanReadBack) {
  EXPECT_EQ(Load(""), std::nullopt);
  EXPECT_EQ(Set(store_, {"requirepass", "a b\"c\n\x01", "client-output-buffer-limit",
                         "pubsub 1gb 5 6", "bind", "127.0.0.1 -::1", "save", ""}),
            std::nullopt);
  EXPECT_EQ(store_.Rewrite(), std::nullopt);
  ConfigStore again;
  EXPECT_EQ(again.Load(ParseCommandLine({folder_.Path("c.conf")})), std::nullopt);
  std::vector<std::string_view> all = {"*"};
  EXPECT_EQ(again.Get(all), store_.Get(all));
}

TEST_F(ConfigStoreTest, CannotRewriteWithoutAFile) {
  EXPECT_EQ(store_.Rewrite(), "ERR The server is running without a config file");
}

TEST_F(ConfigStoreTest, ReadersSeeWholeValuesWhileOthersChangeThem) {
  std::thread writer([this] {
    for (int i = 0; i < 200; ++i) Set(store_, {"hz", i % 2 == 0 ? "20" : "30"});
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
