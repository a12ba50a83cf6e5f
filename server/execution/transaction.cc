// MULTI/EXEC and WATCH, as far as they are the executor's: what a transaction must hold, and
// running it. The commands themselves are in commands/transactions.cc.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "server/execution/access.h"
#include "server/execution/executor.h"
#include "server/metrics/monitor_feed.h"

namespace cloakroom {
namespace {

std::vector<std::string_view> Views(const std::vector<std::string>& args) {
  return {args.begin(), args.end()};
}

/// What the whole queue needs for itself. Inside, nothing may take a stripe by itself, so a command
/// whose keys are not known closes its database; and as the transaction either holds keys or closes
/// gates, its own database is closed with any other.
DatabaseList DatabasesOf(Server& server, const Client& client) {
  DatabaseList databases;
  for (const QueuedCommand& queued : client.queue) {
    if (queued.command->row->name == "select") {
      const auto all = server.keyspace().databases();
      databases.assign(all.begin(), all.end());
      return databases;
    }
    AddDatabasesAlone(server, *queued.command, Views(queued.args), client.db, /*nested=*/true,
                      &databases);
  }
  for (const WatchedKey& watched : client.watched) {
    if (watched.db != client.db) AddDatabase(server.keyspace().db(watched.db), &databases);
  }
  if (!databases.empty()) AddDatabase(server.keyspace().db(client.db), &databases);
  return databases;
}

}  // namespace

bool Executor::TryHoldTransaction(Hold& hold, Client& client, bool queued) {
  const DatabaseList databases = DatabasesOf(server_, client);
  if (!databases.empty()) return hold.TryClose({databases.data(), databases.size()}, queued);
  std::vector<KeyHash> hashes;
  for (const QueuedCommand& item : client.queue) {
    std::vector<std::string_view> args = Views(item.args);
    KeyPositions positions;
    FindKeys(*item.command->row, args, &positions);
    for (KeyPosition key : positions) hashes.push_back(KeyHash::Of(args[key.index]));
  }
  // The watched keys too: nobody may change one between the check and the transaction.
  for (const WatchedKey& watched : client.watched) hashes.push_back(KeyHash::Of(watched.key));
  return hold.TryKeys(server_.keyspace().db(client.db), hashes);
}

bool Executor::WatchedKeysChanged(Client& client) {
  if (client.watcher->dirty.load()) return true;
  return std::any_of(client.watched.begin(), client.watched.end(), [&](const WatchedKey& watched) {
    return server_.keyspace()
        .db(watched.db)
        .ExpiredSinceWatch(watched.key, KeyHash::Of(watched.key), client.watcher.get(), now_ms());
  });
}

Outcome Executor::ExecuteTransaction(Client& client, const Request& request, ReplyWriter& reply,
                                     bool queued) {
  if (client.multi_failed) {
    accounting_.CountError(kExecAbort);
    reply.Error(kExecAbort);
    LeaveMulti(server_, thread_.slot, client);
    return {};
  }
  const int64_t started_us = now_us_;
  MonitorNotes notes;
  {
    Hold hold(thread_.slot, &thread_.holds);
    if (!TryHoldTransaction(hold, client, queued)) {
      return Wait(client, request, hold, queued, reply);
    }
    if (WatchedKeysChanged(client)) {
      reply.NullArray();
    } else {
      // Of one that closes gates each command is told at once: a script in it tells its own.
      MonitorNotes* const outer = accounting_.KeepNotes(hold.closed() ? nullptr : &notes);
      RunQueue(client, reply, hold);
      accounting_.KeepNotes(outer);
    }
  }
  LeaveMulti(server_, thread_.slot, client);
  server_.monitors().Tell(notes, thread_.pusher());
  if (server_.monitors().active()) {
    accounting_.TellMonitors(client, *request.command, request.args, CallMode::kTopLevel);
  }
  now_us_ = server_.clock().MonotonicUs();
  accounting_.NoteEnd(client, *request.command, request.args, now_us_ - started_us);
  return {};
}

void Executor::RunQueue(Client& client, ReplyWriter& reply, Hold& hold) {
  // The queue leaves the client: what runs now is no longer queued (RESET, CLIENT LIST).
  std::vector<QueuedCommand> queue = std::exchange(client.queue, {});
  client.in_multi = false;
  int64_t at_ms = now_ms();
  reply.Array(queue.size());
  for (const QueuedCommand& queued : queue) {
    std::vector<std::string_view> args = Views(queued.args);
    reply.set_resp(client.resp);
    RunNested(client, *queued.command, args, reply, at_ms, CallMode::kTransaction, hold);
  }
}

namespace {

/// Forgets, on a worker, what could not be forgotten at once because a gate was closed. It waits
/// without the worker.
struct LateUnwatch : std::enable_shared_from_this<LateUnwatch> {
  Server& server;
  std::vector<WatchedKey> left;
  std::shared_ptr<Watcher> watcher;  ///< the tables point to it

  LateUnwatch(Server& its_server, std::vector<WatchedKey> keys, std::shared_ptr<Watcher> whose)
      : server(its_server), left(std::move(keys)), watcher(std::move(whose)) {}

  void Post() {
    server.workers().Post([self = shared_from_this()] { self->Run(); });
  }
  void Run() {
    while (!left.empty()) {
      Database& db = server.keyspace().db(left.back().db);
      const KeyHash hash = KeyHash::Of(left.back().key);
      Hold hold(server.keyspace().background_slot());
      if (!hold.TryKey(db, hash)) {
        if (hold.refused() == nullptr) return Post();
        return hold.refused()->WhenOpen({}, [self = shared_from_this()] { self->Post(); });
      }
      db.Unwatch(left.back().key, hash, watcher.get());
      left.pop_back();
    }
  }
};

}  // namespace

void UnwatchAll(Server& server, GateSlot slot, Client& client) {
  if (client.watched.empty()) return;
  std::vector<WatchedKey> left;
  for (WatchedKey& watched : client.watched) {
    Database& db = server.keyspace().db(watched.db);
    KeyHash hash = KeyHash::Of(watched.key);
    Hold hold(slot);
    if (left.empty() && hold.TryKey(db, hash)) {
      db.Unwatch(watched.key, hash, client.watcher.get());
    } else {
      // One moment of waiting is enough for all of them.
      left.push_back(std::move(watched));
    }
  }
  if (!left.empty()) {
    std::make_shared<LateUnwatch>(server, std::move(left), client.watcher)->Post();
  }
  client.watched.clear();
  client.watch_count = 0;
  client.watcher = std::make_shared<Watcher>();
}

void LeaveMulti(Server& server, GateSlot slot, Client& client) {
  client.in_multi = false;
  client.multi_failed = false;
  client.queue.clear();
  client.queued_bytes = 0;
  client.multi_count = -1;
  UnwatchAll(server, slot, client);
}

}  // namespace cloakroom
