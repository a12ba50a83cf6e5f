// SESSION.OPEN SESSION.READ SESSION.COMMIT SESSION.RELEASE SESSION.DESTROY SESSION.RENEW
// SESSION.RESET: sessions whose lock the server keeps, with a queue. Ours; no other server has
// them.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/expire_time.h"
#include "server/commands/support/session_call.h"
#include "server/config/config.h"
#include "server/execution/arguments.h"
#include "server/execution/interests.h"
#include "server/log/log.h"
#include "server/metrics/latency_monitor.h"
#include "storage/access/write_scope.h"

namespace cloakroom {
namespace {

using Intent = SessionCall::Intent;

constexpr size_t kMostOwner = 64;
constexpr size_t kMostReq = 256;
constexpr int64_t kMostWaitMs = 600'000;
constexpr int64_t kLeastLeaseMs = 100;
constexpr int64_t kMostLeaseMs = 86'400'000;
constexpr int64_t kMostLimit = 100'000;

// ---- OPEN

struct OpenOptions {
  int64_t wait_ms;
  int64_t lease_ms;
  int64_t limit;
  std::string_view owner = {};
  std::string_view req = {};
  std::optional<std::string_view> known = {};
};

int64_t TakeLease(Arguments& args) { return args.IntegerIn(kLeastLeaseMs, kMostLeaseMs); }

OpenOptions TakeOpenOptions(Arguments& args) {
  const Config& settings = args.call().server().settings();
  OpenOptions options{.wait_ms = settings.session_wait_ms,
                      .lease_ms = settings.session_lease_ms,
                      .limit = settings.session_max_waiters};
  while (args.More()) {
    if (args.Word("WAIT", 1)) {
      options.wait_ms = args.IntegerIn(0, kMostWaitMs);
    } else if (args.Word("LEASE", 1)) {
      options.lease_ms = TakeLease(args);
    } else if (args.Word("LIMIT", 1)) {
      options.limit = std::min(options.limit, args.IntegerIn(0, kMostLimit));
    } else if (args.Word("OWNER", 1)) {
      options.owner = args.String().substr(0, kMostOwner);
    } else if (args.Word("REQ", 1)) {
      options.req = args.String().substr(0, kMostReq);
    } else if (args.Word("IFCHANGED", 1)) {
      options.known = args.String();
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

/// One run of an OPEN.
class Opening {
 public:
  Opening(SessionCall& session, const OpenOptions& options)
      : session_(session),
        options_(options),
        client_(session.call().client()),
        open_(client_.open_request) {}

  void Run();

 private:
  void Begin();
  void BreakLease(SessionLocks::Use& lock);
  void Reply();
  void WaitOrGiveUp(SessionLocks::Use& lock);
  void NoteWait();
  bool MayHoldMore() const;

  SessionCall& session_;
  const OpenOptions& options_;
  Client& client_;
  std::shared_ptr<OpenRequest> open_;
  bool waited_ = false;
};

void Opening::Run() {
  waited_ = open_ != nullptr;
  if (!waited_ && !MayHoldMore()) {
    return session_.call().Error(
        "ERR this connection holds 64 sessions already: commit, release or reset them first");
  }
  session_.sessions().NoteUse();
  if (!waited_) Begin();
  // Set again if it waits on.
  client_.open_request = nullptr;
  open_->parked = nullptr;
  SessionLocks::Use lock = session_.GetLock();
  if (waited_) BreakLease(lock);
  const int64_t now_ms = session_.context().now_ms;
  const bool may_wait = session_.call().may_block() && now_ms < open_->wait_until_ms;
  const SessionOpened opened =
      lock->Open(*open_, session_.Content().hash, session_.context(),
                 {.may_wait = may_wait, .max_waiting = static_cast<size_t>(options_.limit)});
  session_.Apply(opened.effects, lock);
  switch (opened.answer) {
    case SessionOpened::Answer::kHeld:
      session_.NoteHeld(opened.fence);
      if (waited_) NoteWait();
      ++session_.stats().opens;
      return session_.ReplyState(opened.fence, options_.known, open_->broken().get());
    case SessionOpened::Answer::kQueued:
      return WaitOrGiveUp(lock);
    case SessionOpened::Answer::kLocked:
      return session_.ReplyLocked(*lock, lock->queue().size());
    case SessionOpened::Answer::kTooMany:
      ++session_.stats().refused_limit;
      return session_.call().Error("TOOMANY " + std::to_string(lock->queue().size()) +
                                   " wait already");
  }
}

void Opening::Begin() {
  const std::string owner =
      options_.owner.empty() ? session_.DefaultOwner() : std::string(options_.owner);
  open_ = std::make_shared<OpenRequest>(
      SessionClient{session_.party(), owner, std::string(options_.req)}, options_.lease_ms,
      session_.key().db.index(), std::string(session_.key().key));
  open_->client_id = client_.id;
  open_->began_us = session_.call().server().clock().MonotonicUs();
  open_->wait_until_ms = session_.context().now_ms + options_.wait_ms;
}

bool Opening::MayHoldMore() const {
  const auto& held = client_.held_sessions;
  if (held.size() < NativeSessions::kMostHeld) return true;
  session_.sessions().PruneHeld(session_.key().hold, client_);
  if (held.size() < NativeSessions::kMostHeld) return true;
  return std::any_of(held.begin(), held.end(), [&](const HeldSession& one) {
    return one.db == session_.key().db.index() && one.key == session_.key().key;
  });
}

/// The holder's time may be over.
void Opening::BreakLease(SessionLocks::Use& lock) {
  const int64_t now_ms = session_.context().now_ms;
  const int64_t deadline_ms = lock->NextDeadline();
  if (lock->queue().head() != open_.get() || now_ms < deadline_ms) return;
  if (!session_.sessions().MayBreak(*open_, deadline_ms, now_ms)) return;
  session_.Apply(lock->OnTime(session_.Content().hash, session_.context()), lock);
}

void Opening::WaitOrGiveUp(SessionLocks::Use& lock) {
  const int64_t now_ms = session_.context().now_ms;
  if (now_ms >= open_->wait_until_ms) {
    session_.ReplyLocked(*lock, lock->queue().Ahead(*open_));
    return session_.Apply(lock->Leave(*open_, session_.Content().hash, session_.context()), lock);
  }
  client_.open_request = open_;
  int64_t until_ms = open_->wait_until_ms;
  if (lock->queue().head() == open_.get() && lock->NextDeadline() != kNever)
    until_ms = std::min(until_ms, std::max(lock->NextDeadline(), open_->put_off_until_ms));
  session_.call().Block(
      {.time_limit_ms = std::max<int64_t>(until_ms - now_ms, 1), .runs_again = true});
}

void Opening::NoteWait() {
  ++session_.stats().opens_waited;
  Server& server = session_.call().server();
  const int64_t waited_us = server.clock().MonotonicUs() - open_->began_us;
  const int64_t waited_ms = waited_us / 1000;
  session_.stats().waits.Add(waited_us);
  const int64_t late_ms = server.settings().latency_monitor_threshold_ms;
  if (late_ms > 0 && waited_ms >= late_ms)
    server.latency().Add("session-wait", server.clock().NowMs() / 1000, waited_ms);
  const int64_t slow_ms = server.settings().session_log_slow_wait_ms;
  if (slow_ms == 0 || waited_ms < slow_ms) return;
  LogNotice("Session {}…: {} waited {} ms for the lock{}{}", ShortKey(session_.key().key),
            options_.owner.empty() ? "a request" : options_.owner, waited_ms,
            options_.req.empty() ? "" : ": ", options_.req);
}

void SessionOpen(Call& call) {
  Arguments args(call, 2);
  const OpenOptions options = TakeOpenOptions(args);
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  // A client that is not told of the lock could never give it back.
  if (call.client().reply_mode != ReplyMode::kOn) return session.ReplyState(0, options.known);
  Opening(session, options).Run();
}

void SessionRead(Call& call) {
  Arguments args(call, 2);
  std::optional<std::string_view> known;
  while (args.More()) {
    args.Word("IFCHANGED", 1) ? void(known = args.String()) : args.SyntaxError();
  }
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kRead);
  if (!session.ok()) return;
  ++session.stats().reads;
  session.ReplyState(0, known);
}

// ---- COMMIT

struct CommitOptions {
  CommitRequest request;
  std::optional<std::string_view> data;
  std::optional<int64_t> expire_at_ms;
};

CommitOptions TakeCommitOptions(Arguments& args) {
  CommitOptions options;
  options.request.fence = TakeFence(args);
  bool about_time = false;
  const auto only_one = [&] {
    if (std::exchange(about_time, true)) args.SyntaxError();
  };
  while (args.More()) {
    if (args.Word("DATA", 1)) {
      options.data = args.String();
    } else if (args.Word("EX", 1)) {
      only_one();
      options.expire_at_ms = TakePositiveExpireTime(args, kInSeconds);
    } else if (args.Word("PX", 1)) {
      only_one();
      options.expire_at_ms = TakePositiveExpireTime(args, kInMilliseconds);
    } else if (args.Word("KEEPTTL")) {
      only_one();
    } else if (args.Word("IF", 1)) {
      options.request.if_version = args.String();
    } else {
      args.SyntaxError();
    }
  }
  return options;
}

/// Writes what a COMMIT brings, and returns `writes` after it. Without data an absent session stays
/// absent.
int64_t Write(SessionCall& session, const CommitOptions& options, std::string_view owner,
              int64_t fence) {
  const SessionContent content = session.Content();
  // The hash of a session that was committed before tells a commit that comes again.
  const bool first = content.hash.commit_fence() == 0;
  if (!options.data) ++session.stats().commits_unchanged;
  if ((!content.hash.exists || content.only_lock) && !options.data) return 0;
  SessionCommit commit{.data = options.data, .expire_at_ms = options.expire_at_ms};
  commit.writes = std::min(content.hash.writes, std::numeric_limits<int64_t>::max() - 1) + 1;
  commit.pid = FormatSessionPid(owner, fence);
  if (!content.hash.exists && !commit.expire_at_ms) {
    commit.expire_at_ms =
        session.key().now_ms + session.call().server().settings().session_ttl_s * 1000;
  }
  WriteSession(session.key(), commit);
  if (first) session.NoteSpent(fence);
  return commit.writes;
}

int64_t WriteHeld(SessionCall& session, const CommitOptions& options) {
  const SessionLocks::Use lock = session.FindLock();
  const std::string owner = lock->holder()->client.owner;
  const int64_t writes = Write(session, options, owner, options.request.fence);
  const auto effects =
      lock->Release(options.request.fence, session.Content().hash, session.context());
  session.Apply(*effects, lock);
  session.ForgetHeld(options.request.fence);
  return writes;
}

int64_t WriteLate(SessionCall& session, const CommitOptions& options) {
  ++session.stats().commits_late;
  int64_t fence = options.request.fence;
  const int64_t next = session.context().fences->Next(session.context().wall_ms,
                                                      session.Content().hash.commit_fence());
  // One that no server has given would stay above all that follow.
  if (fence == 0 || fence - next > SessionFences::kDayMs * SessionFences::kPerMs) fence = next;
  return Write(session, options, session.DefaultOwner(), fence);
}

void SessionCommitCommand(Call& call) {
  Arguments args(call, 2);
  const CommitOptions options = TakeCommitOptions(args);
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  switch (session.Decide(options.request)) {
    case CommitCase::kHeld:
      ++session.stats().commits;
      return call.reply().Integer(WriteHeld(session, options));
    case CommitCase::kRepeated:
      ++session.stats().commits_repeated;
      return call.reply().Integer(session.Content().hash.writes);
    case CommitCase::kLate:
      ++session.stats().commits;
      return call.reply().Integer(WriteLate(session, options));
    case CommitCase::kFenced:
      session.ForgetHeld(options.request.fence);
      return session.ReplyFenced(
          session.GetLock()->WhyFenced(options.request, session.Content().hash, session.context()));
  }
}

// ---- without a write

void SessionRelease(Call& call) {
  Arguments args(call, 2);
  const int64_t fence = TakeFence(args);
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  session.ForgetHeld(fence);
  const SessionLocks::Use lock = session.FindLock();
  std::optional<SessionEffects> effects;
  if (lock) effects = lock->Release(fence, session.Content().hash, session.context());
  if (effects) session.Apply(*effects, lock);
  call.reply().Integer(effects ? 1 : 0);
}

/// Removes the hash; false if there was none.
bool Remove(const GuardedKey& key) {
  WriteScope scope(key.hold, key.db, key.key, key.hash, key.now_ms, /*random=*/nullptr,
                   Writer::kSession);
  if (!scope.exists()) return false;
  scope.Delete();
  scope.Changed("del");
  return true;
}

void SessionDestroy(Call& call) {
  Arguments args(call, 2);
  std::optional<int64_t> fence;
  if (args.More()) fence = TakeFence(args);
  if (args.More()) args.SyntaxError();
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  const SessionLocks::Use lock = session.FindLock();
  const SessionHolder* const holder = lock ? lock->holder() : nullptr;
  const bool holds = holder != nullptr && (fence ? holder->fence == *fence
                                                 : holder->client.connection == session.party());
  if (fence) session.ForgetHeld(*fence);
  if (fence && !holds) {
    const SessionHash hash = session.Content().hash;
    return session.ReplyFenced(
        session.GetLock()->WhyFenced({.fence = *fence}, hash, session.context()));
  }
  session.ForgetHeld();
  const bool removed = Remove(session.key());
  session.NoteDestroyed();
  if (holds) {
    session.Apply(*lock->Release(holder->fence, {}, session.context()), lock);
  } else if (lock) {
    session.Apply(lock->Replaced({}, session.context()), lock);
  }
  call.reply().Integer(removed ? 1 : 0);
}

void SessionRenew(Call& call) {
  Arguments args(call, 2);
  const int64_t fence = TakeFence(args);
  std::optional<int64_t> lease_ms;
  while (args.More()) {
    args.Word("LEASE", 1) ? void(lease_ms = TakeLease(args)) : args.SyntaxError();
  }
  if (!args.Finish()) return;
  SessionCall session(call, Intent::kChange);
  if (!session.ok()) return;
  const SessionLocks::Use lock = session.FindLock();
  if (lock && lock->Renew(fence, lease_ms, session.context().now_ms)) {
    session.Apply({}, lock);  // the lease may end earlier now
    return call.reply().Ok();
  }
  session.ForgetHeld(fence);
  const SessionHash hash = session.Content().hash;
  session.ReplyFenced(session.GetLock()->WhyFenced({.fence = fence}, hash, session.context()));
}

void SessionReset(Call& call) {
  const size_t given_back = GiveBackSessions(call.server(), call.thread().slot, call.client());
  call.reply().Integer(static_cast<int64_t>(given_back));
}

// Read as a table.
// clang-format off
constexpr CommandRow kSessionCommands[] = {
    {.name = "session.commit", .run = SessionCommitCommand, .arity = -3,
     .flags = kWrite | kDenyOom | kNoScript | kFast,
     .keys = {Key(1, kRW | kUpdate | kInsert)}, .since = "7.2.0",
     .complexity = "O(1)",
     .syntax = "key fence:integer [DATA data] [expiration: EX seconds | PX milliseconds | KEEPTTL] "
               "[IF version:string]",
     .summary = "Writes a session and gives its lock to the next who waits."},
    {.name = "session.destroy", .run = SessionDestroy, .arity = -2, .flags = kWrite | kNoScript,
     .keys = {Key(1, kRM | kDelete)}, .since = "7.2.0", .complexity = "O(1)",
     .syntax = "key [fence:integer]",
     .summary = "Deletes a session and ends its lock."},
    {.name = "session.open", .run = SessionOpen, .arity = -2,
     .flags = kWrite | kBlocking | kNoScript,
     .keys = {Key(1, kRW | kAccess)}, .since = "7.2.0", .complexity = "O(1)",
     .syntax = "key [WAIT milliseconds] [LEASE milliseconds] [LIMIT waiters:integer] [OWNER owner] "
               "[REQ request] [IFCHANGED version:string]",
     .summary = "Takes a session's lock, or waits for it, and reads the session."},
    {.name = "session.read", .run = SessionRead, .arity = -2, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.2.0", .complexity = "O(1)",
     .syntax = "key [IFCHANGED version:string]",
     .summary = "Reads a session without its lock."},
    // Not a write, so that it is never refused for lack of memory, disk or replicas.
    {.name = "session.release", .run = SessionRelease, .arity = 3,
     .flags = kMayReplicate | kNoScript | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.2.0", .complexity = "O(1)",
     .syntax = "key fence:integer",
     .summary = "Gives a session's lock back and writes nothing."},
    {.name = "session.renew", .run = SessionRenew, .arity = -3, .flags = kNoScript | kFast,
     .keys = {Key(1, kRO)}, .since = "7.2.0", .complexity = "O(1)",
     .syntax = "key fence:integer [LEASE milliseconds]",
     .summary = "Has the lease of a session's lock begin anew."},
    {.name = "session.reset", .run = SessionReset, .arity = 1,
     .flags = kNoScript | kFast | kNoMulti, .access = Access::kNone, .since = "7.2.0",
     .complexity = "O(N) for the N locks that the connection has.",
     .summary = "Gives back all session locks of this connection."},
};
// clang-format on

}  // namespace

CommandFamily SessionCommands() { return {CommandGroup::kSession, kCatSession, kSessionCommands}; }

}  // namespace cloakroom
