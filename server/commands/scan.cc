// KEYS SCAN RANDOMKEY: these iterate over a database.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/glob.h"
#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/key_lookup.h"
#include "server/commands/support/scan_options.h"
#include "server/execution/call.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// Entries that one step visits, while a script waits for the gate: some ten microseconds.
constexpr size_t kStepEntries = 512;
/// Visiting more entries than this is long work.
constexpr size_t kDirectEntries = 1024;

/// What KEYS looks for.
struct KeysWanted {
  std::string pattern;
  int64_t now_ms;

  bool Matches(const Entry& entry) const {
    return !entry.expired(now_ms) && (pattern == "*" || GlobMatch(pattern, entry.key()));
  }
};

/// KEYS of a large database writes each key that it finds to the reply at once.
void StartKeys(Call& call, KeysWanted wanted) {
  call.StartLongWork([wanted = std::move(wanted), &db = call.db()](LongWork& work) -> Task {
    const size_t mark = work.reply.BeginArray();
    size_t found = 0;
    uint64_t cursor = 0;
    do {
      co_await work.Step(db, [&](Hold& hold) {
        cursor = db.Scan(hold, cursor, kStepEntries, [&](const Entry& entry) {
          if (!wanted.Matches(entry)) return;
          work.reply.Bulk(entry.key());
          ++found;
        });
      });
    } while (cursor != 0);
    work.reply.EndArray(mark, found);
  });
}

void Keys(Call& call) {
  KeysWanted wanted{std::string(call.arg(1)), call.now_ms()};
  if (call.db().size() > kDirectEntries) return StartKeys(call, std::move(wanted));
  std::vector<std::string> found;
  uint64_t cursor = 0;
  do {
    std::optional<uint64_t> next =
        call.db().TryScan(call.hold(), cursor, kStepEntries, [&](const Entry& entry) {
          if (wanted.Matches(entry)) found.emplace_back(entry.key());
        });
    if (!next) return call.TryAgainSoon();
    cursor = *next;
  } while (cursor != 0);
  call.reply().Array(found.size());
  for (const std::string& key : found) call.reply().Bulk(key);
}

/// The state of one SCAN.
struct Scanning {
  uint64_t cursor;
  ScanOptions options;
  int64_t now_ms;
  size_t visited = 0;
  std::vector<std::string> found = {};

  bool done() const { return visited >= options.count; }
  size_t step() const { return std::min(options.count - visited, kStepEntries); }

  void Visit(const Entry& entry) {
    ++visited;
    if (entry.expired(now_ms) || !options.Matches(entry.key())) return;
    if (options.type && !EqualsIgnoreCase(*options.type, OpsOf(entry.type()).name)) return;
    found.emplace_back(entry.key());
  }
  void Reply(ReplyWriter& reply) const {
    ReplyScanCursor(reply, cursor);
    reply.Array(found.size());
    for (const std::string& key : found) reply.Bulk(key);
  }
};

void StartScan(Call& call, Scanning scanning) {
  call.StartLongWork(
      [scanning = std::move(scanning), &db = call.db()](LongWork& work) mutable -> Task {
        do {
          co_await work.Step(db, [&](Hold& hold) {
            scanning.cursor = db.Scan(hold, scanning.cursor, scanning.step(),
                                      [&](const Entry& entry) { scanning.Visit(entry); });
          });
        } while (scanning.cursor != 0 && !scanning.done());
        scanning.Reply(work.reply);
      });
}

void Scan(Call& call) {
  std::optional<uint64_t> start = ParseScanCursor(call, 1);
  if (!start) return;
  std::optional<ScanOptions> options = ParseScanOptions(call, 2, ScanOf::kKeys);
  if (!options) return;
  const size_t entries = std::min<size_t>(options->count, call.db().size());
  Scanning scanning{*start, *std::move(options), call.now_ms()};
  if (entries > kDirectEntries) return StartScan(call, std::move(scanning));
  bool any = false;
  do {
    std::optional<uint64_t> next =
        call.db().TryScan(call.hold(), scanning.cursor, scanning.step(),
                          [&](const Entry& entry) { scanning.Visit(entry); });
    // SCAN may return fewer than COUNT, but its cursor must have moved.
    if (!next && !any) return call.TryAgainSoon();
    if (!next) break;
    any = true;
    scanning.cursor = *next;
  } while (scanning.cursor != 0 && !scanning.done());
  scanning.Reply(call.reply());
}

void RandomKey(Call& call) {
  Database::Drawn drawn = call.db().RandomKey(call.hold(), call.random(), call.now_ms());
  if (!drawn.key && drawn.occupied) return call.TryAgainSoon();
  call.reply().Bulk(drawn.key);
}

// Read as a table.
// clang-format off
constexpr CommandRow kScanCommands[] = {
    {.name = "keys", .run = Keys, .arity = 2, .flags = kReadonly | kUnordered,
     .categories = kCatDangerous, .access = Access::kPass,
     .request_policy = "all_shards", .since = "1.0.0",
     .complexity = "O(N) for N keys in the database.",
     .syntax = "pattern", .summary = "Lists the keys whose names match a pattern."},
    {.name = "scan", .run = Scan, .arity = -2, .flags = kReadonly | kRandomOutput,
     .access = Access::kPass,
     .request_policy = "special", .since = "2.8.0",
     .complexity = "O(1) for each call, O(N) for going over N keys.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .summary = "Goes over the keys of the database, some at a time."},
    {.name = "randomkey", .run = RandomKey, .arity = 1, .flags = kReadonly | kRandomOutput,
     .access = Access::kPass,
     .request_policy = "all_shards", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Names any key of the database."},
};
// clang-format on

}  // namespace

CommandFamily ScanCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kScanCommands}; }

}  // namespace cloakroom
