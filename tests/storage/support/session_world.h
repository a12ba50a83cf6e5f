#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_WORLD_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_WORLD_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/sessions/session_lock.h"
#include "storage/sessions/session_locks.h"
#include "tests/storage/support/session_actors.h"
#include "tests/storage/support/session_sites.h"

namespace cloakroom {

/// Session locks with all their users, in random orders: native clients, plain clients as their
/// library works, commands that ignore both, time, flushes, swaps, demotions and restarts with a
/// lost tail. What breaks a promise of the locks is a failure of the test. A step depends on the
/// seed, on its number and on what was before; so a run of some of the steps is a run, too.
class SessionWorld final : public SessionSites {
 public:
  using Steps = std::vector<int64_t>;
  static Steps FirstSteps(int64_t count) {
    Steps steps(static_cast<size_t>(count));
    std::iota(steps.begin(), steps.end(), 0);
    return steps;
  }

  explicit SessionWorld(unsigned seed) : SessionSites(seed), seed_(seed) {
    for (int i = 0; i < kNatives; ++i) natives_[i].owner = "n" + std::to_string(i) + "|1";
    for (int i = 0; i < kPlains; ++i) plains_[i].pid = "p" + std::to_string(i) + "|1";
  }
  ~SessionWorld() override { EndProcess(); }

  /// The steps, to the first failure: returns how many that were. Then everybody finishes, and
  /// nothing is left. `failed`: whether there was a failure.
  template <typename Failed>
  size_t Run(const Steps& steps, Failed&& failed) {
    for (size_t i = 0; i < steps.size(); ++i) {
      Seed(seed_, static_cast<uint64_t>(steps[i]));
      Step();
      if (failed()) return i + 1;
    }
    Finish();
    return steps.size();
  }
  /// What happened last, a line each.
  using SessionSites::Traced;

 private:
  using Answer = SessionOpened::Answer;

  static constexpr int kNatives = 8;
  static constexpr int kPlains = 3;
  static constexpr int64_t kMoved = -1;

  using Native = NativeActor;
  using Plain = PlainActor;

  // ---- native clients

  const SessionWaiter* WaiterOf(uint64_t connection) const override {
    for (const Native& native : natives_)
      if (native.is == Native::Is::kWaiting && native.connection == connection)
        return native.waiter.get();
    for (const Plain& plain : plains_)
      if (plain.is == Plain::Is::kParked && plain.connection == connection)
        return plain.waiter.get();
    return nullptr;
  }
  void NativeStep(Native& native) {
    switch (native.is) {
      case Native::Is::kIdle:
        if (context_.writes_paused) return;
        return Below(8) == 0 ? Read(native) : Open(native);
      case Native::Is::kWaiting:
        return WaitingStep(native);
      case Native::Is::kHolding:
        if (context_.writes_paused) return Below(4) == 0 ? Lose(native) : void();
        return HoldingStep(native);
      case Native::Is::kUnsure:
        if (context_.writes_paused) return;
        return Below(8) == 0 ? Rest(native) : Commit(native, /*always_if=*/true);
    }
  }
  void WaitingStep(Native& native) {
    const int way = Below(12);
    // A waiter that was granted the lock runs, unless its connection ends.
    if (way == 0 || (way < 3 && !native.waiter->granted())) return StopWaiting(native);
    if (!context_.writes_paused && (way < 5 || native.waiter->granted())) Run(native);
  }
  void HoldingStep(Native& native) {
    switch (Below(12)) {
      case 0:
        return Release(native);
      case 1:
        return Destroy(native);
      case 2:
        return Renew(native);
      case 3:
        return Lose(native);
      case 4:
        return Run(native);  // it opens again
      case 5:
      case 6:
        return;
      case 7:
        native.committed = false;
        Commit(native, /*always_if=*/false, /*reply_lost=*/true);
        return;
      default:
        return Commit(native, /*always_if=*/false);
    }
  }
  void Rest(Native& native) { native.is = Native::Is::kIdle; }
  void ReadHash(Native& native) {
    native.version = SessionVersion(sites_[native.at].hash.view()).view();
    native.data = sites_[native.at].data;
    native.writes = Below(4) > 0 ? (last_data_ += 2) : 0;
    native.committed = native.expired = false;
    native.wrote_at = native.deleted_at = 0;
  }
  void Read(Native& native) {
    native.at = AnySite();
    native.fence = 0;
    ReadHash(native);
    native.is = Native::Is::kUnsure;
  }
  void Open(Native& native) {
    native.at = AnySite();
    native.connection = ++last_connection_;
    native.waiter = std::make_unique<SessionWaiter>(
        SessionClient{native.connection, native.owner, "GET"}, 100 + Below(1500));
    timers_.erase(native.waiter.get());  // of an earlier one in its place
    terms_ = {.may_wait = Below(8) > 0, .max_waiting = static_cast<size_t>(1 + Below(8))};
    Run(native);
  }
  /// Runs OPEN, for the first time or again.
  void Run(Native& native) {
    Trace(native.owner + " opens " + std::to_string(native.at));
    const FakeHash& hash = sites_[native.at].hash;
    Answer expected = Answer::kLocked;
    SessionOpened opened;
    Event(
        kOpens, native.at,
        [&](SessionModel& model) {
          expected = model.Open({native.connection, native.waiter->lease_ms(), context_.now_ms},
                                hash, terms_);
        },
        [&](SessionLock& lock) {
          opened = lock.Open(*native.waiter, hash.view(), context_, terms_);
          // As if its request had been parked before the effects are done.
          if (opened.answer == Answer::kQueued) native.is = Native::Is::kWaiting;
          return opened.effects;
        });
    EXPECT_EQ(opened.answer, expected);
    if (opened.answer == Answer::kQueued) return;
    EXPECT_FALSE(native.waiter->placed());
    if (opened.answer != Answer::kHeld) return Rest(native);
    EXPECT_EQ(opened.fence, LocksOf(native.at).Find(KeyOf(native.at))->holder()->fence);
    native.is = Native::Is::kHolding;
    native.fence = opened.fence;
    ReadHash(native);
  }
  void StopWaiting(Native& native) {
    Trace(native.owner + " leaves");
    const FakeHash& hash = sites_[native.at].hash;
    native.is = Native::Is::kIdle;
    Event(
        kLeaves, native.at, [&](SessionModel& model) { model.Leave(native.connection, hash); },
        [&](SessionLock& lock) { return lock.Leave(*native.waiter, hash.view(), context_); });
    EXPECT_FALSE(native.waiter->placed());
    timers_.erase(native.waiter.get());
  }
  /// The connection ends while it holds, or thinks so.
  void Lose(Native& native) {
    Trace(native.owner + " loses its connection");
    const FakeHash& hash = sites_[native.at].hash;
    Event(
        kDrops, native.at, [&](SessionModel& model) { model.Drop(native.connection, hash); },
        [&](SessionLock& lock) { return lock.Drop(native.connection, hash.view(), context_); });
    native.is = Native::Is::kUnsure;
  }
  bool Holds(const Native& native) const {
    const SessionModel& model = models_[native.at];
    return model.holder && model.holder->connection == native.connection;
  }
  void Release(Native& native) {
    Trace(native.owner + " releases");
    const bool holds = Holds(native);
    const FakeHash& hash = sites_[native.at].hash;
    Event(
        kReleases, native.at,
        [&](SessionModel& model) {
          if (holds) model.Release(hash);
        },
        [&](SessionLock& lock) {
          const auto effects = lock.Release(native.fence, hash.view(), context_);
          EXPECT_EQ(effects.has_value(), holds);
          return effects.value_or(SessionEffects());
        });
    Rest(native);
  }
  void Destroy(Native& native) {
    if (Holds(native)) {
      Remove(native.at);
      LocksOf(native.at).NoteDestroyed(KeyOf(native.at), context_.fences->last(), context_.now_ms);
      // Who has read another content may get it back, by SWAPDB.
      for (Native& other : natives_)
        if (other.at == native.at && other.fence != 0 && other.version == "0-0")
          other.deleted_at = ++spent_;
    }
    Release(native);
  }
  void Renew(Native& native) {
    const bool holds = Holds(native);
    const int64_t lease_ms = 100 + Below(1500);
    Event(
        kRenews, native.at,
        [&](SessionModel& model) {
          if (holds) model.Renew(lease_ms);
        },
        [&](SessionLock& lock) {
          EXPECT_EQ(lock.Renew(native.fence, lease_ms, context_.now_ms), holds);
          return SessionEffects();
        });
  }
  /// COMMIT. `reply_lost`: then its connection ends before the reply comes.
  void Commit(Native& native, bool always_if, bool reply_lost = false) {
    Site& site = sites_[native.at];
    CommitRequest request{native.fence};
    if (always_if || Below(3) > 0) request.if_version = native.version;
    const CommitCase decided =
        LocksOf(native.at).Decide(KeyOf(native.at), request, site.hash.view());
    Trace(native.owner + " commits " + std::to_string(native.at) + ", C" +
          std::to_string(static_cast<int>(decided) + 1));
    ++met_.commits[static_cast<size_t>(decided)];
    const SessionModel& model = models_[native.at];
    EXPECT_EQ(decided == CommitCase::kHeld, native.fence != 0 && Holds(native));
    if (decided == CommitCase::kRepeated) {
      EXPECT_TRUE(native.committed);
    }
    if (decided == CommitCase::kLate) {
      EXPECT_TRUE(!model.holder && !site.hash.view().plain());
      EXPECT_FALSE(native.committed && Knows(native.wrote_at)) << "done twice";
      EXPECT_FALSE(Knows(native.deleted_at)) << "a logout is undone";
    }
    if (decided != CommitCase::kHeld && decided != CommitCase::kLate) return Rest(native);
    if (!(native.expired && site.data == 0)) {
      EXPECT_EQ(native.data, site.data) << "applied to what it had not read";
    }
    if (native.writes != 0 || site.hash.exists) native.wrote_at = ++spent_;
    Write(native);
    if (decided == CommitCase::kLate) {
      site.hash.lock = 0;
      return Rest(native);
    }
    Release(native);
    if (!reply_lost) return;
    native.committed = true;
    native.is = Native::Is::kUnsure;
  }
  /// Whether the locks still know what became of a fence then; 0: nothing did.
  bool Knows(int64_t spent_at) const {
    return spent_at != 0 && spent_ - spent_at < int64_t{FencedNotes::kMostSpent};
  }
  /// The writes of a COMMIT with or without DATA.
  void Write(const Native& native) {
    Site& site = sites_[native.at];
    if (native.writes == 0 && !site.hash.exists) return;
    int64_t fence = native.fence;
    if (fence == 0) {
      fence = context_.fences->Next(context_.wall_ms, site.hash.view().commit_fence());
      EXPECT_GT(fence, last_fence_);
      last_fence_ = fence;
    }
    if (site.hash.view().commit_fence() == 0) LocksOf(native.at).NoteSpent(fence, context_.now_ms);
    site.hash.exists = true;
    site.hash.writes += 1;
    site.hash.pid = FormatSessionPid(native.owner, fence);
    if (native.writes != 0) site.data = native.writes;
  }

  // ---- plain clients, as their library works, and others

  void PlainStep(Plain& plain) {
    if (plain.is == Plain::Is::kHolding) {
      if (Below(10) == 0) plain.is = Plain::Is::kIdle;  // it dies
      return Below(3) == 0 ? PlainWrite(plain) : void();
    }
    if (plain.is == Plain::Is::kCounting) return Count(plain);
    if (plain.is == Plain::Is::kIdle) {
      if (Below(4) > 0) return;
      plain.is = Plain::Is::kPolling;
      plain.connection = ++last_connection_;
      plain.at = AnySite();
      plain.polls = 0;
      plain.next_poll_ms = 0;
    }
    if (plain.is == Plain::Is::kParked) return ParkedStep(plain);
    if (context_.now_ms >= plain.next_poll_ms) Poll(plain);
  }
  void Poll(Plain& plain) {
    if (Below(2) == 0) return RunPoll(plain);
    plain.waiter = std::make_unique<SessionWaiter>(SessionClient{plain.connection, "", ""}, 0,
                                                   SessionWaiter::Kind::kPoll);
    timers_.erase(plain.waiter.get());
    Park(plain);
  }
  /// Before a poll runs, for the first time or again.
  void Park(Plain& plain) {
    const FakeHash& hash = sites_[plain.at].hash;
    const size_t most = static_cast<size_t>(1 + Below(8));
    const bool waited = plain.waiter->since_ms() != kNever;
    bool expected = false;
    bool parked = false;
    Event(
        kParks, plain.at,
        [&](SessionModel& model) {
          expected =
              model.ParkPoll({plain.connection, 0, context_.now_ms, true}, waited, hash, most);
        },
        [&](SessionLock& lock) {
          parked = lock.ParkPoll(*plain.waiter, hash.view(), context_, most);
          plain.is = parked ? Plain::Is::kParked : Plain::Is::kPolling;
          return SessionEffects();
        });
    EXPECT_EQ(parked, expected);
    EXPECT_EQ(plain.waiter->queued(), parked);
    if (parked) return Trace(plain.pid + " is parked at " + std::to_string(plain.at));
    DropPoll(plain);
    RunPoll(plain);
  }
  void ParkedStep(Plain& plain) {
    if (!plain.waiter->queued()) return Park(plain);
    if (Below(6) > 0) return;
    StopPoll(plain);
    if (Below(4) > 0) return RunPoll(plain);
    plain.is = Plain::Is::kIdle;  // it hung up
  }
  void StopPoll(Plain& plain) {
    Trace(plain.pid + " has waited for long enough");
    const FakeHash& hash = sites_[plain.at].hash;
    plain.is = Plain::Is::kPolling;
    Event(
        kLeaves, plain.at, [&](SessionModel& model) { model.Leave(plain.connection, hash); },
        [&](SessionLock& lock) { return lock.Leave(*plain.waiter, hash.view(), context_); });
    DropPoll(plain);
  }
  void DropPoll(Plain& plain) {
    timers_.erase(plain.waiter.get());
    plain.waiter.reset();
  }
  void RunPoll(Plain& plain) {
    plain.is = Plain::Is::kPolling;
    Trace(plain.pid + " polls " + std::to_string(plain.at));
    ForeignWrite(plain.at, plain.connection, [](Site& site) {
      site.hash.exists = true;
      site.hash.lock += 1;
    });
    plain.next_poll_ms = context_.now_ms + 500;
    const bool breaks = ++plain.polls > 8;
    if (sites_[plain.at].hash.lock != 1 && !breaks) return;
    Trace(plain.pid + " takes it");
    ForeignWrite(plain.at, plain.connection, [&plain](Site& site) {
      site.hash.exists = true;
      site.hash.lock = 1;
      site.hash.pid = plain.pid;
    });
    plain.is = Plain::Is::kHolding;
    plain.data = sites_[plain.at].data;
  }
  void PlainWrite(Plain& plain) {
    const Site& site = sites_[plain.at];
    plain.is = Plain::Is::kIdle;
    if (!site.hash.pid.empty() && site.hash.pid != plain.pid) return;
    Trace(plain.pid + " writes " + std::to_string(plain.at));
    if (site.hash.pid == plain.pid && plain.data != kMoved && site.data != plain.data) {
      EXPECT_EQ(site.data % 2, 1) << "a native commit is lost";
    }
    ForeignWrite(plain.at, plain.connection, [this](Site& changed) {
      changed.hash.exists = true;
      changed.hash.lock = 0;
      changed.data = (last_data_ += 2) + 1;
    });
    plain.is = Plain::Is::kCounting;
    if (Below(4) > 0) Count(plain);  // usually nobody comes between
  }
  void Count(Plain& plain) {
    plain.is = Plain::Is::kIdle;
    ForeignWrite(plain.at, plain.connection, [](Site& changed) {
      changed.hash.exists = true;
      changed.hash.writes += 1;
    });
  }
  void ChangeUnlocked(Site& site) {
    site.hash.exists = true;
    site.hash.writes += 1;
    site.data = (last_data_ += 2) + 1;
  }
  void OtherStep(size_t at) {
    static constexpr int64_t kLocks[] = {0, -1, 1, 999'999, kPublishedLock};
    const int way = Below(12);
    Trace("another write, " + std::to_string(way) + ", at " + std::to_string(at));
    switch (way) {
      case 0:
      case 1:
        return ForeignWrite(at, 0, [this](Site& site) { ChangeUnlocked(site); });
      case 2:  // EXPIRE by a plain client that polls here, or somewhere else
        return ForeignWrite(at, plains_[static_cast<size_t>(Below(kPlains))].connection,
                            [](Site& site) { site.hash.exists = true; });
      case 3:
        return ForeignWrite(at, plains_[0].connection, [](Site& site) {
          site.hash.exists = true;
          site.hash.pid = "q|1";
        });
      case 4:
        return ForeignWrite(at, 0, [this](Site& site) {
          site.hash.exists = true;
          site.hash.lock = kLocks[Below(5)];
        });
      case 5:
        return ForeignWrite(at, 0, [this, at](Site&) { Remove(at); });
      case 6:
        return Rename(at, at / kKeys * kKeys + static_cast<size_t>(Below(kKeys)));
      case 7:
        return Break(at);
      case 8:
        return Expire(at);
      default:
        return Remove(at), Replaced(at);
    }
  }

  /// A client that writes without the lock and takes no part in it leaves the fence of the latest
  /// native commit in the version, which may then come again.
  void ForgetUncertain(size_t at) {
    for (Native& native : natives_)
      if (native.at == at && native.data % 2 == 1) native.version.clear();
    // A plain client knows a session by its own pid, which may be in more than one.
    for (Plain& plain : plains_)
      if (plain.at == at) plain.data = kMoved;
  }
  void Remove(size_t at) {
    ForgetUncertain(at);
    for (Native& native : natives_)
      if (native.at == at && native.fence != 0 && Holds(native)) native.deleted_at = ++spent_;
    sites_[at] = {};
  }
  void Rename(size_t from, size_t to) {
    if (from == to || !sites_[from].hash.exists) return;
    for (const size_t at : {from, to}) {
      const FakeHash& hash = sites_[at].hash;
      Event(
          kWrites, at, [&](SessionModel& model) { model.BeforeForeignWrite(hash); },
          [&](SessionLock& lock) { return lock.BeforeForeignWrite(hash.view()); });
    }
    const Site moved = sites_[from];
    Remove(from);
    Remove(to);
    sites_[to] = moved;
    Replaced(from);
    Replaced(to);
  }
  void Expire(size_t at) {
    Remove(at);
    for (Native& native : natives_)
      if (native.is == Native::Is::kHolding && native.at == at && Holds(native))
        native.expired = true, native.deleted_at = 0;
    Event(
        kExpires, at, [](SessionModel& model) { model.Expired(); },
        [&](SessionLock& lock) { return lock.Expired(context_); });
  }

  // ---- whole databases

  void Flush(size_t db) {
    Trace("flush");
    for (size_t key = 0; key < kKeys; ++key) Remove(db * kKeys + key);
    ReplacedEverywhere(db);
  }
  void Swap() {
    Trace("swap");
    for (size_t at = 0; at < kKeys; ++at) {
      ForgetUncertain(at);
      ForgetUncertain(at + kKeys);
      std::swap(sites_[at], sites_[at + kKeys]);
    }
    ReplacedEverywhere(0);
    ReplacedEverywhere(1);
  }
  /// Nobody holds or waits any more; those who wait are told.
  void Demote() {
    Trace("demotion");
    for (auto& locks : locks_) {
      locks->ForEach([&](std::string_view, SessionLocks::Use& use) {
        Meet(kDemotes, *use);
        for (SessionWaiter* waiter : use->Demote(context_).unblocked) {
          EXPECT_EQ(WaiterOf(waiter->client().connection), waiter);
          EXPECT_FALSE(waiter->placed());
          if (waiter->polls()) continue;
          NativeOf(*waiter).is = Native::Is::kIdle;
        }
      });
      EXPECT_TRUE(locks->empty());
    }
    for (const Native& native : natives_) EXPECT_NE(native.is, Native::Is::kWaiting);
    for (Plain& plain : plains_)
      if (plain.is == Plain::Is::kParked) ForgetPoll(plain);
    for (SessionModel& model : models_) model.Demote();
    timers_.clear();
  }
  void ForgetPoll(Plain& plain) {
    DropPoll(plain);
    plain.is = Plain::Is::kIdle;
  }
  Native& NativeOf(const SessionWaiter& waiter) {
    return *std::find_if(natives_.begin(), natives_.end(),
                         [&](const Native& native) { return native.waiter.get() == &waiter; });
  }
  /// All locks and connections are gone, and some of the latest changes may be.
  void Restart() {
    const bool loses = Below(2) == 0;
    Trace(loses ? "restart with a lost tail" : "restart");
    EndProcess();
    for (Native& native : natives_) {
      native.wrote_at = native.deleted_at = 0;
      native.is = native.is == Native::Is::kHolding || native.is == Native::Is::kUnsure
                      ? Native::Is::kUnsure
                      : Native::Is::kIdle;
      // Another process counts fences anew, and cannot tell an old one from one of its own.
      if (native.fence != 0) native.connection = 0;
    }
    for (Plain& plain : plains_) ForgetPoll(plain);
    StartProcess();
    if (!loses) return;
    for (size_t at = 0; at < kSites; ++at) ForgetUncertain(at);
    sites_ = saved_;
  }

  void Step() {
    const int way = Below(100);
    if (way < 18) return Advance(Below(way < 4 ? 1200 : 60));
    if (way < 30) return Ring(AnySite());
    if (way < 70) return NativeStep(natives_[static_cast<size_t>(Below(kNatives))]);
    if (way == 70 && (paused() || Below(8) == 0)) context_.writes_paused = !paused();
    if (paused()) return;
    if (way < 90) return PlainStep(plains_[static_cast<size_t>(Below(kPlains))]);
    if (way < 96) return OtherStep(AnySite());
    if (way == 96) saved_ = sites_;
    if (way == 97) return Below(4) == 0 ? Swap() : Flush(static_cast<size_t>(Below(2)));
    if (way == 98 && Below(10) == 0) Demote();
    if (way == 99 && Below(10) == 0) Restart();
  }
  /// Everybody finishes, and nothing is left.
  void Finish() {
    context_.writes_paused = false;
    for (Plain& plain : plains_)
      if (plain.is == Plain::Is::kParked && plain.waiter->queued()) StopPoll(plain);
    for (int round = 0; round < 100; ++round) {
      for (size_t at = 0; at < kSites; ++at) Ring(at);
      for (Native& native : natives_) {
        if (native.is == Native::Is::kWaiting && native.waiter->granted()) Run(native);
        if (native.is == Native::Is::kHolding) Release(native);
      }
      Advance(100);
    }
    for (const Native& native : natives_) EXPECT_NE(native.is, Native::Is::kWaiting);
    for (const auto& locks : locks_) EXPECT_TRUE(locks->empty());
  }

  const unsigned seed_;
  std::array<Site, kSites> saved_;
  std::array<Native, kNatives> natives_;
  std::array<Plain, kPlains> plains_;
  SessionOpenTerms terms_;
  uint64_t last_connection_ = 0;
  int64_t last_data_ = 0;
  int64_t spent_ = 0;  ///< fences that the locks have noted as spent
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_WORLD_H_
