#include "server/execution/executor.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "server/context/errors.h"
#include "server/context/pause.h"
#include "server/execution/access.h"
#include "server/execution/interests.h"
#include "server/execution/transaction.h"
#include "server/log/log.h"
#include "server/metrics/monitor_feed.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "server/script/running_scripts.h"
#include "server/sessions/native_sessions.h"
#include "server/tracking/tracking_table.h"

namespace cloakroom {
namespace {

/// A single miss has no other to overlap with.
constexpr size_t kMinPrefetch = 2;
constexpr size_t kUsualBatch = 64;
/// The bucket, its entries, and those of the chained bucket: chains are seldom longer.
constexpr int kPrefetchTurns = 3;

/// How long a script that may not begin waits before it is tried again.
constexpr std::chrono::milliseconds kScriptsHeldBack{10};

/// SUBSCRIBE and its like: their confirmations are pushes, which CLIENT REPLY does not silence.
bool RepliesWithPushes(const Client& client, const Request& request) {
  return !client.in_multi && request.command != nullptr && request.command->row->has(kPubSub) &&
         request.command->row->has(kNoScript);
}

/// A SESSION.OPEN that waits, and runs again. A pause does not hold it back: it writes nothing as
/// long as it has its place in the queue, and its time may be over.
bool RunsAgainForSession(const Client& client) {
  return client.open_request != nullptr && !client.open_request->polls();
}

bool KeepsCaching(const Request& request) {
  return request.command != nullptr && request.command->row->has(kKeepsCaching);
}

/// Whether the request has not run yet, or runs once more.
bool WillRunAgain(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kGate:
    case Outcome::Kind::kSoon:
    case Outcome::Kind::kPaused:
    case Outcome::Kind::kPrepare:
      return true;
    case Outcome::Kind::kDone:
    case Outcome::Kind::kBlocked:
    case Outcome::Kind::kLongWork:
      return false;
  }
  return false;
}

/// The first words of HTTP lines. A web page can make a browser in our network send such requests,
/// with commands in the body; no client of our protocol sends them.
bool IsHttp(std::string_view name) {
  return EqualsIgnoreCase(name, "post") || EqualsIgnoreCase(name, "host:");
}

void HangUpOnHttp(Client& client, ThreadContext& thread, int64_t now_us) {
  constexpr int64_t kQuietUs = 60'000'000;
  client.close_after_reply = true;
  if (thread.told_of_http_us != 0 && now_us - thread.told_of_http_us < kQuietUs) return;
  thread.told_of_http_us = now_us;
  LogWarning(
      "Possible SECURITY ATTACK detected: client {} sends HTTP (POST or Host:) instead of "
      "commands, "
      "as a web page does that wants to reach this server through somebody's browser. The "
      "connection is closed.",
      client.address.Text());
}

}  // namespace

void Executor::BeginBatch() {
  wall_ms_ = server_.clock().NowMs();
  batch_us_ = now_us_ = server_.clock().MonotonicUs();
}

const Command* Executor::FindCommand(CommandArguments args, const Request* before) const {
  const bool same = before != nullptr && before->command != nullptr &&
                    !before->command->container() && before->command->parent == nullptr &&
                    before->args[0] == args[0];
  return same ? before->command : server_.commands().Find(args);
}

Request Executor::Prepare(CommandArguments args, const Request* before) const {
  Request request{.args = args, .command = FindCommand(args, before)};
  if (request.command == nullptr) return request;
  const KeySpecs& keys = request.command->row->keys;
  if (keys.empty() || !keys[0].after.empty()) return request;
  if (const auto first = static_cast<size_t>(keys[0].first); first < args.size()) {
    request.hashed = true;
    request.first_key = args[first];
    request.first_hash = KeyHash::Of(request.first_key);
  }
  return request;
}

void Executor::Prepare(Batch& batch) {
  const CommandArguments arguments(batch.arguments);
  const Request* before = nullptr;
  batch.requests.reserve(batch.places.size());
  for (const Batch::Place& place : batch.places) {
    batch.requests.push_back(Prepare(arguments.subspan(place.first, place.count), before));
    before = &batch.requests.back();
  }
  // Runs of clients with the same database, in their order: nearly always all have the same.
  for (size_t first = 0; first < batch.size();) {
    size_t end = first + 1;
    while (end < batch.size() && batch.places[end].db == batch.places[first].db) ++end;
    Prefetch(std::span(batch.requests).subspan(first, end - first), batch.places[first].db);
    first = end;
  }
}

void Executor::Prefetch(std::span<const Request> requests, int db_index) {
  if (requests.size() < kMinPrefetch) return;
  Database& db = server_.keyspace().db(db_index);
  Hold pass(thread_.slot);
  if (!pass.TryPassNow(db)) return;
  absl::InlinedVector<KeyHash, kUsualBatch> wanted;
  for (const Request& request : requests) {
    if (request.hashed) wanted.push_back(request.first_hash);
  }
  for (int turn = 0; !wanted.empty() && turn < kPrefetchTurns; ++turn) {
    auto done = std::remove_if(wanted.begin(), wanted.end(), [&](KeyHash hash) {
      Stripe& stripe = db.StripeOf(hash);
      if (!stripe.mutex.TryLock()) return true;
      const bool more = stripe.table.Prefetch(hash, turn);
      stripe.mutex.Unlock();
      return !more;
    });
    wanted.erase(done, wanted.end());
  }
}

Outcome Executor::Refuse(Client& client, const Request& request, std::string_view error,
                         ReplyWriter& reply) {
  if (client.in_multi) client.multi_failed = true;
  CloseIfDemoted(client, error);
  const bool aborts = request.command != nullptr && request.command->row->has(kRunsQueue);
  accounting_.CountRejected(request.command, aborts ? kExecAbort : error);
  if (aborts) {
    // Without the code ERR, as in Redis.
    std::string_view cause = error.starts_with("ERR ") ? error.substr(4) : error;
    reply.Error(absl::StrCat("EXECABORT Transaction discarded because of: ", std::string(cause)));
    LeaveMulti(server_, thread_.slot, client);
    ShowToMonitors(client, request);
  } else {
    reply.Error(error);
  }
  return {};
}

void Executor::CloseIfDemoted(Client& client, std::string_view error) const {
  if (error != kReadOnlyReplica || !server_.settings().close_after_readonly) return;
  const bool knows = client.changed_role || !server_.replication().demoted_since(client.id);
  if (!knows) client.close_after_reply = true;
}

Outcome Executor::Execute(Client& client, const Request& request, ReplyWriter& reply, bool queued) {
  thread_.holds.client = client.id;
  thread_.holds.appended = 0;
  Outcome outcome = client.reply_mode == ReplyMode::kOn
                        ? ExecuteAndReply(client, request, reply, queued)
                        : ExecuteAndDrop(client, request, reply, queued);
  if (thread_.holds.appended != 0) client.write_position = thread_.holds.appended;
  if (client.tracking.on) [[unlikely]]
    EndTracked(client, request, outcome);
  return outcome;
}

Outcome Executor::ExecuteAndDrop(Client& client, const Request& request, ReplyWriter& reply,
                                 bool queued) {
  if (client.reply_mode == ReplyMode::kSkipNext) client.reply_mode = ReplyMode::kSkip;
  bool pushes = RepliesWithPushes(client, request);
  size_t mark = reply.out().Mark();
  Outcome outcome = ExecuteAndReply(client, request, reply, queued);
  // Only CLIENT REPLY ON, RESET and pushes send a reply. A request that waits drops its reply when
  // it is done.
  if (client.reply_mode != ReplyMode::kOn && !pushes) reply.out().Truncate(mark);
  if (client.reply_mode == ReplyMode::kSkip && outcome.kind == Outcome::Kind::kDone) {
    client.reply_mode = ReplyMode::kOn;
  }
  return outcome;
}

Outcome Executor::ExecuteAndReply(Client& client, const Request& request, ReplyWriter& reply,
                                  bool queued) {
  if (absl::Status may = admission_.Admit(client, request); !may.ok()) [[unlikely]] {
    if (request.command == nullptr && IsHttp(request.args[0])) {
      HangUpOnHttp(client, thread_, now_us_);
      return {};
    }
    return Refuse(client, request, ReplyOf(may), reply);
  }
  const CommandRow& row = *request.command->row;
  const int64_t until_ms = PausedUntilMs(client, request);
  if (until_ms != 0 && !RunsAgainForSession(client)) [[unlikely]]
    return {.kind = Outcome::Kind::kPaused, .until_ms = until_ms};
  if (client.in_multi && !row.has(kUndeferred)) {
    Enqueue(client, request);
    reply.Simple("QUEUED");
    return {};
  }
  if (admission_.LacksInterpreter(client, request)) [[unlikely]]
    return Refuse(client, request, server_.running_scripts().BusyReply(), reply);
  if (server_.running_scripts().held_back() && admission_.RunsScript(client, request)) [[unlikely]]
    return {.kind = Outcome::Kind::kSoon, .soon = kScriptsHeldBack};
  if (row.has(kRunsQueue) && client.in_multi) {
    return ExecuteTransaction(client, request, reply, queued);
  }
  Hold hold(thread_.slot, &thread_.holds);
  if (!TryHold(hold, client, request, queued)) [[unlikely]]
    return Wait(client, request, hold, queued, reply);
  if (std::optional<Outcome> instead = HeldBack(client, request, hold, reply)) [[unlikely]]
    return *std::move(instead);
  return RunHeld(client, request, reply, hold);
}

int64_t Executor::PausedUntilMs(const Client& client, const Request& request) const {
  if (!server_.pause().active()) [[likely]]
    return 0;
  return server_.pause().UntilMs(admission_.HasFlag(client, request, kWrite | kMayReplicate),
                                 now_ms());
}

/// What became of a request that has its hold, and may not run after all: a pause or a change of
/// the role came between.
std::optional<Outcome> Executor::HeldBack(Client& client, const Request& request, Hold& hold,
                                          ReplyWriter& reply) {
  const int64_t until_ms = PausedUntilMs(client, request);
  const bool keeps_its_place = RunsAgainForSession(client) && client.open_request->placed();
  if (until_ms != 0 && !keeps_its_place) [[unlikely]] {
    hold.Release();
    return Outcome{.kind = Outcome::Kind::kPaused, .until_ms = until_ms};
  }
  const absl::Status may = admission_.AdmitHeld(client, request);
  if (may.ok()) [[likely]]
    return std::nullopt;
  hold.Release();
  return Refuse(client, request, ReplyOf(may), reply);
}

Outcome Executor::Wait(Client& client, const Request& request, const Hold& hold, bool queued,
                       ReplyWriter& reply) {
  Gate* const gate = hold.refused();
  if (gate == nullptr) return {.kind = Outcome::Kind::kSoon};
  if (gate->busy()) return Refuse(client, request, server_.running_scripts().BusyReply(), reply);
  return {.kind = Outcome::Kind::kGate,
          .gate = gate,
          .wish = {.closes = hold.refused_to_close(),
                   .queued = queued,
                   .hears_busy = true,
                   .hears_load = admission_.Lacks(client, request, kLoading)}};
}

bool Executor::TryHold(Hold& hold, Client& client, const Request& request, bool queued) {
  const Command& command = *request.command;
  Database& db = server_.keyspace().db(client.db);
  switch (command.AccessOf(server_, request.args)) {
    case Access::kNone:
    case Access::kEach:
      return true;
    case Access::kPass:
      return hold.TryPass(db);
    case Access::kKeys:
      return TryHoldKeys(hold, db, request);
    case Access::kWhole:
    case Access::kNamed:
    case Access::kAll: {
      DatabaseList dbs;
      AddDatabasesAlone(server_, command, request.args, client.db, /*nested=*/false, &dbs);
      return dbs.empty() || hold.TryClose({dbs.data(), dbs.size()}, queued);
    }
  }
  return true;
}

bool Executor::TryHoldKeys(Hold& hold, Database& db, const Request& request) {
  const CommandRow& row = *request.command->row;
  if (row.keys.size() == 1 && row.keys[0].single()) {
    return hold.TryKey(db, request.first_hash);
  }
  KeyHashes keys;
  AddKeys(request, &keys);
  return hold.TryKeys(db, keys);
}

Outcome Executor::RunHeld(Client& client, const Request& request, ReplyWriter& reply, Hold& hold) {
  Call call(*this, server_, thread_, client, *request.command, request.args, reply, now_ms(),
            CallMode::kTopLevel, hold);
  if (request.hashed) call.set_first_key(request.first_key, request.first_hash);
  if (request.preparations > 0) [[unlikely]]
    call.set_prepared(request.prepared, request.preparations);
  // Read before the run: a slow script reads the clock for the requests that it lets run.
  const int64_t started_us = request.first_run_us == 0 ? now_us_ : request.first_run_us;
  call.command().row->run(call);
  if (client.tracking.on) [[unlikely]]
    Track(client, call.command(), request.args, hold);
  if (call.blocks()) [[unlikely]] {
    Outcome outcome = Block(call, hold);
    now_us_ = server_.clock().MonotonicUs();
    outcome.ran_us = now_us_ - started_us;
    return outcome;
  }
  // The rest does not need the keys, which others may wait for.
  replies_later_ = call.has_long_work();
  hold.Release();
  replies_later_ = false;
  if (call.has_long_work()) [[unlikely]] {
    const bool prepares = call.prepares();
    if (!prepares) accounting_.NoteRun(call);
    return {.kind = prepares ? Outcome::Kind::kPrepare : Outcome::Kind::kLongWork,
            .work = call.TakeLongWork(),
            .started_us = started_us};
  }
  if (call.again_soon()) [[unlikely]]
    return {.kind = Outcome::Kind::kSoon};
  accounting_.NoteRun(call);
  now_us_ = server_.clock().MonotonicUs();
  accounting_.NoteEnd(client, *request.command, request.args, now_us_ - started_us);
  return {};
}

Outcome Executor::Block(Call& call, Hold& hold) {
  Client& client = call.client();
  auto blocked =
      std::make_shared<BlockedRequest>(call.TakeBlockOn(), call.db(), server_.clock(), client.resp);
  // Under the hold: nobody can have made a key ready since the command looked.
  blocked->Enqueue();
  {
    // Under the hold as well: a change of the role, which closes all gates, calls it off.
    MutexLock lock(client.mutex);
    client.blocked_request = blocked;
  }
  if (blocked->runs_again()) client.open_request->parked = blocked;
  const bool holds = !hold.alone();
  hold.Release();
  if (!blocked->runs_again()) accounting_.NoteRun(call);
  thread_.blocked_clients += 1;
  if (blocked->time_limit_ms() > 0) thread_.blocked_with_time_limit += 1;
  blocked->Begin();
  // If it had no hold, a change of the role may just have missed it.
  if (!holds && server_.replication().is_replica()) blocked->CallOff();
  return {.kind = Outcome::Kind::kBlocked, .blocked = std::move(blocked)};
}

void Executor::Unpark(Client& client, const std::shared_ptr<BlockedRequest>& blocked) {
  {
    MutexLock lock(client.mutex);
    client.blocked_request = nullptr;
  }
  thread_.blocked_clients += -1;
  if (blocked->time_limit_ms() > 0) thread_.blocked_with_time_limit += -1;
  LeaveQueues(server_, thread_.slot, blocked);
}

void Executor::FinishBlocked(Client& client, const Request& request, const Outcome& outcome,
                             ReplyWriter& reply) {
  BeginBatch();
  Unpark(client, outcome.blocked);
  const std::string error_code = outcome.blocked->Reply(reply);
  if (outcome.blocked->closes_client()) client.close_after_reply = true;
  if (!error_code.empty()) accounting_.CountFailure(*request.command, error_code);
  accounting_.NoteEnd(client, *request.command, request.args, outcome.ran_us);
}

void Executor::EndBlock(Client& client, const std::shared_ptr<BlockedRequest>& blocked) {
  Unpark(client, blocked);
  if (client.open_request != nullptr && blocked->time_out_asked())
    client.open_request->wait_until_ms = 0;
}

void Executor::LeaveSessionQueue(Client& client) {
  cloakroom::LeaveSessionQueue(server_, thread_.slot, client);
}

void Executor::PruneHeldSessions(Client& client) {
  absl::InlinedVector<int, 4> dbs;
  for (const HeldSession& held : client.held_sessions) {
    if (std::ranges::find(dbs, held.db) == dbs.end()) dbs.push_back(held.db);
  }
  for (const int db : dbs) {
    Hold hold(thread_.slot);
    if (hold.TryPassNow(server_.keyspace().db(db))) server_.sessions().PruneHeld(hold, client);
  }
}

void Executor::GiveBackSessions(Client& client) {
  cloakroom::GiveBackSessions(server_, thread_.slot, client);
}

void Executor::AbandonBlocked(Client& client, const std::shared_ptr<BlockedRequest>& blocked) {
  blocked->Abandon();
  Unpark(client, blocked);
}

/// EXEC comes behind what it has executed.
void Executor::ShowToMonitors(const Client& client, const Request& exec) {
  if (!server_.monitors().active()) [[likely]]
    return;
  accounting_.TellMonitors(client, *exec.command, exec.args, CallMode::kTopLevel);
}

Outcome Executor::ExecuteTransaction(Client& client, const Request& request, ReplyWriter& reply,
                                     bool queued) {
  if (client.multi_failed) {
    reply.Error(kExecAbort);
    LeaveMulti(server_, thread_.slot, client);
    ShowToMonitors(client, request);
    accounting_.CountFailure(*request.command, kExecAbort);
    accounting_.NoteEnd(client, *request.command, request.args, /*duration_us=*/0);
    return {};
  }
  const int64_t started_us = now_us_;
  MonitorNotes notes;
  {
    Hold hold(thread_.slot, &thread_.holds);
    if (!TryHoldQueue(hold, server_, client, queued)) {
      return Wait(client, request, hold, queued, reply);
    }
    if (auto instead = HeldBack(client, request, hold, reply)) return *std::move(instead);
    if (WatchedKeysChanged(server_, client, now_ms())) {
      reply.NullArray();
    } else {
      // If the transaction closes gates, monitors are told of each command at once, as a script in
      // it does.
      MonitorNotes* const outer = accounting_.KeepNotes(hold.closed() ? nullptr : &notes);
      RunQueue(client, reply, hold);
      accounting_.KeepNotes(outer);
    }
  }
  LeaveMulti(server_, thread_.slot, client);
  server_.monitors().Tell(notes, thread_.pusher());
  ShowToMonitors(client, request);
  now_us_ = server_.clock().MonotonicUs();
  accounting_.NoteEnd(client, *request.command, request.args, now_us_ - started_us);
  return {};
}

void Executor::RunQueue(Client& client, ReplyWriter& reply, Hold& hold) {
  // Takes the queue from the client: commands that run are no longer queued (RESET, CLIENT LIST).
  std::vector<QueuedCommand> queue = std::exchange(client.queue, {});
  client.in_multi = false;
  int64_t at_ms = now_ms();
  reply.Array(queue.size());
  for (const QueuedCommand& queued : queue) {
    const std::vector<std::string_view> args(queued.args.begin(), queued.args.end());
    reply.set_resp(client.resp);
    RunNested(client, {.args = args, .command = queued.command}, reply, at_ms,
              CallMode::kTransaction, hold);
  }
}

void Executor::RunNested(Client& client, const Request& request, ReplyWriter& reply, int64_t at_ms,
                         CallMode mode, Hold& hold) {
  const Command& command = *request.command;
  Call call(*this, server_, thread_, client, command, request.args, reply, at_ms, mode, hold);
  if (request.hashed) call.set_first_key(request.first_key, request.first_hash);
  // A script has done other things since its last command ended.
  const int64_t started_us = mode == CallMode::kScript ? server_.clock().MonotonicUs() : now_us_;
  command.row->run(call);
  if (client.tracking.on) [[unlikely]]
    Track(client, command, request.args, hold);
  accounting_.NoteRun(call);
  now_us_ = server_.clock().MonotonicUs();
  accounting_.NoteEnd(client, command, request.args, now_us_ - started_us);
}

void Executor::Track(Client& client, const Command& command, CommandArguments args, Hold& hold) {
  const CommandRow& row = *command.row;
  if (!client.tracking.remembers() || !row.has(kReadonly)) return;
  KeyPositions positions;
  FindKeys(row, args, &positions);
  absl::InlinedVector<std::string_view, 16> keys;
  for (const KeyPosition key : positions) keys.push_back(args[key.index]);
  server_.tracking().Remember(client, client.db, keys, hold);
}

void Executor::EndTracked(Client& client, const Request& request, const Outcome& outcome) {
  server_.tracking().AfterHold();
  if (!WillRunAgain(outcome) && !client.in_multi && !KeepsCaching(request)) {
    client.tracking.caching = ClientTracking::Caching::kUnsaid;
  }
}

void Executor::FinishLongWork(Client& client, const Request& request, int64_t started_us,
                              std::string_view error_code) {
  BeginBatch();
  if (!error_code.empty()) accounting_.CountFailure(*request.command, error_code);
  accounting_.NoteEnd(client, *request.command, request.args, now_us_ - started_us);
}

}  // namespace cloakroom
