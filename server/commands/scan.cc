// KEYS SCAN RANDOMKEY: going over a database.
#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/glob.h"
#include "protocol/text.h"
#include "server/call.h"
#include "server/commands/families.h"
#include "server/commands/key_lookup.h"
#include "server/commands/scan_options.h"

namespace cloakroom {
namespace {

/// Entries that one step visits, in which a script waits for the gate: some ten microseconds.
constexpr size_t kStepEntries = 512;
/// Going over more entries than that leaves the event loop.
constexpr size_t kDirectEntries = 1024;

void RunOrOffload(Call& call, size_t entries, std::function<void(LongWork&)> work) {
  if (entries > kDirectEntries) return call.Offload(std::move(work));
  LongWork here(call.reply(), call.thread().slot, /*pass=*/false);
  work(here);
}

void Keys(Call& call) {
  auto work = [pattern = std::string(call.arg(1)), &db = call.db(),
               now_ms = call.now_ms()](LongWork& long_work) {
    bool all = pattern == "*";
    size_t mark = long_work.reply.BeginArray();
    size_t found = 0;
    uint64_t cursor = 0;
    do {
      long_work.Step(db, [&] {
        cursor = db.Scan(cursor, kStepEntries, [&](const Entry& entry) {
          if (entry.expired(now_ms) || !(all || GlobMatch(pattern, entry.key()))) return;
          long_work.reply.Bulk(entry.key());
          ++found;
        });
      });
    } while (cursor != 0);
    long_work.reply.EndArray(mark, found);
  };
  RunOrOffload(call, call.db().size(), std::move(work));
}

bool Wanted(const Entry& entry, const ScanOptions& options, int64_t now_ms) {
  return !entry.expired(now_ms) && options.Matches(entry.key()) &&
         (!options.type || EqualsIgnoreCase(*options.type, TypeName(entry.type())));
}

void Scan(Call& call) {
  std::optional<uint64_t> start = ParseScanCursor(call, 1);
  if (!start) return;
  std::optional<ScanOptions> options = ParseScanOptions(call, 2, ScanOf::kKeys);
  if (!options) return;
  size_t count = options->count;
  auto work = [cursor = *start, options = std::move(*options), &db = call.db(),
               now_ms = call.now_ms()](LongWork& long_work) mutable {
    std::vector<std::string> found;
    size_t visited = 0;
    do {
      long_work.Step(db, [&] {
        size_t step = std::min(options.count - visited, kStepEntries);
        cursor = db.Scan(cursor, step, [&](const Entry& entry) {
          ++visited;
          if (Wanted(entry, options, now_ms)) found.emplace_back(entry.key());
        });
      });
    } while (cursor != 0 && visited < options.count);
    ReplyScanCursor(long_work.reply, cursor);
    long_work.reply.Array(found.size());
    for (const std::string& key : found) long_work.reply.Bulk(key);
  };
  RunOrOffload(call, std::min(count, call.db().size()), std::move(work));
}

void RandomKey(Call& call) { call.reply().Bulk(call.db().RandomKey(call.random(), call.now_ms())); }

// Read as a table.
// clang-format off
constexpr CommandRow kScanCommands[] = {
    { "keys", Keys, 2, kReadonly | kUnordered, {}, "1.0.0", "O(N) for N keys in the database.",
     "pattern", "Lists the keys whose names match a pattern.", Access::kPass, nullptr, kCatDangerous
     },
    { "scan", Scan, -2, kReadonly | kRandomOutput, {}, "2.8.0",
     "O(1) for each call, O(N) for going over N keys.",
     "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     "Goes over the keys of the database, some at a time.", Access::kPass},
    { "randomkey", RandomKey, 1, kReadonly | kRandomOutput, {}, "1.0.0", "O(1)", "",
     "Names any key of the database.", Access::kPass},
};
// clang-format on

}  // namespace

CommandFamily ScanCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kScanCommands}; }

}  // namespace cloakroom
