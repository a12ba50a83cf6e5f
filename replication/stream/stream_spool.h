#ifndef CLOAKROOM_REPLICATION_STREAM_STREAM_SPOOL_H_
#define CLOAKROOM_REPLICATION_STREAM_STREAM_SPOOL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "replication/files/spool.h"
#include "replication/stream/change_stream.h"

namespace cloakroom {

/// What slow replicas still need of the stream and memory shall not keep: a spool of the stream
/// from the slowest replica on, to which it copies the oldest bytes of the memory whenever that
/// keeps too much. It only decides; its owner has a thread do the copying.
///
///   spool: [slowest ........ in_memory_) | memory: [in_memory_ ........ published)
///
/// Thread rule: one thread, its owner's; Copy for any thread.
class StreamSpool {
 public:
  static constexpr int64_t kNobody = ChangeStream::kNothing;
  /// Bytes that one Copy takes over.
  static constexpr int64_t kCopyBytes = int64_t{8} << 20;

  explicit StreamSpool(std::shared_ptr<SpoolSpace> space) : space_(std::move(space)) {}

  /// How much memory the stream may keep.
  struct Memory {
    int64_t backlog = 0;  ///< it keeps as much in any case
    int64_t most = 0;     ///< with what it keeps for replicas, if the backlog leaves room for that

    /// What replicas may add to the backlog.
    int64_t room() const { return std::max(most - backlog, most / 4); }
    /// More is kept only while the disk is slower than the changes.
    int64_t bound() const { return backlog + room(); }
  };
  /// Bytes of the stream to be copied into the spool, which the stream keeps until Copied().
  struct Piece {
    std::shared_ptr<Spool> spool;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t unneeded = 0;  ///< what lies before this in the spool
  };
  /// What to copy now; nullopt: nothing, or the last piece is being copied. `slowest`: the least
  /// cursor of all replicas, or kNobody.
  std::optional<Piece> Next(int64_t slowest, int64_t published, const Memory& memory);
  /// Copies the piece. An error: not all of it is in the spool.
  static absl::Status Copy(ChangeStream& stream, const Piece& piece);
  /// The piece that Next() returned was copied. Later on Next() tries the rest again.
  void Copied(const absl::Status& status);

  /// From where on the stream must keep its bytes in memory for a replica with this cursor.
  int64_t InMemory(int64_t cursor) const {
    return SpoolAt(cursor) == nullptr ? cursor : in_memory_;
  }
  /// The same for the piece that is being copied; kNobody: there is none.
  int64_t copying() const { return copying_ ? in_memory_ : kNobody; }
  /// Where a replica with this cursor reads on; null: in memory.
  std::shared_ptr<Spool> SpoolAt(int64_t cursor) const {
    const bool spooled = spool_ != nullptr && cursor >= begin_ && cursor < in_memory_;
    return spooled ? spool_ : nullptr;
  }
  /// Whether the spool took the last piece.
  bool works() const { return works_ && !space_->off(); }

 private:
  const std::shared_ptr<SpoolSpace> space_;
  std::shared_ptr<Spool> spool_;
  int64_t begin_ = 0;      ///< the position of the spool's first byte
  int64_t in_memory_ = 0;  ///< the position behind its last byte that readers may read
  bool copying_ = false;
  bool works_ = true;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_STREAM_SPOOL_H_
