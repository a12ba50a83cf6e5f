// DEBUG: what clients' tests and tools ask for. Behind enable-debug-command.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "protocol/glob.h"
#include "protocol/numbers.h"
#include "protocol/text.h"
#include "server/call.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "storage/access_clock.h"
#include "storage/encoding.h"
#include "storage/shared_value.h"

namespace cloakroom {
namespace {

/// Only the client that asks sleeps: no other one would learn anything from waiting.
void Sleep(Call& call) {
  auto seconds = ParseDouble(call.arg(2));
  if (!seconds) return call.Error(kNotFloat);
  auto duration = std::chrono::microseconds(static_cast<int64_t>(*seconds * 1e6));
  call.Offload([duration](LongWork& work) {
    std::this_thread::sleep_for(duration);
    work.reply.Ok();
  });
}

size_t TextSize(const Entry& entry) {
  return entry.type() == ValueType::kString ? StringView(entry.encoding(), entry.payload()).size()
                                            : 0;
}

/// In Redis' format, which tools take apart. The length is of the bytes in memory.
void Object(Call& call) {
  const Entry* entry = call.Peek(call.arg(2));
  if (entry == nullptr) return call.Error(kNoSuchKey);
  std::string_view encoding =
      EncodingName(entry->type(), entry->encoding(), entry->outgrown(), TextSize(*entry));
  size_t length =
      entry->payload().size() + ValueMemory(entry->type(), entry->encoding(), entry->payload());
  call.reply().Simple(fmt::format(
      "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
      fmt::ptr(entry), encoding, length, entry->access(),
      access_clock::IdleSeconds(entry->access(), call.now_ms())));
}

void SetActiveExpire(Call& call) {
  call.server().keyspace().settings().active_expire = call.arg(2) != "0";
  call.reply().Ok();
}

void StringMatchLen(Call& call) {
  call.reply().Integer(GlobMatch(call.arg(3), call.arg(2)) ? 1 : 0);
}

void ReplyNested(ReplyWriter& reply) {
  for (int i = 0; i < 3; ++i) reply.Integer(i);
}

/// One reply of each type of the protocol.
void Protocol(Call& call) {
  ReplyWriter& reply = call.reply();
  if (call.Is(2, "string")) {
    reply.Bulk("Hello World");
  } else if (call.Is(2, "integer")) {
    reply.Integer(12345);
  } else if (call.Is(2, "double")) {
    reply.Double(3.141);
  } else if (call.Is(2, "null")) {
    reply.Null();
  } else if (call.Is(2, "array")) {
    reply.Array(3);
    ReplyNested(reply);
  } else if (call.Is(2, "set")) {
    reply.Set(3);
    ReplyNested(reply);
  } else if (call.Is(2, "map")) {
    reply.Map(3);
    for (int i = 0; i < 3; ++i) {
      reply.Integer(i);
      reply.Bool(i == 1);
    }
  } else if (call.Is(2, "attrib")) {
    if (reply.resp() == 3) {
      reply.Attribute(1);
      reply.Bulk("key-popularity");
      reply.Array(2);
      reply.Bulk("key:123");
      reply.Integer(90);
    }
    reply.Bulk("Some real reply following the attribute");
  } else if (call.Is(2, "push")) {
    reply.Push(2);
    reply.Bulk("server-cpu-usage");
    reply.Integer(42);
  } else if (call.Is(2, "true") || call.Is(2, "false")) {
    reply.Bool(call.Is(2, "true"));
  } else if (call.Is(2, "verbatim")) {
    reply.Verbatim("txt", "This is a verbatim\nstring");
  } else if (call.Is(2, "bignum")) {
    reply.BigNumber("1234567999999999999999999999999999999");
  } else {
    call.Error(
        "ERR Wrong protocol type name. Please use one of the following: "
        "string|integer|double|null|array|set|map|attrib|push|verbatim|true|false");
  }
}

void ErrorReply(Call& call) { call.Error(call.arg(2)); }

void DebugHelp(Call& call) {
  const std::string lines[] = {"ERROR <text>",
                               "    Replies with this error.",
                               "OBJECT <key>",
                               "    Tells how a value is kept.",
                               "PROTOCOL <type>",
                               "    Replies with an example of a type of the protocol.",
                               "SET-ACTIVE-EXPIRE <0|1>",
                               "    Stops or starts removing what has expired in the background.",
                               "SLEEP <seconds>",
                               "    Replies after so long. Other clients do not wait.",
                               "STRINGMATCH-LEN <text> <pattern>",
                               "    Tells whether a glob pattern matches."};
  ReplyHelp(call, lines);
}

struct Subcommand {
  std::string_view name;
  size_t argc;
  CommandFunction run;
};

void Debug(Call& call) {
  constexpr Subcommand kSubcommands[] = {
      {"error", 3, ErrorReply},
      {"help", 2, DebugHelp},
      {"object", 3, Object},
      {"protocol", 3, Protocol},
      {"set-active-expire", 3, SetActiveExpire},
      {"sleep", 3, Sleep},
      {"stringmatch-len", 4, StringMatchLen},
  };
  for (const Subcommand& subcommand : kSubcommands) {
    if (call.Is(1, subcommand.name) && call.argc() == subcommand.argc) return subcommand.run(call);
  }
  SubcommandError(call);
}

Access AccessOfDebug(Server&, CommandArguments args) {
  return EqualsIgnoreCase(args[1], "object") ? Access::kWhole : Access::kNone;
}

// clang-format off: read as a table.
constexpr CommandRow kDebugCommands[] = {
    { "debug", Debug, -2, kAdmin | kNoScript | kLoading | kStale | kProtected, {}, "1.0.0",
     "Depends on subcommand.", "subcommand [arg [arg ...]]", "For the tests of clients and tools.",
     Access::kNone, AccessOfDebug},
};
// clang-format on

}  // namespace

CommandFamily DebugCommands() { return {CommandGroup::kServer, 0, kDebugCommands}; }

}  // namespace cloakroom
