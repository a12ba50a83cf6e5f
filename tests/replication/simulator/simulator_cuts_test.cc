// A connection between two servers breaks after each byte of everything that they say to each
// other.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/replication/simulator/sim_run.h"

namespace cloakroom {
namespace {

constexpr int64_t kMostMs = 20'000;
// Each writes the same.
constexpr int kWritesBefore = 3;

struct Form {
  bool by_file = false;
  SyncLoad load = SyncLoad::kDisk;
  AofFsync fsync = AofFsync::kAlways;
  bool chain = false;
};

/// A primary and a replica that has not yet connected to it; in a chain also a replica of that one.
class Pair {
 public:
  explicit Pair(const Form& form)
      : world_(1, {.servers = form.chain ? 3 : 2, .settings = [&](SimMachine& machine) {
                     if (machine.number == 2) machine.primary = 1;
                     machine.by_file = form.by_file;
                     machine.load = form.load;
                     machine.fsync = form.fsync;
                     machine.backlog_size = 100'000;
                   }}) {
    Write(kWritesBefore);
  }

  void Write(int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(world_.Write(0, dice_));
  }
  /// Goes on, with writes meanwhile, until both have the same.
  void Finish() {
    for (int i = 0; i < 2; ++i) {
      world_.Turn();
      if (!world_.server(0).is_replica()) world_.Write(0, dice_);
    }
    EXPECT_TRUE(world_.Converge(kMostMs));
    ExpectRight();
  }
  void ExpectRight() {
    EXPECT_EQ(world_.failure(), "");
    for (int number = 0; number < world_.size(); ++number) {
      for (int write = 1; write <= kWritesBefore; ++write)
        EXPECT_TRUE(world_.server(number).data().Has(write)) << number;
    }
  }
  SimWorld& world() { return world_; }
  SimNetwork& network() { return world_.environment().network; }
  size_t Delivered(int connection, SimEnd to) {
    return network().Find(connection)->delivered.at(static_cast<size_t>(to));
  }

 private:
  SimWorld world_;
  SimDice dice_{5};
};

/// Calls `run` with a plan for a break after each byte to either end, of those that the connection
/// carries if it does not break. `size` runs without a plan, and says how many those are.
void BreakEverywhere(int connection, const std::function<size_t(SimEnd)>& size,
                     const std::function<void(const SimNetwork::Plan&)>& run) {
  int64_t breaks = 0;
  for (const SimEnd to : {SimEnd::kReplica, SimEnd::kPrimary}) {
    const size_t bytes = size(to);
    EXPECT_GT(bytes, 60u) << "else there was no conversation";
    for (const bool silently : {false, true}) {
      // What differs under a sanitizer differs at any byte.
      const size_t step = kSimSanitized && silently ? 5 : 1;
      for (size_t after = 0; after <= bytes; after += step) {
        SCOPED_TRACE(testing::Message()
                     << (silently ? "silence" : "cut") << " after " << after
                     << (to == SimEnd::kReplica ? " to the replica" : " to the primary"));
        run({.connection = connection, .to = to, .after = after, .silently = silently});
        ++breaks;
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  testing::Test::RecordProperty("breaks", std::to_string(breaks));
}

class SimulatorCutsTest : public testing::TestWithParam<Form> {};

TEST_P(SimulatorCutsTest, AFullSyncThatBreaksAnywhereIsMadeGood) {
  const auto size = [](SimEnd to) {
    Pair pair(GetParam());
    pair.Finish();
    EXPECT_EQ(pair.world().environment().full_syncs, GetParam().chain ? 2 : 1);
    return pair.Delivered(0, to);
  };
  BreakEverywhere(0, size, [](const SimNetwork::Plan& plan) {
    Pair pair(GetParam());
    pair.network().CutAfter(plan);
    pair.Finish();
    EXPECT_FALSE(pair.network().planned()) << "it broke";
  });
}

INSTANTIATE_TEST_SUITE_P(Forms, SimulatorCutsTest,
                         testing::Values(Form{false, SyncLoad::kDisk},
                                         Form{false, SyncLoad::kInPlace},
                                         Form{false, SyncLoad::kSwap}, Form{true, SyncLoad::kDisk},
                                         Form{true, SyncLoad::kSwap}, Form{.chain = true}));

/// Both have the same, and then lose each other. The next connection has number 1.
class Parted : public Pair {
 public:
  Parted() : Pair({}) {
    Finish();
    world().Cut(1);
    Write(2);
  }
};

TEST(SimulatorPartialSyncTest, OneThatBreaksAnywhereIsMadeGoodByAnother) {
  const auto size = [](SimEnd to) {
    Parted pair;
    pair.Finish();
    return pair.Delivered(1, to);
  };
  BreakEverywhere(1, size, [](const SimNetwork::Plan& plan) {
    Parted pair;
    pair.network().CutAfter(plan);
    pair.Finish();
    EXPECT_EQ(pair.world().environment().full_syncs, 1) << "the first one";
  });
}

/// The primary fails over to its replica: connection 1 is that of its PSYNC with FAILOVER.
class FailingOver : public Pair {
 public:
  FailingOver() : Pair({}) { Finish(); }
  void Begin() {
    world().server(0).StartFailover({});
    for (int i = 0; i < 10; ++i) world().Turn();
  }
};

TEST(SimulatorFailoverTest, OneThatBreaksAnywhereLosesNothing) {
  const auto size = [](SimEnd to) {
    FailingOver pair;
    pair.Begin();
    EXPECT_TRUE(pair.world().server(0).is_replica());
    EXPECT_FALSE(pair.world().server(1).is_replica());
    return pair.Delivered(1, to);
  };
  BreakEverywhere(1, size, [](const SimNetwork::Plan& plan) {
    FailingOver pair;
    pair.network().CutAfter(plan);
    pair.Begin();
    pair.world().Settle();
    pair.ExpectRight();
  });
}

/// A server whose disk has nothing of the log but its base, unless a crash is merciful.
class Unsynced : public Pair {
 public:
  Unsynced() : Pair({.fsync = AofFsync::kNo}) {
    Finish();
    Write(4);
    Finish();
  }
  size_t LogSize(int number) {
    size_t size = 0;
    FaultyFiles& disk = world().server(number).machine().disk;
    for (const std::string& path : disk.Paths()) {
      if (path.ends_with(".incr.aof")) size += disk.Content(path)->size();
    }
    return size;
  }
};

TEST(SimulatorTornLogTest, AReplicaWhoseLogIsTornAnywhereGoesOnFromThere) {
  const size_t size = Unsynced().LogSize(1);
  EXPECT_GT(size, 300u);
  for (size_t kept = 0; kept <= size; ++kept) {
    SCOPED_TRACE(kept);
    Unsynced pair;
    pair.world().LosePower(1, kept);
    EXPECT_LE(pair.LogSize(1), kept + 200) << "what it says anew of its place";
    pair.Write(2);
    pair.Finish();
    EXPECT_EQ(pair.world().environment().full_syncs, 1) << "its log says where it is";
    if (testing::Test::HasFailure()) return;
  }
}

TEST(SimulatorTornLogTest, APrimaryWhoseLogIsTornAnywhereAndItsReplicaAgreeSoon) {
  const size_t size = Unsynced().LogSize(0);
  EXPECT_GT(size, 300u);
  int64_t full = 0;
  for (size_t kept = 0; kept <= size; ++kept) {
    SCOPED_TRACE(kept);
    Unsynced pair;
    pair.world().LosePower(0, kept);
    EXPECT_TRUE(pair.world().Converge(kMostMs));
    EXPECT_EQ(pair.world().failure(), "");
    full += pair.world().environment().full_syncs - 1;
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(full, static_cast<int64_t>(size))
      << "unless the whole log is there, the replica has more";
}

TEST(SimulatorRestartTest, ARestartIsAPartialSyncForAll) {
  SimWorld world(1, {.servers = 4, .settings = {}});
  for (int number = 0; number < 4; ++number) {
    SimMachine& machine = world.server(number).machine();
    machine.backlog_size = 100'000;
    machine.log = true;
  }
  SimDice dice(1);
  for (int number = 0; number < 4; ++number) world.Restart(number);
  ASSERT_TRUE(world.Converge(kMostMs));
  for (int i = 0; i < 5; ++i) world.Turn();
  const int64_t before = world.environment().full_syncs;
  for (int number : {3, 1, 0, 2, 0, 1}) {
    EXPECT_TRUE(world.Write(0, dice));
    world.Restart(number);
    EXPECT_TRUE(world.Converge(kMostMs));
  }
  EXPECT_EQ(world.environment().full_syncs, before);
  EXPECT_EQ(world.failure(), "");
}

}  // namespace
}  // namespace cloakroom
