#include "storage/values/mutable_stream.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

using Words = std::vector<std::string_view>;

std::string IdsOf(const Stream& stream, const StreamRange& range = {}, bool backwards = false) {
  std::string text;
  const auto one = [&](const StreamEntry& entry) {
    text.append(text.empty() ? "" : " ").append(StreamIdText(entry.id()).view());
    return true;
  };
  backwards ? stream.ForEachBackwards(range, one) : stream.ForEach(range, one);
  return text;
}

class MutableStreamTest : public ::testing::Test {
 protected:
  void Add(uint64_t ms, const Words& words = {"f", "v"}) { stream_.Append({ms, 0}, words); }
  void AddUpTo(uint64_t last) {
    for (uint64_t ms = 1; ms <= last; ++ms) Add(ms);
  }
  size_t Leaves() {
    size_t leaves = 0;
    stream_.view().ForEachLeaf([&](const StreamLeaf&, size_t) { ++leaves; });
    return leaves;
  }
  size_t TrimTo(uint64_t size, bool whole_leaves, int64_t limit = 0) {
    return stream_.Trim({.max_size = size, .whole_leaves = whole_leaves, .limit = limit});
  }

  EncodingLimits limits_;
  FakeSlot slot_;
  MutableStream stream_{slot_, limits_};
};

TEST_F(MutableStreamTest, AbsentIsEmptyAndStaysAbsent) {
  EXPECT_FALSE(stream_.Erase({1, 0}));
  EXPECT_EQ(TrimTo(0, false), 0u);
  EXPECT_FALSE(slot_.exists());
  EXPECT_TRUE(stream_.view().empty());
}

TEST_F(MutableStreamTest, AnEmptyStreamRemains) {
  Add(1);
  EXPECT_TRUE(stream_.Erase({1, 0}));
  EXPECT_FALSE(stream_.Erase({1, 0}));
  ASSERT_TRUE(slot_.exists());
  EXPECT_TRUE(stream_.view().empty());
  EXPECT_EQ(stream_.view().last_id(), (StreamId{1, 0}));
  EXPECT_EQ(stream_.view().max_deleted(), (StreamId{1, 0}));
  EXPECT_EQ(stream_.view().entries_added(), 1u);
  EXPECT_EQ(OpsOf(ValueType::kStream).size(slot_.view(), 0), 1u);
}

TEST_F(MutableStreamTest, LeavesEndWhereRedisNodesDo) {
  AddUpTo(250);
  EXPECT_EQ(Leaves(), 3u);
  limits_.stream_node_max_entries = 0;
  for (uint64_t ms = 251; ms <= 1000; ++ms) Add(ms);
  EXPECT_LT(Leaves(), 10u) << "now only the bytes count";
  Add(1001, {"f", std::string(5000, 'v')});
  const size_t leaves = Leaves();
  Add(1002);
  EXPECT_EQ(Leaves(), leaves + 1);
}

TEST_F(MutableStreamTest, ErasedEntriesStillFillTheirLeaf) {
  AddUpTo(100);
  for (uint64_t ms = 50; ms <= 100; ++ms) stream_.Erase({ms, 0});
  Add(101);
  EXPECT_EQ(Leaves(), 2u);
}

TEST_F(MutableStreamTest, RangesAreReadInBothDirections) {
  AddUpTo(205);
  stream_.Erase({103, 0});
  EXPECT_EQ(IdsOf(stream_.view(), {{99, 0}, {105, 0}}), "99-0 100-0 101-0 102-0 104-0 105-0");
  EXPECT_EQ(IdsOf(stream_.view(), {{99, 0}, {105, 0}}, true), "105-0 104-0 102-0 101-0 100-0 99-0");
  EXPECT_EQ(IdsOf(stream_.view(), {{204, 1}, {UINT64_MAX, 0}}), "205-0");
  EXPECT_EQ(IdsOf(stream_.view(), {{300, 0}, {400, 0}}), "");
  EXPECT_EQ(IdsOf(stream_.view(), {{5, 0}, {4, 0}}), "");
  EXPECT_GE(stream_.view().AtMostIn({{99, 0}, {105, 0}}), 6u);
  EXPECT_EQ(stream_.view().first_entry(), (StreamId{1, 0}));
  EXPECT_EQ(stream_.view().last_entry(), (StreamId{205, 0}));
}

TEST_F(MutableStreamTest, TheLastEntryIsOneThatIsThere) {
  AddUpTo(3);
  stream_.Erase({3, 0});
  EXPECT_EQ(stream_.view().last_entry(), (StreamId{2, 0}));
}

TEST_F(MutableStreamTest, TrimmingMayKeepWholeLeaves) {
  AddUpTo(250);
  EXPECT_EQ(TrimTo(240, true), 0u);
  EXPECT_EQ(TrimTo(120, true), 100u);
  EXPECT_EQ(TrimTo(120, false), 30u);
  EXPECT_EQ(stream_.view().first_entry(), (StreamId{131, 0}));
  EXPECT_EQ(stream_.view().max_deleted(), (StreamId{0, 0})) << "that is what XDEL deletes";
}

TEST_F(MutableStreamTest, TrimmingStopsAtItsLimit) {
  AddUpTo(450);
  EXPECT_EQ(TrimTo(0, true, 199), 100u);
  EXPECT_EQ(TrimTo(0, true, 200), 200u);
  EXPECT_EQ(TrimTo(0, true, 50), 0u);
}

TEST_F(MutableStreamTest, TrimmingByIdRemovesWhatIsBefore) {
  AddUpTo(250);
  StreamTrim trim{.by = StreamTrim::By::kId, .min_id = {151, 0}, .whole_leaves = true};
  EXPECT_EQ(stream_.Trim(trim), 100u);
  trim.whole_leaves = false;
  EXPECT_EQ(stream_.Trim(trim), 50u);
  EXPECT_EQ(stream_.view().first_entry(), (StreamId{151, 0}));
  trim.min_id = {1000, 0};
  EXPECT_EQ(stream_.Trim(trim), 100u);
  EXPECT_TRUE(stream_.view().empty());
}

TEST_F(MutableStreamTest, ASharedStreamStaysAsItWas) {
  AddUpTo(150);
  stream_.CreateGroup("g", {}, 0);
  MutableStreamGroup(stream_, "g").CreateConsumer("c", 1);
  const SharedValue shared = stream_.view().Share();
  TrimTo(0, false);
  Add(500);
  const std::vector<StreamId> ids = {{500, 0}};
  MutableStreamGroup(stream_, "g").Claim("c", ids, 5, 1);
  const Stream old(shared.view());
  EXPECT_EQ(old.size(), 150u);
  EXPECT_EQ(old.last_id(), (StreamId{150, 0}));
  EXPECT_TRUE(old.FindGroup("g")->pending().empty());
  EXPECT_EQ(stream_.view().FindGroup("g")->pending().size(), 1u);
}

TEST_F(MutableStreamTest, GroupsComeAndGo) {
  stream_.Create();
  EXPECT_TRUE(stream_.CreateGroup("g", {5, 0}, -1));
  EXPECT_FALSE(stream_.CreateGroup("g", {6, 0}, -1));
  EXPECT_EQ(stream_.view().FindGroup("g")->last_id, (StreamId{5, 0}));
  EXPECT_EQ(stream_.view().group_count(), 1u);
  EXPECT_TRUE(stream_.DestroyGroup("g"));
  EXPECT_FALSE(stream_.DestroyGroup("g"));
  EXPECT_EQ(stream_.view().groups(), nullptr);
}

TEST_F(MutableStreamTest, AcknowledgedEntriesAreNotPending) {
  AddUpTo(3);
  stream_.CreateGroup("g", {}, 0);
  MutableStreamGroup group(stream_, "g");
  group.CreateConsumer("c", 1);
  const std::vector<StreamId> ids = {{1, 0}, {2, 0}, {3, 0}};
  group.Claim("c", ids, 5, 1);
  const std::vector<StreamId> some = {{2, 0}, {2, 0}, {9, 0}};
  EXPECT_EQ(group.Acknowledge(some), 1u);
  EXPECT_EQ(group.view().pending().size(), 2u);
  EXPECT_EQ(group.DeleteConsumer("c"), 2u);
  EXPECT_TRUE(group.view().pending().empty());
}

TEST_F(MutableStreamTest, ARandomStreamIsThatOfAModel) {
  std::mt19937_64 rng(7);
  std::map<uint64_t, std::string> model;
  limits_.stream_node_max_entries = 10;
  for (uint64_t ms = 1; ms < 5000; ++ms) {
    const std::string value = std::to_string(rng() % 1000);
    Add(ms, rng() % 5 == 0 ? Words{"g", value} : Words{"f", value});
    model[ms] = value;
    const uint64_t erased = 1 + rng() % ms;
    if (rng() % 2 == 0) EXPECT_EQ(stream_.Erase({erased, 0}), model.erase(erased) == 1);
    if (rng() % 100 == 0) {
      const size_t kept = model.size() - rng() % 30 % model.size();
      TrimTo(kept, false);
      while (model.size() > kept) model.erase(model.begin());
    }
  }
  std::map<uint64_t, std::string> found;
  stream_.view().ForEach({}, [&](const StreamEntry& entry) {
    entry.ForEach(
        [&](const StreamText&, const StreamText& value) { found[entry.id().ms] = value.view(); });
    return true;
  });
  EXPECT_EQ(found, model);
  EXPECT_EQ(stream_.view().size(), model.size());
}

}  // namespace
}  // namespace cloakroom
