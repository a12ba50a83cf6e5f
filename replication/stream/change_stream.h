#ifndef CLOAKROOM_REPLICATION_STREAM_CHANGE_STREAM_H_
#define CLOAKROOM_REPLICATION_STREAM_CHANGE_STREAM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "replication/stream/stream_chunks.h"
#include "replication/stream/stream_writer.h"
#include "storage/changes/change.h"
#include "storage/changes/change_log.h"
#include "storage/gate/gate.h"

namespace cloakroom {

class ChangeStream;

/// Reads the stream. What lies behind its position is kept for it.
class StreamReader {
 public:
  virtual ~StreamReader() = default;
  /// Bytes were completed while it listened (ChangeStream::Listen). Any thread; must be quick.
  virtual void StreamMoved() = 0;

 private:
  friend class ChangeStream;
  std::atomic<int64_t> kept_ = INT64_MAX;
};

/// All changes of the keyspace as one sequence of bytes, in the order in which they were made, from
/// the start of the process: commands in RESP. The append-only log reads it, and so do replicas.
///
/// A position counts bytes from the beginning. A thread first reserves room for a record, while it
/// holds all stripes that the record's changes touch: one compare-and-swap, which also decides
/// whether the record must say its database. So the order of records is the order of the changes to
/// every key. Later, with nothing held, it copies the record there. Nobody waits for the copy but
/// the readers: they see the bytes before the first record that is not complete.
///
/// How readers know that: every thread has a slot with a lower bound of the record that it writes.
/// It sets the bound before it reserves. A reader first loads the tail, and then all bounds: the
/// bound of each record that is included in that tail is set, or its record is complete.
///
/// Memory: from the least position that a reader keeps on, in chunks of 64 KB.
///
/// Thread rule: any thread. A slot belongs to one thread; threads without one lease one.
class ChangeStream {
 public:
  /// Instead of a slot: lease one.
  static constexpr int kNoSlot = -1;
  /// Instead of a database: the record needs none, and selects none.
  static constexpr int kKeepsDb = -1;

  /// `own_slots`: how many threads have a slot of their own, with numbers from 0. Those with a
  /// greater number lease one.
  explicit ChangeStream(int own_slots);
  ChangeStream(const ChangeStream&) = delete;
  ChangeStream& operator=(const ChangeStream&) = delete;

  // ---- writing

  /// Reserves room for a record of so many bytes that needs `first_db` selected, and leaves
  /// `last_db` selected. Never waits. Until Complete() readers get no further.
  ChangePlace Reserve(int slot, size_t bytes, int first_db, int last_db);
  /// Writes what selects the place's database, if that is needed; the record follows.
  StreamWriter Begin(const ChangePlace& place);
  /// The record is written.
  void Complete(const ChangePlace& place);
  /// Wakes the readers that listen. After one or more Complete().
  void Announce() {
    if (listening_.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      WakeReaders();
  }
  /// An empty record. Until Complete() readers do not see what comes behind it. Sets `db` to the
  /// database that is selected there; kKeepsDb: none.
  ChangePlace ReserveEmpty(int* db);

  /// All of this for whole commands that any database may precede. Returns the position behind
  /// them.
  int64_t Append(std::string_view bytes);

  /// From now on this database is selected; kKeepsDb: none, so that the next record says its own.
  /// Returns the tail. REQUIRES: no change is made meanwhile; other records may be.
  int64_t SetDb(int db);

  /// Which database is selected; kKeepsDb: none.
  int selected_db() const { return DbOf(tail_.load(std::memory_order_relaxed)); }
  /// The position behind all records that were reserved.
  int64_t tail() const { return PositionOf(tail_.load(std::memory_order_relaxed)); }

  // ---- following another stream: its bytes are put behind the tail, and become records there

  /// The memory of the position and of those behind it, up to the end of a chunk, for bytes that
  /// are not part of the stream yet. REQUIRES: the position is not before the tail.
  std::span<char> Room(int64_t position) {
    return {chunks_.At(position), StreamChunks::RoomAt(position)};
  }
  /// The bytes from the tail to `end`, which are in Room(), are whole records from now on, behind
  /// which `db` is selected. The caller announces them. REQUIRES: nobody else appends.
  void Extend(int64_t end, int db);
  /// The bytes in Room() up to `end` are of no use any more.
  void Cut(int64_t end) { chunks_.Cut(tail(), end); }

  // ---- reading

  /// Everything before it is complete. It is where a record ends. A later call may return less,
  /// while a thread is about to reserve.
  int64_t Published() const;
  /// Calls `visit` with the bytes, piece by piece. REQUIRES: they are published and kept.
  template <typename Visit>
  void Read(int64_t begin, int64_t end, Visit visit) {
    while (begin < end) {
      const std::string_view piece = chunks_.Read(begin, end);
      visit(piece);
      begin += static_cast<int64_t>(piece.size());
    }
  }
  /// The end of a record at or behind `position`, or `limit` if none is known before that.
  int64_t RecordEnd(int64_t position, int64_t limit) { return chunks_.RecordEnd(position, limit); }

  static constexpr size_t kMostReaders = 4;
  static constexpr int64_t kNothing = INT64_MAX;
  /// Call before the first record or after the last one. REQUIRES: at most kMostReaders.
  void Add(StreamReader& reader);
  void Remove(StreamReader& reader);
  /// From now on the reader keeps what lies behind the position; at first kNothing.
  void Keep(StreamReader& reader, int64_t position);
  /// Between these two calls Announce() tells the readers. Readers check Published() after Listen.
  void Listen() { listening_.fetch_add(1, std::memory_order_seq_cst); }
  void EndListening() { listening_.fetch_sub(1, std::memory_order_seq_cst); }

  int64_t memory() const { return chunks_.memory(); }

 private:
  // The tail is one word: its position in the high 54 bits, and the selected database plus one.
  static constexpr int kDbBits = 10;
  static constexpr uint64_t kDbMask = (uint64_t{1} << kDbBits) - 1;
  /// A database with a greater number is selected before each record.
  static constexpr int kMaxDb = static_cast<int>(kDbMask) - 1;
  static constexpr int kLeasedSlots = 64;
  static constexpr int64_t kIdle = INT64_MAX;

  static int64_t PositionOf(uint64_t tail) { return static_cast<int64_t>(tail >> kDbBits); }
  static int DbOf(uint64_t tail) { return static_cast<int>(tail & kDbMask) - 1; }
  static uint64_t TailOf(int64_t position, int db);

  struct alignas(64) Slot {
    std::atomic<int64_t> bound = kIdle;
  };
  int Lease();
  void WakeReaders();
  const int own_slots_;
  std::unique_ptr<Slot[]> slots_;  ///< the threads' own ones, then those that are leased
  StreamChunks chunks_;

  alignas(64) std::atomic<uint64_t> tail_ = 0;
  alignas(64) std::atomic<uint64_t> leased_ = 0;  ///< a bit for each
  alignas(64) std::atomic<int> listening_ = 0;

  std::array<std::atomic<StreamReader*>, kMostReaders> readers_ = {};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_CHANGE_STREAM_H_
