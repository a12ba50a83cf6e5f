#ifndef CLOAKROOM_REPLICATION_RDB_RDB_LOAD_QUEUE_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_LOAD_QUEUE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "replication/rdb/rdb_error.h"
#include "replication/rdb/rdb_inserter.h"
#include "replication/rdb/rdb_reader.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Records of one chunk.
struct RdbBatch {
  std::shared_ptr<RdbChunk> chunk;
  std::vector<RdbRecord> records;
};

/// Inserts batches on several threads, including the one that adds them: when enough batches wait
/// it inserts some itself, so the queue is bounded. With one thread it starts no other.
/// Thread rule: the thread that made it.
class RdbLoadQueue {
 public:
  struct Loaded {
    RdbInserter::Counts counts;
    /// Records that could not be used, by offset; only some if there are many.
    std::vector<RdbError> errors;
    uint64_t error_count = 0;
  };

  RdbLoadQueue(Keyspace& keyspace, int threads, const RdbInsertOptions& options);
  ~RdbLoadQueue();
  RdbLoadQueue(const RdbLoadQueue&) = delete;
  RdbLoadQueue& operator=(const RdbLoadQueue&) = delete;

  void Add(RdbBatch batch);
  /// Whether a record could not be used so far.
  bool failed();
  /// Waits until everything is done.
  Loaded Finish();

 private:
  static constexpr size_t kMaxWaiting = 8;

  void Work();
  std::optional<RdbBatch> Take(bool wait);
  void Insert(RdbInserter& inserter, const RdbBatch& batch);
  void Settle(const RdbInserter& inserter);
  void EndThreads();

  Keyspace& keyspace_;
  const RdbInsertOptions options_;
  RdbInserter own_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<RdbBatch> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  Loaded outcome_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_LOAD_QUEUE_H_
