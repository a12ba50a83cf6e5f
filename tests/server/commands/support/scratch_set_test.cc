#include "server/commands/support/scratch_set.h"

#include <string>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class ScratchSetTest : public ServerTest {
 protected:
  static void Fill(ScratchSet& set, int from, int to) {
    for (int i = from; i < to; ++i) set.Add("m" + std::to_string(i));
  }
  /// Opens a key as an executor would, for its only thread.
  void Store(ScratchSet& set, std::string_view key) {
    Hold hold(server_.thread(0).slot);
    ASSERT_TRUE(hold.TryKey(db_, KeyHash::Of(key)));
    WriteScope scope(hold, db_, key, KeyHash::Of(key), now_ms());
    const std::string_view command[] = {"SUNIONSTORE", key, "a", "b"};
    set.MoveInto(scope, 0, command);
  }

  Database& db_ = server_.keyspace().db(0);
  EncodingLimits limits_;
};

TEST_F(ScratchSetTest, IsEmptyAtFirstAndAfterItsLastMember) {
  ScratchSet set(limits_);
  EXPECT_EQ(set.size(), 0u);
  set.Add("a");
  ScratchSet same(limits_);
  same.Add("a");
  set.RemoveAll(same.view());
  EXPECT_EQ(set.size(), 0u);
  set.Add("b");
  EXPECT_TRUE(set.view().Contains("b"));
}

TEST_F(ScratchSetTest, WhatItTookFromALargeSetStaysWhenEitherChanges) {
  ScratchSet large(limits_);
  Fill(large, 0, 2000);
  ScratchSet copy(limits_);
  copy.AddAll(large.view());
  copy.Add("new");
  large.Add("other");
  EXPECT_EQ(copy.size(), 2001u);
  EXPECT_FALSE(copy.view().Contains("other"));
  EXPECT_FALSE(large.view().Contains("new"));
}

TEST_F(ScratchSetTest, MovesItsMembersIntoAKeyAndIsEmpty) {
  ScratchSet set(limits_);
  Fill(set, 0, 500);
  Store(set, "k");
  EXPECT_EQ(set.size(), 0u);
  EXPECT_EQ(Run("SCARD k"), ":500\r\n");
  EXPECT_EQ(Run("SISMEMBER k m499"), ":1\r\n");
}

}  // namespace
}  // namespace cloakroom
