#ifndef CLOAKROOM_REPLICATION_STREAM_STREAM_CHUNKS_H_
#define CLOAKROOM_REPLICATION_STREAM_STREAM_CHUNKS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"

namespace cloakroom {

/// The memory of a stream of bytes: chunks of 64 KB, found by position. A chunk comes into being
/// when somebody first writes to it, and goes when everything in it has been trimmed.
///
/// Finding a chunk takes two loads. They go through a ring of the chunks that there are, which
/// doubles when it is too small for them; the smaller rings stay until the end, for threads that
/// look at them.
///
/// Thread rule: any thread. Two threads must not write to the same position, and who reads must
/// know that the bytes were written (see ChangeStream). Nobody may use a position that was trimmed.
class StreamChunks {
 public:
  static constexpr size_t kChunkBytes = 64 * 1024;
  /// Trimmed chunks that are kept for the next bytes, so that in a steady state no memory is asked
  /// for or given back.
  static constexpr size_t kMaxSpares = 8;
  static constexpr int64_t kUnknown = -1;

  StreamChunks();
  ~StreamChunks();
  StreamChunks(const StreamChunks&) = delete;
  StreamChunks& operator=(const StreamChunks&) = delete;

  /// The memory of the byte at the position and of those behind it up to the chunk's end.
  char* At(int64_t position);
  /// How many bytes from the position on lie in one chunk.
  static size_t RoomAt(int64_t position) {
    return kChunkBytes - static_cast<size_t>(position) % kChunkBytes;
  }
  /// The bytes from `begin` on that lie in one chunk, up to `end`. REQUIRES: they were written.
  std::string_view Read(int64_t begin, int64_t end) {
    const size_t wanted = static_cast<size_t>(end - begin);
    return {At(begin), std::min(wanted, RoomAt(begin))};
  }

  /// Notes that a record which began in an earlier chunk ends here.
  void NoteRecordEnd(int64_t position);
  /// The first noted end of a record at or behind `position`, but not behind `limit`, which is one.
  int64_t RecordEnd(int64_t position, int64_t limit);

  /// Frees what lies before the position. Never goes back.
  void Trim(int64_t position);
  /// Frees the chunks behind the one of `position`, up to that of `end`. Nobody may use them.
  void Cut(int64_t position, int64_t end);
  /// Of the chunks that there are, with the spare ones.
  int64_t memory() const { return memory_.load(std::memory_order_relaxed); }

 private:
  struct Chunk {
    /// Which chunk of the stream this is; kUnknown: none. Stored last, and read first.
    std::atomic<int64_t> number = kUnknown;
    std::atomic<char*> bytes = nullptr;
    std::atomic<int64_t> record_end = kUnknown;  ///< of the record that began before it
  };
  struct Ring {
    explicit Ring(size_t size) : mask(size - 1), chunks(size) {}
    Chunk& operator[](int64_t number) { return chunks[static_cast<size_t>(number) & mask]; }

    const size_t mask;  ///< the size, a power of two, less one
    std::vector<Chunk> chunks;
  };
  static int64_t NumberOf(int64_t position) { return position / static_cast<int64_t>(kChunkBytes); }

  /// The chunk with this number, which is made if there is none.
  Chunk& Find(int64_t number);
  Chunk& Make(int64_t number);
  void Drop(int64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Grow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  char* Allocate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Free(char* bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<Ring*> ring_;
  std::atomic<int64_t> memory_ = 0;

  Mutex mutex_;
  std::vector<std::unique_ptr<Ring>> rings_ ABSL_GUARDED_BY(mutex_);
  std::vector<char*> spares_ ABSL_GUARDED_BY(mutex_);
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  ///< the first chunk that is not trimmed
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_STREAM_CHUNKS_H_
