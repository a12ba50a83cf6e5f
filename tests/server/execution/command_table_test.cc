#include "server/execution/command_table.h"

#include <set>

#include "gtest/gtest.h"
#include "server/commands/families.h"

namespace cloakroom {
namespace {

class CommandTableTest : public testing::Test {
 protected:
  const Command* Find(std::vector<std::string_view> args) { return table_.Find(args); }
  /// The positions of the keys, or {-1} when they cannot be found.
  std::vector<int> Keys(std::vector<std::string_view> args) {
    return KeysOf(*Find(args)->row, args);
  }
  static std::vector<int> KeysOf(const CommandRow& row, std::vector<std::string_view> args) {
    KeyPositions positions;
    if (!FindKeys(row, args, &positions)) return {-1};
    std::vector<int> keys;
    for (KeyPosition key : positions) keys.push_back(static_cast<int>(key.index));
    return keys;
  }

  CommandTable table_{CommandFamilies()};
};

TEST_F(CommandTableTest, CommandsAreFoundInAnyCase) {
  ASSERT_NE(Find({"GeT", "a"}), nullptr);
  EXPECT_EQ(Find({"GeT", "a"})->row->name, "get");
  EXPECT_EQ(Find({"client", "LIST"})->row->name, "client|list");
}

TEST_F(CommandTableTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(Find({"nosuch"}), nullptr);
  EXPECT_EQ(Find({"client", "nosuch"}), nullptr);
  EXPECT_EQ(Find({std::string(1000, 'a')}), nullptr);
  EXPECT_EQ(Find({}), nullptr);
}

TEST_F(CommandTableTest, ASubcommandIsNoCommandByItsFullName) {
  EXPECT_EQ(Find({"client|list"}), nullptr);
  ASSERT_NE(table_.FindName("client|list"), nullptr);
  EXPECT_EQ(table_.FindName("client|list")->parent, table_.FindName("client"));
}

TEST_F(CommandTableTest, AContainerStandsForItselfWithoutASubcommand) {
  EXPECT_TRUE(Find({"client"})->container());
  EXPECT_EQ(Find({"client"})->row->run, nullptr);
  EXPECT_NE(Find({"command"})->row->run, nullptr);
}

TEST_F(CommandTableTest, KeysStandWhereTheRowSays) {
  EXPECT_EQ(Keys({"get", "a"}), (std::vector<int>{1}));
  EXPECT_EQ(Keys({"mset", "a", "1", "b", "2"}), (std::vector<int>{1, 3}));
  EXPECT_EQ(Keys({"del", "a", "b", "c"}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(Keys({"rename", "a", "b"}), (std::vector<int>{1, 2}));
  EXPECT_EQ(Keys({"ping"}), (std::vector<int>{}));
}

TEST_F(CommandTableTest, CountedKeysAreAsManyAsTheCountSays) {
  EXPECT_EQ(Keys({"eval", "s", "2", "a", "b", "x"}), (std::vector<int>{3, 4}));
  EXPECT_EQ(Keys({"eval", "s", "0", "x"}), (std::vector<int>{}));
  EXPECT_EQ(Keys({"eval", "s", "3", "a"}), (std::vector<int>{-1}));
  EXPECT_EQ(Keys({"eval", "s", "-1", "a"}), (std::vector<int>{-1}));
  EXPECT_EQ(Keys({"eval", "s", "x", "a"}), (std::vector<int>{-1}));
}

/// Rows of commands that the server does not have, like XREAD, GEORADIUS and MIGRATE.
constexpr CommandRow kReadsStreams = {
    .name = "xread", .keys = {KeysAfter("STREAMS", 1, {.last = -1, .limit = 2}, kRO)}};
constexpr CommandRow kStores = {
    .name = "georadius",
    .keys = {Key(1, kRO), KeysAfter("STORE", 6, {}, kOW), KeysAfter("STOREDIST", 6, {}, kOW)}};
constexpr CommandRow kMigrates = {.name = "migrate",
                                  .keys = {Key(3, kRW), KeysAfter("KEYS", -2, {.last = -1}, kRW)}};

TEST_F(CommandTableTest, KeysBeginBehindAWordInAnyCase) {
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "count", "5", "Streams", "a", "0"}),
            (std::vector<int>{4}));
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "STREAMS", "STREAMS", "0"}), (std::vector<int>{2}));
}

TEST_F(CommandTableTest, WithoutTheWordThereAreNoKeys) {
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "count", "5"}), (std::vector<int>{}));
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "count", "STREAMS"}), (std::vector<int>{}));
  EXPECT_EQ(KeysOf(kReadsStreams, {"streams"}), (std::vector<int>{}));
}

TEST_F(CommandTableTest, ALimitLeavesAFractionOfTheArguments) {
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "streams", "a", "b", "c", "0", "1", "2"}),
            (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(KeysOf(kReadsStreams, {"xread", "streams", "a", "b", "0"}), (std::vector<int>{2}));
}

TEST_F(CommandTableTest, ARowMayHaveManySpecs) {
  EXPECT_EQ(KeysOf(kStores, {"georadius", "a", "1", "2", "3", "m", "storedist", "b", "store", "c"}),
            (std::vector<int>{1, 9, 7}));
  EXPECT_EQ(KeysOf(kStores, {"georadius", "a", "store", "b", "3", "m"}), (std::vector<int>{1}));
}

TEST_F(CommandTableTest, AWordIsSearchedFromTheEndBackwards) {
  EXPECT_EQ(KeysOf(kMigrates, {"migrate", "h", "1", "", "keys", "9", "keys", "a", "b"}),
            (std::vector<int>{3, 7, 8}));
}

TEST_F(CommandTableTest, EveryRowSaysWhatItIs) {
  std::set<std::string_view> names;
  for (int i = 0; i < table_.size(); ++i) {
    const Command& command = table_.at(i);
    const CommandRow& row = *command.row;
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    EXPECT_EQ(command.index, i);
    EXPECT_NE(row.arity, 0) << row.name;
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_FALSE(row.since.empty()) << row.name;
    EXPECT_FALSE(row.complexity.empty()) << row.name;
    EXPECT_TRUE(row.run != nullptr || command.container()) << row.name;
    EXPECT_FALSE(row.has(kWrite) && row.has(kReadonly)) << row.name;
    for (const KeySpec& spec : row.keys) {
      EXPECT_GT(spec.step, 0) << row.name;
      if (spec.movable()) {
        EXPECT_TRUE(row.has(kMovableKeys)) << row.name;
      } else {
        EXPECT_LE(spec.first, std::abs(row.arity)) << row.name;
      }
    }
  }
}

TEST_F(CommandTableTest, CommandsAreListedByName) {
  auto commands = table_.commands();
  EXPECT_TRUE(std::is_sorted(commands.begin(), commands.end(), [](const auto* a, const auto* b) {
    return a->row->name < b->row->name;
  }));
  for (const Command* command : commands) EXPECT_EQ(command->parent, nullptr);
}

}  // namespace
}  // namespace cloakroom
