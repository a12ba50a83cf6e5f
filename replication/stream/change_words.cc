#include "replication/stream/change_words.h"

#include <initializer_list>

#include "absl/container/inlined_vector.h"
#include "storage/base/integer_text.h"
#include "storage/keyspace/entry.h"

namespace cloakroom {
namespace {

using Visit = absl::FunctionRef<void(std::span<const std::string_view>)>;

void Give(Visit visit, std::initializer_list<std::string_view> words) {
  visit({words.begin(), words.size()});
}

/// Visits the name followed by the change's own words.
void GiveBehind(std::string_view name, const Change& change, Visit visit) {
  absl::InlinedVector<std::string_view, 8> words = {name};
  words.insert(words.end(), change.words.begin(), change.words.end());
  visit(words);
}

/// Visits XGROUP with a subcommand, followed by the change's own words.
void GiveSubcommand(std::string_view name, const Change& change, Visit visit) {
  absl::InlinedVector<std::string_view, 8> words = {"XGROUP", name};
  words.insert(words.end(), change.words.begin(), change.words.end());
  visit(words);
}

/// FORCE also makes entries pending that were not. JUSTID, because it is no delivery of its own.
void GiveClaim(const Change& change, Visit visit) {
  const std::string_view deliveries = change.words[3];
  const IntegerText time(change.number);
  absl::InlinedVector<std::string_view, 16> words = {"XCLAIM", change.words[0], change.words[1],
                                                     change.words[2], "0"};
  words.insert(words.end(), change.words.begin() + 4, change.words.end());
  for (const std::string_view word :
       {std::string_view("TIME"), time.view(), std::string_view("RETRYCOUNT"), deliveries,
        std::string_view("FORCE"), std::string_view("JUSTID")}) {
    words.push_back(word);
  }
  visit(words);
}

void GiveString(const Change& change, OldestReader oldest, Visit visit) {
  const std::string_view key = change.words[0];
  const std::string_view bytes = change.words[1];
  const IntegerText time(change.number);
  if (change.number != kNoExpiry && oldest != OldestReader::kRedis5)
    return Give(visit, {"SET", key, bytes, "PXAT", time.view()});
  Give(visit, {"SET", key, bytes});
  if (change.number != kNoExpiry) Give(visit, {"PEXPIREAT", key, time.view()});
}

/// LPOP and RPOP with a count are of Redis 6.2.
void GivePop(const Change& change, OldestReader oldest, Visit visit) {
  const std::string_view key = change.words[0];
  const bool front = change.kind == ChangeKind::kPopFront;
  const std::string_view name = front ? "LPOP" : "RPOP";
  if (oldest != OldestReader::kRedis5)
    return Give(visit, {name, key, IntegerText(change.number).view()});
  if (change.number == 1) return Give(visit, {name, key});
  if (front) return Give(visit, {"LTRIM", key, IntegerText(change.number).view(), "-1"});
  Give(visit, {"LTRIM", key, "0", IntegerText(-change.number - 1).view()});
}

void GiveListChange(const Change& change, OldestReader oldest, Visit visit) {
  const std::string_view key = change.words[0];
  const IntegerText number(change.number);
  switch (change.kind) {
    case ChangeKind::kPushFront:
      return GiveBehind("LPUSH", change, visit);
    case ChangeKind::kPushBack:
      return GiveBehind("RPUSH", change, visit);
    case ChangeKind::kPopFront:
    case ChangeKind::kPopBack:
      return GivePop(change, oldest, visit);
    case ChangeKind::kSetElement:
      return Give(visit, {"LSET", key, number.view(), change.words[1]});
    case ChangeKind::kInsertElement:
      return Give(visit, {"LINSERT", key, change.number == 0 ? "BEFORE" : "AFTER", change.words[1],
                          change.words[2]});
    case ChangeKind::kEraseElements:
      return Give(visit, {"LREM", key, number.view(), change.words[1]});
    case ChangeKind::kTrimElements:
      return GiveBehind("LTRIM", change, visit);
    default:
      return;
  }
}

/// OBJECT ENCODING does not call a string of SET raw, but one of SETRANGE.
void GiveRawString(const Change& change, Visit visit) {
  const std::string_view key = change.words[0];
  Give(visit, {"DEL", key});
  Give(visit, {"SETRANGE", key, "0", change.words[1]});
  if (change.number != kNoExpiry) {
    Give(visit, {"PEXPIREAT", key, IntegerText(change.number).view()});
  }
}

void GiveExpiry(const Change& change, Visit visit) {
  const std::string_view key = change.words[0];
  if (change.number == kNoExpiry) return Give(visit, {"PERSIST", key});
  Give(visit, {"PEXPIREAT", key, IntegerText(change.number).view()});
}

/// Changes of streams and of their groups.
void GiveStreamChange(const Change& change, OldestReader oldest, Visit visit) {
  const bool counts = oldest == OldestReader::kRedis7;
  switch (change.kind) {
    case ChangeKind::kAddEntry:
      return GiveBehind("XADD", change, visit);
    case ChangeKind::kEraseEntry:
      return GiveBehind("XDEL", change, visit);
    case ChangeKind::kTrimEntries:
      return Give(visit, {"XTRIM", change.words[0], "MAXLEN", IntegerText(change.number).view()});
    case ChangeKind::kSetStreamIds:
      if (!counts) return Give(visit, {"XSETID", change.words[0], change.words[1]});
      return Give(visit, {"XSETID", change.words[0], change.words[1], "ENTRIESADDED",
                          change.words[2], "MAXDELETEDID", change.words[3]});
    case ChangeKind::kCreateGroup:
      if (!counts)
        return Give(visit, {"XGROUP", "CREATE", change.words[0], change.words[1], change.words[2],
                            "MKSTREAM"});
      return Give(visit, {"XGROUP", "CREATE", change.words[0], change.words[1], change.words[2],
                          "MKSTREAM", "ENTRIESREAD", change.words[3]});
    case ChangeKind::kSetGroup:
      if (!counts)
        return Give(visit, {"XGROUP", "SETID", change.words[0], change.words[1], change.words[2]});
      return Give(visit, {"XGROUP", "SETID", change.words[0], change.words[1], change.words[2],
                          "ENTRIESREAD", change.words[3]});
    case ChangeKind::kDestroyGroup:
      return GiveSubcommand("DESTROY", change, visit);
    case ChangeKind::kCreateConsumer:
      if (oldest == OldestReader::kRedis5) return;
      return GiveSubcommand("CREATECONSUMER", change, visit);
    case ChangeKind::kDeleteConsumer:
      return GiveSubcommand("DELCONSUMER", change, visit);
    case ChangeKind::kAcknowledge:
      return GiveBehind("XACK", change, visit);
    case ChangeKind::kClaimEntry:
      return GiveClaim(change, visit);
    default:
      return;
  }
}

}  // namespace

size_t CommandCount(const Change& change, OldestReader oldest) {
  const size_t expiry = change.number == kNoExpiry ? 0 : 1;
  if (change.kind == ChangeKind::kSetRawString) return 2 + expiry;
  if (oldest != OldestReader::kRedis5) return 1;
  if (change.kind == ChangeKind::kSetString) return 1 + expiry;
  return change.kind == ChangeKind::kCreateConsumer ? 0 : 1;
}

void ForEachCommand(const Change& change, OldestReader oldest, Visit visit) {
  const auto number = [&] { return IntegerText(change.number); };
  switch (change.kind) {
    case ChangeKind::kSetString:
      return GiveString(change, oldest, visit);
    case ChangeKind::kSetRawString:
      return GiveRawString(change, visit);
    case ChangeKind::kSetRange:
      return Give(visit, {"SETRANGE", change.words[0], number().view(), change.words[1]});
    case ChangeKind::kMakeRaw:
      return Give(visit, {"APPEND", change.words[0], ""});
    case ChangeKind::kSetExpiry:
      return GiveExpiry(change, visit);
    case ChangeKind::kRemoveKey:
      return GiveBehind("DEL", change, visit);
    case ChangeKind::kSetField:
      return GiveBehind("HSET", change, visit);
    case ChangeKind::kEraseField:
      return GiveBehind("HDEL", change, visit);
    case ChangeKind::kExpireField:
      return Give(visit,
                  {"HPEXPIREAT", change.words[0], number().view(), "FIELDS", "1", change.words[1]});
    case ChangeKind::kPersistField:
      return Give(visit, {"HPERSIST", change.words[0], "FIELDS", "1", change.words[1]});
    case ChangeKind::kAddMember:
      return GiveBehind("SADD", change, visit);
    case ChangeKind::kRemoveMember:
      return GiveBehind("SREM", change, visit);
    case ChangeKind::kExpireMember:
      return Give(
          visit, {"SPEXPIREAT", change.words[0], number().view(), "MEMBERS", "1", change.words[1]});
    case ChangeKind::kPersistMember:
      return Give(visit, {"SPERSIST", change.words[0], "MEMBERS", "1", change.words[1]});
    case ChangeKind::kPushFront:
    case ChangeKind::kPushBack:
    case ChangeKind::kPopFront:
    case ChangeKind::kPopBack:
    case ChangeKind::kSetElement:
    case ChangeKind::kInsertElement:
    case ChangeKind::kEraseElements:
    case ChangeKind::kTrimElements:
      return GiveListChange(change, oldest, visit);
    case ChangeKind::kSetScore:
      return GiveBehind("ZADD", change, visit);
    case ChangeKind::kRemoveScore:
      return GiveBehind("ZREM", change, visit);
    case ChangeKind::kAddEntry:
    case ChangeKind::kEraseEntry:
    case ChangeKind::kTrimEntries:
    case ChangeKind::kSetStreamIds:
    case ChangeKind::kCreateGroup:
    case ChangeKind::kSetGroup:
    case ChangeKind::kDestroyGroup:
    case ChangeKind::kCreateConsumer:
    case ChangeKind::kDeleteConsumer:
    case ChangeKind::kAcknowledge:
    case ChangeKind::kClaimEntry:
      return GiveStreamChange(change, oldest, visit);
    case ChangeKind::kFlushDatabase:
      return Give(visit, {"FLUSHDB"});
    case ChangeKind::kFlushAll:
      return Give(visit, {"FLUSHALL"});
    case ChangeKind::kSwapDatabases:
      return Give(visit, {"SWAPDB", IntegerText(change.db).view(), number().view()});
    case ChangeKind::kCommand:
      return visit(change.words);
  }
}

}  // namespace cloakroom
