#include "replication/rdb/rdb_inserter.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "storage/access/bulk_insert.h"
#include "storage/keyspace/access_clock.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// `key`: of the record, if it could be read.
RdbError ErrorIn(const RdbRecord& record, std::optional<std::string_view> key,
                 const std::string& message, RdbCause cause = RdbCause::kDamage) {
  RdbError error;
  error.offset = record.offset;
  error.message = message;
  if (key) error.key = std::string(*key);
  error.stage = key ? RdbStage::kValue : RdbStage::kKey;
  error.type = record.type;
  error.cause = cause;
  return error;
}

}  // namespace

RdbInserter::RdbInserter(Keyspace& keyspace, const RdbInsertOptions& options)
    : keyspace_(keyspace),
      options_(options),
      uses_lfu_(UsesLfu(keyspace.settings().policy)),
      decoder_(keyspace.encoding_limits()) {}

std::optional<RdbError> RdbInserter::Insert(const RdbRecord& record) {
  const absl::StatusOr<std::string_view> key = decoder_.Key(record);
  if (!key.ok()) return ErrorIn(record, std::nullopt, std::string(key.status().message()));
  if (record.db >= keyspace_.database_count()) {
    return ErrorIn(record, *key,
                   absl::StrCat("it is in database ", record.db,
                                ", and the setting `databases` is ", keyspace_.database_count()),
                   RdbCause::kSettings);
  }
  const bool expires = record.expire_at_ms != kNoExpiry;
  const bool expired = expires && record.expire_at_ms <= options_.now_ms;
  if (expired && options_.drop_expired) {
    counts_.expired += 1;
    return std::nullopt;
  }
  const absl::Status decoded =
      decoder_.Decode(record.type, record.dialect, record.value, record.item_expiries);
  if (!decoded.ok()) {
    return ErrorIn(record, *key, std::string(decoded.message()),
                   absl::IsUnimplemented(decoded) ? RdbCause::kUnsupported : RdbCause::kDamage);
  }
  MemorySlot& value = decoder_.value();
  if (!value.exists()) {
    counts_.empty += 1;
    return std::nullopt;
  }
  if (options_.drop_expired && AllItemsExpired(value.view(), options_.now_ms)) {
    counts_.expired += 1;
    return std::nullopt;
  }
  const EntryView loaded{.key = *key,
                         .value = value.view(),
                         .expire_at_ms = record.expire_at_ms,
                         .access = access_clock::Restored({.idle_seconds = record.idle_seconds,
                                                           .lfu_counter = record.lfu_counter},
                                                          uses_lfu_, options_.now_ms)};
  if (!BulkInsert(keyspace_.db(record.db), KeyHash::Of(*key), loaded, options_.replace).ok()) {
    return ErrorIn(record, *key, "the key was in the file before");
  }
  value.GiveAway();
  counts_.keys += 1;
  return std::nullopt;
}

}  // namespace cloakroom
