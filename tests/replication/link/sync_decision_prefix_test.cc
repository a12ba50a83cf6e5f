#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/random/distributions.h"
#include "replication/link/sync_decision.h"

namespace cloakroom {
namespace {

// Servers that write, follow each other, are promoted, demoted and restarted at random. Whatever
// happens, a PSYNC is granted only to a server whose data is a prefix of the granter's, and only
// bytes are promised that the granter still has.

/// One byte of the stream: no two writes are equal.
using Data = std::vector<uint32_t>;

struct Saved {
  HistoryPoint point;
  Data data;
};

struct Node {
  explicit Node(std::mt19937_64& random) : history(random) {}

  int64_t tail() const { return static_cast<int64_t>(data.size()) - history.bias(); }

  ReplicationHistory history;
  Data data;  // as long as the offset of its tail
  std::optional<int> primary;
  std::optional<HistoryPoint> ask;  // the primary, with PSYNC
  bool link_up = false;
  int64_t first_kept = 0;
  Saved saved;
};

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {
    for (int i = 0; i < kNodes; ++i) nodes_.emplace_back(random_);
    for (Node& node : nodes_) node.saved = {{node.history.id1(), 0}, {}};
  }

  void Step() {
    const int at = Below(kNodes);
    Node& node = nodes_[at];
    switch (Below(16)) {
      case 0:
      case 1:
      case 2:
        return Write(node);
      case 3:
      case 4:
        return Pull(at);
      case 5:
      case 6:
        return Cut(node);
      case 7:
        return Follow(at, Below(kNodes));
      case 8:
        return Promote(at);
      case 9:
        return Restart(at);
      case 10:
        node.saved = {{node.history.id1(), node.history.OffsetAt(node.tail())}, node.data};
        return;
      case 11:
        return Trim(at);
      default:
        return Connect(at);
    }
  }

  int granted() const { return granted_; }
  int refused() const { return refused_; }

 private:
  static constexpr int kNodes = 4;

  int Below(int n) { return absl::Uniform<int>(random_, 0, n); }

  void Write(Node& node) {
    if (node.primary) return;
    for (int n = Below(5); n >= 0; --n) node.data.push_back(++writes_);
  }

  void Pull(int at) {
    Node& node = nodes_[at];
    if (!node.primary || !node.link_up) return;
    const Data& from = nodes_[*node.primary].data;
    const size_t until = std::min(from.size(), node.data.size() + Below(8));
    node.data.insert(node.data.end(), from.begin() + node.data.size(), from.begin() + until);
  }

  /// The replicas of `at` lose their links.
  void Close(int at) {
    for (Node& node : nodes_)
      if (node.primary == at) Cut(node);
  }
  void Cut(Node& node) {
    if (node.link_up)
      node.ask = HistoryPoint{node.history.id1(), node.history.OffsetAt(node.tail())};
    node.link_up = false;
  }

  void Follow(int at, int primary) {
    Node& node = nodes_[at];
    if (at == primary) return;
    node.link_up = false;
    node.primary = primary;
    node.ask = node.history.BecomeReplica(node.tail());
  }

  void Promote(int at) {
    Node& node = nodes_[at];
    if (!node.primary) return;
    node.primary.reset();
    node.link_up = false;
    node.history.Promote(node.tail(), random_);
    Close(at);
  }

  /// Back to the data of the last save, by a restart.
  void Restart(int at) {
    Node& node = nodes_[at];
    Close(at);
    node.link_up = false;
    node.data = node.saved.data;
    node.first_kept = 0;
    const int64_t kept = std::min<int64_t>(Below(50), node.saved.point.offset);
    if (node.primary) {
      EXPECT_TRUE(node.history.RestartAsReplica(node.saved.point, 0, kept));
      node.ask = node.history.BecomeReplica(kept);
    } else {
      EXPECT_TRUE(node.history.RestartAsPrimary(node.saved.point, 0, kept, random_));
    }
  }

  void Trim(int at) {
    Node& node = nodes_[at];
    if (Below(20) == 0 && !node.primary) {
      Close(at);
      node.history.DropBacklog(1, random_);
      return;
    }
    node.first_kept = std::min(node.tail(), node.first_kept + Below(5));
  }

  void Connect(int at) {
    Node& node = nodes_[at];
    if (!node.primary || node.link_up) return;
    Node& primary = nodes_[*node.primary];
    const std::string id(node.ask->id.text());
    const std::string offset = std::to_string(node.ask->offset + 1);
    SyncRequest request;
    request.id = id;
    request.offset = offset;
    request.options.capa_psync2 = true;
    const StreamExtent stream = {.tail = primary.tail(), .first_kept = primary.first_kept};
    const SyncDecision decision =
        DecideSync(primary.history, request,
                   {primary.primary.has_value(), primary.link_up, false, stream, Below(100)});
    if (decision.kind == SyncDecision::Kind::kContinue) return Continue(at, decision.position);
    if (decision.kind == SyncDecision::Kind::kFull) TakeAll(at);
  }

  void Continue(int at, int64_t position) {
    ++granted_;
    Node& node = nodes_[at];
    const Node& primary = nodes_[*node.primary];
    ASSERT_GE(position, primary.first_kept);
    ASSERT_LE(position, primary.tail());
    ASSERT_LE(node.data.size(), primary.data.size());
    ASSERT_TRUE(std::equal(node.data.begin(), node.data.end(), primary.data.begin()));
    node.link_up = true;
    if (node.history.Continue(primary.history.id1(), node.tail())) Close(at);
  }

  void TakeAll(int at) {
    ++refused_;
    Node& node = nodes_[at];
    Node& primary = nodes_[*node.primary];
    Close(at);
    primary.history.BeginBacklog(primary.tail(), random_);
    const int64_t tail = node.tail();
    node.data = primary.data;
    node.first_kept = tail;
    ASSERT_TRUE(node.history.TakeOver(
        {primary.history.id1(), primary.history.OffsetAt(primary.tail())}, tail));
    node.link_up = true;
  }

  std::mt19937_64 random_;
  std::vector<Node> nodes_;
  uint32_t writes_ = 0;
  int granted_ = 0;
  int refused_ = 0;
};

TEST(SyncDecisionPrefixTest, OnlyPrefixesAreContinued) {
  int granted = 0;
  int refused = 0;
  for (uint64_t seed = 0; seed < 300 && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int step = 0; step < 400 && !testing::Test::HasFatalFailure(); ++step) world.Step();
    granted += world.granted();
    refused += world.refused();
  }
  EXPECT_GT(granted, 1000) << "else the test shows nothing";
  EXPECT_GT(refused, 1000);
}

TEST(SyncDecisionPrefixTest, NoOffsetOutsideOfTheBacklogIsGranted) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    ReplicationHistory history(random);
    const int64_t tail = absl::Uniform<int64_t>(random, 0, 1000);
    const int64_t begin = absl::Uniform<int64_t>(absl::IntervalClosed, random, 0, tail);
    const int64_t at = absl::Uniform<int64_t>(random, 0, 5000);
    ASSERT_TRUE(history.RestartAsReplica({history.id1(), at}, begin, tail));
    const SyncServer server = {.stream = {.tail = tail,
                                          .first_kept = absl::Uniform<int64_t>(random, 0, 1000),
                                          .oldest_cursor = absl::Uniform<int64_t>(random, 0, 1000)},
                               .backlog_size = absl::Uniform<int64_t>(random, 0, 1200)};
    const int64_t asked = absl::Uniform<int64_t>(random, -100, 6000);
    const std::string id(history.id1().text());
    const std::string offset = std::to_string(asked);
    SyncRequest request;
    request.id = id;
    request.offset = offset;
    const bool inside =
        asked >= history.FirstByte(server.stream, server.backlog_size) && asked <= at + 1;
    const SyncDecision decision = DecideSync(history, request, server);
    ASSERT_EQ(decision.kind == SyncDecision::Kind::kContinue, inside);
    if (!inside) continue;
    ASSERT_EQ(decision.position, tail + asked - 1 - at);
    ASSERT_GE(decision.position, begin);
    ASSERT_GE(decision.position, std::min(server.stream.first_kept, tail));
    ASSERT_LE(decision.position, tail);
  }
}

}  // namespace
}  // namespace cloakroom
