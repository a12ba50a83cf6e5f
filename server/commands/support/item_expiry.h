#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_ITEM_EXPIRY_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_ITEM_EXPIRY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/commands/support/expire_time.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {

// The expiry of items, which the fields of hashes (HEXPIRE and its kin of Redis 7.4) and the
// members of sets (SEXPIRE and its kin, ours) have in common. Replies and errors are those of Redis
// 8 for fields.

/// The words of a type in arguments, errors and events.
struct ItemWords {
  std::string_view word;          ///< FIELDS
  std::string_view missing;       ///< the error without that word
  std::string_view mismatch;      ///< … for a count that is not that of the arguments
  std::string_view not_positive;  ///< … for a count below 1
  std::string_view not_above_0;   ///< … the same, of HEXPIRE and its forms
  KeyEvent expire_event;
  KeyEvent persist_event;
  KeyEvent erase_event;
};

/// What a command replies for each item; Redis' numbers.
enum ItemReply : int64_t { kNoItem = -2, kNoExpirySet = -1, kUnmet = 0, kDone = 1, kGone = 2 };

/// Counts what became of a command's items, for its one event.
struct ItemTally {
  int updated = 0;
  int deleted = 0;

  void Count(ItemReply outcome) {
    updated += outcome == kDone ? 1 : 0;
    deleted += outcome == kGone ? 1 : 0;
  }
  bool changed() const { return updated + deleted > 0; }
};

/// What HEXPIRE's option requires of an item's present expiry.
enum class ExpireCondition : uint8_t { kNone, kNx, kXx, kGt, kLt };

ExpireCondition TakeExpireCondition(Arguments& args);
/// An item without expiry never expires, which is later than every time.
bool Meets(ExpireCondition condition, int64_t old_ms, int64_t new_ms);

/// Takes "FIELDS numfields" and checks that as many items follow, to the end.
void TakeItemCount(Arguments& args, const ItemWords& words, std::string_view bad_count);

/// Erases the expired members of a set; does nothing for any other key. For commands that then read
/// it as if none could expire, or that a log repeats at a time at which nothing does. Earlier views
/// of the key are invalid. REQUIRES: the key's stripe is held.
void EraseExpiredMembers(Call& call, std::string_view key);

/// How the two types change their items.
struct HashFields {
  using View = Hash;
  using Mutable = MutableHash;
  static const ItemWords kWords;

  static std::optional<int64_t> ExpiryOf(const Hash& hash, std::string_view field, int64_t now_ms) {
    return hash.FieldExpiry(field, now_ms);
  }
  static void Erase(MutableHash& hash, std::string_view field, int64_t now_ms) {
    hash.Erase(field, now_ms);
  }
  static void Expire(MutableHash& hash, std::string_view field, int64_t at_ms, int64_t now_ms) {
    hash.SetFieldExpiry(field, at_ms, now_ms);
  }
  static bool Persist(MutableHash& hash, std::string_view field, int64_t now_ms) {
    return hash.PersistField(field, now_ms);
  }
};

struct SetMembers {
  using View = Set;
  using Mutable = MutableSet;
  static const ItemWords kWords;

  static std::optional<int64_t> ExpiryOf(const Set& set, std::string_view member, int64_t) {
    return set.MemberExpiry(member);
  }
  static void Erase(MutableSet& set, std::string_view member, int64_t) { set.Remove(member); }
  static void Expire(MutableSet& set, std::string_view member, int64_t at_ms, int64_t) {
    set.SetMemberExpiry(member, at_ms);
  }
  static bool Persist(MutableSet& set, std::string_view member, int64_t) {
    return set.PersistMember(member);
  }
};

/// Replies WRONGTYPE if the key holds another type: these commands check their key before their
/// arguments.
template <typename Items>
bool HoldsOther(Call& call) {
  const Entry* entry = call.Find(call.arg(1));
  if (entry == nullptr || entry->type() == Items::View::kType) return false;
  call.Error(kWrongType);
  return true;
}

/// Sets an item's expiry, or removes the item if that time has passed.
template <typename Items>
ItemReply ExpireItem(typename Items::Mutable& value, std::string_view item, int64_t at_ms,
                     ExpireCondition condition, int64_t now_ms) {
  const std::optional<int64_t> old_ms = Items::ExpiryOf(value.view(), item, now_ms);
  if (!old_ms) return kNoItem;
  if (!Meets(condition, *old_ms, at_ms)) return kUnmet;
  if (at_ms <= now_ms) {
    Items::Erase(value, item, now_ms);
    return kGone;
  }
  Items::Expire(value, item, at_ms, now_ms);
  return kDone;
}

template <typename Items>
ItemReply PersistItem(typename Items::Mutable& value, std::string_view item, int64_t now_ms) {
  if (Items::Persist(value, item, now_ms)) return kDone;
  return Items::ExpiryOf(value.view(), item, now_ms) ? kNoExpirySet : kNoItem;
}

/// HEXPIRE and its forms: key time [NX | XX | GT | LT] FIELDS numfields field ...
template <typename Items>
void ExpireItems(Call& call, ExpireForm form) {
  if (HoldsOther<Items>(call)) return;
  Arguments args(call, 2);
  const int64_t at_ms = TakeFieldExpireTime(args, form);
  const ExpireCondition condition = TakeExpireCondition(args);
  TakeItemCount(args, Items::kWords, Items::kWords.not_above_0);
  if (!args.Finish()) return;
  Writing<typename Items::Mutable> value(call, call.arg(1));
  ItemTally tally;
  call.reply().Array(args.left());
  for (std::string_view item : args.Rest()) {
    const ItemReply outcome = ExpireItem<Items>(*value, item, at_ms, condition, call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (!tally.changed()) return;
  value.Changed(tally.deleted > 0 ? Items::kWords.erase_event : Items::kWords.expire_event);
}

/// HTTL and its forms: key FIELDS numfields field ...
template <typename Items>
void ReplyItemExpiries(Call& call, ExpireForm form) {
  Reading<typename Items::View> value(call, call.arg(1));
  if (!value.ok()) return;
  Arguments args(call, 2);
  TakeItemCount(args, Items::kWords, Items::kWords.not_positive);
  if (!args.Finish()) return;
  const int64_t base_ms = form.absolute ? 0 : call.now_ms();
  call.reply().Array(args.left());
  for (std::string_view item : args.Rest()) {
    const std::optional<int64_t> at_ms = Items::ExpiryOf(*value, item, call.now_ms());
    if (!at_ms) {
      call.reply().Integer(kNoItem);
    } else if (*at_ms == kNever) {
      call.reply().Integer(kNoExpirySet);
    } else if (form.unit_ms != 1) {
      call.reply().Integer((*at_ms - base_ms + 999) / 1000);
    } else {
      call.reply().Integer(*at_ms - base_ms);
    }
  }
}

/// HPERSIST: key FIELDS numfields field ...
template <typename Items>
void PersistItems(Call& call) {
  Writing<typename Items::Mutable> value(call, call.arg(1));
  if (!value.ok()) return;
  Arguments args(call, 2);
  TakeItemCount(args, Items::kWords, Items::kWords.not_positive);
  if (!args.Finish()) return;
  ItemTally tally;
  call.reply().Array(args.left());
  for (std::string_view item : args.Rest()) {
    const ItemReply outcome = PersistItem<Items>(*value, item, call.now_ms());
    tally.Count(outcome);
    call.reply().Integer(outcome);
  }
  if (tally.changed()) value.Changed(Items::kWords.persist_event);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_ITEM_EXPIRY_H_
