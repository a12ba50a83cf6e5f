#include "server/commands/support/item_expiry.h"

namespace cloakroom {

constinit const ItemWords HashFields::kWords = {
    .word = "FIELDS",
    .missing = "ERR Mandatory argument FIELDS is missing or not at the right position",
    .mismatch = "ERR The `numfields` parameter must match the number of arguments",
    .not_positive = "ERR Number of fields must be a positive integer",
    .not_above_0 = "ERR Parameter `numFields` should be greater than 0",
    .expire_event = "hexpire",
    .persist_event = "hpersist",
    .erase_event = "hdel"};

constinit const ItemWords SetMembers::kWords = {
    .word = "MEMBERS",
    .missing = "ERR Mandatory argument MEMBERS is missing or not at the right position",
    .mismatch = "ERR The `nummembers` parameter must match the number of arguments",
    .not_positive = "ERR Number of members must be a positive integer",
    .not_above_0 = "ERR Parameter `numMembers` should be greater than 0",
    .expire_event = "sexpire",
    .persist_event = "spersist",
    .erase_event = "srem"};

ExpireCondition TakeExpireCondition(Arguments& args) {
  if (args.Word("NX")) return ExpireCondition::kNx;
  if (args.Word("XX")) return ExpireCondition::kXx;
  if (args.Word("GT")) return ExpireCondition::kGt;
  if (args.Word("LT")) return ExpireCondition::kLt;
  return ExpireCondition::kNone;
}

bool Meets(ExpireCondition condition, int64_t old_ms, int64_t new_ms) {
  switch (condition) {
    case ExpireCondition::kNone:
      return true;
    case ExpireCondition::kNx:
      return old_ms == kNever;
    case ExpireCondition::kXx:
      return old_ms != kNever;
    case ExpireCondition::kGt:
      return new_ms > old_ms;
    case ExpireCondition::kLt:
      return new_ms < old_ms;
  }
  return false;
}

void EraseExpiredMembers(Call& call, std::string_view key) {
  const Entry* entry = call.Peek(key);
  if (entry == nullptr || entry->type() != Set::kType) return;
  if (Set(entry->value()).NextExpiry() > call.now_ms()) return;
  Writing<MutableSet> set(call, key);
  set.scope().set_by_time(true);
  const size_t erased = set->EraseExpired(SIZE_MAX);
  if (erased == 0) return;
  call.server().keyspace().counters().expired_fields += static_cast<int64_t>(erased);
  set.Changed(kSetOps.expired_event);
}

void TakeItemCount(Arguments& args, const ItemWords& words, std::string_view bad_count) {
  if (!args.Word(words.word)) args.Fail(words.missing);
  if (args.left() == 0) args.Fail(words.mismatch);
  const int64_t count = args.IntegerIn(1, INT64_MAX, bad_count);
  if (static_cast<size_t>(count) != args.left()) args.Fail(words.mismatch);
}

}  // namespace cloakroom
