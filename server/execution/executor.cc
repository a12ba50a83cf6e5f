#include "server/execution/executor.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "server/context/pause.h"
#include "server/execution/access.h"
#include "server/execution/secrets.h"
#include "server/log/log.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/monitor_feed.h"
#include "server/metrics/slowlog.h"
#include "server/persistence/persistence.h"
#include "server/script/running_scripts.h"

namespace cloakroom {
namespace {

/// A batch of fewer requests is not worth two looks at every bucket.
constexpr size_t kMinPrefetch = 4;
constexpr size_t kUsualBatch = 32;
/// The bucket, its entries, those of the bucket chained behind: chains are seldom longer.
constexpr int kPrefetchTurns = 3;

bool AllowedWhileSubscribed(std::string_view name) {
  return name == "ping" || name == "subscribe" || name == "ssubscribe" || name == "unsubscribe" ||
         name == "sunsubscribe" || name == "psubscribe" || name == "punsubscribe" ||
         name == "quit" || name == "reset";
}

bool Permitted(Allowed allowed, const Client& client) {
  return allowed == Allowed::kYes || (allowed == Allowed::kLocal && client.local);
}

/// How long a script that may not begin waits before it is tried again.
constexpr std::chrono::milliseconds kScriptsHeldBack{10};

/// Of what a client sent, errors repeat so much.
constexpr size_t kShownBytes = 128;

/// At most `room` bytes, and none from a zero byte on: Redis prints C strings here.
std::string Shown(std::string_view text, size_t room) {
  return std::string(text.substr(0, std::min(room, text.find('\0'))));
}

/// SUBSCRIBE and its like: their confirmations are pushes, which CLIENT REPLY does not silence.
bool RepliesWithPushes(const Client& client, const Request& request) {
  return !client.in_multi && request.command != nullptr && request.command->row->has(kPubSub) &&
         request.command->row->has(kNoScript);
}

/// How HTTP begins and goes on. A page makes the browser of somebody near us send such requests,
/// whose bodies hold commands of the page's choice; nobody who speaks our protocol does.
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
      client.address);
}

/// While memory is over its limit a transaction can only be ended, as in Redis.
bool EndsMulti(std::string_view name) {
  return name == "exec" || name == "discard" || name == "reset" || name == "quit";
}

std::string UpperName(std::string_view name) { return absl::AsciiStrToUpper(std::string(name)); }

}  // namespace

void Executor::BeginBatch() {
  wall_ms_ = server_.clock().NowMs();
  batch_us_ = now_us_ = server_.clock().MonotonicUs();
}

Request Executor::Prepare(CommandArguments args) const {
  Request request{.args = args, .command = server_.commands().Find(args)};
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

void Executor::Prefetch(std::span<const Request> batch, int db_index) {
  if (batch.size() < kMinPrefetch) return;
  Database& db = server_.keyspace().db(db_index);
  Hold pass(thread_.slot);
  if (!pass.TryPassNow(db)) return;
  absl::InlinedVector<KeyHash, kUsualBatch> wanted;
  for (const Request& request : batch) {
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

std::string Executor::UnknownCommand(CommandArguments args) const {
  if (args.size() > 1 && server_.commands().Find(args.first(1)) != nullptr) {
    return absl::StrCat("ERR unknown subcommand '", Shown(args[1], kShownBytes), "'. Try ",
                        UpperName(args[0]), " HELP.");
  }
  std::string text = absl::StrCat("ERR unknown command '", Shown(args[0], kShownBytes),
                                  "', with args beginning with: ");
  size_t room = kShownBytes;
  for (size_t i = 1; i < args.size() && room > 0; ++i) {
    std::string shown = Shown(args[i], room);
    absl::StrAppend(&text, "'", shown, "' ");
    room -= std::min(room, shown.size() + 3);
  }
  return text;
}

std::string Executor::Refusal(Client& client, const Request& request) {
  if (request.command == nullptr) return UnknownCommand(request.args);
  const CommandRow& row = *request.command->row;
  int argc = static_cast<int>(request.args.size());
  if (row.run == nullptr || (row.arity >= 0 ? argc != row.arity : argc < -row.arity)) {
    return WrongArityOf(row.name);
  }
  if (row.has(kProtected) && !Permitted(server_.settings().enable_debug_command, client)) {
    return "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
           "you can run it from a local connection, otherwise you need to set this option in the "
           "configuration file, and then restart the server.";
  }
  if (!client.authenticated && !row.has(kNoAuth)) return std::string(kNoAuthError);
  if (row.has(kNoMulti) && client.in_multi) {
    return "ERR Command not allowed inside a transaction";
  }
  if (std::string error = RefusalOfMemory(client, *request.command); !error.empty()) return error;
  if (server_.persistence().refuses_writes()) [[unlikely]] {
    if (HasFlag(client, request, kWrite) || row.name == "ping") {
      return server_.persistence().WriteRefusal();
    }
  }
  if (client.resp == 2 && client.subscribed() && !AllowedWhileSubscribed(row.name)) {
    return absl::StrCat("ERR Can't execute '", std::string(row.name),
                        "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                        "allowed in this context");
  }
  if (server_.persistence().loading() && !row.has(kLoading)) return std::string(kLoadingError);
  if (client.monitor && (row.has(kWrite) || row.has(kReadonly) || row.has(kMayReplicate))) {
    return "ERR Replica can't interact with the keyspace";
  }
  return "";
}

std::string Executor::RefusalOfMemory(Client& client, const Command& command) {
  uint32_t flags = command.row->flags;
  if (client.in_multi && !EndsMulti(command.row->name)) flags |= kDenyOom;
  if (&command == exec_) {
    for (const QueuedCommand& queued : client.queue) flags |= queued.command->row->flags;
  }
  // Scripts (kMayReplicate) are let in; which of their commands may run is up to them.
  if ((flags & (kDenyOom | kWrite | kMayReplicate)) == 0) return "";
  thread_.out_of_memory = MakeRoom() == Evictor::Outcome::kNoRoom;
  if (!thread_.out_of_memory || (flags & kDenyOom) == 0) return "";
  return std::string(kOutOfMemory);
}

Evictor::Outcome Executor::MakeRoom() {
  int64_t late_ms = server_.settings().latency_monitor_threshold_ms;
  if (late_ms == 0) [[likely]]
    return thread_.evictor.MakeRoom();
  int64_t started_us = server_.clock().MonotonicUs();
  Evictor::Outcome outcome = thread_.evictor.MakeRoom();
  int64_t took_ms = (server_.clock().MonotonicUs() - started_us) / 1000;
  if (took_ms >= late_ms) server_.latency().Add("eviction-cycle", now_ms() / 1000, took_ms);
  return outcome;
}

Outcome Executor::Refuse(Client& client, const Request& request, std::string_view error,
                         ReplyWriter& reply) {
  if (client.in_multi) client.multi_failed = true;
  if (request.command != nullptr) {
    thread_.stats.per_command[static_cast<size_t>(request.command->index)].rejected += 1;
  }
  CountError(error);
  if (request.command == exec_ && exec_ != nullptr) {
    // Without the error's code, as Redis says it.
    std::string_view cause = error.starts_with("ERR ") ? error.substr(4) : error;
    reply.Error(absl::StrCat("EXECABORT Transaction discarded because of: ", std::string(cause)));
    LeaveMulti(server_, thread_.slot, client);
  } else {
    reply.Error(error);
  }
  return {};
}

void Executor::CountError(std::string_view error) {
  thread_.stats.errors += 1;
  server_.errors().Count(error.substr(0, error.find(' ')));
}

void Executor::CountFailure(const Command& command, std::string_view error_code) {
  CountError(error_code);
  thread_.stats.per_command[static_cast<size_t>(command.index)].failed += 1;
}

Outcome Executor::Execute(Client& client, const Request& request, ReplyWriter& reply, bool queued) {
  if (client.reply_mode == ReplyMode::kOn) [[likely]] {
    return ExecuteAloud(client, request, reply, queued);
  }
  if (client.reply_mode == ReplyMode::kSkipNext) client.reply_mode = ReplyMode::kSkip;
  bool pushes = RepliesWithPushes(client, request);
  size_t mark = reply.out().Mark();
  Outcome outcome = ExecuteAloud(client, request, reply, queued);
  // Only CLIENT REPLY ON, RESET, and pushes are heard. What waits finds its reply dropped when it
  // is done.
  if (client.reply_mode != ReplyMode::kOn && !pushes) reply.out().Truncate(mark);
  if (client.reply_mode == ReplyMode::kSkip && outcome.kind == Outcome::Kind::kDone) {
    client.reply_mode = ReplyMode::kOn;
  }
  return outcome;
}

Outcome Executor::ExecuteAloud(Client& client, const Request& request, ReplyWriter& reply,
                               bool queued) {
  if (std::string error = Refusal(client, request); !error.empty()) [[unlikely]] {
    if (request.command == nullptr && IsHttp(request.args[0])) {
      HangUpOnHttp(client, thread_, now_us_);
      return {};
    }
    return Refuse(client, request, error, reply);
  }
  const CommandRow& row = *request.command->row;
  if (server_.pause().active()) [[unlikely]] {
    int64_t until_ms =
        server_.pause().UntilMs(HasFlag(client, request, kWrite | kMayReplicate), now_ms());
    if (until_ms != 0) return {.kind = Outcome::Kind::kPaused, .until_ms = until_ms};
  }
  if (client.in_multi && !row.has(kUndeferred)) return Enqueue(client, request, reply);
  if (LacksInterpreter(client, request)) [[unlikely]]
    return Refuse(client, request, kBusyScript, reply);
  if (server_.running_scripts().held_back() && RunsScript(client, request)) [[unlikely]]
    return {.kind = Outcome::Kind::kSoon, .soon = kScriptsHeldBack};
  if (request.command == exec_ && client.in_multi) {
    return ExecuteTransaction(client, request, reply, queued);
  }
  Hold hold(thread_.slot);
  if (!TryHold(hold, client, request, queued)) [[unlikely]]
    return Wait(client, request, hold, queued, reply);
  return RunHeld(client, request, reply, hold);
}

bool Executor::HasFlag(const Client& client, const Request& request, uint32_t flags) const {
  if (request.command->row->has(flags)) return true;
  if (request.command != exec_) return false;
  return std::any_of(client.queue.begin(), client.queue.end(),
                     [&](const QueuedCommand& item) { return item.command->row->has(flags); });
}

bool Executor::RunsScript(const Client& client, const Request& request) const {
  const auto is_script = [](const Command& command) {
    return command.group == CommandGroup::kScripting && command.access == Access::kWhole;
  };
  if (is_script(*request.command)) return true;
  if (request.command != exec_) return false;
  return std::any_of(client.queue.begin(), client.queue.end(),
                     [&](const QueuedCommand& item) { return is_script(*item.command); });
}

Outcome Executor::Wait(Client& client, const Request& request, const Hold& hold, bool queued,
                       ReplyWriter& reply) {
  Gate* const gate = hold.refused();
  if (gate == nullptr) return {.kind = Outcome::Kind::kSoon};
  if (gate->busy()) return Refuse(client, request, kBusyScript, reply);
  return {.kind = Outcome::Kind::kGate,
          .gate = gate,
          .wish = {.closes = hold.refused_to_close(), .queued = queued, .hears_busy = true}};
}

Outcome Executor::Enqueue(Client& client, const Request& request, ReplyWriter& reply) {
  QueuedCommand queued{request.command, {}};
  for (std::string_view arg : request.args) {
    queued.args.emplace_back(arg);
    client.queued_bytes += static_cast<int64_t>(arg.size());
  }
  client.queue.push_back(std::move(queued));
  client.multi_count = static_cast<int>(client.queue.size());
  reply.Simple("QUEUED");
  return {};
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
  KeyPositions positions;
  FindKeys(row, request.args, &positions);
  absl::InlinedVector<KeyHash, 16> hashes;
  for (KeyPosition key : positions) hashes.push_back(KeyHash::Of(request.args[key.index]));
  return hold.TryKeys(db, hashes);
}

Outcome Executor::RunHeld(Client& client, const Request& request, ReplyWriter& reply, Hold& hold) {
  Call call(*this, server_, thread_, client, *request.command, request.args, reply, now_ms(),
            CallMode::kTopLevel, hold);
  if (request.hashed) call.set_first_key(request.first_key, request.first_hash);
  if (request.preparations > 0) [[unlikely]]
    call.set_prepared(request.prepared, request.preparations);
  // Before it runs: a script that takes long has the clock read for those whom it lets run.
  const int64_t started_us = request.first_run_us == 0 ? now_us_ : request.first_run_us;
  call.command().row->run(call);
  // What follows concerns nobody who waits for the keys.
  hold.Release();
  if (call.has_work()) [[unlikely]] {
    const bool prepares = call.prepares();
    if (!prepares) NoteRun(call);
    return {.kind = prepares ? Outcome::Kind::kPrepare : Outcome::Kind::kDeferred,
            .work = call.TakeWork(),
            .started_us = started_us};
  }
  if (call.again_soon()) [[unlikely]]
    return {.kind = Outcome::Kind::kSoon};
  NoteRun(call);
  now_us_ = server_.clock().MonotonicUs();
  Note(client, *request.command, request.args, now_us_ - started_us);
  return {};
}

void Executor::NoteRun(const Call& call) {
  if (server_.monitors().active()) [[unlikely]] {
    TellMonitors(call.client(), call.command(), call.args(), call.mode());
  }
  if (call.failed()) [[unlikely]]
    CountFailure(call.command(), call.error_code());
}

void Executor::RunNested(Client& client, const Command& command, CommandArguments args,
                         ReplyWriter& reply, int64_t at_ms, CallMode mode, Hold& hold) {
  Call call(*this, server_, thread_, client, command, args, reply, at_ms, mode, hold);
  const int64_t started_us = server_.clock().MonotonicUs();
  command.row->run(call);
  NoteRun(call);
  Note(client, command, args, server_.clock().MonotonicUs() - started_us);
}

void Executor::FinishDeferred(Client& client, const Request& request, int64_t started_us,
                              std::string_view error_code) {
  BeginBatch();
  if (!error_code.empty()) CountFailure(*request.command, error_code);
  Note(client, *request.command, request.args, now_us_ - started_us);
}

void Executor::Note(Client& client, const Command& command, CommandArguments args,
                    int64_t duration_us) {
  CommandStats& stats = thread_.stats.per_command[static_cast<size_t>(command.index)];
  stats.calls += 1;
  stats.usec += duration_us;
  thread_.stats.commands += 1;
  const Config& settings = server_.settings();
  if (settings.latency_tracking) {
    LatencyHistogram* histogram = stats.histogram.load(std::memory_order_relaxed);
    if (histogram == nullptr) {
      histogram = new LatencyHistogram;
      stats.histogram.store(histogram, std::memory_order_release);
    }
    histogram->Add(duration_us);
  }
  int64_t late_ms = settings.latency_monitor_threshold_ms;
  if (late_ms > 0 && duration_us >= late_ms * 1000) [[unlikely]] {
    server_.latency().Add(command.row->has(kFast) ? "fast-command" : "command", now_ms() / 1000,
                          duration_us / 1000);
  }
  int64_t slow_us = settings.slowlog_log_slower_than_us;
  if (slow_us >= 0 && duration_us >= slow_us && !command.row->has(kSkipSlowlog)) [[unlikely]] {
    std::string name;
    {
      MutexLock lock(client.mutex);
      name = client.name;
    }
    server_.slowlog().Add(WithoutSecrets(*command.row, args), now_ms() / 1000, duration_us,
                          client.address, std::move(name),
                          static_cast<size_t>(settings.slowlog_max_len.Get()));
  }
}

void Executor::TellMonitors(const Client& client, const Command& command, CommandArguments args,
                            CallMode mode) {
  if (command.row->has(kSkipMonitor) || command.row->has(kAdmin)) return;
  const int64_t now_us = server_.clock().NowUs();
  const auto source = mode == CallMode::kScript ? "lua" : MonitorName(client);
  const auto shown = WithoutSecrets(*command.row, args);
  if (notes_ != nullptr && mode == CallMode::kTransaction) {
    return notes_->Add(now_us, client.db, source, shown);
  }
  server_.monitors().Tell(now_us, client.db, source, shown);
}

}  // namespace cloakroom
