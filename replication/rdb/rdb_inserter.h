#ifndef CLOAKROOM_REPLICATION_RDB_RDB_INSERTER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_INSERTER_H_

#include <cstdint>
#include <optional>

#include "replication/rdb/rdb_decoder.h"
#include "replication/rdb/rdb_error.h"
#include "replication/rdb/rdb_reader.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Which records are put into the keyspace.
struct RdbInsertOptions {
  /// A primary drops keys that have expired; a replica waits for the DEL.
  bool drop_expired = true;
  /// Replaces existing keys; otherwise one is an error.
  bool replace = false;
  int64_t now_ms = 0;
};

/// Decodes records and puts them into the keyspace; every loading thread has one. Thread rule: one
/// thread at a time; no command runs meanwhile (bulk_insert.h).
class RdbInserter {
 public:
  struct Counts {
    uint64_t keys = 0;     ///< put into the keyspace
    uint64_t expired = 0;  ///< dropped: the key, or all its fields, had expired
    uint64_t empty = 0;    ///< skipped: without elements
  };

  RdbInserter(Keyspace& keyspace, const RdbInsertOptions& options);

  /// What is wrong with the record; nothing of it is then in the keyspace.
  [[nodiscard]] std::optional<RdbError> Insert(const RdbRecord& record);

  const Counts& counts() const { return counts_; }

 private:
  Keyspace& keyspace_;
  const RdbInsertOptions options_;
  const bool uses_lfu_;
  RdbDecoder decoder_;
  Counts counts_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_INSERTER_H_
