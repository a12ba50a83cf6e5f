// CLIENT: information and settings of connections.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/client_filter.h"
#include "server/commands/support/help.h"
#include "server/context/pause.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/info/client_line.h"
#include "server/persistence/persistence.h"
#include "server/session/client_names.h"
#include "server/session/client_registry.h"

namespace cloakroom {
namespace {

using Clients = std::vector<std::shared_ptr<Client>>;

void ClientId(Call& call) { call.reply().Integer(static_cast<int64_t>(call.client().id)); }

void ReplyLines(Call& call, const Clients& clients) {
  std::string text;
  for (const auto& client : clients) text += ClientLine(*client, call.now_ms()) + "\n";
  call.reply().Verbatim("txt", text);
}

void ClientInfo(Call& call) {
  call.reply().Verbatim("txt", ClientLine(call.client(), call.now_ms()) + "\n");
}

/// The clients that meet a filter: in the order of the ids that it names, or else oldest first.
Clients Filtered(Call& call, const ClientFilter& filter) {
  const ClientRegistry& registry = call.server().clients();
  Clients clients;
  if (filter.ids()) {
    for (const uint64_t id : *filter.ids()) {
      if (auto client = registry.Find(id)) clients.push_back(std::move(client));
    }
  } else {
    clients = registry.All();
  }
  std::erase_if(clients, [&](const auto& client) {
    if (filter.skips_me() && client.get() == &call.client()) return true;
    return !filter.Matches(*client, call.now_ms());
  });
  return clients;
}

void ClientList(Call& call) {
  constexpr std::string_view kBadId = "ERR Invalid client ID";
  ClientFilter filter(/*skips_me=*/false, {.lowest = INT64_MIN, .bad = kBadId, .followed = kBadId});
  Arguments args(call, 2);
  while (args.More()) filter.Take(args);
  if (args.Finish()) ReplyLines(call, Filtered(call, filter));
}

void Kill(Call& call, Client& client) {
  if (&client == &call.client()) {
    client.close_after_reply = true;  // so that it gets the reply
    return;
  }
  client.killed = true;
  if (auto link = client.link.lock()) link->Kill();
}

void ClientKill(Call& call) {
  const bool old_form = call.argc() == 3;
  ClientFilter filter(
      /*skips_me=*/!old_form,
      {.lowest = 1, .bad = "ERR client-id should be greater than 0", .followed = kSyntaxError});
  if (old_form) {
    filter.RequireAddress(call.arg(2));
  } else {
    Arguments args(call, 2);
    while (args.More()) filter.Take(args);
    if (!args.Finish()) return;
  }
  const Clients clients = Filtered(call, filter);
  for (const auto& client : clients) Kill(call, *client);
  if (!old_form) return call.reply().Integer(static_cast<int64_t>(clients.size()));
  clients.empty() ? call.Error("ERR No such client") : call.reply().Ok();
}

void ClientSetName(Call& call) {
  if (!FitsClientList(call.arg(2))) return call.Error(kBadClientName);
  SetClientName(call.client(), call.arg(2));
  call.reply().Ok();
}

void ClientGetName(Call& call) {
  Client& client = call.client();
  MutexLock lock(client.mutex);
  client.name.empty() ? call.reply().Null() : call.reply().Bulk(client.name);
}

void ClientSetInfo(Call& call) {
  bool is_name = call.Is(2, "LIB-NAME");
  if (!is_name && !call.Is(2, "LIB-VER")) {
    return call.Error(Concat({"ERR Unrecognized option '", call.arg(2), "'"}));
  }
  if (!FitsClientList(call.arg(3))) {
    return call.Error(
        Concat({"ERR ", call.arg(2), " cannot contain spaces, newlines or special characters."}));
  }
  Client& client = call.client();
  MutexLock lock(client.mutex);
  (is_name ? client.lib_name : client.lib_version) = std::string(call.arg(3));
  call.reply().Ok();
}

void ClientReply(Call& call) {
  ReplyMode& mode = call.client().reply_mode;
  if (call.Is(2, "ON")) {
    mode = ReplyMode::kOn;
    call.reply().Ok();
  } else if (call.Is(2, "OFF")) {
    mode = ReplyMode::kOff;
  } else if (call.Is(2, "SKIP")) {
    if (mode != ReplyMode::kOff) mode = ReplyMode::kSkipNext;
  } else {
    call.SyntaxError();
  }
}

/// All gates are closed, so the reply says that no command of the paused kind runs any more. A load
/// keeps them closed itself, for long, and nobody writes.
Access AccessOfPause(Server& server, CommandArguments) {
  return server.persistence().loader().loading() ? Access::kNone : Access::kAll;
}

void ClientPause(Call& call) {
  if (call.argc() > 4) return SubcommandError(call);
  bool all = call.argc() == 3 || call.Is(3, "ALL");
  if (!all && !call.Is(3, "WRITE")) {
    return call.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  auto duration_ms = call.Integer(2, "ERR timeout is not an integer or out of range");
  if (!duration_ms) return;
  if (*duration_ms < 0) return call.Error("ERR timeout is negative");
  if (*duration_ms > INT64_MAX - call.now_ms()) return call.Error("ERR timeout is out of range");
  call.server().pause().Begin(call.now_ms() + *duration_ms, all);
  call.reply().Ok();
}

void ClientUnpause(Call& call) {
  call.server().pause().End();
  call.reply().Ok();
}

/// Ends a blocked request as if its time limit had passed, or with an error.
void ClientUnblock(Call& call) {
  if (call.argc() > 4) return SubcommandError(call);
  const bool with_error = call.argc() == 4 && call.Is(3, "ERROR");
  if (call.argc() == 4 && !with_error && !call.Is(3, "TIMEOUT")) {
    return call.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const std::optional<int64_t> id = call.Integer(2);
  if (!id) return;
  std::shared_ptr<BlockedRequest> blocked;
  if (auto client = call.server().clients().Find(static_cast<uint64_t>(*id))) {
    MutexLock lock(client->mutex);
    blocked = client->blocked_request;
  }
  call.reply().Integer(blocked != nullptr && blocked->Unblock(with_error) ? 1 : 0);
}

/// Sets ON or OFF, and replies.
void Switch(Call& call, Relaxed<bool>& setting) {
  if (!call.Is(2, "ON") && !call.Is(2, "OFF")) return call.SyntaxError();
  setting = call.Is(2, "ON");
  call.reply().Ok();
}

void ClientNoEvict(Call& call) { Switch(call, call.client().no_evict); }
void ClientNoTouch(Call& call) { Switch(call, call.client().no_touch); }

constexpr uint32_t kOwn = kNoScript | kLoading | kStale | kKeepsCaching;
constexpr uint32_t kOthers = kAdmin | kNoScript | kLoading | kStale | kKeepsCaching;

// Read as a table.
// clang-format off
constexpr CommandRow kClientCommands[] = {
    {.name = "client", .arity = -2, .since = "2.4.0", .complexity = "Depends on subcommand.",
     .summary = "About connections."},
    {.name = "client|id", .run = ClientId, .arity = 2, .flags = kOwn, .since = "5.0.0",
     .complexity = "O(1)", .summary = "Returns the number of this connection."},
    {.name = "client|info", .run = ClientInfo, .arity = 2, .flags = kOwn | kRandomOutput,
     .since = "6.2.0", .complexity = "O(1)", .summary = "Describes this connection."},
    {.name = "client|list", .run = ClientList, .arity = -2, .flags = kOthers | kRandomOutput,
     .since = "2.4.0", .complexity = "O(N) where N is the number of client connections",
     .syntax = "[normal_master_replica_pubsub: TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [id: ID "
               "client-id [client-id ...]] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME "
               "<YES | NO>] [MAXAGE seconds] [NAME name] [IDLE seconds] [FLAGS flags] [LIB-NAME "
               "libname] [LIB-VER libver] [DB db] [CAPA capa] [IP ip]",
     .summary = "Describes connections, one a line."},
    {.name = "client|kill", .run = ClientKill, .arity = -3, .flags = kOthers, .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .syntax = "<filter: ip:port | <new-format: [ID client-id] | [normal_master_slave_pubsub: "
               "TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | [ADDR "
               "ip:port] | [LADDR ip:port] | [SKIPME yes/no] | [MAXAGE maxage] | [NAME name] | "
               "[IDLE seconds] | [FLAGS flags] | [LIB-NAME libname] | [LIB-VER libver] | [DB db] "
               "| [CAPA capa] | [IP ip] ...>>",
     .summary = "Closes connections."},
    {.name = "client|setname", .run = ClientSetName, .arity = 3, .flags = kOwn, .since = "2.6.9",
     .complexity = "O(1)",
     .syntax = "connection-name", .summary = "Names this connection."},
    {.name = "client|getname", .run = ClientGetName, .arity = 2, .flags = kOwn, .since = "2.6.9",
     .complexity = "O(1)", .summary = "Returns the name of this connection."},
    {.name = "client|setinfo", .run = ClientSetInfo, .arity = 4, .flags = kOwn, .since = "7.2.0",
     .complexity = "O(1)",
     .syntax = "<LIB-NAME libname | LIB-VER libver>",
     .summary = "Says which library this connection is of."},
    {.name = "client|reply", .run = ClientReply, .arity = 3, .flags = kOwn, .since = "3.2.0",
     .complexity = "O(1)",
     .syntax = "<on_off_skip: ON | OFF | SKIP>",
     .summary = "Chooses whether this connection gets replies."},
    {.name = "client|pause", .run = ClientPause, .arity = -3, .flags = kOthers,
     .access_of = AccessOfPause, .since = "2.9.50", .complexity = "O(1)",
     .syntax = "timeout:integer [mode: WRITE | ALL]",
     .summary = "Makes commands wait for so many milliseconds."},
    {.name = "client|unpause", .run = ClientUnpause, .arity = 2, .flags = kOthers, .since = "6.2.0",
     .complexity = "O(N) Where N is the number of paused clients",
     .summary = "Ends a pause early."},
    {.name = "client|unblock", .run = ClientUnblock, .arity = -3, .flags = kOthers,
     .since = "5.0.0", .complexity = "O(log N) where N is the number of client connections",
     .syntax = "client-id [timeout_error: TIMEOUT | ERROR]",
     .summary = "Ends another client's blocking command."},
    {.name = "client|no-evict", .run = ClientNoEvict, .arity = 3, .flags = kOthers,
     .since = "7.0.0", .complexity = "O(1)",
     .syntax = "<enabled: ON | OFF>",
     .summary = "Keeps this connection when memory for clients runs out."},
    {.name = "client|no-touch", .run = ClientNoTouch, .arity = 3, .flags = kOwn, .since = "7.2.0",
     .complexity = "O(1)",
     .syntax = "<ON | OFF>", .summary = "Chooses whether this connection's reads keep keys young."},
    {.name = "client|help", .run = Help, .arity = 2, .flags = kLoading | kStale | kKeepsCaching, .since = "5.0.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily ClientCommands() {
  return {CommandGroup::kConnection, kCatConnection, kClientCommands};
}

}  // namespace cloakroom
