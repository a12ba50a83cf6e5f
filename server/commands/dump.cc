// DUMP RESTORE: a value as bytes, in the form of RDB files, and back.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/text.h"
#include "replication/rdb/dump_payload.h"
#include "replication/rdb/rdb_decoder.h"
#include "server/commands/families.h"
#include "server/commands/support/log_stored.h"
#include "server/config/config.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/execution/relative_time.h"
#include "storage/base/integer_text.h"
#include "storage/keyspace/access_clock.h"
#include "storage/values/shared_value.h"

namespace cloakroom {
namespace {

/// A value of more bytes than this is written on a worker, and a longer payload is read there: it
/// takes a millisecond or more. A compressed payload may hold some 80 times its bytes.
constexpr size_t kMaxInlineValue = 64 * 1024;
constexpr size_t kMaxInlinePayload = 16 * 1024;

void ReplyDump(ReplyWriter& reply, const ValueView& value, const DumpOptions& options) {
  const std::string payload = DumpValue(value, options);
  if (payload.empty()) return reply.Null();
  reply.Bulk(std::string_view(payload));
}

void Dump(Call& call) {
  const Entry* entry = call.Find(call.arg(1));
  if (entry == nullptr) return call.reply().Null();
  const ValueView value = entry->value();
  const Config& settings = call.server().settings();
  const DumpOptions options{.version = settings.rdb_version,
                            .compression = settings.rdbcompression,
                            .now_ms = call.now_ms()};
  if (value.payload.size() + ValueMemory(value) <= kMaxInlineValue) {
    return ReplyDump(call.reply(), value, options);
  }
  call.StartLongWork([shared = SharedValue(value), options](LongWork& work) {
    ReplyDump(work.reply, shared.view(), options);
  });
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;
  access_clock::Recorded access;
};

std::optional<RestoreOptions> TakeRestoreOptions(Call& call) {
  RestoreOptions options;
  access_clock::Recorded& access = options.access;
  Arguments args(call, 4);
  while (args.More()) {
    if (args.Word("REPLACE")) {
      options.replace = true;
    } else if (args.Word("ABSTTL")) {
      options.absolute = true;
    } else if (access.lfu_counter < 0 && args.Word("IDLETIME", 1)) {
      access.idle_seconds = args.Integer();
      if (access.idle_seconds < 0) args.Fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (access.idle_seconds < 0 && args.Word("FREQ", 1)) {
      const int64_t counter = args.Integer();
      if (counter < 0 || counter > UINT8_MAX) {
        args.Fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
      }
      access.lfu_counter = static_cast<int>(counter);
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Finish()) return std::nullopt;
  return options;
}

/// A payload decoded into a value outside the keyspace, or what is wrong with it.
class RestoredValue {
 public:
  RestoredValue(std::string_view payload, const EncodingLimits& limits, int log_version)
      : decoder_(limits) {
    const absl::StatusOr<DumpPayload> read = ReadDumpPayload(payload);
    if (!read.ok()) {
      status_ = Refused(Concat({"ERR ", ReplyOf(read.status())}));
      return;
    }
    const absl::Status decoded = decoder_.Decode(read->type, read->dialect, read->value);
    if (!decoded.ok() || !value().exists()) {
      status_ = Refused("ERR Bad data format");
      return;
    }
    if (read->version > log_version) {
      for_log_ = DumpValue(value().view(), {.version = log_version, .now_ms = kNothingExpiresMs});
    }
  }

  /// An error's message is the reply.
  const absl::Status& status() const { return status_; }
  MemorySlot& value() { return decoder_.value(); }
  /// The payload in a form that the servers can read which read our log; empty if the original is
  /// one.
  std::string_view for_log() const { return for_log_; }

 private:
  RdbDecoder decoder_;
  absl::Status status_;
  std::string for_log_;
};

/// Reads the payload here or, if it is long, on a worker. Null: the command runs again later.
std::shared_ptr<RestoredValue> ReadPayload(Call& call) {
  if (auto prepared = call.prepared<RestoredValue>()) return prepared;
  const std::string_view payload = call.arg(3);
  const EncodingLimits& limits = call.server().keyspace().encoding_limits();
  const int version = PayloadVersion(call.server());
  if (payload.size() <= kMaxInlinePayload || !call.may_prepare()) {
    return std::make_shared<RestoredValue>(payload, limits, version);
  }
  call.PrepareOnWorker([bytes = std::string(payload), limits, version](LongWork& work) {
    work.prepared = std::make_shared<RestoredValue>(bytes, limits, version);
  });
  return nullptr;
}

uint32_t AccessWord(Call& call, const access_clock::Recorded& recorded) {
  Keyspace& keyspace = call.server().keyspace();
  const int64_t now_ms =
      call.now_ms() == kNothingExpiresMs ? keyspace.clock().NowMs() : call.now_ms();
  return access_clock::Restored(recorded, UsesLfu(keyspace.settings().policy), now_ms);
}

/// Makes the value the key's. The log gets the payload with the absolute expiry, so that it does
/// not depend on the time at which it is read.
void PutRestored(Call& call, WriteScope& scope, RestoredValue& restored, int64_t expire_at_ms,
                 uint32_t access) {
  const bool expires = expire_at_ms != kNoExpiry;
  const IntegerText time(expires ? expire_at_ms : 0);
  const std::string_view payload = restored.for_log().empty() ? call.arg(3) : restored.for_log();
  const std::string_view words[] = {"RESTORE", call.arg(1), time.view(),
                                    payload,   "ABSTTL",    "REPLACE"};
  scope.LogAs(call.db().index(), words);
  // As in Redis, whose event "new" comes even if a key is replaced.
  if (scope.exists()) scope.Delete();
  MemorySlot& value = restored.value();
  Entry* const model = Entry::Create({}, kNoExpiry, value.type(), value.encoding(), 0);
  model->set_outgrown(value.outgrown());
  model->set_access(access);
  if (scope.exists()) scope.Delete();
  scope.Adopt(*model, value.bytes(), expire_at_ms);
  Entry::Destroy(model);
  value.GiveAway();
  scope.Changed("restore");
}

void Restore(Call& call) {
  const std::optional<RestoreOptions> options = TakeRestoreOptions(call);
  if (!options) return;
  // Opened and not looked up, since that counts as a use but not as a hit.
  if (!options->replace && call.Open(call.arg(1)).exists()) {
    return call.Error("BUSYKEY Target key name already exists.");
  }
  const std::optional<int64_t> ttl = call.Integer(2);
  if (!ttl) return;
  if (*ttl < 0) return call.Error("ERR Invalid TTL value, must be >= 0");
  const std::shared_ptr<RestoredValue> restored = ReadPayload(call);
  if (restored == nullptr) return;
  if (!restored->status().ok()) return call.Error(ReplyOf(restored->status()));

  int64_t expire_at_ms = *ttl == 0 ? kNoExpiry : *ttl;
  if (*ttl > 0 && !options->absolute) {
    // As in Redis, a time that does not fit wraps around, and is in the past.
    constexpr int64_t kLongAgo = 1;
    expire_at_ms = *ttl > INT64_MAX - call.now_ms() ? kLongAgo : *ttl + call.now_ms();
  }
  const bool expired = (expire_at_ms != kNoExpiry && expire_at_ms <= call.now_ms()) ||
                       AllItemsExpired(restored->value().view(), call.now_ms());
  WriteScope scope(call.hold(), call.db(), call.arg(1), call.HashOf(call.arg(1)), call.now_ms());
  if (!expired) {
    PutRestored(call, scope, *restored, expire_at_ms, AccessWord(call, options->access));
  } else if (scope.exists()) {
    scope.Delete();
    scope.Changed("del");
  }
  call.reply().Ok();
}

// Read as a table.
// clang-format off
constexpr CommandRow kDumpCommands[] = {
    {.name = "dump", .run = Dump, .arity = 2, .flags = kReadonly | kRandomOutput,
     .keys = {Key(1, kRO | kAccess)}, .since = "2.6.0",
     .complexity = "O(N) for a value of N bytes or items.",
     .syntax = "key", .summary = "Returns the value of a key as bytes, for RESTORE."},
    {.name = "restore", .run = Restore, .arity = -4, .flags = kWrite | kDenyOom,
     .categories = kCatDangerous, .keys = {Key(1, kOW | kUpdate)}, .to_absolute = RestoreToAbsolute,
     .since = "2.6.0",
     .complexity = "O(N) for a value of N bytes or items.",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
     .summary = "Makes a key of the bytes that DUMP has returned."},
    {.name = "restore-asking", .run = Restore, .arity = -4,
     .flags = kWrite | kDenyOom | kAsking | kSystem, .categories = kCatDangerous,
     .keys = {Key(1, kOW | kUpdate)}, .to_absolute = RestoreToAbsolute, .since = "3.0.0",
     .complexity = "O(N) for a value of N bytes or items.",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
     .summary = "RESTORE for keys that move between the nodes of a cluster."},
};
// clang-format on

}  // namespace

CommandFamily DumpCommands() { return {CommandGroup::kGeneric, kCatKeyspace, kDumpCommands}; }

}  // namespace cloakroom
