#include "replication/rdb/rdb_inserter.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "storage/access/bulk_insert.h"
#include "storage/keyspace/access_clock.h"

namespace cloakroom {
namespace {

RdbError ErrorIn(const RdbRecord& record, std::optional<std::string_view> key,
                 std::string message) {
  RdbError error;
  error.offset = record.offset;
  error.message = std::move(message);
  if (key) error.key = std::string(*key);
  error.stage = key ? RdbStage::kValue : RdbStage::kKey;
  error.type = record.type;
  return error;
}

}  // namespace

RdbInserter::RdbInserter(Keyspace& keyspace, const RdbInsertOptions& options)
    : keyspace_(keyspace),
      options_(options),
      uses_lfu_(UsesLfu(keyspace.settings().policy)),
      builder_(keyspace.encoding_limits()) {}

std::optional<RdbError> RdbInserter::Insert(const RdbRecord& record) {
  const std::optional<std::string_view> key = decoder_.Key(record);
  if (!key) return ErrorIn(record, std::nullopt, "Invalid LZF compressed string");
  if (record.db >= keyspace_.database_count()) {
    RdbError error =
        ErrorIn(record, key,
                absl::StrCat("it is in database ", record.db, ", and the setting `databases` is ",
                             keyspace_.database_count()));
    error.cause = RdbCause::kSettings;
    return error;
  }
  const bool expires = record.expire_at_ms != kNoExpiry;
  const bool expired = expires && record.expire_at_ms <= options_.now_ms;
  if (expired && options_.drop_expired) {
    counts_.expired += 1;
    return std::nullopt;
  }
  builder_.Clear();
  if (auto error = decoder_.Decode(record.type, record.dialect, record.value, builder_)) {
    builder_.Clear();
    RdbError found = ErrorIn(record, key, std::move(*error));
    const bool known = RdbDecoder::Knows(record.type, record.dialect);
    if (!known) found.cause = RdbCause::kUnsupported;
    return found;
  }
  if (!builder_.exists()) {
    counts_.empty += 1;
    return std::nullopt;
  }
  if (options_.drop_expired && builder_.lives_until_ms() <= options_.now_ms) {
    builder_.Clear();
    counts_.expired += 1;
    return std::nullopt;
  }
  const BulkEntry loaded{.key = *key,
                         .expire_at_ms = record.expire_at_ms,
                         .access = AccessOf(record),
                         .type = builder_.type(),
                         .encoding = builder_.encoding(),
                         .outgrown = builder_.outgrown(),
                         .replace = options_.replace,
                         .payload = builder_.payload()};
  if (!BulkInsert(keyspace_.db(record.db), KeyHash::Of(*key), loaded)) {
    builder_.Clear();
    return ErrorIn(record, key, "the key was in the file before");
  }
  builder_.Release();
  counts_.keys += 1;
  return std::nullopt;
}

uint32_t RdbInserter::AccessOf(const RdbRecord& record) const {
  if (uses_lfu_) {
    const uint32_t fresh = access_clock::LfuNew(options_.now_ms);
    constexpr uint32_t kCounter = 0xff;
    return record.lfu_counter < 0 ? fresh
                                  : (fresh & ~kCounter) | static_cast<uint32_t>(record.lfu_counter);
  }
  const int64_t idle_seconds = record.idle_seconds < 0 ? 0 : record.idle_seconds;
  return access_clock::LruAt(options_.now_ms - idle_seconds * 1000);
}

}  // namespace cloakroom
