#include "storage/sessions/session_lock.h"

#include <algorithm>
#include <string>
#include <utility>

#include "storage/base/text_hash.h"

namespace cloakroom {
namespace {

int64_t Later(int64_t from_ms, int64_t by_ms) {
  return by_ms < kNever - from_ms ? from_ms + by_ms : kNever;
}

std::optional<FencedReason> ReasonOf(SessionEndCause cause) {
  switch (cause) {
    case SessionEndCause::kBroken:
      return FencedReason::kBroken;
    case SessionEndCause::kTaken:
      return FencedReason::kTaken;
    case SessionEndCause::kChanged:
      return FencedReason::kChanged;
    case SessionEndCause::kDeleted:
      return FencedReason::kDeleted;
    case SessionEndCause::kReleased:
    case SessionEndCause::kDropped:
    case SessionEndCause::kDemoted:
      break;
  }
  return std::nullopt;
}

/// How long the lock stays free for a poll that was parked, if plain clients get no other turns.
constexpr int64_t kPollTurnMs = 600;

/// What a text occupies besides its object.
size_t HeapBytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

}  // namespace

// ---- commands

SessionOpened SessionLock::Open(SessionWaiter& waiter, const SessionHash& hash,
                                const SessionContext& context, const SessionOpenTerms& terms) {
  using Answer = SessionOpened::Answer;
  Forget(context.now_ms);
  if (waiter.queued()) return {Answer::kQueued};
  if (holder_.fence != 0 && holder_.client.connection == waiter.client_.connection)
    return Deliver(hash, context);
  if (state_ == State::kFree && !hash.plain()) {
    SessionOpened opened;
    Hold(waiter, hash, context);
    if (hash.published()) Publish(hash, opened.effects);
    opened.fence = holder_.fence;
    return opened;
  }
  if (!terms.may_wait) return {Answer::kLocked};
  if (queue_.size() >= terms.max_waiting) return {Answer::kTooMany};
  waiter.since_ms_ = context.now_ms;
  queue_.PushBack(waiter);
  if (state_ == State::kFree) PlainHolds(context.now_ms);
  if (holder_.fence != 0 && undelivered_ == nullptr && queue_.natives() == 1)
    timer_ms_ = context.now_ms;
  return {Answer::kQueued};
}

bool SessionLock::ParkPoll(SessionWaiter& waiter, const SessionHash& hash,
                           const SessionContext& context, size_t max_waiting) {
  Forget(context.now_ms);
  if (waiter.queued()) return true;
  const bool taken = holder_.fence != 0 || hash.plain() || state_ == State::kPlain;
  if (waiter.since_ms_ != kNever || !taken || queue_.size() >= max_waiting) return false;
  const int64_t polls_since_ms =
      plain_ == nullptr ? kNever : plain_->pollers.Since(waiter.client_.connection);
  if (polls_since_ms != kNever && context.now_ms - polls_since_ms >= kParksForMs) return false;
  waiter.since_ms_ = context.now_ms;
  queue_.PushBack(waiter);
  if (state_ == State::kFree) PlainHolds(context.now_ms);
  return true;
}

SessionOpened SessionLock::Deliver(const SessionHash& hash, const SessionContext& context) {
  if (undelivered_ != nullptr) {
    undelivered_->place_ = SessionWaiter::Place::kNone;
    undelivered_ = nullptr;
    if (queue_.natives() > 0) timer_ms_ = context.now_ms;
  }
  SessionOpened opened = {.fence = holder_.fence};
  // It was granted while writes were paused.
  if (state_ == State::kHeld && hash.published() && !context.writes_paused)
    Publish(hash, opened.effects);
  return opened;
}

SessionEffects SessionLock::Leave(SessionWaiter& waiter, const SessionHash& hash,
                                  const SessionContext& context) {
  SessionEffects effects;
  if (waiter.granted()) {
    GiveUp(hash, context, effects);
  } else if (waiter.queued()) {
    queue_.Remove(waiter);
    if (waiter.polls()) plain().pollers.Note(waiter.client_.connection, context.now_ms);
    if (holder_.fence != 0 && queue_.natives() == 0) timer_ms_ = kNever;
    if (!queue_.empty()) return effects;
    if (state_ == State::kPlain) PlainHolds(context.now_ms);
    Forget(context.now_ms);
  }
  return effects;
}

Fenced SessionLock::WhyFenced(const CommitRequest& request, const SessionHash& hash,
                              const SessionContext& context) const {
  if (const Fenced* known = fenced_.Find(request.fence)) return *known;
  if (!hash.exists && fenced_.Spent(request.fence)) return {.reason = FencedReason::kDeleted};
  if (!request.if_version) return {};
  if (*request.if_version != SessionVersion(hash).view())
    return {.reason = hash.exists ? FencedReason::kChanged : FencedReason::kDeleted};
  // Nothing has changed, so what stands in the way is that somebody holds the lock.
  if (holder_.fence == 0 && !hash.plain()) {
    // A session that was destroyed, or a version that may be of several contents.
    return {.reason = hash.exists ? FencedReason::kUnknown : FencedReason::kDeleted};
  }
  if (holder_.fence == 0)
    return {.reason = FencedReason::kTaken,
            .by = std::string(SessionPid::Parse(hash.pid).owner),
            .by_req = std::string(hash.req)};
  return {.reason = FencedReason::kTaken,
          .by = holder_.client.owner,
          .after_ms = context.now_ms - holder_.since_ms,
          .by_req = holder_.client.req};
}

std::optional<SessionEffects> SessionLock::Release(int64_t fence, const SessionHash& hash,
                                                   const SessionContext& context) {
  if (fence == 0 || fence != holder_.fence) return std::nullopt;
  SessionEffects effects;
  Unpublish(hash, context, effects);
  EndHold(SessionEndCause::kReleased, {}, context, effects);
  Next(hash, context, effects);
  return effects;
}

bool SessionLock::Renew(int64_t fence, std::optional<int64_t> lease_ms, int64_t now_ms) {
  if (fence == 0 || fence != holder_.fence) return false;
  if (lease_ms) holder_.lease_ms = *lease_ms;
  if (timer_ms_ != kNever) timer_ms_ = now_ms;
  return true;
}

SessionEffects SessionLock::Drop(uint64_t connection, const SessionHash& hash,
                                 const SessionContext& context) {
  SessionEffects effects;
  if (holder_.fence != 0 && holder_.client.connection == connection) GiveUp(hash, context, effects);
  return effects;
}

void SessionLock::GiveUp(const SessionHash& hash, const SessionContext& context,
                         SessionEffects& effects) {
  if (undelivered_ != nullptr) {
    // Its client does not come for it.
    undelivered_->place_ = SessionWaiter::Place::kNone;
    undelivered_ = nullptr;
  }
  Unpublish(hash, context, effects);
  EndHold(SessionEndCause::kDropped, {}, context, effects);
  Next(hash, context, effects);
}

std::optional<SessionEffects> SessionLock::Break(std::string_view by, const SessionHash& hash,
                                                 const SessionContext& context) {
  SessionEffects effects;
  if (holder_.fence != 0) {
    Unpublish(hash, context, effects);
    EndHold(SessionEndCause::kBroken, {by}, context, effects);
    Next(hash, context, effects);
    return effects;
  }
  if (hash.lock <= 0) return std::nullopt;
  // A plain client, or an orphan; in a state of rest the hash counts for free and plain alone.
  effects.edit = SessionHashEdit::kClear;
  effects.pid = FormatSessionPid("broken", hash.commit_fence());
  if (state_ == State::kPlain) Next(hash, context, effects);
  return effects;
}

// ---- the native hold

void SessionLock::Hold(SessionWaiter& waiter, const SessionHash& hash,
                       const SessionContext& context) {
  holder_.client.connection = waiter.client_.connection;
  holder_.client.owner = std::move(waiter.client_.owner);
  holder_.client.req = std::move(waiter.client_.req);
  holder_.fence = context.fences->Next(context.wall_ms, hash.commit_fence());
  holder_.since_ms = context.now_ms;
  holder_.lease_ms = waiter.lease_ms_;
  state_ = State::kHeld;
  native_is_due_ = false;
  timer_ms_ = kNever;
}

void SessionLock::Publish(const SessionHash& hash, SessionEffects& effects) {
  state_ = State::kPublished;
  effects.edit = SessionHashEdit::kPublish;
  // With the fence of the latest commit: publishing makes no new version.
  effects.pid = FormatSessionPid(holder_.client.owner, hash.commit_fence());
  effects.req = holder_.client.req;
}

void SessionLock::Unpublish(const SessionHash& hash, const SessionContext& context,
                            SessionEffects& effects) const {
  if (hash.published() && !context.writes_paused) effects.edit = SessionHashEdit::kClear;
}

void SessionLock::EndHold(SessionEndCause cause, const SessionTexts& by,
                          const SessionContext& context, SessionEffects& effects) {
  if (undelivered_ != nullptr) {
    // Its client has not seen the session yet, so it loses nothing but time.
    undelivered_->client_ = std::move(holder_.client);
    queue_.PushFront(*std::exchange(undelivered_, nullptr));
  } else {
    const int64_t held_ms = context.now_ms - holder_.since_ms;
    effects.ended = SessionEnd{cause,   std::move(holder_.client), holder_.fence,
                               held_ms, std::string(by.owner),     std::string(by.req)};
    const SessionEnd& end = *effects.ended;
    if (const std::optional<FencedReason> reason = ReasonOf(cause)) {
      fenced_.Note(end.fence,
                   {*reason, end.by, held_ms, end.by_req, end.client.owner, end.client.req},
                   context.now_ms);
    }
  }
  holder_ = {};
  timer_ms_ = kNever;
  state_ = State::kFree;
}

void SessionLock::Next(const SessionHash& hash, const SessionContext& context,
                       SessionEffects& effects) {
  plain_last_ms_ = kNever;
  const bool cleared = effects.edit == SessionHashEdit::kClear;
  if (!cleared && hash.plain()) return PlainHolds(context.now_ms);
  const bool orphan = !cleared && hash.published();
  const bool may_turn = !native_is_due_ && !orphan && context.plain_turn_ms > 0;
  if (may_turn && plain_ != nullptr &&
      plain_->pollers.Due(context.now_ms, context.plain_patience_ms)) {
    plain_->pollers.TurnBegan(context.now_ms);
    effects.turn_began = true;
    native_is_due_ = true;
    state_ = State::kTurn;
    timer_ms_ = Later(context.now_ms, context.plain_turn_ms);
  } else if (queue_.empty()) {
    state_ = State::kFree;
  } else if (queue_.head()->polls()) {
    FreeForPoll(orphan, context, effects);
  } else {
    Grant(orphan, hash, context, effects);
  }
}

void SessionLock::FreeForPoll(bool orphan, const SessionContext& context, SessionEffects& effects) {
  SessionWaiter& waiter = *queue_.head();
  queue_.Remove(waiter);
  // Nobody else will take an orphan out of the hash.
  if (orphan && !context.writes_paused) effects.edit = SessionHashEdit::kClear;
  effects.granted = &waiter;
  native_is_due_ = true;
  state_ = State::kTurn;
  timer_ms_ =
      Later(context.now_ms, context.plain_turn_ms > 0 ? context.plain_turn_ms : kPollTurnMs);
}

void SessionLock::Grant(bool publish, const SessionHash& hash, const SessionContext& context,
                        SessionEffects& effects) {
  SessionWaiter& waiter = *queue_.head();
  queue_.Remove(waiter);
  Hold(waiter, hash, context);
  waiter.place_ = SessionWaiter::Place::kGranted;
  undelivered_ = &waiter;
  effects.granted = &waiter;
  // While writes are paused the hash names another holder: until the delivery, or a foreign write.
  if (publish && !context.writes_paused) Publish(hash, effects);
}

void SessionLock::PlainHolds(int64_t now_ms) {
  plain_last_ms_ = kNever;
  state_ = queue_.empty() ? State::kFree : State::kPlain;
  timer_ms_ = now_ms;
}

// ---- time

int64_t SessionLock::NextDeadline() const {
  if (state_ == State::kPlain && plain_last_ms_ != kNever) return plain_last_ms_;
  // A poll breaks no lease, and soon leaves the queue.
  const bool poll_first = !queue_.empty() && queue_.head()->polls();
  if (poll_first && state_ != State::kTurn) return kNever;
  switch (state_) {
    case State::kFree:
      return plain_ != nullptr ? plain_->pollers.ForgottenAt() : kNever;
    case State::kHeld:
    case State::kPublished:
      return timer_ms_ == kNever ? kNever : Later(timer_ms_, holder_.lease_ms);
    case State::kPlain:
      // The lease is the head's own, from when it came.
      return Later(std::max(timer_ms_, queue_.head()->since_ms_), queue_.head()->lease_ms_);
    case State::kTurn:
      break;
  }
  return timer_ms_;
}

SessionEffects SessionLock::OnTime(const SessionHash& hash, const SessionContext& context) {
  SessionEffects effects;
  Forget(context.now_ms);
  const int64_t deadline_ms = NextDeadline();
  if (state_ == State::kFree || deadline_ms == kNever || context.now_ms < deadline_ms)
    return effects;
  if (state_ == State::kTurn || plain_last_ms_ != kNever) {
    Next(hash, context, effects);
  } else if (!context.writes_paused) {
    TakeOver(hash, context, effects);
  }
  return effects;
}

void SessionLock::TakeOver(const SessionHash& hash, const SessionContext& context,
                           SessionEffects& effects) {
  SessionWaiter& head = *queue_.head();
  const bool publish = state_ != State::kHeld || hash.published();
  BrokenSession broken;
  if (state_ == State::kPlain) {
    broken = {std::string(SessionPid::Parse(hash.pid).owner), context.now_ms - timer_ms_,
              std::string(hash.req)};
  } else {
    EndHold(SessionEndCause::kBroken, {head.client_.owner, head.client_.req}, context, effects);
    broken = {effects.ended->client.owner, effects.ended->held_ms, effects.ended->client.req};
  }
  Grant(publish, hash, context, effects);
  effects.took_over = true;
  head.broken_ = std::make_unique<const BrokenSession>(std::move(broken));
}

void SessionLock::Forget(int64_t now_ms) {
  if (plain_ != nullptr) plain_->pollers.Forget(now_ms);
  if (state_ == State::kTurn && queue_.empty() && now_ms >= timer_ms_) state_ = State::kFree;
}

// ---- other changes of the hash

SessionLock::Plain& SessionLock::plain() {
  if (plain_ == nullptr) plain_ = std::make_unique<Plain>();
  return *plain_;
}

SessionEffects SessionLock::BeforeForeignWrite(const SessionHash& hash) {
  SessionEffects effects;
  Plain& known = plain();
  known.lock = hash.lock;
  known.writes = hash.writes;
  known.pid = HashText(hash.pid);
  if (state_ == State::kHeld) {
    Publish(hash, effects);
    known.lock = kPublishedLock;
    known.pid = HashText(effects.pid);
  }
  return effects;
}

SessionEffects SessionLock::AfterForeignWrite(const SessionHash& hash, uint64_t connection,
                                              const SessionContext& context) {
  if (!hash.exists) return Replaced(hash, context);
  SessionEffects effects;
  const bool new_pid = plain().pid != HashText(hash.pid);
  NotePoll(hash, new_pid, connection, context.now_ms);
  switch (state_) {
    case State::kFree:
      break;
    case State::kHeld:
    case State::kPublished: {
      if (!new_pid && hash.published() && hash.writes == plain_->writes) break;
      const bool taken = new_pid || hash.plain();
      const SessionTexts by = {SessionPid::Parse(hash.pid).owner, hash.req};
      EndHold(taken ? SessionEndCause::kTaken : SessionEndCause::kChanged,
              new_pid ? by : SessionTexts(), context, effects);
      if (hash.lock != 0 && !hash.plain()) effects.edit = SessionHashEdit::kClear;
      Next(hash, context, effects);
      break;
    }
    case State::kPlain:
      AfterPlainWrite(hash, new_pid, context, effects);
      break;
    case State::kTurn:
      if (hash.lock < 1) break;
      plain().pollers.TurnTaken();
      Next(hash, context, effects);
      break;
  }
  return effects;
}

/// Plain clients write the data with the count 0, and count the write in a command of its own
/// behind it. A native client that was granted the lock in between would lose it by that.
void SessionLock::AfterPlainWrite(const SessionHash& hash, bool new_pid,
                                  const SessionContext& context, SessionEffects& effects) {
  if (hash.plain()) {
    if (new_pid || plain_last_ms_ != kNever) PlainHolds(context.now_ms);
  } else if (hash.lock != 0 || new_pid || hash.writes != plain_->writes) {
    Next(hash, context, effects);
  } else if (plain_last_ms_ == kNever) {
    plain_last_ms_ = Later(context.now_ms, kPlainLastMs);
  }
}

void SessionLock::NotePoll(const SessionHash& hash, bool new_pid, uint64_t connection,
                           int64_t now_ms) {
  if (connection == 0) return;
  if (new_pid || hash.lock == 1) {
    plain().pollers.Remove(connection);
  } else if (hash.lock > 1 && hash.lock > plain().lock) {
    plain().pollers.Note(connection, now_ms);
  }
}

SessionEffects SessionLock::Replaced(const SessionHash& hash, const SessionContext& context) {
  SessionEffects effects;
  if (holder_.fence != 0) {
    EndHold(SessionEndCause::kDeleted, {}, context, effects);
  } else if (state_ == State::kFree) {
    return effects;
  }
  Next(hash, context, effects);
  return effects;
}

SessionEffects SessionLock::Expired(const SessionContext& context) {
  SessionEffects effects;
  // Whoever holds it natively keeps it: a COMMIT makes the session anew.
  if (state_ == State::kPublished) state_ = State::kHeld;
  if (state_ == State::kPlain) Next(SessionHash(), context, effects);
  return effects;
}

SessionDemotion SessionLock::Demote(const SessionContext& context) {
  SessionEffects effects;
  if (holder_.fence != 0) EndHold(SessionEndCause::kDemoted, {}, context, effects);
  SessionDemotion demotion;
  demotion.ended = std::move(effects.ended);
  while (!queue_.empty()) {
    demotion.unblocked.push_back(queue_.head());
    queue_.Remove(*queue_.head());
  }
  plain_.reset();
  plain_last_ms_ = kNever;
  state_ = State::kFree;
  native_is_due_ = false;
  return demotion;
}

// ---- what it is

bool SessionLock::idle() const {
  return state_ == State::kFree && (plain_ == nullptr || plain_->pollers.empty());
}

size_t SessionLock::bytes() const {
  const size_t texts = HeapBytes(holder_.client.owner) + HeapBytes(holder_.client.req);
  return texts + (plain_ == nullptr ? 0 : sizeof(Plain) + plain_->pollers.bytes());
}

std::string_view SessionStateName(SessionLock::State state) {
  switch (state) {
    case SessionLock::State::kFree:
      return "free";
    case SessionLock::State::kHeld:
      return "held";
    case SessionLock::State::kPublished:
      return "published";
    case SessionLock::State::kPlain:
      return "plain";
    case SessionLock::State::kTurn:
      break;
  }
  return "turn";
}

}  // namespace cloakroom
