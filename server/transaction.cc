// MULTI/EXEC and WATCH, as far as they are the executor's: what a transaction must hold, and
// running it. The commands themselves are in commands/transactions.cc.
#include <algorithm>
#include <utility>
#include <vector>

#include "server/executor.h"

namespace cloakroom {
namespace {

std::vector<std::string_view> Views(const std::vector<std::string>& args) {
  return {args.begin(), args.end()};
}

/// What the whole queue must hold: the most that any of its commands asks for. Inside, nothing may
/// take a stripe by itself, so whatever is not known by its keys closes the gate.
Access AccessOfQueue(Server& server, const Client& client) {
  Access access = Access::kKeys;
  for (const QueuedCommand& queued : client.queue) {
    if (queued.command->row->name == "select") return Access::kAll;
    std::vector<std::string_view> args = Views(queued.args);
    Access one = queued.command->AccessOf(server, args);
    if (one == Access::kPass) one = Access::kWhole;
    if (one != Access::kNone) access = std::max(access, one);
  }
  for (const WatchedKey& watched : client.watched) {
    if (watched.db != client.db) access = Access::kAll;
  }
  return access;
}

}  // namespace

bool Executor::TryHoldTransaction(Hold& hold, Client& client, bool queued) {
  Access access = AccessOfQueue(server_, client);
  if (access != Access::kKeys) return TryClose(hold, client, access, queued);
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
    CountError(kExecAbort);
    reply.Error(kExecAbort);
    LeaveMulti(server_, thread_.slot, client);
    return {};
  }
  {
    Hold hold(thread_.slot);
    if (!TryHoldTransaction(hold, client, queued)) {
      return WaitForGate(client, request, hold.refused(), reply);
    }
    if (WatchedKeysChanged(client)) {
      reply.NullArray();
    } else {
      RunQueue(client, reply);
    }
    thread_.holds_all = false;
  }
  LeaveMulti(server_, thread_.slot, client);
  if (server_.monitors().active()) {
    TellMonitors(client, *exec_, request.args, CallMode::kTopLevel);
  }
  int64_t started_us = now_us_;
  now_us_ = server_.clock().MonotonicUs();
  Note(client, *exec_, request.args, now_us_ - started_us);
  return {};
}

void Executor::RunQueue(Client& client, ReplyWriter& reply) {
  // The queue leaves the client: what runs now is no longer queued (RESET, CLIENT LIST).
  std::vector<QueuedCommand> queue = std::exchange(client.queue, {});
  client.in_multi = false;
  int64_t at_ms = now_ms();
  reply.Array(queue.size());
  for (const QueuedCommand& queued : queue) {
    std::vector<std::string_view> args = Views(queued.args);
    reply.set_resp(client.resp);
    RunNested(client, *queued.command, args, reply, at_ms, CallMode::kTransaction);
  }
}

void UnwatchAll(Server& server, GateSlot slot, Client& client) {
  if (client.watched.empty()) return;
  std::vector<WatchedKey> left;
  for (WatchedKey& watched : client.watched) {
    Database& db = server.keyspace().db(watched.db);
    KeyHash hash = KeyHash::Of(watched.key);
    Hold hold(slot);
    if (hold.TryKey(db, hash)) {
      db.Unwatch(watched.key, hash, client.watcher.get());
    } else {
      left.push_back(std::move(watched));
    }
  }
  if (!left.empty()) {
    server.workers().Post([&server, left = std::move(left), watcher = client.watcher] {
      for (const WatchedKey& watched : left) {
        Database& db = server.keyspace().db(watched.db);
        KeyHash hash = KeyHash::Of(watched.key);
        Hold hold(server.keyspace().background_slot());
        hold.WaitForKey(db, hash);
        db.Unwatch(watched.key, hash, watcher.get());
      }
    });
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
