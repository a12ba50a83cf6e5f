#include "server/sessions/native_sessions.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "server/config/config.h"
#include "server/log/log.h"
#include "server/metrics/latency_monitor.h"
#include "server/session/blocked_request.h"
#include "server/session/client.h"
#include "server/session/client_registry.h"
#include "server/sessions/session_fields.h"
#include "storage/access/lookup.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

constexpr int64_t kUsPerMs = 1000;
/// Characters of a session's key that a log may show.
constexpr size_t kShownKey = 8;
constexpr std::string_view kSessionPrefix = "sess_";

int64_t DrawStart() {
  absl::BitGen random;
  return absl::Uniform<int64_t>(random, 0, SessionFences::kStarts);
}

bool RevokedByOthers(SessionEndCause cause) {
  return cause == SessionEndCause::kTaken || cause == SessionEndCause::kChanged ||
         cause == SessionEndCause::kDeleted;
}

std::string_view WordOf(SessionEndCause cause) {
  switch (cause) {
    case SessionEndCause::kTaken:
      return "taken by a client that polls";
    case SessionEndCause::kChanged:
      return "the session was written without it";
    case SessionEndCause::kDeleted:
      return "the session was deleted";
    case SessionEndCause::kReleased:
    case SessionEndCause::kDropped:
    case SessionEndCause::kDemoted:
    case SessionEndCause::kBroken:
      break;
  }
  return "given back";
}

/// Has the request run again, on its own event loop. If it is not parked, it does so anyway.
void Wake(Hold& hold, SessionWaiter& waiter) {
  auto parked = std::exchange(static_cast<OpenRequest&>(waiter).parked, nullptr);
  if (parked == nullptr || !parked->Settle()) return;
  hold.Afterwards([parked = std::move(parked)] { parked->Wake(/*durable_from=*/0); });
}

}  // namespace

std::string_view ShortKey(std::string_view key) {
  if (key.starts_with(kSessionPrefix)) key.remove_prefix(kSessionPrefix.size());
  return key.substr(0, kShownKey);
}

std::string ShownClient(std::string_view owner, std::string_view req) {
  std::string shown(owner);
  if (!req.empty()) shown.append(" (").append(req).append(")");
  return shown;
}

NativeSessions::NativeSessions(Server& server) : server_(server), fences_(DrawStart()) {
  server.keyspace().set_key_guard(this);
}

SessionContext NativeSessions::Context() {
  const Config& settings = server_.settings();
  const int64_t wall_ms = server_.clock().NowMs();
  return {.now_ms = server_.clock().MonotonicUs() / kUsPerMs,
          .wall_ms = wall_ms,
          .writes_paused = server_.keyspace().settings().unchanging_until_ms > wall_ms,
          .fences = &fences_,
          .plain_patience_ms = settings.session_plain_patience_ms,
          .plain_turn_ms = settings.session_plain_turn_ms};
}

SessionLocks& NativeSessions::LocksOf(const GuardedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The key's hold has the stripe.
  return key.db.StripeOf(key.hash).sessions;
}

SessionHash NativeSessions::HashOf(const GuardedKey& key) {
  return ReadSession(PeekKey(key.hold, key.db, key.key, key.hash, key.now_ms), key.now_ms).hash;
}

void NativeSessions::Apply(const GuardedKey& key, const SessionEffects& effects,
                           const SessionLocks::Use& use) {
  EditSession(key, effects, server_.settings().session_ttl_s * 1000);
  if (effects.granted != nullptr) Wake(key.hold, *effects.granted);
  if (effects.took_over) NoteTakeover(key, *effects.granted->broken(), use->holder()->client);
  if (effects.ended) NoteEnd(key, *effects.ended);
  if (effects.turn_began) ++stats_.plain_turns;
  if (SessionWaiter* const head = use.NeedsTimer()) Wake(key.hold, *head);
}

void NativeSessions::NoteEnd(const GuardedKey& key, const SessionEnd& end) {
  const int64_t late_ms = server_.settings().latency_monitor_threshold_ms;
  stats_.holds.Add(end.held_ms * kUsPerMs);
  if (late_ms > 0 && end.held_ms >= late_ms) {
    key.hold.Afterwards([this, held_ms = end.held_ms] {
      server_.latency().Add("session-hold", server_.clock().NowMs() / 1000, held_ms);
    });
  }
  if (end.cause == SessionEndCause::kDropped) ++stats_.freed_by_disconnect;
  // A takeover or BREAK has told of it.
  if (!RevokedByOthers(end.cause)) return;
  ++stats_.revoked;
  key.hold.Afterwards(
      [this, shown = std::string(ShortKey(key.key)), end, writer = key.hold.client()] {
        std::string by = ShownClient(end.by, end.by_req);
        if (const auto client = by.empty() ? server_.clients().Find(writer) : nullptr)
          by = client->address.Text();
        LogNotice("Session {}…: {} lost the lock after {} ms: {}{}{}", shown,
                  ShownClient(end.client.owner, end.client.req), end.held_ms, WordOf(end.cause),
                  by.empty() ? "" : ", by ", by);
      });
}

void NativeSessions::NoteTakeover(const GuardedKey& key, const BrokenSession& broken,
                                  const SessionClient& by) {
  ++stats_.breaks;
  key.hold.Afterwards([shown = std::string(ShortKey(key.key)),
                       whose = ShownClient(broken.owner, broken.req), held_ms = broken.held_ms,
                       who = ShownClient(by.owner, by.req)] {
    LogNotice("Session {}…: the lock of {} was broken after {} ms, for {}", shown, whose, held_ms,
              who);
  });
}

void NativeSessions::Leave(const GuardedKey& key, OpenRequest& open) {
  open.parked = nullptr;
  if (!open.placed()) return;
  const SessionLocks::Use lock = LocksOf(key).Find(key.key);
  Apply(key, lock->Leave(open, HashOf(key), Context()), lock);
}

bool NativeSessions::Drop(const GuardedKey& key, uint64_t party) {
  const SessionLocks::Use lock = LocksOf(key).Find(key.key);
  if (!lock) return false;
  const SessionEffects effects = lock->Drop(party, HashOf(key), Context());
  Apply(key, effects, lock);
  return effects.ended.has_value();
}

bool NativeSessions::MayBreak(OpenRequest& open, int64_t deadline_ms, int64_t now_ms) {
  const int64_t unchanging_until_ms = server_.keyspace().settings().unchanging_until_ms;
  const int64_t paused_ms = unchanging_until_ms + kGraceMs - server_.clock().NowMs();
  if (unchanging_until_ms != 0 && paused_ms > 0) {
    open.put_off_until_ms = now_ms + paused_ms;
  } else if (open.put_off_until_ms < deadline_ms && now_ms - deadline_ms > kLateMs) {
    // A COMMIT may be in a socket already.
    open.put_off_until_ms = now_ms + kGraceMs;
  }
  return now_ms >= open.put_off_until_ms;
}

// ---- changes by others

bool NativeSessions::BeforeWrite(const GuardedKey& key) {
  const SessionLocks::Use lock = LocksOf(key).Find(key.key);
  if (!lock) return false;
  // What has expired goes first, and its lock hears of that.
  const SessionHash hash = HashOf(key);
  Apply(key, lock->BeforeForeignWrite(hash), lock);
  return true;
}

void NativeSessions::AfterWrite(const GuardedKey& key, Fate fate) {
  const SessionLocks::Use lock = LocksOf(key).Find(key.key);
  if (!lock) return;
  const SessionContext context = Context();
  switch (fate) {
    case Fate::kExpired:
      return Apply(key, lock->Expired(context), lock);
    case Fate::kReplaced:
      return Apply(key, lock->Replaced(HashOf(key), context), lock);
    case Fate::kWritten:
      return Apply(key, lock->AfterForeignWrite(HashOf(key), key.hold.client(), context), lock);
  }
}

void NativeSessions::AfterReplace(Hold& hold, Database& db, Stripe& stripe, int64_t now_ms) {
  AssertHeld(stripe);
  const SessionContext context = Context();
  stripe.sessions.ForEach([&](std::string_view name, SessionLocks::Use& lock) {
    const GuardedKey key{hold, db, name, KeyHash::Of(name), now_ms};
    Apply(key, lock->Replaced(HashOf(key), context), lock);
  });
}

// ---- all of them

void NativeSessions::RevokeAll() {
  if (!used_.load(std::memory_order_relaxed)) return;
  const SessionContext context = Context();
  for (Database* db : server_.keyspace().databases()) {
    for (uint32_t i = 0; i < Database::kStripes; ++i) {
      Stripe& stripe = db->stripe(i);
      AssertHeld(stripe);
      stripe.sessions.ForEach([&](std::string_view, SessionLocks::Use& lock) {
        const SessionDemotion demotion = lock->Demote(context);
        for (SessionWaiter* waiter : demotion.unblocked) {
          auto parked = std::exchange(static_cast<OpenRequest*>(waiter)->parked, nullptr);
          if (parked == nullptr) continue;
          // A poll is answered as any write of a replica is.
          if (!waiter->polls()) {
            parked->CallOff();
          } else if (parked->Settle()) {
            parked->Wake(/*durable_from=*/0);
          }
        }
      });
    }
  }
}

void NativeSessions::End() {
  if (!used_.load(std::memory_order_relaxed)) return;
  Hold all(server_.keyspace().background_slot());
  all.WaitAndCloseAll(server_.keyspace());
  RevokeAll();
}

void NativeSessions::PruneHeld(Hold& hold, Client& client) {
  std::erase_if(client.held_sessions, [&](const HeldSession& held) {
    Database& db = server_.keyspace().db(held.db);
    bool has = true;
    hold.TryBesides(db, KeyHash::Of(held.key), [&](Stripe& stripe) {
      AssertHeld(stripe);
      const SessionLocks::Use lock = stripe.sessions.Find(held.key);
      const SessionHolder* const holder = lock ? lock->holder() : nullptr;
      has = holder != nullptr && holder->client.connection == client.session_party;
    });
    return !has;
  });
}

void NativeSessions::ForEachLock(Stripe& stripe, const Visit& visit) {
  AssertHeld(stripe);
  if (stripe.sessions.empty()) return;
  stripe.sessions.ForEach([&](std::string_view key, SessionLocks::Use& lock) {
    using State = SessionLock::State;
    if (lock->state() != State::kFree || !lock->queue().empty()) visit(key, *lock);
  });
}

void NativeSessions::CountStripe(Stripe& stripe, int64_t now_ms, SessionGauges& sum) {
  AssertHeld(stripe);
  stripe.sessions.Sweep(now_ms);
  sum.bytes += static_cast<int64_t>(stripe.sessions.bytes());
  ForEachLock(stripe, [&](std::string_view, SessionLock& lock) {
    if (lock.holder() != nullptr) ++sum.held;
    if (lock.state() == SessionLock::State::kPublished) ++sum.published;
    sum.waiters += static_cast<int64_t>(lock.queue().size());
    if (lock.queue().empty()) return;
    const int64_t waited_ms = now_ms - lock.queue().head()->since_ms();
    sum.longest_wait_ms = std::max(sum.longest_wait_ms.load(), waited_ms);
  });
}

void NativeSessions::Sweep() {
  if (!used_.load(std::memory_order_relaxed)) return;
  const int64_t now_ms = server_.clock().MonotonicUs() / kUsPerMs;
  SessionGauges sum;
  for (Database* db : server_.keyspace().databases()) {
    Hold hold(server_.keyspace().background_slot());
    // Where a script runs, the figures stay as they were for a second.
    if (!hold.TryPassNow(*db)) return;
    for (uint32_t i = 0; i < Database::kStripes; ++i) {
      Stripe& stripe = db->stripe(i);
      MutexLock lock(stripe.mutex);
      CountStripe(stripe, now_ms, sum);
    }
  }
  gauges_.held = sum.held.load();
  gauges_.published = sum.published.load();
  gauges_.waiters = sum.waiters.load();
  gauges_.longest_wait_ms = sum.longest_wait_ms.load();
  gauges_.bytes = sum.bytes.load();
}

}  // namespace cloakroom
