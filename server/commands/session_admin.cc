// SESSION.INFO SESSION.LIST SESSION.BREAK: for operators.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/session_call.h"
#include "server/execution/arguments.h"
#include "server/log/log.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

using Intent = SessionCall::Intent;

constexpr int64_t kListed = 100;

// ---- INFO

void ReplyWaiters(ReplyWriter& reply, const SessionQueue& queue, int64_t now_ms) {
  reply.Array(queue.size());
  queue.ForEach([&](const SessionWaiter& waiter) {
    reply.Array(3);
    const auto& open = static_cast<const OpenRequest&>(waiter);
    reply.Integer(static_cast<int64_t>(open.client_id));
    reply.Bulk(waiter.client().owner);
    reply.Integer(now_ms - waiter.since_ms());
  });
}

/// Who has a session's lock, natively or not.
struct Held {
  std::string_view state = "free";
  int64_t fence = 0;
  std::string owner;
  std::string req;
  int64_t held_ms = 0;
  bool published = false;
};

Held HeldBy(const SessionLock* lock, const SessionHash& hash, int64_t now_ms) {
  Held held;
  if (lock != nullptr) held.state = SessionStateName(lock->state());
  if (const SessionHolder* holder = lock == nullptr ? nullptr : lock->holder()) {
    held.fence = holder->fence;
    held.owner = holder->client.owner;
    held.req = holder->client.req;
    held.held_ms = now_ms - holder->since_ms;
    held.published = lock->state() == SessionLock::State::kPublished;
  } else if (hash.plain()) {
    held.state = "plain";
    held.owner = SessionPid::Parse(hash.pid).owner;
    held.req = hash.req;
    const int64_t since_ms = lock == nullptr ? kNever : lock->plain_since_ms();
    if (since_ms != kNever) held.held_ms = now_ms - since_ms;
  }
  return held;
}

/// The pairs that INFO and LIST have in common: six.
void ReplyHeld(ReplyWriter& reply, const Held& held) {
  reply.Bulk("state");
  reply.Bulk(held.state);
  reply.Bulk("fence");
  reply.Integer(held.fence);
  reply.Bulk("owner");
  reply.Bulk(held.owner);
  reply.Bulk("req");
  reply.Bulk(held.req);
  reply.Bulk("held-ms");
  reply.Integer(held.held_ms);
  reply.Bulk("published");
  reply.Integer(held.published ? 1 : 0);
}

void SessionInfo(Call& call) {
  SessionCall session(call, Intent::kRead);
  if (!session.ok()) return;
  const SessionLocks::Use lock = session.FindLock();
  const SessionHash hash = session.Content().hash;
  const int64_t now_ms = session.context().now_ms;
  ReplyWriter& reply = call.reply();
  reply.Map(8);
  ReplyHeld(reply, HeldBy(lock ? &*lock : nullptr, hash, now_ms));
  reply.Bulk("version");
  reply.Bulk(SessionVersion(hash).view());
  reply.Bulk("waiters");
  static const SessionQueue nobody;
  ReplyWaiters(reply, lock ? lock->queue() : nobody, now_ms);
}

// ---- LIST

struct Listed {
  std::string key;
  int db;
  Held held;
  int64_t waiters = 0;
  int64_t longest_wait_ms = 0;
};

/// The most urgent of them: those of the longest wait, then of the longest hold.
class SessionListing {
 public:
  explicit SessionListing(size_t most) : most_(most) {}

  /// `hash`: what the session's says.
  void Add(Database& db, std::string_view key, const SessionLock& lock, const SessionHash& hash,
           int64_t now_ms) {
    Listed one{std::string(key), db.index(), HeldBy(&lock, hash, now_ms)};
    one.waiters = static_cast<int64_t>(lock.queue().size());
    if (!lock.queue().empty()) one.longest_wait_ms = now_ms - lock.queue().head()->since_ms();
    listed_.push_back(std::move(one));
    // Never much more than is asked for.
    if (listed_.size() >= 2 * most_ + kListed) Cut();
  }
  void Reply(ReplyWriter& reply) {
    Cut();
    reply.Array(listed_.size());
    for (const Listed& one : listed_) {
      reply.Map(10);
      reply.Bulk("key");
      reply.Bulk(one.key);
      reply.Bulk("db");
      reply.Integer(one.db);
      ReplyHeld(reply, one.held);
      reply.Bulk("waiters");
      reply.Integer(one.waiters);
      reply.Bulk("longest-wait-ms");
      reply.Integer(one.longest_wait_ms);
    }
  }

 private:
  void Cut() {
    std::sort(listed_.begin(), listed_.end(), [](const Listed& a, const Listed& b) {
      return std::pair(a.longest_wait_ms, a.held.held_ms) >
             std::pair(b.longest_wait_ms, b.held.held_ms);
    });
    if (listed_.size() > most_) listed_.resize(most_);
  }

  const size_t most_;
  std::vector<Listed> listed_;
};

void AddLocks(Hold& hold, Database& db, int64_t now_ms, SessionListing* list) {
  for (uint32_t i = 0; i < Database::kStripes; ++i) {
    Stripe& stripe = db.stripe(i);
    const auto visit = [&](std::string_view key, SessionLock& lock) {
      AssertHeld(stripe);
      Entry** const slot = stripe.table.Find(key, KeyHash::Of(key));
      const Entry* const entry = slot == nullptr ? nullptr : *slot;
      list->Add(db, key, lock, ReadSession(entry, db.keyspace().clock().NowMs()).hash, now_ms);
    };
    if (hold.Closes(db)) {
      NativeSessions::ForEachLock(stripe, visit);
    } else {
      MutexLock lock(stripe.mutex);
      NativeSessions::ForEachLock(stripe, visit);
    }
  }
}

void SessionList(Call& call) {
  Arguments args(call, 1);
  int64_t count = kListed;
  while (args.More()) {
    args.Word("COUNT", 1) ? void(count = args.IntegerIn(1, 100'000)) : args.SyntaxError();
  }
  if (!args.Finish()) return;
  Server& server = call.server();
  call.StartLongWork([&server, count](LongWork& work) -> Task {
    SessionListing list(static_cast<size_t>(count));
    const int64_t now_ms = server.sessions().Context().now_ms;
    for (Database* db : server.keyspace().databases()) {
      co_await work.Step(*db, [&](Hold& hold) { AddLocks(hold, *db, now_ms, &list); });
    }
    list.Reply(work.reply);
  });
}

// ---- BREAK

void SessionBreak(Call& call) {
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  const SessionLocks::Use lock = session.GetLock();
  const SessionHash hash = session.Content().hash;
  // If nobody holds the lock here, it may be an orphan: the hash alone says whose it was.
  const SessionHolder* const holder = lock->holder();
  std::string whose = holder != nullptr ? ShownClient(holder->client.owner, holder->client.req)
                                        : ShownClient(SessionPid::Parse(hash.pid).owner, hash.req);
  const std::optional<SessionEffects> effects =
      lock->Break(session.DefaultOwner(), hash, session.context());
  if (effects) {
    ++session.stats().breaks;
    session.Apply(*effects, lock);
    call.hold().Afterwards([shown = std::string(ShortKey(session.key().key)),
                            whose = std::move(whose), who = session.DefaultOwner()] {
      LogNotice("Session {}…: the lock of {} was broken by SESSION.BREAK of {}", shown, whose, who);
    });
  }
  call.reply().Integer(effects ? 1 : 0);
}

// Read as a table.
// clang-format off
constexpr CommandRow kSessionAdminCommands[] = {
    {.name = "session.break", .run = SessionBreak, .arity = 2,
     .flags = kWrite | kAdmin | kNoScript,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.2.0", .complexity = "O(1)", .syntax = "key",
     .summary = "Takes a session's lock from whoever has it."},
    {.name = "session.info", .run = SessionInfo, .arity = 2, .flags = kReadonly,
     .keys = {Key(1, kRO)}, .since = "7.2.0", .complexity = "O(N) for N requests that wait.",
     .syntax = "key",
     .summary = "Says who has a session's lock, and who waits for it."},
    {.name = "session.list", .run = SessionList, .arity = -1, .flags = kAdmin | kNoScript,
     .access = Access::kEach, .since = "7.2.0", .complexity = "O(N) for N locks.",
     .syntax = "[COUNT count]",
     .summary = "Lists the sessions that are locked, the longest wait first."},
};
// clang-format on

}  // namespace

CommandFamily SessionAdminCommands() {
  return {CommandGroup::kSession, kCatSession, kSessionAdminCommands};
}

}  // namespace cloakroom
