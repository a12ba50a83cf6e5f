// The expiry of set members: SEXPIRE STTL SPERSIST and their kin. Redis has none of these; they are
// to sets what HEXPIRE and its kin are to hashes.
#include "server/commands/families.h"
#include "server/commands/support/item_expiry.h"
#include "server/execution/relative_time.h"

namespace cloakroom {
namespace {

void SExpire(Call& call) { ExpireItems<SetMembers>(call, kInSeconds); }
void SPExpire(Call& call) { ExpireItems<SetMembers>(call, kInMilliseconds); }
void SExpireAt(Call& call) { ExpireItems<SetMembers>(call, kAtSecond); }
void SPExpireAt(Call& call) { ExpireItems<SetMembers>(call, kAtMillisecond); }

void STtl(Call& call) { ReplyItemExpiries<SetMembers>(call, kInSeconds); }
void SPTtl(Call& call) { ReplyItemExpiries<SetMembers>(call, kInMilliseconds); }
void SExpireTime(Call& call) { ReplyItemExpiries<SetMembers>(call, kAtSecond); }
void SPExpireTime(Call& call) { ReplyItemExpiries<SetMembers>(call, kAtMillisecond); }

void SPersist(Call& call) { PersistItems<SetMembers>(call); }

// Read as a table.
// clang-format off
constexpr CommandRow kSetExpiryCommands[] = {
    {.name = "sexpire", .run = SExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key seconds [NX | XX | GT | LT] MEMBERS nummembers member [member ...]",
     .summary = "Lets members of a set expire after so many seconds."},
    {.name = "sexpireat", .run = SExpireAt, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key unix-time-seconds [NX | XX | GT | LT] MEMBERS nummembers member [member ...]",
     .summary = "Lets members of a set expire at a Unix time in seconds."},
    {.name = "sexpiretime", .run = SExpireTime, .arity = -5, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key MEMBERS nummembers member [member ...]",
     .summary = "Returns when members of a set expire, as Unix times in seconds."},
    {.name = "spersist", .run = SPersist, .arity = -5, .flags = kWrite | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key MEMBERS nummembers member [member ...]",
     .summary = "Keeps members of a set from expiring."},
    {.name = "spexpire", .run = SPExpire, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .to_absolute = ExpireToAbsolute,
     .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key milliseconds [NX | XX | GT | LT] MEMBERS nummembers member [member ...]",
     .summary = "Lets members of a set expire after so many milliseconds."},
    {.name = "spexpireat", .run = SPExpireAt, .arity = -6, .flags = kWrite | kDenyOom | kFast,
     .keys = {Key(1, kRW | kUpdate)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key unix-time-milliseconds [NX | XX | GT | LT] MEMBERS nummembers member "
               "[member ...]",
     .summary = "Lets members of a set expire at a Unix time in milliseconds."},
    {.name = "spexpiretime", .run = SPExpireTime, .arity = -5, .flags = kReadonly | kFast,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key MEMBERS nummembers member [member ...]",
     .summary = "Returns when members of a set expire, as Unix times in milliseconds."},
    {.name = "spttl", .run = SPTtl, .arity = -5, .flags = kReadonly | kFast | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key MEMBERS nummembers member [member ...]",
     .summary = "Returns in how many milliseconds members of a set expire."},
    {.name = "sttl", .run = STtl, .arity = -5, .flags = kReadonly | kFast | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "7.2.4", .complexity = "O(N) for N members.",
     .syntax = "key MEMBERS nummembers member [member ...]",
     .summary = "Returns in how many seconds members of a set expire."},
};
// clang-format on

}  // namespace

CommandFamily SetExpiryCommands() { return {CommandGroup::kSet, kCatSet, kSetExpiryCommands}; }

}  // namespace cloakroom
