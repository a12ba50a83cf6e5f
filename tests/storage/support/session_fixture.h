#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_FIXTURE_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/sessions/session_lock.h"

namespace cloakroom {

/// A session's hash, as plain clients write it.
struct FakeHash {
  bool exists = false;
  int64_t lock = 0;
  int64_t writes = 0;
  std::string pid = {};
  std::string req = {};

  SessionHash view() const { return {exists, lock, writes, pid, req}; }
  void Apply(const SessionEffects& effects) {
    if (effects.edit == SessionHashEdit::kClear) lock = 0;
    if (effects.edit == SessionHashEdit::kClear && !effects.pid.empty()) pid = effects.pid;
    if (effects.edit != SessionHashEdit::kPublish) return;
    exists = true;
    lock = kPublishedLock;
    pid = effects.pid;
    req = effects.req;
  }
};

/// "publish a|1|0; ended A broken by b|1 after 5; B has 2; turn": what effects say, in words.
inline std::string InWords(const SessionEffects& effects) {
  static constexpr const char* kCauses[] = {"released", "dropped", "demoted", "broken",
                                            "taken",    "changed", "deleted"};
  std::string words;
  const auto say = [&words](const std::string& what) {
    words += (words.empty() ? "" : "; ") + what;
  };
  if (effects.edit == SessionHashEdit::kPublish) say("publish " + effects.pid);
  if (effects.edit == SessionHashEdit::kClear) say("clear");
  if (effects.ended) {
    const SessionEnd& end = *effects.ended;
    say("ended " + std::string(1, static_cast<char>(end.client.connection)) + " " +
        kCauses[static_cast<size_t>(end.cause)] + (end.by.empty() ? "" : " by " + end.by) +
        " after " + std::to_string(end.held_ms));
  }
  if (effects.granted != nullptr)
    say(std::string(1, static_cast<char>(effects.granted->client().connection)) + " has it");
  if (effects.turn_began) say("turn");
  return words;
}

/// One session, its hash and its lock; clients are letters, which are their connections as well:
/// "a|1" is the owner text of A. The wall clock stands at 0, so that fences count from 1.
class SessionLockTest : public testing::Test {
 protected:
  static constexpr int64_t kLease = 1000;

  ~SessionLockTest() override { lock_.Demote(context_); }

  // ---- events, and what came of them in words

  std::string Open(char name, const SessionOpenTerms& terms = {}, int64_t lease_ms = kLease) {
    auto& waiter = waiters_[name];
    if (waiter == nullptr || !waiter->placed()) {
      SessionClient client{static_cast<uint64_t>(name), OwnerOf(name),
                           "GET /" + std::string(1, name)};
      waiter = std::make_unique<SessionWaiter>(std::move(client), lease_ms);
    }
    const SessionOpened opened = lock_.Open(*waiter, hash_.view(), context_, terms);
    hash_.Apply(opened.effects);
    const std::string words = InWords(opened.effects);
    return AnswerInWords(opened) + (words.empty() ? "" : "; " + words);
  }
  std::string Leave(char name) {
    return Do(lock_.Leave(*waiters_.at(name), hash_.view(), context_));
  }
  std::string Release(int64_t fence) { return Do(lock_.Release(fence, hash_.view(), context_)); }
  /// COMMIT by the lock: the write and the release.
  std::string Commit(int64_t fence) {
    EXPECT_EQ(lock_.Decide({fence}, hash_.view()), CommitCase::kHeld);
    hash_.exists = true;
    hash_.writes += 1;
    hash_.pid = FormatSessionPid(lock_.holder()->client.owner, fence);
    return Release(fence);
  }
  std::string Drop(char name) {
    return Do(lock_.Drop(static_cast<uint64_t>(name), hash_.view(), context_));
  }
  std::string Break() { return Do(lock_.Break("operator", hash_.view(), context_)); }
  std::string OnTime() { return Do(lock_.OnTime(hash_.view(), context_)); }
  std::string AfterMs(int64_t ms) {
    context_.now_ms += ms;
    return OnTime();
  }
  /// A write by something other than a session command.
  std::string Write(const std::function<void(FakeHash&)>& change, char connection = 'P') {
    std::string before = Do(lock_.BeforeForeignWrite(hash_.view()));
    change(hash_);
    const std::string after =
        Do(lock_.AfterForeignWrite(hash_.view(), static_cast<uint64_t>(connection), context_));
    return before.empty() || after.empty() ? before + after : before + "; " + after;
  }
  /// HINCRBY key lock 1 of a plain client.
  std::string Poll(char connection = 'P') {
    return Write(
        [](FakeHash& hash) {
          hash.exists = true;
          hash.lock += 1;
        },
        connection);
  }
  std::string Replace(FakeHash by = {}) {
    hash_ = std::move(by);
    return Do(lock_.Replaced(hash_.view(), context_));
  }
  std::string Expire() {
    hash_ = {};
    return Do(lock_.Expired(context_));
  }
  std::string Demote() {
    const SessionDemotion demotion = lock_.Demote(context_);
    std::string words = InWords({.ended = demotion.ended});
    for (const SessionWaiter* waiter : demotion.unblocked)
      words += "; " + std::string(1, static_cast<char>(waiter->client().connection)) + " unblocked";
    return words;
  }

  // ---- states to begin with

  /// A holds fence 1.
  void Held() { ASSERT_EQ(Open('A'), "A has 1"); }
  /// The same, published, because a plain client has polled.
  void Published() {
    Held();
    ASSERT_EQ(Poll(), "publish a|1|0");
  }
  /// The plain client P holds.
  void PlainLock() {
    hash_ = {.exists = true, .lock = 1, .writes = 3, .pid = "p|1", .req = "GET /P"};
  }
  /// P holds and B waits.
  void Plain() {
    PlainLock();
    ASSERT_EQ(Open('B'), "B waits");
    ASSERT_EQ(State(), "plain");
  }
  /// P polls for as long as its patience lasts.
  void PollUntilDue(char connection = 'P') {
    for (int i = 0; i < 5; ++i) {
      Poll(connection);
      if (i < 4) context_.now_ms += 500;
    }
  }
  /// P has been patient, A has released, and B waits.
  void Turn() {
    Held();
    PollUntilDue();
    ASSERT_EQ(Open('B'), "B waits");
    ASSERT_EQ(Release(1), "clear; ended A released after 2000; turn");
    ASSERT_EQ(State(), "turn");
  }

  // ---- what is

  static std::string OwnerOf(char name) {
    return std::string(1, static_cast<char>(name - 'A' + 'a')) + "|1";
  }
  std::string State() const { return std::string(SessionStateName(lock_.state())); }
  int64_t Fence() const { return lock_.holder() == nullptr ? 0 : lock_.holder()->fence; }
  std::string Waiting() const {
    std::string names;
    lock_.queue().ForEach([&names](const SessionWaiter& waiter) {
      names += static_cast<char>(waiter.client().connection);
    });
    return names;
  }
  Fenced Why(int64_t fence, std::optional<std::string_view> version = std::nullopt) const {
    return lock_.WhyFenced({fence, version}, hash_.view(), context_);
  }

  SessionFences fences_{0};
  SessionContext context_{.now_ms = 50'000, .fences = &fences_};
  FakeHash hash_;
  FencedNotes fenced_;
  SessionLock lock_{fenced_};
  std::map<char, std::unique_ptr<SessionWaiter>> waiters_;

 private:
  std::string Do(const SessionEffects& effects) {
    hash_.Apply(effects);
    return InWords(effects);
  }
  std::string Do(const std::optional<SessionEffects>& effects) {
    return effects ? Do(*effects) : "no";
  }
  std::string AnswerInWords(const SessionOpened& opened) const {
    switch (opened.answer) {
      case SessionOpened::Answer::kHeld:
        return std::string(1, static_cast<char>(lock_.holder()->client.connection)) + " has " +
               std::to_string(opened.fence);
      case SessionOpened::Answer::kQueued:
        return Waiting().substr(Waiting().size() - 1) + " waits";
      case SessionOpened::Answer::kLocked:
        return "locked";
      case SessionOpened::Answer::kTooMany:
        break;
    }
    return "too many";
  }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_FIXTURE_H_
