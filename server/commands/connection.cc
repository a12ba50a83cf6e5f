// AUTH, HELLO, SELECT and the like.
#include "server/call.h"
#include "server/commands/families.h"

namespace cloakroom {
namespace {

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

void Select(Call& call) {
  auto index = call.Integer(1, "ERR invalid DB index");
  if (!index) return;
  if (*index < 0 || *index >= call.server().keyspace().database_count()) {
    return call.Error(kDbIndexOutOfRange);
  }
  if (call.mode() != CallMode::kTopLevel && *index != call.client().db &&
      !call.thread().holds_all) {
    return call.Error(kCannotSelect);
  }
  call.client().db = static_cast<int>(*index);
  call.reply().Ok();
}

// clang-format off: read as a table.
constexpr CommandRow kConnectionCommands[] = {
    { "ping", Ping, -1, kFast, {}, "1.0.0", "O(1)", "[message]", "Tells that the server is there."},
    { "select", Select, 2, kLoading | kStale | kFast, {}, "1.0.0", "O(1)", "index",
     "Selects the database that the connection works in."},
};
// clang-format on

}  // namespace

CommandFamily ConnectionCommands() {
  return {CommandGroup::kConnection, kCatConnection, kConnectionCommands};
}

}  // namespace cloakroom
