#ifndef CLOAKROOM_SERVER_EXECUTION_COMMAND_H_
#define CLOAKROOM_SERVER_EXECUTION_COMMAND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"

namespace cloakroom {

class Call;
class Server;

/// The flags of a command that COMMAND INFO shows and the executor obeys. Redis' own words.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadonly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,
  kStale = 1u << 8,
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kFast = 1u << 11,
  kNoAuth = 1u << 12,
  kMayReplicate = 1u << 13,
  kNoMulti = 1u << 14,  ///< refused inside MULTI
  kAllowBusy = 1u << 15,
  kNoMandatoryKeys = 1u << 16,
  kMovableKeys = 1u << 17,
  kProtected = 1u << 18,          ///< needs enable-debug-command
  kUndeferred = 1u << 19,         ///< runs at once inside MULTI
  kRandomOutput = 1u << 20,       ///< tip nondeterministic_output
  kUnordered = 1u << 21,          ///< tip nondeterministic_output_order
  kInterpreter = 1u << 22,        ///< needs the Lua interpreter of its event loop
  kWhileSubscribed = 1u << 23,    ///< also for a RESP2 client that is subscribed
  kEndsMulti = 1u << 24,          ///< leaves MULTI: EXEC, DISCARD and others
  kRunsQueue = 1u << 25,          ///< inside MULTI it runs what its client has queued
  kRefusedWithWrites = 1u << 26,  ///< refused while writes are: PING, for health checks
  kSelects = 1u << 27,            ///< later commands of a transaction may use any database
  kNoAsyncLoading = 1u << 28,     ///< refused while a replica loads beside its old data
  kAsking = 1u << 29,             ///< for keys that move between the nodes of a cluster
  kSystem = 1u << 30,             ///< COMMAND DOCS: not for applications
  kKeepsCaching = 1u << 31,       ///< what CLIENT CACHING has said stays in force behind it
};

/// ACL categories beyond those that follow from the flags and the group.
enum CommandCategory : uint32_t {
  kCatKeyspace = 1u << 0,
  kCatString = 1u << 1,
  kCatHash = 1u << 2,
  kCatSet = 1u << 3,
  kCatBitmap = 1u << 4,
  kCatConnection = 1u << 5,
  kCatTransaction = 1u << 6,
  kCatScripting = 1u << 7,
  kCatDangerous = 1u << 8,
  kCatHyperLogLog = 1u << 9,
  kCatList = 1u << 10,
  kCatSortedSet = 1u << 11,
  kCatGeo = 1u << 12,
  kCatStream = 1u << 13,
  kCatAdmin = 1u << 14,
  kCatSession = 1u << 15,
};

/// COMMAND DOCS' group.
enum class CommandGroup : uint8_t {
  kConnection,
  kGeneric,
  kString,
  kBitmap,
  kHyperLogLog,
  kHash,
  kSet,
  kList,
  kSortedSet,
  kGeo,
  kTransactions,
  kPubSub,
  kScripting,
  kServer,
  kStream,
  kSession,
};

/// What the command does to the keys of a spec, as COMMAND INFO and GETKEYSANDFLAGS show it.
enum KeyFlag : uint16_t {
  kRO = 1,
  kRW = 2,
  kOW = 4,
  kRM = 8,
  kAccess = 16,
  kUpdate = 32,
  kInsert = 64,
  kDelete = 128,
  kNotKey = 256,
  kIncomplete = 512,
  kVariableFlags = 1024,
};

/// Where the keys are among the arguments, as in Redis' key specs: where they begin and how far
/// they go. Made by Key(), KeyRange(), CountedKeys(), KeysAfter() and UnknownKeys().
struct KeySpec {
  /// The first key. With `after`: where the search for the word begins; a negative number counts
  /// from the end, and the search goes backwards.
  int8_t first = 0;
  /// The last key, counted from the first one; negative: from the end of the arguments.
  int8_t last = 0;
  int8_t step = 1;
  /// With a negative `last`: only the first half (2) or third (3) of the arguments from the first
  /// key on are keys. 0: all are.
  int8_t limit = 0;
  /// The argument that says how many keys there are, used instead of `last`. 0: none.
  int8_t count_at = 0;
  uint16_t flags = 0;
  /// The keys begin behind this word, in any case. Without the word there are no keys.
  std::string_view after = {};
  /// There are such keys, but no spec can say where.
  bool unknown = false;
  /// For people who read COMMAND INFO.
  std::string_view notes = {};

  /// The same spec with notes.
  constexpr KeySpec Noted(std::string_view text) const {
    KeySpec spec = *this;
    spec.notes = text;
    return spec;
  }
  /// Whether the places of the keys depend on other arguments.
  bool movable() const { return count_at != 0 || !after.empty() || unknown; }
  /// Whether there is exactly one key, at `first`.
  bool single() const { return last == 0 && !movable(); }
};

/// These make the specs: one key at a position; keys from one position to another (negative: from
/// the end); numkeys and keys; keys behind a word; keys that only the command itself can find.
constexpr KeySpec Key(int8_t at, int flags) {
  return {.first = at, .flags = static_cast<uint16_t>(flags)};
}
constexpr KeySpec KeyRange(int8_t first, int8_t last, int8_t step, int flags) {
  return {.first = first,
          .last = static_cast<int8_t>(last < 0 ? last : last - first),
          .step = step,
          .flags = static_cast<uint16_t>(flags)};
}
constexpr KeySpec CountedKeys(int8_t count_at, int flags) {
  return {.first = static_cast<int8_t>(count_at + 1),
          .count_at = count_at,
          .flags = static_cast<uint16_t>(flags)};
}
/// For example XREAD's: KeysAfter("STREAMS", 1, {.last = -1, .limit = 2}, kRO | kAccess).
/// `search_from` is KeySpec's `first`; `range` gives `last`, `step` and `limit`. The command
/// function must find its keys in the same places: no others are locked.
constexpr KeySpec KeysAfter(std::string_view word, int8_t search_from, KeySpec range, int flags) {
  range.first = search_from;
  range.after = word;
  range.flags = static_cast<uint16_t>(flags);
  return range;
}
constexpr KeySpec UnknownKeys(int flags) {
  return {.flags = static_cast<uint16_t>(flags), .unknown = true};
}

/// The key specs of a row. They are stored in the row, since every request looks at the first one.
/// A row with more than kRoom specs does not compile; raise kRoom for it.
class KeySpecs {
 public:
  constexpr KeySpecs() = default;
  consteval KeySpecs(std::initializer_list<KeySpec> specs) {
    for (const KeySpec& spec : specs) specs_[size_++] = spec;
  }

  constexpr bool empty() const { return size_ == 0; }
  constexpr size_t size() const { return size_; }
  constexpr const KeySpec& operator[](size_t i) const { return specs_[i]; }
  constexpr const KeySpec* begin() const { return specs_.data(); }
  constexpr const KeySpec* end() const { return specs_.data() + size_; }

 private:
  static constexpr size_t kRoom = 4;  // no command of Redis has more than three

  size_t size_ = 0;
  std::array<KeySpec, kRoom> specs_ = {};
};

/// What a command must hold of the keyspace while it runs (storage/keyspace/hold.h).
enum class Access : uint8_t {
  kNone,   ///< nothing: it touches no keys, or takes what it needs itself, on a worker
  kKeys,   ///< the stripes of its keys
  kPass,   ///< the gate of its database, shared; it takes stripes one by one
  kEach,   ///< the gates of all databases, shared, one after another, on a worker
  kWhole,  ///< its database, exclusively
  kNamed,  ///< the databases that its arguments name, exclusively (CommandRow::named)
  kAll,    ///< all databases, exclusively
};

using CommandFunction = void (*)(Call&);
using CommandArguments = std::span<const std::string_view>;
using OwnedArguments = std::vector<std::string>;
using DatabaseNumbers = absl::InlinedVector<int, 2>;

/// A key among the arguments, with the flags of its spec.
struct KeyPosition {
  size_t index;
  uint16_t flags;
};
using KeyPositions = absl::InlinedVector<KeyPosition, 4>;

/// One command: all that the server, COMMAND and the tests' vocabulary know about it. A subcommand
/// is a row named "client|list"; the row of its container ("client") has no function, unless the
/// container is also a command by itself.
///
///   {.name = "get", .run = Get, .arity = 2, .flags = kReadonly | kFast,
///    .keys = {Key(1, kRO | kAccess)}, .since = "1.0.0", .complexity = "O(1)",
///    .syntax = "key", .summary = "Returns the string that a key holds."},
struct CommandRow {
  std::string_view name = {};  ///< lower case
  CommandFunction run = nullptr;
  /// The number of arguments, name included; -n: at least n.
  int arity = 0;
  uint32_t flags = 0;
  /// For scripts and functions, which declare what they do: their flags in place of the row's.
  /// Asked only when something refuses or holds back requests. Null: always `flags`.
  uint32_t (*flags_of)(Server&, CommandArguments, uint32_t flags) = nullptr;
  /// Categories besides its family's and those that follow from the flags.
  uint32_t categories = 0;
  KeySpecs keys = {};
  /// For commands whose keys depend on more than specs can say (SORT, MIGRATE): see FindKeys, which
  /// uses it instead of `keys`.
  bool (*find_keys)(CommandArguments, KeyPositions*) = nullptr;
  /// A row without keys has kNone, unless it says otherwise.
  Access access = Access::kKeys;
  /// For commands whose access depends on their arguments; null: always `access`.
  Access (*access_of)(Server&, CommandArguments) = nullptr;
  /// With kNamed: the databases that it changes; `own` is the client's. They may contain numbers of
  /// databases that do not exist; the command itself refuses those.
  DatabaseNumbers (*named)(CommandArguments, int own) = nullptr;
  /// The same with a time in place of an expiry that counts from now (relative_time.h); null: it
  /// never counts from now.
  std::optional<OwnedArguments> (*to_absolute)(CommandArguments, int64_t now_ms) = nullptr;
  /// Puts something else in the place of passwords among the arguments (secrets.h); null: there are
  /// none.
  void (*hide_secrets)(std::vector<std::string_view>& arguments) = nullptr;
  /// How a client of a cluster spreads the command over nodes and joins the replies: tips of
  /// COMMAND INFO, in Redis' words.
  std::string_view request_policy = {};
  std::string_view response_policy = {};
  std::string_view since = {};
  /// A command that others have replaced, and which; empty: it is not deprecated.
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  std::string_view complexity = {};
  /// Arguments: "key [condition: NX | XX] [GET] [expiration: EX seconds | PX milliseconds]". See
  /// server/commands/reference/command_syntax.h.
  std::string_view syntax = {};
  std::string_view summary = {};

  bool has(uint32_t flag) const { return (flags & flag) != 0; }
};

/// The commands of one file: what COMMAND DOCS calls their group, and the ACL categories that all
/// of them are in.
struct CommandFamily {
  CommandGroup group = CommandGroup::kGeneric;
  uint32_t categories = 0;
  std::span<const CommandRow> rows;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_COMMAND_H_
