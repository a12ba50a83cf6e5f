#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_SITES_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_SITES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/sessions/session_lock.h"
#include "storage/sessions/session_locks.h"
#include "tests/storage/support/session_model.h"

namespace cloakroom {

/// Sessions of two databases with their hashes, their locks and the clocks, as a server has them.
/// Each event is done to a lock and to a simple model; if they differ, or if the lock and the hash
/// disagree, the test fails. Who the clients are is for SessionWorld.
class SessionSites {
 public:
  /// The rows of the table in storage/README.md.
  enum Row : uint8_t {
    kOpens,
    kParks,
    kLeaves,
    kReleases,
    kDrops,
    kBreaks,
    kRenews,
    kTimer,
    kWrites,
    kReplaces,
    kExpires,
    kDemotes,
    kRows
  };
  static constexpr size_t kStates = 5;
  struct Met {
    std::array<std::array<int64_t, kStates>, kRows> cells{};
    std::array<int64_t, 4> commits{};  ///< C1 to C4
  };

  SessionSites(const SessionSites&) = delete;
  SessionSites& operator=(const SessionSites&) = delete;
  virtual ~SessionSites() = default;

  /// How often each event met each state.
  const Met& met() const { return met_; }

 protected:
  using State = SessionLock::State;

  static constexpr size_t kKeys = 3;
  static constexpr size_t kSites = 2 * kKeys;  // a key in one of two databases
  static constexpr size_t kTraced = 40;
  static constexpr int64_t kLateMs = 250;

  /// A session's hash, and a number for its data: even if a native client wrote it last, 0: none.
  struct Site {
    FakeHash hash;
    int64_t data = 0;
  };

  explicit SessionSites(unsigned seed) {
    Seed(seed, 0);
    StartProcess();
  }

  /// That of a native client that waits; null: there is none.
  virtual const SessionWaiter* WaiterOf(uint64_t connection) const = 0;

  void Seed(uint64_t seed, uint64_t step) {
    random_.state = (seed + 1) * 0x9E3779B97F4A7C15 ^ (step + 1) * 0xD1B54A32D192ED03;
  }
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  size_t AnySite() { return static_cast<size_t>(Below(kSites)); }
  SessionLocks& LocksOf(size_t at) { return *locks_[at / kKeys]; }
  static std::string KeyOf(size_t at) { return "k" + std::to_string(at % kKeys); }
  void Trace(std::string what) {
    trace_.push_back(std::to_string(context_.now_ms) + " " + std::move(what));
    if (trace_.size() > kTraced) trace_.pop_front();
  }
  std::string Traced() const {
    std::string all;
    for (const std::string& line : trace_) all += "\n  " + line;
    return all;
  }

  // ---- events

  /// An event at a site: `modelled` does to the model what `done` does to the lock. Both see the
  /// hash as it is before the effects.
  template <typename Modelled, typename Done>
  void Event(Row row, size_t at, SessionLocks::Use& use, Modelled&& modelled, Done&& done) {
    Meet(row, *use);
    models_[at].At(context_);
    modelled(models_[at]);
    const SessionEffects effects = done(*use);
    Settle(at, use, effects);
  }
  template <typename Modelled, typename Done>
  void Event(Row row, size_t at, Modelled&& modelled, Done&& done) {
    auto use = LocksOf(at).Get(KeyOf(at));
    Event(row, at, use, modelled, done);
  }
  void Meet(Row row, const SessionLock& lock) {
    ++met_.cells[row][static_cast<size_t>(lock.state())];
  }
  void Settle(size_t at, SessionLocks::Use& use, const SessionEffects& effects) {
    SessionModel& model = models_[at];
    EXPECT_EQ(effects.edit, model.edit);
    sites_[at].hash.Apply(effects);
    EXPECT_EQ(effects.granted == nullptr ? 0 : effects.granted->client().connection, model.granted);
    EXPECT_EQ(effects.turn_began, model.began_turn);
    if (effects.granted != nullptr) {
      EXPECT_EQ(WaiterOf(model.granted), effects.granted);
    }
    if (SessionWaiter* waiter = use.NeedsTimer()) timers_[waiter] = use->NextDeadline();
    model.ForgetWhenIdle();
    Check(at, *use);
  }

  /// The lock is as the model says, and as the hash says.
  void Check(size_t at, const SessionLock& lock) {
    const SessionModel& model = models_[at];
    const FakeHash& hash = sites_[at].hash;
    EXPECT_EQ(lock.state(), model.state);
    EXPECT_EQ(lock.holder() == nullptr ? 0 : lock.holder()->client.connection,
              model.holder ? model.holder->connection : 0);
    std::vector<uint64_t> waiting;
    lock.queue().ForEach(
        [&](const SessionWaiter& waiter) { waiting.push_back(waiter.client().connection); });
    EXPECT_TRUE(std::equal(
        waiting.begin(), waiting.end(), model.queue.begin(), model.queue.end(),
        [](uint64_t connection, const auto& client) { return connection == client.connection; }));
    EXPECT_EQ(lock.NextDeadline(), model.Deadline());
    EXPECT_EQ(lock.idle(), model.idle());
    switch (lock.state()) {
      case State::kFree:
        EXPECT_TRUE(waiting.empty());
        break;
      case State::kHeld:
        EXPECT_TRUE(model.names_another ? hash.lock >= kPublishedLock : hash.lock <= 0);
        break;
      case State::kTurn:  // an orphan stays while writes are paused
        EXPECT_TRUE(hash.lock <= 0 || hash.lock >= kPublishedLock);
        break;
      case State::kPublished:
        EXPECT_GE(hash.lock, kPublishedLock);
        break;
      case State::kPlain:
        EXPECT_GE(hash.lock, lock.NextDeadline() <= context_.now_ms + kLateMs ? 0 : 1);
        EXPECT_FALSE(waiting.empty());
        break;
    }
    CheckFence(at, lock);
    if (lock.queue().head() == nullptr || lock.NextDeadline() == kNever) return;
    const auto timer = timers_.find(lock.queue().head());
    ASSERT_NE(timer, timers_.end());
    EXPECT_LE(timer->second, std::max(lock.NextDeadline(), context_.now_ms + kLateMs));
  }
  void CheckFence(size_t at, const SessionLock& lock) {
    const int64_t fence = lock.holder() == nullptr ? 0 : lock.holder()->fence;
    if (fence == 0 || fence == fences_[at]) return;
    EXPECT_GT(fence, last_fence_);
    EXPECT_GT(fence, sites_[at].hash.view().commit_fence());
    fences_[at] = last_fence_ = fence;
  }

  /// A write by something other than a session command.
  template <typename Change>
  void ForeignWrite(size_t at, uint64_t connection, Change&& change) {
    Site& site = sites_[at];
    models_[at].At(context_);
    auto use = LocksOf(at).Find(KeyOf(at));
    EXPECT_EQ(!use, models_[at].idle());
    if (!use) return change(site);
    Event(
        kWrites, at, use, [&](SessionModel& model) { model.BeforeForeignWrite(site.hash); },
        [&](SessionLock& lock) { return lock.BeforeForeignWrite(site.hash.view()); });
    models_[at].Published(site.hash);
    change(site);
    Event(
        kWrites, at, use,
        [&](SessionModel& model) { model.AfterForeignWrite(site.hash, connection); },
        [&](SessionLock& lock) {
          return lock.AfterForeignWrite(site.hash.view(), connection, context_);
        });
  }
  void Replaced(size_t at) {
    const FakeHash& hash = sites_[at].hash;
    Event(
        kReplaces, at, [&](SessionModel& model) { model.Replaced(hash); },
        [&](SessionLock& lock) { return lock.Replaced(hash.view(), context_); });
  }
  void ReplacedEverywhere(size_t db) {
    locks_[db]->ForEach([&](std::string_view key, SessionLocks::Use& use) {
      const size_t at = db * kKeys + static_cast<size_t>(key[1] - '0');
      const FakeHash& hash = sites_[at].hash;
      Event(
          kReplaces, at, use, [&](SessionModel& model) { model.Replaced(hash); },
          [&](SessionLock& lock) { return lock.Replaced(hash.view(), context_); });
    });
  }
  void Break(size_t at) {
    const FakeHash& hash = sites_[at].hash;
    Event(
        kBreaks, at, [&](SessionModel& model) { model.Break(hash); },
        [&](SessionLock& lock) {
          return lock.Break("operator", hash.view(), context_).value_or(SessionEffects());
        });
  }

  // ---- the process and its time

  void StartProcess() {
    process_fences_ =
        std::make_unique<SessionFences>(Below(static_cast<int>(SessionFences::kStarts)));
    context_.fences = process_fences_.get();
    last_fence_ = 0;
    fences_ = {};
    timers_.clear();
    models_ = {};
    for (auto& locks : locks_) locks = std::make_unique<SessionLocks>();
    context_.now_ms += 100;
    // A process whose clock is behind might give the fences of its predecessor again.
    context_.wall_ms = latest_wall_ms_ + 100;
  }
  void EndProcess() {
    for (auto& locks : locks_)
      locks->ForEach([&](std::string_view, SessionLocks::Use& use) { use->Demote(context_); });
  }

  void Advance(int64_t ms) {
    context_.now_ms += ms;
    context_.wall_ms += ms;
    latest_wall_ms_ = std::max(latest_wall_ms_, context_.wall_ms);
    // Not before a new process is above its predecessor.
    if (Below(100) == 0 && last_fence_ > 0) context_.wall_ms -= 3000;
    for (SessionModel& model : models_) model.At(context_);
    for (auto& locks : locks_) locks->Sweep(context_.now_ms);
  }
  /// The event loop of the head has a timer; it may be late.
  void Ring(size_t at) {
    SessionWaiter* head = nullptr;
    if (auto use = LocksOf(at).Find(KeyOf(at))) head = use->queue().head();
    const auto timer = timers_.find(head);
    if (timer == timers_.end() || timer->second > context_.now_ms) return;
    Trace("timer at " + std::to_string(at));
    timers_[head] = kNever;
    const FakeHash& hash = sites_[at].hash;
    auto use = LocksOf(at).Find(KeyOf(at));
    Event(
        kTimer, at, use, [&](SessionModel& model) { model.OnTime(hash); },
        [&](SessionLock& lock) {
          SessionEffects effects = lock.OnTime(hash.view(), context_);
          if (head->queued())
            timers_[head] =
                std::max(lock.NextDeadline(), context_.now_ms + (paused() ? kLateMs : 0));
          return effects;
        });
  }
  bool paused() const { return context_.writes_paused; }

  /// SplitMix64 (Steele, Lea, Flood 2014), since each step begins with a seed of its own.
  struct Random {
    using result_type = uint64_t;
    static constexpr uint64_t min() { return 0; }
    static constexpr uint64_t max() { return UINT64_MAX; }
    uint64_t operator()() {
      uint64_t z = state += 0x9E3779B97F4A7C15;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
      return z ^ (z >> 31);
    }
    uint64_t state = 0;
  };
  Random random_;
  Met met_;
  SessionContext context_{.now_ms = 1'000'000};
  int64_t latest_wall_ms_ = 1'796'000'000'000;
  std::unique_ptr<SessionFences> process_fences_;
  std::array<Site, kSites> sites_;
  std::array<SessionModel, kSites> models_;
  std::array<std::unique_ptr<SessionLocks>, 2> locks_;
  std::map<const SessionWaiter*, int64_t> timers_;  ///< when the loops of heads will ask
  std::array<int64_t, kSites> fences_{};            ///< of the latest grant
  int64_t last_fence_ = 0;                          ///< of the process
  std::deque<std::string> trace_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_SITES_H_
