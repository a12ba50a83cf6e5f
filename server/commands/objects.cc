// OBJECT: how a value is stored.
#include <limits>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/call.h"
#include "storage/keyspace/access_clock.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

constexpr std::string_view kNoLfu =
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to adjust.";
constexpr std::string_view kNoLru =
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust.";

/// Redis shares one object of each of these integers between all keys, which their REFCOUNT shows.
constexpr int64_t kSharedIntegers = 10'000;

EvictionPolicy PolicyOf(Call& call) { return call.server().keyspace().settings().policy; }

/// The entry. Returns null after replying that there is none.
const Entry* Subject(Call& call) {
  const Entry* entry = InspectSilently(call, call.arg(2));
  if (entry == nullptr) call.reply().Null();
  return entry;
}

void ObjectEncoding(Call& call) {
  const Entry* entry = Subject(call);
  if (entry == nullptr) return;
  call.reply().Bulk(EncodingName(entry->value()));
}

void ObjectFreq(Call& call) {
  const Entry* entry = Subject(call);
  if (entry == nullptr) return;
  if (!UsesLfu(PolicyOf(call))) return call.Error(kNoLfu);
  int decay = call.server().keyspace().settings().lfu_decay_minutes;
  call.reply().Integer(access_clock::LfuDecayed(entry->access(), call.now_ms(), decay));
}

void ObjectIdleTime(Call& call) {
  const Entry* entry = Subject(call);
  if (entry == nullptr) return;
  if (UsesLfu(PolicyOf(call))) return call.Error(kNoLru);
  call.reply().Integer(access_clock::IdleSeconds(entry->access(), call.now_ms()));
}

/// If keys are evicted by their use, Redis gives each key an object of its own.
bool SharesIntegers(Call& call) {
  EvictionPolicy policy = PolicyOf(call);
  bool by_use = UsesLfu(policy) || policy == EvictionPolicy::kAllKeysLru ||
                policy == EvictionPolicy::kVolatileLru;
  return !by_use || call.server().keyspace().settings().maxmemory_bytes == 0;
}

void ObjectRefCount(Call& call) {
  const Entry* entry = Subject(call);
  if (entry == nullptr) return;
  bool shared = false;
  if (entry->encoding() == Encoding::kInt && SharesIntegers(call)) {
    int64_t value = *StringView(entry->value()).integer();
    shared = value >= 0 && value < kSharedIntegers;
  }
  call.reply().Integer(shared ? std::numeric_limits<int>::max() : 1);
}

constexpr uint32_t kFlags = kReadonly | kRandomOutput;
constexpr KeySpec kKey = Key(2, kRO);

// Read as a table.
// clang-format off
constexpr CommandRow kObjectCommands[] = {
    {.name = "object", .arity = -2, .since = "2.2.3", .complexity = "Depends on the subcommand.",
     .summary = "Tells how a value is kept."},
    {.name = "object|encoding", .run = ObjectEncoding, .arity = 3, .flags = kFlags,
     .categories = kCatKeyspace, .keys = {kKey}, .since = "2.2.3", .complexity = "O(1)",
     .syntax = "key", .summary = "Names the encoding of a value."},
    {.name = "object|freq", .run = ObjectFreq, .arity = 3, .flags = kFlags,
     .categories = kCatKeyspace, .keys = {kKey}, .since = "4.0.0", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells how often a key was used, on a logarithmic scale."},
    {.name = "object|help", .run = Help, .arity = 2, .flags = kLoading | kStale,
     .categories = kCatKeyspace, .access = Access::kNone, .since = "6.2.0", .complexity = "O(1)",
     .summary = "Lists the subcommands."},
    {.name = "object|idletime", .run = ObjectIdleTime, .arity = 3, .flags = kFlags,
     .categories = kCatKeyspace, .keys = {kKey}, .since = "2.2.3", .complexity = "O(1)",
     .syntax = "key", .summary = "Tells for how many seconds a key has not been used."},
    {.name = "object|refcount", .run = ObjectRefCount, .arity = 3, .flags = kFlags,
     .categories = kCatKeyspace, .keys = {kKey}, .since = "2.2.3", .complexity = "O(1)",
     .syntax = "key", .summary = "Counts the references to a value."},
};
// clang-format on

}  // namespace

CommandFamily ObjectCommands() { return {CommandGroup::kGeneric, 0, kObjectCommands}; }

}  // namespace cloakroom
