// AUTH, HELLO, SELECT and the like.
#include <optional>

#include "protocol/text.h"
#include "protocol/version.h"
#include "server/commands/families.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/executor.h"
#include "server/execution/interests.h"
#include "server/execution/secrets.h"
#include "server/execution/transaction.h"
#include "server/metrics/monitor_feed.h"
#include "server/pubsub/pubsub.h"
#include "server/roles/replication.h"
#include "server/session/authenticate.h"
#include "server/session/client_names.h"
#include "server/tracking/tracking_table.h"

namespace cloakroom {
namespace {

constexpr std::string_view kWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";
constexpr std::string_view kHelloNeedsAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
    "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
    "version at the same time";

/// Replies with the error if the password is wrong.
bool Authenticate(Call& call, std::string_view user, std::string_view password) {
  if (!PasswordIsRight(call.server().config(), user, password)) {
    call.Error(kWrongPassword);
    return false;
  }
  call.client().authenticated = true;
  return true;
}

void Auth(Call& call) {
  if (call.argc() > 3) return call.SyntaxError();
  if (call.argc() == 2 && NeedsNoPassword(call.server().config())) {
    return call.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  std::string_view user = call.argc() == 3 ? call.arg(1) : kDefaultUser;
  if (Authenticate(call, user, call.arg(call.argc() - 1))) call.reply().Ok();
}

/// What HELLO asks for.
struct Greeting {
  int resp = 0;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

/// Replies with the error if it returns nullopt.
std::optional<Greeting> ReadGreeting(Call& call) {
  Greeting greeting{.resp = call.client().resp};
  Arguments args(call, 1);
  if (args.More()) {
    const int64_t version = args.Integer("ERR Protocol version is not an integer or out of range");
    if (version != 2 && version != 3) args.Fail("NOPROTO unsupported protocol version");
    greeting.resp = static_cast<int>(version);
  }
  while (args.More()) {
    if (args.Word("AUTH", 2)) {
      greeting.user = args.String();
      greeting.password = args.String();
    } else if (args.Word("SETNAME", 1)) {
      greeting.name = args.String();
      if (!FitsClientList(*greeting.name)) args.Fail(kBadClientName);
    } else {
      args.Fail(Concat({"ERR Syntax error in HELLO option '", args.Peek(), "'"}));
    }
  }
  if (!args.Finish()) return std::nullopt;
  return greeting;
}

void Hello(Call& call) {
  std::optional<Greeting> greeting = ReadGreeting(call);
  if (!greeting) return;
  Client& client = call.client();
  if (greeting->user && !Authenticate(call, *greeting->user, greeting->password)) return;
  if (!client.authenticated) return call.Error(kHelloNeedsAuth);
  if (greeting->name) SetClientName(client, *greeting->name);
  client.resp = greeting->resp;
  ReplyWriter& reply = call.reply();
  reply.set_resp(greeting->resp);
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(greeting->resp);
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(client.id));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk(call.server().replication().is_replica() ? "replica" : "master");
  reply.Bulk("modules");
  reply.Array(0);
}

void Ping(Call& call) {
  if (call.argc() > 2) return call.WrongArity();
  if (call.client().resp == 2 && call.client().subscribed()) {
    call.reply().Array(2);
    call.reply().Bulk("pong");
    call.reply().Bulk(call.argc() == 2 ? call.arg(1) : "");
  } else if (call.argc() == 2) {
    call.reply().Bulk(call.arg(1));
  } else {
    call.reply().Simple("PONG");
  }
}

void Echo(Call& call) { call.reply().Bulk(call.arg(1)); }

void Select(Call& call) {
  auto index = call.Integer(1);
  if (!index) return;
  if (*index < INT32_MIN || *index > INT32_MAX) {
    return call.Error("ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  if (*index < 0 || *index >= call.server().keyspace().database_count()) {
    return call.Error(kDbIndexOutOfRange);
  }
  if (call.mode() != CallMode::kTopLevel && !MayReach(call, static_cast<int>(*index))) return;
  call.client().db = static_cast<int>(*index);
  call.reply().Ok();
}

void Quit(Call& call) {
  call.client().close_after_reply = true;
  call.reply().Ok();
}

/// Resets everything except the id, as if the client had just connected.
void Reset(Call& call) {
  Client& client = call.client();
  Server& server = call.server();
  LeaveMulti(server, call.thread().slot, client);
  GiveBackSessions(server, call.thread().slot, client);
  if (client.monitor) {
    server.monitors().Remove(client.link.lock().get());
    client.monitor = false;
  }
  server.pubsub().RemoveClient(client);
  server.tracking().Disable(client);
  client.db = 0;
  client.resp = 2;
  client.authenticated = NeedsNoPassword(server.config());
  // As in Redis, a skip of this very reply stays.
  if (client.reply_mode != ReplyMode::kSkip) client.reply_mode = ReplyMode::kOn;
  client.no_touch = false;
  client.no_evict = false;
  SetClientName(client, "");
  call.reply().set_resp(2);
  call.reply().Simple("RESET");
}

constexpr uint32_t kAlways = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

// Read as a table.
// clang-format off
constexpr CommandRow kConnectionCommands[] = {
    {.name = "auth", .run = Auth, .arity = -2, .flags = kAlways, .hide_secrets = HideAuthSecrets, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "[username] password", .summary = "Says who the client is."},
    {.name = "hello", .run = Hello, .arity = -1, .flags = kAlways, .hide_secrets = HideHelloSecrets, .since = "6.0.0",
     .complexity = "O(1)",
     .syntax = "[arguments: protover [username_password: AUTH username password] [SETNAME "
               "clientname]]",
     .summary = "Chooses the protocol's version; may say who the client is and name it."},
    {.name = "ping", .run = Ping, .arity = -1,
     .flags = kFast | kWhileSubscribed | kRefusedWithWrites,
     .request_policy = "all_shards", .response_policy = "all_succeeded", .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "[message]", .summary = "Tells that the server is there."},
    {.name = "echo", .run = Echo, .arity = 2, .flags = kLoading | kStale | kFast, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "message", .summary = "Replies what it was sent."},
    {.name = "select", .run = Select, .arity = 2, .flags = kLoading | kStale | kFast | kSelects,
     .since = "1.0.0", .complexity = "O(1)",
     .syntax = "index", .summary = "Selects the database that the connection works in."},
    {.name = "quit", .run = Quit, .arity = -1,
     .flags = kAlways | kUndeferred | kWhileSubscribed | kEndsMulti, .since = "1.0.0",
     .complexity = "O(1)", .summary = "Closes the connection."},
    {.name = "reset", .run = Reset, .arity = 1,
     .flags = kAlways | kUndeferred | kWhileSubscribed | kEndsMulti, .since = "6.2.0",
     .complexity = "O(1)", .summary = "Puts the connection back into the state of a new one."},
};
// clang-format on

}  // namespace

CommandFamily ConnectionCommands() {
  return {CommandGroup::kConnection, kCatConnection, kConnectionCommands};
}

}  // namespace cloakroom
