#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_MODEL_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "storage/base/clock.h"
#include "storage/sessions/session_lock.h"
#include "tests/storage/support/session_fixture.h"

namespace cloakroom {

/// The rules of a session's lock in their simplest form, to compare with SessionLock. It knows
/// connections, not waiters, and gives no fences.
class SessionModel {
 public:
  using State = SessionLock::State;
  struct Client {
    uint64_t connection;
    int64_t lease_ms;
    int64_t since_ms;
    bool polls = false;
  };

  /// Begins an event.
  void At(const SessionContext& context) {
    context_ = context;
    edit = SessionHashEdit::kNone;
    granted = 0;
    began_turn = false;
    std::erase_if(pollers_, [&](const auto& poller) {
      return context_.now_ms - poller.second.last_ms >= PlainPollers::kStillPollsMs;
    });
    EndTurn();
    ForgetWhenIdle();
  }

  SessionOpened::Answer Open(Client client, const FakeHash& hash, const SessionOpenTerms& terms) {
    using Answer = SessionOpened::Answer;
    if (Place(client.connection) != queue.end()) return Answer::kQueued;
    if (holder && holder->connection == client.connection) {
      if (!delivered && natives() > 0) lease_from_ms_ = context_.now_ms;
      delivered = true;
      if (names_another && !context_.writes_paused) Publish();
      return Answer::kHeld;
    }
    if (state == State::kFree && !hash.view().plain()) {
      Give(client, /*to_deliver=*/false, hash.view().published());
      return Answer::kHeld;
    }
    if (!terms.may_wait) return Answer::kLocked;
    if (queue.size() >= terms.max_waiting) return Answer::kTooMany;
    if (natives() == 0 && holder && delivered) lease_from_ms_ = context_.now_ms;
    queue.push_back(client);
    if (state == State::kFree) PlainHolds();
    return Answer::kQueued;
  }
  /// `waited`: it has had a place before.
  bool ParkPoll(Client client, bool waited, const FakeHash& hash, size_t most) {
    if (Place(client.connection) != queue.end()) return true;
    const bool taken = holder || hash.view().plain() || state == State::kPlain;
    if (waited || !taken || queue.size() >= most) return false;
    const auto poller = pollers_.find(client.connection);
    if (poller != pollers_.end() &&
        context_.now_ms - poller->second.first_ms >= SessionLock::kParksForMs) {
      return false;
    }
    queue.push_back(client);
    if (state == State::kFree) PlainHolds();
    return true;
  }
  void Leave(uint64_t connection, const FakeHash& hash) {
    if (const auto place = Place(connection); place != queue.end()) {
      if (place->polls) Note(connection);
      queue.erase(place);
      if (natives() == 0) lease_from_ms_ = kNever;
      if (queue.empty() && state == State::kPlain) PlainHolds();
      EndTurn();
    } else if (holder && !delivered && holder->connection == connection) {
      Drop(connection, hash);
    }
  }
  /// COMMIT, RELEASE, DESTROY: the holder's own.
  void Release(const FakeHash& hash) {
    Clear((state == State::kPublished || names_another) && hash.exists && !context_.writes_paused);
    EndHold();
    Next(hash);
  }
  void Drop(uint64_t connection, const FakeHash& hash) {
    if (!holder || holder->connection != connection) return;
    delivered = true;  // its client does not come for it
    Release(hash);
  }
  void Break(const FakeHash& hash) {
    if (holder) return Release(hash);
    Clear(hash.lock > 0);
    if (hash.lock > 0 && state == State::kPlain) Next(hash);
  }
  void Renew(int64_t lease_ms) {
    holder->lease_ms = lease_ms;
    if (lease_from_ms_ != kNever) lease_from_ms_ = context_.now_ms;
  }
  void OnTime(const FakeHash& hash) {
    if (state == State::kFree || Deadline() == kNever || context_.now_ms < Deadline()) return;
    if (state == State::kTurn || last_until_ms_ != kNever) return Next(hash);
    if (context_.writes_paused) return;
    const bool publish = state != State::kHeld || names_another;
    EndHold();
    GiveHead(publish);
  }

  void BeforeForeignWrite(const FakeHash& hash) {
    before_ = hash;
    if (state == State::kHeld) Publish();
  }
  /// The effects of BeforeForeignWrite have been applied to the hash.
  void Published(const FakeHash& hash) { before_ = hash; }
  void AfterForeignWrite(const FakeHash& hash, uint64_t connection) {
    if (!hash.exists) return Replaced(hash);
    const bool new_pid = hash.pid != before_.pid;
    const bool up = hash.lock > before_.lock;
    if (new_pid || hash.lock == 1) {
      pollers_.erase(connection);
    } else if (up && hash.lock > 1 && connection != 0) {
      Note(connection);
    }
    if (state == State::kPublished) {
      if (!new_pid && hash.lock >= kPublishedLock && hash.writes == before_.writes) return;
      EndHold();
      Clear(hash.lock < 0 || hash.lock >= kPublishedLock);
      Next(hash);
    } else if (state == State::kPlain && !hash.view().plain()) {
      // Its write is still to be counted.
      const bool last = hash.lock == 0 && !new_pid && hash.writes == before_.writes;
      if (!last) return Next(hash);
      if (last_until_ms_ == kNever) last_until_ms_ = context_.now_ms + SessionLock::kPlainLastMs;
    } else if (state == State::kPlain && (new_pid || last_until_ms_ != kNever)) {
      PlainHolds();
    } else if (state == State::kTurn && hash.lock > 0) {
      turn_began_ms_.reset();
      Next(hash);
    }
  }
  void Replaced(const FakeHash& hash) {
    if (state == State::kFree) return;
    EndHold();
    Next(hash);
  }
  void Expired() {
    names_another = false;
    if (state == State::kPublished) state = State::kHeld;
    if (state == State::kPlain) Next({});
  }
  void Demote() { *this = SessionModel(); }

  int64_t Deadline() const {
    if (last_until_ms_ != kNever) return last_until_ms_;
    if (!queue.empty() && queue.front().polls && state != State::kTurn) return kNever;
    switch (state) {
      case State::kHeld:
      case State::kPublished:
        return lease_from_ms_ == kNever ? kNever : lease_from_ms_ + holder->lease_ms;
      case State::kPlain:
        return std::max(plain_since_ms_, queue.front().since_ms) + queue.front().lease_ms;
      case State::kTurn:
        return turn_ends_ms_;
      case State::kFree:
        break;
    }
    int64_t last_ms = kNever;
    for (const auto& [connection, poller] : pollers_)
      last_ms = last_ms == kNever ? poller.last_ms : std::max(last_ms, poller.last_ms);
    return last_ms == kNever ? kNever : last_ms + PlainPollers::kStillPollsMs;
  }
  bool idle() const { return state == State::kFree && pollers_.empty(); }
  /// A record that has gone knows nothing of earlier turns.
  void ForgetWhenIdle() {
    if (!idle()) return;
    turn_began_ms_.reset();
    native_is_due_ = false;
  }

  State state = State::kFree;
  std::optional<Client> holder;
  bool delivered = true;
  /// It was granted while writes were paused, and the hash says that another holds the lock.
  bool names_another = false;
  std::deque<Client> queue;
  // What the latest event came to.
  SessionHashEdit edit = SessionHashEdit::kNone;
  uint64_t granted = 0;  ///< the connection
  bool began_turn = false;

 private:
  struct Poller {
    explicit Poller(int64_t now_ms) : first_ms(now_ms), last_ms(now_ms) {}
    int64_t first_ms;
    int64_t last_ms;
  };

  void Note(uint64_t connection) {
    pollers_.try_emplace(connection, context_.now_ms).first->second.last_ms = context_.now_ms;
  }
  int64_t natives() const {
    return std::count_if(queue.begin(), queue.end(), [](const Client& one) { return !one.polls; });
  }
  std::deque<Client>::iterator Place(uint64_t connection) {
    return std::find_if(queue.begin(), queue.end(), [connection](const Client& client) {
      return client.connection == connection;
    });
  }
  /// If nobody waits for its end.
  void EndTurn() {
    if (state == State::kTurn && queue.empty() && context_.now_ms >= turn_ends_ms_)
      state = State::kFree;
  }
  void Clear(bool needed) {
    if (needed) edit = SessionHashEdit::kClear;
  }
  void PlainHolds() {
    last_until_ms_ = kNever;
    state = queue.empty() ? State::kFree : State::kPlain;
    plain_since_ms_ = context_.now_ms;
  }
  void EndHold() {
    if (holder && !delivered) queue.push_front(*holder);
    holder.reset();
    names_another = false;
    lease_from_ms_ = kNever;
  }
  void Give(Client client, bool to_deliver, bool publish) {
    holder = client;
    delivered = !to_deliver;
    lease_from_ms_ = kNever;
    state = State::kHeld;
    native_is_due_ = false;
    names_another = publish && context_.writes_paused;
    if (publish && !context_.writes_paused) Publish();
    if (to_deliver) granted = client.connection;
  }
  void Publish() {
    edit = SessionHashEdit::kPublish;
    state = State::kPublished;
    names_another = false;
  }
  void GiveHead(bool publish) {
    const Client head = queue.front();
    queue.pop_front();
    Give(head, /*to_deliver=*/true, publish);
  }
  bool TurnIsDue() const {
    const int64_t patience_ms = context_.plain_patience_ms;
    if (native_is_due_ || (turn_began_ms_ && context_.now_ms - *turn_began_ms_ < patience_ms))
      return false;
    std::set<std::pair<int64_t, int64_t>> expected;  // by the last poll, then by the first
    for (const auto& [connection, poller] : pollers_) {
      if (context_.now_ms - poller.first_ms >= patience_ms + patience_ms / 2) return true;
      if (context_.now_ms - poller.last_ms <= PlainPollers::kTickMs)
        expected.emplace(poller.last_ms, poller.first_ms);
    }
    return !expected.empty() && context_.now_ms - expected.begin()->second >= patience_ms;
  }
  void Next(const FakeHash& hash) {
    last_until_ms_ = kNever;
    const int64_t lock = edit == SessionHashEdit::kClear ? 0 : hash.lock;
    if (lock > 0 && lock < kPublishedLock) return PlainHolds();
    if (lock <= 0 && TurnIsDue()) {
      state = State::kTurn;
      began_turn = native_is_due_ = true;
      turn_began_ms_ = context_.now_ms;
      turn_ends_ms_ = context_.now_ms + context_.plain_turn_ms;
    } else if (queue.empty()) {
      state = State::kFree;
    } else if (queue.front().polls) {
      granted = queue.front().connection;
      queue.pop_front();
      Clear(lock >= kPublishedLock && !context_.writes_paused);
      native_is_due_ = true;
      state = State::kTurn;
      turn_ends_ms_ = context_.now_ms + context_.plain_turn_ms;
    } else {
      GiveHead(lock >= kPublishedLock);
    }
  }

  SessionContext context_;
  FakeHash before_;
  std::map<uint64_t, Poller> pollers_;
  int64_t lease_from_ms_ = kNever;
  int64_t plain_since_ms_ = 0;
  int64_t last_until_ms_ = kNever;  ///< plain, and the count is 0
  int64_t turn_ends_ms_ = 0;
  std::optional<int64_t> turn_began_ms_;  ///< of the latest that nobody took
  bool native_is_due_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_MODEL_H_
