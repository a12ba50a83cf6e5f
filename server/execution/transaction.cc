#include "server/execution/transaction.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "server/execution/access.h"
#include "server/execution/command_table.h"
#include "server/execution/interests.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

std::vector<std::string_view> Views(const std::vector<std::string>& args) {
  return {args.begin(), args.end()};
}

/// The databases that the whole queue needs for itself. A transaction either holds keys or closes
/// gates, so if it closes any database it closes its own as well.
DatabaseList DatabasesOf(Server& server, const Client& client) {
  DatabaseList databases;
  for (const QueuedCommand& queued : client.queue) {
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

void Enqueue(Client& client, const Request& request) {
  QueuedCommand queued{request.command, {}};
  for (std::string_view arg : request.args) {
    queued.args.emplace_back(arg);
    client.queued_bytes += static_cast<int64_t>(arg.size());
  }
  client.queue.push_back(std::move(queued));
  client.multi_count = static_cast<int>(client.queue.size());
}

bool TryHoldQueue(Hold& hold, Server& server, const Client& client, bool queued) {
  const DatabaseList databases = DatabasesOf(server, client);
  if (!databases.empty()) return hold.TryClose({databases.data(), databases.size()}, queued);
  std::vector<KeyHash> hashes;
  for (const QueuedCommand& item : client.queue) {
    std::vector<std::string_view> args = Views(item.args);
    KeyPositions positions;
    FindKeys(*item.command->row, args, &positions);
    for (KeyPosition key : positions) hashes.push_back(KeyHash::Of(args[key.index]));
  }
  for (const WatchedKey& watched : client.watched) hashes.push_back(KeyHash::Of(watched.key));
  return hold.TryKeys(server.keyspace().db(client.db), hashes);
}

bool WatchedKeysChanged(Server& server, const Client& client, int64_t now_ms) {
  if (client.watcher->dirty.load()) return true;
  return std::any_of(client.watched.begin(), client.watched.end(), [&](const WatchedKey& watched) {
    return server.keyspace()
        .db(watched.db)
        .ExpiredSinceWatch(watched.key, KeyHash::Of(watched.key), client.watcher.get(), now_ms);
  });
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
