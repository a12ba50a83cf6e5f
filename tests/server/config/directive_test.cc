#include "server/config/directive.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
namespace cloakroom::config {
namespace {

absl::StatusOr<Value> Parse(std::string_view name, const std::vector<std::string>& words,
                            std::string_view current = "", Origin origin = Origin::kConfigSet) {
  return ParseWords(*FindDirective(name), words, current, origin);
}

std::string TextOf(std::string_view name, const std::string& word) {
  absl::StatusOr<Value> value = Parse(name, {word});
  return value.ok() ? value->text : absl::StrCat("error: ", value.status().message());
}

TEST(DirectiveTable, NamesEveryDirectiveOnce) {
  std::set<std::string_view> names;
  for (std::string_view name : DirectiveNames()) {
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_GT(names.size(), 200u);
}

TEST(DirectiveTable, HasDefaultsThatItsOwnKindsAccept) {
  for (const Directive* row : AllDirectives()) {
    if (row->Is(kRepeatable)) continue;
    absl::StatusOr<Value> value = ParseWords(*row, {DefaultText(*row)}, "", Origin::kConfigSet);
    if (row->name == "replicaof") continue;  // its default is to have no master: "no one"
    ASSERT_TRUE(value.ok()) << row->name << ": " << value.status().message();
    EXPECT_EQ(value->text, DefaultText(*row)) << row->name;
  }
}

TEST(DirectiveTable, WritesLinesThatBringTheDefaultsBack) {
  for (const Directive* row : AllDirectives()) {
    if (row->Is(kRepeatable)) continue;
    Value value = FromText(*row, DefaultText(*row));
    for (const std::string& line : FileLines(*row, value)) {
      EXPECT_TRUE(line.starts_with(std::string(row->name) + " ")) << line;
    }
  }
}

TEST(FindDirective, IgnoresCaseAndKnowsAliases) {
  EXPECT_EQ(FindDirective("MaxMemory")->name, "maxmemory");
  EXPECT_EQ(FindDirective("slaveof")->name, "replicaof");
  EXPECT_EQ(FindDirective("hash-max-ziplist-entries")->name, "hash-max-listpack-entries");
  EXPECT_EQ(FindDirective("lua-time-limit"), FindDirective("busy-reply-threshold"));
  EXPECT_EQ(FindDirective("nonsense"), nullptr);
  EXPECT_EQ(FindDirective(""), nullptr);
}

TEST(ParseWords, HoldsIntegersToTheirBounds) {
  EXPECT_EQ(TextOf("port", "65535"), "65535");
  EXPECT_EQ(TextOf("port", "65536"), "error: argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(TextOf("port", "1x"), "error: argument couldn't be parsed into an integer");
  EXPECT_EQ(TextOf("maxclients", "0"),
            "error: argument must be between 1 and 4294967295 inclusive");
  EXPECT_EQ(TextOf("io-threads", "129"), "error: argument must be between 1 and 128 inclusive");
}

TEST(ParseWords, ClampsHzInsteadOfRefusing) {
  EXPECT_EQ(TextOf("hz", "100000"), "500");
  EXPECT_EQ(TextOf("hz", "0"), "1");
  EXPECT_EQ(TextOf("hz", "-1"), "error: argument must be between 0 and 2147483647 inclusive");
}

TEST(ParseWords, GivesTheBacklogItsLeastSize) {
  EXPECT_EQ(TextOf("repl-backlog-size", "1kb"), "16384");
  EXPECT_EQ(TextOf("repl-backlog-size", "1mb"), "1048576");
}

TEST(ParseWords, ReadsPermissionsInOctal) {
  EXPECT_EQ(TextOf("unixsocketperm", "700"), "700");
  EXPECT_EQ(Parse("unixsocketperm", {"0700"})->number, 0700);
  EXPECT_EQ(TextOf("unixsocketperm", "999"),
            "error: argument couldn't be parsed as an octal number");
  EXPECT_EQ(TextOf("unixsocketperm", "1000"),
            "error: argument must be between 0 and 777 inclusive");
}

TEST(ParseWords, AnswersMemoryInBytes) {
  EXPECT_EQ(TextOf("maxmemory", "1gb"), "1073741824");
  EXPECT_EQ(TextOf("maxmemory", ""), "0");
  EXPECT_EQ(TextOf("maxmemory", "18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(Parse("maxmemory", {"18446744073709551615"})->number, INT64_MAX);
  EXPECT_EQ(TextOf("maxmemory", "-1"), "error: argument must be a memory value");
  EXPECT_EQ(TextOf("proto-max-bulk-len", "1"),
            "error: argument must be between 1048576 and 9223372036854775807 inclusive");
}

TEST(ParseWords, ReadsPercentsOrMemory) {
  EXPECT_EQ(TextOf("maxmemory-clients", "5%"), "5%");
  EXPECT_EQ(Parse("maxmemory-clients", {"5%"})->number, -5);
  EXPECT_EQ(TextOf("maxmemory-clients", "1mb"), "1048576");
  EXPECT_EQ(TextOf("maxmemory-clients", "101%"),
            "error: percentage argument must be less or equal to 100");
  EXPECT_EQ(TextOf("maxmemory-clients", "x%"), "error: argument must be a memory or percent value");
}

TEST(ParseWords, ReadsWordsInAnyCase) {
  EXPECT_EQ(TextOf("protected-mode", "NO"), "no");
  EXPECT_EQ(TextOf("latency-tracking", "1"), "error: argument must be 'yes' or 'no'");
  EXPECT_EQ(TextOf("maxmemory-policy", "AllKeys-LRU"), "allkeys-lru");
  EXPECT_EQ(TextOf("oom-score-adj", "relative"), "yes");
  EXPECT_EQ(TextOf("supervised", "x"),
            "error: argument(s) must be one of the following: upstart, systemd, auto, no");
}

TEST(ParseWords, WantsOneWordUnlessItIsAList) {
  EXPECT_EQ(Parse("port", {}).status().message(), "wrong number of arguments");
  EXPECT_EQ(Parse("port", {"1", "2"}).status().message(), "wrong number of arguments");
  EXPECT_TRUE(Parse("bind", {"1.2.3.4", "::1"}).ok());
}

TEST(ParseWords, MakesDirAbsoluteAndRefusesWhatIsNoFolder) {
  EXPECT_EQ(TextOf("dir", "./"), DefaultText(*FindDirective("dir")));
  EXPECT_EQ(TextOf("dir", "/nonexistent"), "error: No such file or directory");
  EXPECT_EQ(TextOf("dir", "/etc/passwd"), "error: Not a directory");
}

TEST(ParseWords, ChecksTheTextsThatRedisChecks) {
  EXPECT_EQ(TextOf("dbfilename", "a/b"), "error: dbfilename can't be a path, just a filename");
  EXPECT_EQ(TextOf("proc-title-template", "{foo}"),
            "error: template format is invalid or contains unknown variables");
  EXPECT_EQ(TextOf("proc-title-template", "{title"),
            "error: template format is invalid or contains unknown variables");
  EXPECT_EQ(TextOf("cluster-announce-hostname", "a!b"),
            "error: Hostnames may only contain alphanumeric characters, hyphens or dots");
}

TEST(FileLines, WritesMemoryShortAndTextsQuoted) {
  const Directive& memory = *FindDirective("maxmemory");
  EXPECT_EQ(FileLines(memory, FromText(memory, "209715200")).at(0), "maxmemory 200mb");
  const Directive& password = *FindDirective("requirepass");
  EXPECT_EQ(FileLines(password, Value{"a b\"c\n"}).at(0), R"(requirepass "a b\"c\n")");
  const Directive& clients = *FindDirective("maxmemory-clients");
  EXPECT_EQ(FileLines(clients, FromText(clients, "5%")).at(0), "maxmemory-clients 5%");
}

}  // namespace
}  // namespace cloakroom::config
