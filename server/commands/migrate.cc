// MIGRATE: moves keys to another server.
//
// Redis stops for as long as that takes. Here a worker talks to the other server, with shared
// copies of the values, and afterwards removes only the keys that still hold what was sent.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/rdb/dump_payload.h"
#include "server/commands/families.h"
#include "server/commands/support/migration_target.h"
#include "server/config/config.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/secrets.h"
#include "server/roles/replication.h"
#include "storage/access/write_scope.h"
#include "storage/values/shared_value.h"

namespace cloakroom {
namespace {

constexpr int64_t kUsualLimitMs = 1000;

// The places of the arguments that are always there.
constexpr size_t kKeyAt = 3;
constexpr size_t kDbAt = 4;
constexpr size_t kLimitAt = 5;
constexpr size_t kOptionsAt = 6;

/// A key as it was when MIGRATE began.
struct Traveller {
  std::string key;
  SharedValue value;
  int64_t expire_at_ms;
};

/// What MIGRATE's arguments say, and the keys that there are.
struct Migration {
  std::string host;
  std::string port;
  int64_t db = 0;  ///< of the other server
  std::chrono::milliseconds limit{kUsualLimitMs};
  bool copy = false;
  bool replace = false;
  std::vector<std::string> credentials;  ///< a password, or a user and a password
  std::vector<Traveller> travellers;
  DumpOptions format;
};

/// Takes the options. Returns where the keys begin: behind KEYS, or the one in front.
size_t TakeMigrateOptions(Call& call, Arguments& args, Migration& migration) {
  while (args.More()) {
    if (args.Word("COPY")) {
      migration.copy = true;
    } else if (args.Word("REPLACE")) {
      migration.replace = true;
    } else if (args.Word("AUTH")) {
      migration.credentials = {std::string(args.String())};
    } else if (args.Word("AUTH2", 2)) {
      migration.credentials = {std::string(args.String()), std::string(args.String())};
    } else if (args.Word("KEYS")) {
      if (call.arg(kKeyAt).empty()) return args.at();
      args.Fail(
          "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
    } else {
      args.SyntaxError();
    }
  }
  return kKeyAt;
}

/// The port that Redis would take the word for, which reads it as C's atoi does.
std::string PortOf(const std::string& word) {
  return absl::StrCat(static_cast<int>(std::strtol(word.c_str(), nullptr, 10)));
}

/// Nullptr after an error reply.
std::shared_ptr<Migration> ReadMigration(Call& call) {
  auto migration = std::make_shared<Migration>();
  migration->host = call.arg(1);
  migration->port = PortOf(std::string(call.arg(2)));
  Arguments args(call, kOptionsAt);
  const size_t first = TakeMigrateOptions(call, args, *migration);
  const size_t end = first == kKeyAt ? kKeyAt + 1 : call.argc();
  args.GoTo(kLimitAt);
  const int64_t limit_ms = args.Integer();
  args.GoTo(kDbAt);
  migration->db = args.Integer();
  if (!args.Finish()) return nullptr;
  if (limit_ms > 0) migration->limit = std::chrono::milliseconds(limit_ms);
  for (size_t i = first; i < end; ++i) {
    const Entry* entry = call.Find(call.arg(i));
    if (entry == nullptr || AllItemsExpired(entry->value(), call.now_ms())) continue;
    migration->travellers.push_back(
        {std::string(call.arg(i)), SharedValue(entry->value()), entry->expire_at_ms()});
  }
  migration->format = {.version = call.server().settings().rdb_version,
                       .compression = call.server().settings().rdbcompression,
                       .now_ms = call.now_ms()};
  return migration;
}

/// Sends everything and reads the replies. Thread rule: one worker.
class Journey {
 public:
  Journey(const Migration& migration, const Clock& clock)
      : migration_(migration), clock_(clock), target_(migration.limit) {}

  /// The first error; its message is the reply.
  absl::Status Run() {
    const absl::Status connected = target_.Connect(migration_.host, migration_.port);
    if (!connected.ok() && !absl::IsUnavailable(connected)) {
      return Refused("IOERR error or timeout connecting to the client");
    }
    // Redis notices that it was refused only when it writes.
    if (!connected.ok() || !SendAll().ok()) {
      return Refused("IOERR error or timeout writing to target instance");
    }
    return ReadReplies();
  }
  /// The keys that the other server now has, even after an error.
  const std::vector<const Traveller*>& arrived() const { return arrived_; }

 private:
  absl::Status SendAll() {
    if (!migration_.credentials.empty()) {
      std::vector<std::string_view> words = {"AUTH"};
      words.insert(words.end(), migration_.credentials.begin(), migration_.credentials.end());
      if (absl::Status sent = target_.Send(words); !sent.ok()) return sent;
    }
    const std::string db = absl::StrCat(migration_.db);
    absl::Status sent = target_.Send(std::vector<std::string_view>{"SELECT", db});
    for (size_t i = 0; i < migration_.travellers.size() && sent.ok(); ++i) {
      sent = SendOne(migration_.travellers[i]);
    }
    return sent;
  }

  absl::Status SendOne(const Traveller& traveller) {
    int64_t left_ms = 0;
    if (traveller.expire_at_ms != kNoExpiry) {
      left_ms = traveller.expire_at_ms - clock_.NowMs();
      if (left_ms < 0) return absl::OkStatus();
      left_ms = std::max<int64_t>(left_ms, 1);
    }
    const std::string payload = DumpValue(traveller.value.view(), migration_.format);
    const std::string ttl = absl::StrCat(left_ms);
    std::vector<std::string_view> words = {"RESTORE", traveller.key, ttl, payload};
    if (migration_.replace) words.emplace_back("REPLACE");
    if (absl::Status sent = target_.Send(words); !sent.ok()) return sent;
    sent_.push_back(&traveller);
    return absl::OkStatus();
  }

  /// kFailedPrecondition: the other server has replied with an error. kUnavailable: it does not
  /// answer, or in no language of ours: whoever listens there has not taken the keys.
  absl::Status ReadReply() {
    const absl::StatusOr<std::string> reply = target_.Reply();
    if (reply.ok() && reply->starts_with('+')) return absl::OkStatus();
    if (reply.ok() && reply->starts_with('-')) {
      return Refused(absl::StrCat("ERR Target instance replied with error: ", reply->substr(1)));
    }
    return absl::UnavailableError("IOERR error or timeout reading to target instance");
  }

  absl::Status ReadReplies() {
    absl::Status first_error;
    // SELECT, or AUTH and SELECT.
    const size_t before = migration_.credentials.empty() ? 1 : 2;
    for (size_t i = 0; i < before; ++i) {
      const absl::Status reply = ReadReply();
      first_error.Update(reply);
      if (absl::IsUnavailable(reply)) return first_error;
    }
    const bool admitted = first_error.ok();
    for (const Traveller* traveller : sent_) {
      const absl::Status reply = ReadReply();
      first_error.Update(reply);
      if (absl::IsUnavailable(reply)) return first_error;
      if (admitted && reply.ok()) arrived_.push_back(traveller);
    }
    return first_error;
  }

  const Migration& migration_;
  const Clock& clock_;
  MigrationTarget target_;
  std::vector<const Traveller*> sent_;
  std::vector<const Traveller*> arrived_;
};

/// Removes the key if it still is what was sent. False: it has changed, and stays.
bool RemoveUnchanged(Hold& hold, Database& db, const Traveller& traveller, int64_t now_ms) {
  const KeyHash hash = KeyHash::Of(traveller.key);
  MutexLock lock(db.StripeOf(hash).mutex);
  WriteScope scope(hold, db, traveller.key, hash, now_ms);
  if (!scope.exists()) return true;
  if (!traveller.value.Is(scope.entry()->value()) ||
      scope.expire_at_ms() != traveller.expire_at_ms) {
    return false;
  }
  scope.Delete();
  scope.Changed("del");
  return true;
}

void Migrate(Call& call) {
  std::shared_ptr<Migration> migration = ReadMigration(call);
  if (migration == nullptr) return;
  if (migration->travellers.empty()) return call.reply().Simple("NOKEY");
  call.StartLongWork([migration = std::move(migration), &db = call.db(),
                      &clock = call.server().clock(),
                      &replication = call.server().replication()](LongWork& work) -> Task {
    Journey journey(*migration, clock);
    const absl::Status moved = journey.Run();
    size_t kept = 0;
    if (!migration->copy) {
      for (const Traveller* traveller : journey.arrived()) {
        co_await work.Step(db, [&](Hold& hold) {
          // The server may have become a replica while they were sent.
          const bool removes =
              !replication.read_only() && RemoveUnchanged(hold, db, *traveller, clock.NowMs());
          kept += removes ? 0 : 1;
        });
      }
    }
    if (!moved.ok()) {
      work.Error(ReplyOf(moved));
    } else if (kept > 0) {
      work.Error(absl::StrCat(
          "ERR ", kept, " keys were changed while they were sent, and were not removed here"));
    } else {
      work.reply.Ok();
    }
  });
}

/// The key in front or, if that is empty, those behind KEYS; an error if both are there.
bool FindMigratedKeys(CommandArguments args, KeyPositions* positions) {
  constexpr uint16_t kFlags = kRW | kAccess | kDelete;
  for (size_t i = kOptionsAt; i + 1 < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "auth")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "auth2")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "keys")) {
      if (!args[kKeyAt].empty()) return false;
      for (size_t key = i + 1; key < args.size(); ++key) positions->push_back({key, kFlags});
      return true;
    }
  }
  positions->push_back({kKeyAt, kFlags});
  return true;
}

// Read as a table.
// clang-format off
constexpr CommandRow kMigrateCommands[] = {
    {.name = "migrate", .run = Migrate, .arity = -6,
     .flags = kWrite | kMovableKeys | kNoScript | kNoMulti | kRandomOutput,
     .categories = kCatDangerous,
     .keys = {Key(3, kRW | kAccess | kDelete),
              KeysAfter("KEYS", -2, {.last = -1}, kRW | kAccess | kDelete | kIncomplete)},
     .find_keys = FindMigratedKeys, .hide_secrets = HideMigrateSecrets, .since = "2.6.0",
     .complexity = "O(N) for values of N bytes or items.",
     .syntax = "host port <key_or_empty_string: key | <empty_string: \"\">> destination-db "
               "timeout:integer [COPY] [REPLACE] [authentication: [AUTH password] | "
               "[username_password: AUTH2 username password]] [KEYS key [key ...]]",
     .summary = "Moves keys to another server."},
};
// clang-format on

}  // namespace

CommandFamily MigrateCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kMigrateCommands}; }

}  // namespace cloakroom
