// OBJECT: how a value is kept.
#include <limits>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/call.h"
#include "storage/keyspace/access_clock.h"
#include "storage/values/encoding.h"

namespace cloakroom {
namespace {

constexpr std::string_view kNoLfu =
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
    "when switching between policies at runtime LRU and LFU data will take some time to adjust.";
constexpr std::string_view kNoLru =
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
    "switching between policies at runtime LRU and LFU data will take some time to adjust.";

/// Redis keeps one object of each of these integers for all keys, and says so as their REFCOUNT.
constexpr int64_t kSharedIntegers = 10'000;

EvictionPolicy PolicyOf(Call& call) { return call.server().keyspace().settings().policy; }

/// The entry, or null after replying that there is none.
const Entry* Subject(Call& call) {
  const Entry* entry = Inspect(call, call.arg(2));
  if (entry == nullptr) call.reply().Null();
  return entry;
}

void ObjectEncoding(Call& call) {
  const Entry* entry = Subject(call);
  if (entry == nullptr) return;
  size_t size = entry->type() == ValueType::kString
                    ? StringView(entry->encoding(), entry->payload()).size()
                    : 0;
  call.reply().Bulk(EncodingName(entry->type(), entry->encoding(), entry->outgrown(), size));
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

/// Where keys are evicted by their use, Redis gives each an object of its own.
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
    int64_t value = *StringView(entry->encoding(), entry->payload()).integer();
    shared = value >= 0 && value < kSharedIntegers;
  }
  call.reply().Integer(shared ? std::numeric_limits<int>::max() : 1);
}

constexpr uint32_t kFlags = kReadonly | kRandomOutput;
constexpr KeySpec kKey = Key(2, kRO);

// Read as a table.
// clang-format off
constexpr CommandRow kObjectCommands[] = {
    { "object", nullptr, -2, 0, {}, "2.2.3", "Depends on the subcommand.", "",
     "Tells how a value is kept."},
    { "object|encoding", ObjectEncoding, 3, kFlags, {kKey}, "2.2.3", "O(1)", "key",
     "Names the encoding of a value.", Access::kKeys, nullptr, kCatKeyspace},
    { "object|freq", ObjectFreq, 3, kFlags, {kKey}, "4.0.0", "O(1)", "key",
     "Tells how often a key was used, on a logarithmic scale.", Access::kKeys, nullptr, kCatKeyspace
     },
    { "object|help", Help, 2, kLoading | kStale, {}, "6.2.0", "O(1)", "",
     "Lists the subcommands.", Access::kNone, nullptr, kCatKeyspace},
    { "object|idletime", ObjectIdleTime, 3, kFlags, {kKey}, "2.2.3", "O(1)", "key",
     "Tells for how many seconds a key has not been used.", Access::kKeys, nullptr, kCatKeyspace},
    { "object|refcount", ObjectRefCount, 3, kFlags, {kKey}, "2.2.3", "O(1)", "key",
     "Counts the references to a value.", Access::kKeys, nullptr, kCatKeyspace},
};
// clang-format on

}  // namespace

CommandFamily ObjectCommands() { return {CommandGroup::kGeneric, 0, kObjectCommands}; }

}  // namespace cloakroom
