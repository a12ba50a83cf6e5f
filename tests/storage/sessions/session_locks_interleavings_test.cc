// All orders in which two native clients, a plain client and the clock can come, up to so many
// steps: beside the model of session_model.h, with the same checks as random orders.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/storage/support/session_sites.h"

namespace cloakroom {
namespace {

constexpr int kSteps = 9;
constexpr int kActors = 4;
constexpr int64_t kLeaseMs = 1000;
constexpr int64_t kTickMs = 700;  // a lease is over after two

/// One session, and who visits it. Every commit and every plain write is a number of its own.
class SmallWorld final : public SessionSites {
 public:
  SmallWorld() : SessionSites(0) {}
  ~SmallWorld() override { EndProcess(); }

  void Run(const std::vector<int>& actors) {
    for (const int actor : actors) {
      if (actor < 2) NativeStep(natives_[static_cast<size_t>(actor)]);
      if (actor == 2) PlainStep();
      if (actor == 3) Tick();
    }
    Finish();
  }
  int64_t commits() const { return commits_; }

 private:
  struct Native {
    enum class Is : uint8_t { kIdle, kWaiting, kHolding, kDone };
    Is is = Is::kIdle;
    uint64_t connection = 0;
    std::unique_ptr<SessionWaiter> waiter;
    int64_t fence = 0;
    int64_t read = 0;
  };

  const SessionWaiter* WaiterOf(uint64_t connection) const override {
    for (const Native& native : natives_)
      if (native.connection == connection) return native.waiter.get();
    return nullptr;
  }
  Site& site() { return sites_[0]; }

  void NativeStep(Native& native) {
    switch (native.is) {
      case Native::Is::kIdle:
        native.connection = ++last_connection_;
        native.waiter = std::make_unique<SessionWaiter>(
            SessionClient{native.connection, "n" + std::to_string(native.connection) + "|1", ""},
            kLeaseMs);
        return Open(native);
      case Native::Is::kWaiting:
        if (native.waiter->granted()) Open(native);
        return;
      case Native::Is::kHolding:
        return Commit(native);
      case Native::Is::kDone:
        return;
    }
  }
  void Open(Native& native) {
    SessionOpened opened;
    Event(
        kOpens, 0,
        [&](SessionModel& model) {
          model.Open({native.connection, kLeaseMs, context_.now_ms}, site().hash, {});
        },
        [&](SessionLock& lock) {
          opened = lock.Open(*native.waiter, site().hash.view(), context_, {});
          return opened.effects;
        });
    native.is = Native::Is::kWaiting;
    if (opened.answer != SessionOpened::Answer::kHeld) return;
    native.is = Native::Is::kHolding;
    native.fence = opened.fence;
    native.read = site().data;
  }
  void Commit(Native& native) {
    native.is = Native::Is::kDone;
    if (LocksOf(0).Get(KeyOf(0))->Decide({native.fence}, site().hash.view()) != CommitCase::kHeld)
      return;
    EXPECT_EQ(native.read, site().data) << "applied to what it had not read";
    ++commits_;
    site().data = ++last_data_;
    site().hash.exists = true;
    site().hash.writes += 1;
    site().hash.pid = FormatSessionPid("n|1", native.fence);
    Event(
        kReleases, 0, [&](SessionModel& model) { model.Release(site().hash); },
        [&](SessionLock& lock) {
          return lock.Release(native.fence, site().hash.view(), context_).value();
        });
  }

  /// Polls, takes the lock when it has counted to 1 or at its third poll, writes.
  void PlainStep() {
    if (plain_holds_) return PlainWrite();
    ForeignWrite(0, kPlain, [](Site& site) {
      site.hash.exists = true;
      site.hash.lock += 1;
    });
    if (site().hash.lock != 1 && ++polls_ < 3) return;
    ForeignWrite(0, kPlain, [](Site& site) {
      site.hash.lock = 1;
      site.hash.pid = "p|1";
    });
    plain_holds_ = true;
    plain_read_ = site().data;
  }
  void PlainWrite() {
    plain_holds_ = false;
    polls_ = 0;
    if (site().hash.pid != "p|1") return;
    EXPECT_EQ(plain_read_, site().data) << "a native commit is lost";
    ForeignWrite(0, kPlain, [this](Site& site) {
      site.data = ++last_data_;
      site.hash.writes += 1;
      site.hash.lock = 0;
    });
  }

  void Tick() {
    Advance(kTickMs);
    Ring(0);
  }
  /// Everybody who waits gets the lock in the end, and nothing is left.
  void Finish() {
    for (int round = 0; round < 12; ++round) {
      for (Native& native : natives_)
        if (native.is != Native::Is::kIdle) NativeStep(native);
      if (plain_holds_) PlainWrite();
      Tick();
    }
    for (const Native& native : natives_) EXPECT_NE(native.is, Native::Is::kWaiting);
    EXPECT_TRUE(LocksOf(0).empty());
  }

  static constexpr uint64_t kPlain = 1000;
  std::array<Native, 2> natives_;
  uint64_t last_connection_ = 0;
  int64_t last_data_ = 0;
  int64_t commits_ = 0;
  bool plain_holds_ = false;
  int polls_ = 0;
  int64_t plain_read_ = 0;
};

TEST(SessionLocksInterleavingsTest, NoOrderLosesACommitOrAWaiter) {
  std::vector<int> actors(kSteps, 0);
  int64_t commits = 0;
  for (;;) {
    SmallWorld world;
    world.Run(actors);
    commits += world.commits();
    if (HasFailure()) {
      std::string order;
      for (const int actor : actors) order += "ABPT"[actor];
      FAIL() << "the order " << order;
    }
    size_t at = 0;
    while (at < actors.size() && ++actors[at] == kActors) actors[at++] = 0;
    if (at == actors.size()) break;
  }
  EXPECT_GT(commits, 100'000);
}

}  // namespace
}  // namespace cloakroom
