// RENAME RENAMENX COPY MOVE: these bring a value to another key, or to another database.
//
// They open one scope at a time: two in the same stripe would invalidate each other.
#include <optional>
#include <string>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/database_index.h"
#include "server/commands/support/key_lookup.h"
#include "server/commands/support/log_stored.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// A key in a database.
struct Place {
  Database& db;
  std::string_view key;
  KeyHash hash;
};

/// Puts a value at a key, in place of an old one. The new entry takes over the references in
/// `payload`.
void PutAt(Call& call, WriteScope& to, const Entry& model, std::string_view payload) {
  const ValueView value = {model.type(), model.encoding(), model.outgrown(), payload};
  LogStored(call, to, value, model.expire_at_ms());
  if (to.exists()) to.Delete();
  to.Adopt(model, payload, model.expire_at_ms());
}

WriteScope OpenAt(Call& call, Place place) {
  return WriteScope(call.hold(), place.db, place.key, place.hash, call.now_ms());
}

void Transfer(Call& call, Place from, KeyEvent out, Place to, KeyEvent in) {
  WriteScope source = OpenAt(call, from);
  Entry* entry = source.Detach();
  WriteScope target = OpenAt(call, to);
  PutAt(call, target, *entry, entry->payload());
  source.Changed(out);
  target.Changed(in);
  Entry::Destroy(entry);
}

bool IsThere(Call& call, Place place) {
  return PeekKey(call.hold(), place.db, place.key, place.hash, call.now_ms()) != nullptr;
}

/// The same for the key to be moved, and counts as an access.
bool Use(Call& call, Place place) {
  if (call.client().no_touch) return IsThere(call, place);
  return FindKey(call.hold(), place.db, place.key, place.hash, call.now_ms(), call.random()) !=
         nullptr;
}

Place Here(Call& call, size_t i) { return {call.db(), call.arg(i), call.HashOf(call.arg(i))}; }

void Rename(Call& call) {
  Place from = Here(call, 1);
  if (!Use(call, from)) return call.Error(kNoSuchKey);
  if (call.arg(1) != call.arg(2)) {
    Transfer(call, from, "rename_from", Here(call, 2), "rename_to");
  }
  call.reply().Ok();
}

void RenameNx(Call& call) {
  Place from = Here(call, 1);
  Place to = Here(call, 2);
  if (!Use(call, from)) return call.Error(kNoSuchKey);
  if (IsThere(call, to)) return call.reply().Integer(0);
  Transfer(call, from, "rename_from", to, "rename_to");
  call.reply().Integer(1);
}

struct CopyOptions {
  int db;
  bool replace = false;
};

std::optional<CopyOptions> ParseCopyOptions(Call& call) {
  CopyOptions options{.db = call.client().db};
  Arguments args(call, 3);
  while (args.More()) {
    if (args.Word("REPLACE")) {
      options.replace = true;
    } else if (args.Word("DB")) {
      options.db = TakeDatabaseIndex(args);
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Finish()) return std::nullopt;
  return options;
}

void Copy(Call& call) {
  std::optional<CopyOptions> options = ParseCopyOptions(call);
  if (!options) return;
  if (options->db == call.client().db && call.arg(1) == call.arg(2)) {
    return call.Error(kSameObject);
  }
  if (!MayReach(call, options->db)) return;
  const Entry* source = call.Find(call.arg(1));
  if (source == nullptr) return call.reply().Integer(0);
  Place to{call.db(options->db), call.arg(2), call.HashOf(call.arg(2))};
  if (!options->replace && IsThere(call, to)) return call.reply().Integer(0);
  KeepForLog(call.db(), call.arg(1), call.HashOf(call.arg(1)));
  std::string payload = CopyPayload(source->value());
  WriteScope target = OpenAt(call, to);
  PutAt(call, target, *source, payload);
  target.Changed("copy_to");
  call.reply().Integer(1);
}

/// The databases that a copy uses. DB may be given several times; the last one counts.
DatabaseNumbers CopyDatabases(CommandArguments args, int own) {
  DatabaseNumbers numbers = {own};
  for (size_t i = 3; i + 1 < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "db")) numbers.push_back(DatabaseNumberOf(args[++i]));
  }
  return numbers;
}

/// Only a copy to another database needs exclusive databases.
Access CopyAccess(Server&, CommandArguments args) {
  return CopyDatabases(args, 0).size() == 1 ? Access::kKeys : Access::kNamed;
}

DatabaseNumbers MoveDatabases(CommandArguments args, int own) {
  return {own, DatabaseNumberOf(args[2])};
}

void Move(Call& call) {
  Arguments args(call, 2);
  const int index = TakeDatabaseIndex(args);
  if (!args.Finish()) return;
  if (index == call.client().db) return call.Error(kSameObject);
  if (!MayReach(call, index)) return;
  Place from = Here(call, 1);
  Place to{call.db(index), from.key, from.hash};
  if (!Use(call, from) || IsThere(call, to)) return call.reply().Integer(0);
  Transfer(call, from, "move_from", to, "move_to");
  call.reply().Integer(1);
}

// Read as a table.
// clang-format off
constexpr CommandRow kKeyTransferCommands[] = {
    {.name = "rename", .run = Rename, .arity = 3, .flags = kWrite,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kOW | kUpdate)}, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "key newkey",
     .summary = "Gives a key another name, in place of whatever had that name."},
    {.name = "renamenx", .run = RenameNx, .arity = 3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kDelete), Key(2, kOW | kInsert)}, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "key newkey", .summary = "Gives a key another name unless that name is taken."},
    {.name = "copy", .run = Copy, .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRO | kAccess), Key(2, kOW | kUpdate)}, .access_of = CopyAccess,
     .named = CopyDatabases, .since = "6.2.0",
     .complexity = "O(1): large values are shared until one side changes.",
     .syntax = "source destination [DB destination-db] [REPLACE]",
     .summary = "Copies the value of a key to another key."},
    {.name = "move", .run = Move, .arity = 3, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kAccess | kUpdate)}, .access = Access::kNamed, .named = MoveDatabases,
     .since = "1.0.0", .complexity = "O(1)",
     .syntax = "key db", .summary = "Moves a key to another database."},
};
// clang-format on

}  // namespace

CommandFamily KeyTransferCommands() {
  return {CommandGroup::kGeneric, kCatKeyspace, kKeyTransferCommands};
}

}  // namespace cloakroom
