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
    KeyPositions positions;
    if (!FindKeys(*Find(args)->row, args, &positions)) return {-1};
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
    if (!row.keys[0].empty() && row.keys[0].count_at == 0) {
      EXPECT_LE(row.keys[0].first, std::abs(row.arity)) << row.name;
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
