// DEBUG: for tests of clients and of the server. Needs enable-debug-command.
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "protocol/glob.h"
#include "protocol/text.h"
#include "replication/files/file_status.h"
#include "server/commands/families.h"
#include "server/commands/support/debug_protocol.h"
#include "server/commands/support/digest.h"
#include "server/commands/support/help.h"
#include "server/config/grammar.h"
#include "server/execution/call.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "storage/access/lookup.h"
#include "storage/access/string_store.h"
#include "storage/keyspace/access_clock.h"
#include "storage/keyspace/hold.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// Calls `look` with the key's live entry, or null, while its stripe is held. REQUIRES: the gate is
/// passed or closed. False: the stripe is occupied.
template <typename Look>
bool LookAt(Call& call, std::string_view key, Look look) {
  KeyHash hash = KeyHash::Of(key);
  Stripe& stripe = call.db().StripeOf(hash);
  if (!stripe.mutex.TryLockUntil(call.db().gate().MomentFromNow())) return false;
  call.hold().See(call.db(), stripe);
  look(PeekKey(call.hold(), call.db(), key, hash, call.now_ms()));
  stripe.mutex.Unlock();
  return true;
}

/// Only this client waits; the others go on. To test a server that hangs, stop its process.
void Sleep(Call& call) {
  constexpr double kLongestSeconds = 3600;
  double seconds = std::strtod(std::string(call.arg(2)).c_str(), nullptr);
  seconds = std::isfinite(seconds) ? std::clamp(seconds, 0.0, kLongestSeconds) : 0;
  call.StartLongWork([seconds](LongWork& work) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    work.reply.Ok();
  });
}

void Object(Call& call) {
  std::string text;
  const bool looked = LookAt(call, call.arg(2), [&](const Entry* entry) {
    if (entry == nullptr) return;
    const size_t bytes = entry->payload().size() + ValueMemory(entry->value());
    text = fmt::format(
        "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        static_cast<const void*>(entry), EncodingName(entry->value()), bytes, entry->access(),
        access_clock::IdleSeconds(entry->access(), call.now_ms()));
  });
  if (!looked) return call.TryAgainSoon();
  text.empty() ? call.Error(kNoSuchKey) : call.reply().Simple(text);
}

void SetActiveExpire(Call& call) {
  call.server().keyspace().settings().active_expire =
      std::atoi(std::string(call.arg(2)).c_str()) != 0;
  call.reply().Ok();
}

void StringMatchLen(Call& call) {
  auto length = call.Integer(2);
  if (!length) return;
  std::string text(static_cast<size_t>(std::clamp<int64_t>(*length, 0, 1 << 20)), 'a');
  call.reply().Integer(GlobMatch(call.arg(3), text) ? 1 : 0);
}

/// A thread that waits for a worker must not hold anything that the worker needs.
bool MayWait(Call& call) {
  if (call.mode() == CallMode::kTopLevel) return true;
  call.Error("ERR this DEBUG subcommand can't be used in a transaction");
  return false;
}

/// Makes a key unless it exists. REQUIRES: the gate is passed.
void AddString(Hold& hold, Database& db, std::string_view key, std::string_view value,
               int64_t now_ms) {
  const KeyHash hash = KeyHash::Of(key);
  MutexLock lock(db.StripeOf(hash).mutex);
  WriteScope scope(hold, db, key, hash, now_ms);
  if (scope.exists()) return;
  StoreString(scope, value, kNoExpiry);
  scope.Changed("set");
}

/// Makes many keys with values of a given size: "key:0" is "value:0". Existing keys stay as they
/// are.
void Populate(Call& call) {
  if (!MayWait(call)) return;
  const std::optional<int64_t> count = ParseInteger(call.arg(2));
  const std::optional<int64_t> size = call.argc() > 4 ? ParseInteger(call.arg(4)) : 0;
  if (count.value_or(-1) < 0 || size.value_or(-1) < 0) {
    return call.Error("ERR value is out of range, must be positive");
  }
  if (call.argc() > 5) return SubcommandError(call);
  std::string prefix(call.argc() > 3 ? call.arg(3) : "key");
  call.StartLongWork([&db = call.db(), now_ms = call.now_ms(), count = *count,
                      prefix = std::move(prefix), size = static_cast<size_t>(*size),
                      &replication = call.server().replication()](LongWork& work) -> Task {
    for (int64_t i = 0; i < count && !replication.read_only(); ++i) {
      const std::string key = fmt::format("{}:{}", prefix, i);
      std::string value = fmt::format("value:{}", i);
      if (size > 0) value.resize(size, '\0');
      co_await work.Step(db, [&](Hold& hold) { AddString(hold, db, key, value, now_ms); });
    }
    work.reply.Ok();
  });
}

void ErrorReply(Call& call) { call.Error(call.arg(2)); }

void LogLine(Call& call) {
  LogWarning("DEBUG LOG: {}", call.arg(2));
  call.reply().Ok();
}

/// Other clients may change keys meanwhile: the digest is exact only while nobody writes.
void DigestAll(Call& call) {
  call.StartLongWork(
      [&keyspace = call.server().keyspace(), now_ms = call.now_ms()](LongWork& work) -> Task {
        constexpr size_t kBucketsAtOnce = 64;
        Digest digest;
        for (int i = 0; i < keyspace.database_count(); ++i) {
          Database& db = keyspace.db(i);
          bool any = false;
          uint64_t cursor = 0;
          do {
            co_await work.Step(db, [&](Hold& hold) {
              cursor = db.Scan(hold, cursor, kBucketsAtOnce, [&](const Entry& entry) {
                if (entry.expired(now_ms)) return;
                if (!std::exchange(any, true)) digest.MixNumber(static_cast<uint32_t>(i));
                digest.XorEntry(entry, now_ms);
              });
            });
          } while (cursor != 0);
        }
        work.reply.Simple(digest.hex());
      });
}

void DigestValue(Call& call) {
  std::vector<std::string> digests;
  for (size_t i = 2; i < call.argc(); ++i) {
    Digest digest;
    const bool looked = LookAt(call, call.arg(i), [&](const Entry* entry) {
      if (entry != nullptr) digest.MixValue(*entry, call.now_ms());
    });
    if (!looked) return call.TryAgainSoon();
    digests.push_back(digest.hex());
  }
  call.reply().Array(digests.size());
  for (const std::string& digest : digests) call.reply().Simple(digest);
}

/// Shows how evenly the keys of a database are spread over its stripes.
void HashTableStats(Call& call) {
  auto index = call.Integer(2);
  if (!index) return;
  if (*index < 0 || *index >= call.server().keyspace().database_count()) {
    return call.Error("ERR Out of range database");
  }
  Database& db = call.db(static_cast<int>(*index));
  size_t fewest = SIZE_MAX;
  size_t most = 0;
  for (uint32_t i = 0; i < Database::kStripes; ++i) {
    size_t keys = db.stripe(i).keys.load(std::memory_order_relaxed);
    fewest = std::min(fewest, keys);
    most = std::max(most, keys);
  }
  call.reply().Verbatim("txt",
                        fmt::format("keys: {}\nexpires: {}\nstripes: {}\n"
                                    "keys in a stripe: {} to {}\n",
                                    db.size(), db.expires(), Database::kStripes, fewest, most));
}

void StartReload(Call& call, Loader::ReloadOptions options, std::string_view error) {
  call.StartLongWork([&server = call.server(), options, error](LongWork& work) {
    const absl::Status loaded = server.persistence().loader().Reload(options);
    // Unless it is what was there, it is not what replicas have.
    const bool same = loaded.ok() && options.save && options.flush && !options.from_log;
    // What was loaded from the log is what the log has.
    const bool log_agrees = loaded.ok() && options.from_log;
    if (!same) server.replication().ForgetHistory(log_agrees);
    if (loaded.ok()) return work.reply.Ok();
    LogWarning("{}", MessageOf(loaded));
    work.Error(error);
  });
}

void ReloadSnapshot(Call& call) {
  if (!MayWait(call)) return;
  Loader::ReloadOptions options;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.Is(i, "merge")) {
      options.merge = true;
    } else if (call.Is(i, "noflush")) {
      options.flush = false;
    } else if (call.Is(i, "nosave")) {
      options.save = false;
    } else {
      return call.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  StartReload(call, options, "ERR Error trying to load the RDB dump, check server logs.");
}

void LoadAof(Call& call) {
  if (!MayWait(call)) return;
  StartReload(call, {.from_log = true},
              "ERR Error trying to load the AOF files, check server logs.");
}

void Refuse(Call& call) {
  call.Error("ERR DEBUG SEGFAULT and the like are refused: this server does not crash on request");
}

void ChangeReplId(Call& call) {
  call.server().replication().ForgetHistory();
  call.reply().Ok();
}

/// For the tests of Redis, which set what this server does not have.
void AcceptInVain(Call& call) { call.reply().Ok(); }

/// The type and the encoding of a key, for subcommands that print values of one encoding.
struct Shape {
  bool exists = false;
  ValueType type = ValueType::kString;
  std::string_view encoding;
  size_t items = 0;
};

/// nullopt: has replied that there is no such key, or the command runs again later.
std::optional<Shape> ShapeOf(Call& call, std::string_view key) {
  Shape shape;
  const bool looked = LookAt(call, key, [&](const Entry* entry) {
    if (entry == nullptr) return;
    const ValueView value = entry->value();
    shape = {true, value.type, EncodingName(value), OpsOf(value.type).size(value, call.now_ms())};
  });
  if (looked && shape.exists) return shape;
  looked ? call.Error(kNoSuchKey) : call.TryAgainSoon();
  return std::nullopt;
}

// To DEBUG every list is a quicklist, as it is to redis-server 7.0.

void Listpack(Call& call) {
  const std::optional<Shape> shape = ShapeOf(call, call.arg(2));
  if (!shape) return;
  if (shape->type == ValueType::kList || shape->encoding != "listpack") {
    return call.Error("ERR Not a listpack encoded object.");
  }
  call.reply().Simple("Listpack structure printed on stdout");
}

void Quicklist(Call& call) {
  const std::optional<Shape> shape = ShapeOf(call, call.arg(2));
  if (!shape) return;
  if (shape->type != ValueType::kList) return call.Error("ERR Not a quicklist encoded object.");
  call.reply().Simple("Quicklist structure printed on stdout");
}

void HashTableStatsOfKey(Call& call) {
  const std::optional<Shape> shape = ShapeOf(call, call.arg(2));
  if (!shape) return;
  if (shape->encoding != "hashtable" && shape->encoding != "skiplist") {
    return call.Error(
        "ERR The value stored at the specified key is not represented using an hash table");
  }
  call.reply().Verbatim("txt", fmt::format("number of elements: {}\n", shape->items));
}

void QuicklistPackedThreshold(Call& call) {
  constexpr uint64_t kMost = (uint64_t{1} << 32) - (uint64_t{1} << 20);
  const std::string_view word = call.arg(2);
  const std::optional<uint64_t> size = word.empty() ? 0 : config::ParseMemory(word);
  if (!size || *size > kMost) {
    return call.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  call.reply().Ok();
}

void DebugHelp(Call& call);

/// A subcommand. It has no row of its own, because in Redis DEBUG is one command.
struct Subcommand {
  std::string_view name;
  void (*run)(Call&);
  int arity;  ///< with "DEBUG" and the name; -n: at least n
  std::string_view syntax;
  std::string_view summary;
};

constexpr Subcommand kSubcommands[] = {
    {"assert", Refuse, 2, "", "Refused."},
    {"change-repl-id", ChangeReplId, 2, "",
     "Takes a new replication ID: all replicas need all data anew."},
    {"client-eviction", AcceptInVain, 2, "", "Accepted; changes nothing."},
    {"dict-resizing", AcceptInVain, 3, "<0|1>", "Accepted; tables always grow in small steps."},
    {"digest", DigestAll, 2, "", "Fingerprint of all databases, the same as redis-server's."},
    {"digest-value", DigestValue, -2, "<key> [<key> ...]", "Fingerprints of values."},
    {"error", ErrorReply, 3, "<string>", "Replies with this error."},
    {"help", DebugHelp, 2, "", ""},
    {"htstats", HashTableStats, -3, "<dbid>", "How the keys of a database are spread."},
    {"htstats-key", HashTableStatsOfKey, 3, "<key>", "How many items a large value has."},
    {"listpack", Listpack, 3, "<key>", "Whether a value is one packed block. Prints nothing."},
    {"log", LogLine, 3, "<message>", "Writes a line into the log."},
    {"object", Object, -3, "<key>", "How a value is kept."},
    {"protocol", DebugProtocol, 3, "<type>",
     "Replies with a sample of a type: string, integer, double, bignum, null, array, set, map, "
     "attrib, push, verbatim, true, false."},
    {"pause-cron", AcceptInVain, 3, "<0|1>", "Accepted; changes nothing."},
    {"populate", Populate, -3, "<count> [<prefix> [<size>]]", "Makes so many string keys."},
    {"quicklist", Quicklist, -3, "<key> [<0|1>]", "Whether a value is a list. Prints nothing."},
    {"quicklist-packed-threshold", QuicklistPackedThreshold, 3, "<size>",
     "Accepted; lists have one kind of node."},
    {"reload", ReloadSnapshot, -2, "[NOSAVE] [NOFLUSH] [MERGE]",
     "Saves a snapshot, and loads it in place of the data."},
    {"replybuffer", AcceptInVain, 4, "<peak-reset-time|resizing> <value>",
     "Accepted; changes nothing."},
    {"loadaof", LoadAof, 2, "", "Loads the append-only log in place of the data."},
    {"segfault", Refuse, 2, "", "Refused."},
    {"panic", Refuse, 2, "", "Refused."},
    {"set-disable-deny-scripts", AcceptInVain, 3, "<0|1>",
     "Accepted; scripts may run blocking commands, and no others of those that they may not."},
    {"set-active-expire", SetActiveExpire, 3, "<0|1>",
     "Whether keys expire though nobody asks for them."},
    {"sleep", Sleep, 3, "<seconds>", "Lets this client wait; decimals allowed."},
    {"stringmatch-len", StringMatchLen, 4, "<length> <pattern>",
     "Matches a glob pattern against so many letters 'a'."},
};

void DebugHelp(Call& call) {
  std::vector<std::string> lines;
  for (const Subcommand& subcommand : kSubcommands) {
    if (subcommand.summary.empty()) continue;
    lines.push_back(Concat({absl::AsciiStrToUpper(std::string(subcommand.name)),
                            subcommand.syntax.empty() ? "" : " ", subcommand.syntax}));
    lines.push_back(Concat({"    ", subcommand.summary}));
  }
  ReplyHelp(call, lines);
}

void Debug(Call& call) {
  int argc = static_cast<int>(call.argc());
  for (const Subcommand& subcommand : kSubcommands) {
    if (!call.Is(1, subcommand.name)) continue;
    if (subcommand.arity >= 0 ? argc != subcommand.arity : argc < -subcommand.arity) break;
    return subcommand.run(call);
  }
  SubcommandError(call);
}

/// Only the subcommand DIGEST uses all databases.
Access DebugAccess(Server&, CommandArguments args) {
  const bool all = args.size() == 2 && EqualsIgnoreCase(args[1], "digest");
  return all ? Access::kEach : Access::kPass;
}

// Read as a table.
// clang-format off
constexpr CommandRow kDebugCommands[] = {
    {.name = "debug", .run = Debug, .arity = -2,
     .flags = kAdmin | kNoScript | kLoading | kStale | kProtected | kSystem,
     .access = Access::kPass, .access_of = DebugAccess, .since = "1.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Helps to test clients and the server."},
};
// clang-format on

}  // namespace

CommandFamily DebugCommands() { return {CommandGroup::kServer, 0, kDebugCommands}; }

}  // namespace cloakroom
