#ifndef CLOAKROOM_REPLICATION_LINK_REPLICATION_HISTORY_H_
#define CLOAKROOM_REPLICATION_LINK_REPLICATION_HISTORY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/random/bit_gen_ref.h"
#include "replication/link/link_line.h"
#include "replication/link/replication_id.h"

namespace cloakroom {

/// Where the stream of changes stands, in positions: bytes since the process began.
struct StreamExtent {
  int64_t tail = 0;        ///< behind the last byte
  int64_t first_kept = 0;  ///< the oldest byte that can still be read
  /// Of the replica that is furthest behind; a large number without replicas.
  int64_t oldest_cursor = std::numeric_limits<int64_t>::max();
};

/// A point in a history. `offset` counts the bytes before it, so a replica that is there asks for
/// byte offset + 1.
struct HistoryPoint {
  ReplicationId id;
  int64_t offset = 0;

  friend bool operator==(const HistoryPoint&, const HistoryPoint&) = default;
};

/// Which stream of changes this server has, as its peers name it: the server's part of
/// `PSYNC <id> <offset>`.
///
/// An offset is a position plus `bias`. Offsets are those of Redis: the first byte of a history has
/// offset 1, and master_repl_offset is the offset of the last one. The stream up to here has the
/// name id1. Up to id2_limit - 1 it also has the name id2: it was that before a promotion, or
/// before the primary was promoted.
///
/// The backlog is the part of the stream that a replica may continue from. It is off until a first
/// replica comes or the server becomes a replica, and bytes from before are no part of it.
///
/// Pure values: no clock, no stream. Positions are below 2^54, offsets at most kMaxOffset. Thread
/// rule: the owner's. Ids and bias change while all gates are closed or, on a replica,
/// while nothing is applied.
class ReplicationHistory {
 public:
  /// Larger offsets are refused: no sum can overflow. Far from what a stream reaches.
  static constexpr int64_t kMaxOffset = int64_t{1} << 62;
  static constexpr int64_t kNoLimit = -1;

  /// A history of its own that begins at position 0.
  explicit ReplicationHistory(absl::BitGenRef random) : id1_(ReplicationId::Random(random)) {}

  const ReplicationId& id1() const { return id1_; }
  const ReplicationId& id2() const { return id2_; }
  /// The first offset that is not id2's, or kNoLimit: INFO's second_repl_offset.
  int64_t id2_limit() const { return id2_limit_; }
  int64_t bias() const { return bias_; }
  bool backlog() const { return backlog_; }

  /// The offset of a cursor at `position`: how many bytes of the history lie before it.
  int64_t OffsetAt(int64_t position) const { return position + bias_; }
  /// The position of the byte with this offset. REQUIRES: |offset| is at most kMaxOffset.
  int64_t PositionOf(int64_t offset) const { return offset - 1 - bias_; }

  /// The offset of the oldest byte that PSYNC may ask for, INFO's repl_backlog_first_byte_offset:
  /// repl-backlog-size bytes before the tail, or further back where a replica still reads, but
  /// never before what is kept or before the backlog began. REQUIRES: backlog().
  int64_t FirstByte(const StreamExtent& stream, int64_t backlog_size) const;

  /// Whether a replica that has all bytes before `offset` under the name `id` has a prefix of this
  /// stream, as far as names can tell.
  bool Knows(std::string_view id, int64_t offset) const {
    return id1_.Is(id) || (id2_.Is(id) && offset <= id2_limit_);
  }

  /// A full sync begins. Without a backlog it makes one, under a new id, for nothing before it can
  /// be asked for; the line says so. nullopt: there is one.
  std::optional<LinkLine> BeginBacklog(int64_t tail, absl::BitGenRef random);

  /// Nobody has come for repl-backlog-ttl: no backlog, and a new id.
  LinkLine DropBacklog(int64_t ttl_s, absl::BitGenRef random);

  /// The server becomes a primary: by REPLICAOF NO ONE, by PSYNC with FAILOVER, or since its own
  /// FAILOVER failed. What it has so far is now id2.
  LinkLine Promote(int64_t tail, absl::BitGenRef random);

  /// The server becomes a replica. Returns what to ask the primary for. That is id1's; but if
  /// nothing was appended since a restart, nobody else has id1's name, and it is id2's.
  HistoryPoint BecomeReplica(int64_t tail);

  /// Whether nothing was appended since it was started as a primary, so that its stream goes on
  /// where its past, id2, ended.
  bool IsAsRestarted(int64_t tail) const { return restart_tail_ == tail; }

  /// The primary granted +CONTINUE. True: under a new id, so the replicas of this server must be
  /// closed, to learn the id. `tail` is what has been applied.
  bool Continue(const ReplicationId& id, int64_t tail);

  /// A full sync from the primary is loaded: the data is that of `point`, and the next byte of the
  /// stream has position `tail`. False if the offset is negative or too large: nothing has changed.
  [[nodiscard]] bool TakeOver(const HistoryPoint& point, int64_t tail);

  /// The server was started as a primary, with the data of `point` and its last bytes, [begin,
  /// tail), as backlog; begin == tail if only a snapshot was loaded. The past is id2's. False as
  /// above.
  [[nodiscard]] bool RestartAsPrimary(const HistoryPoint& point, int64_t begin, int64_t tail,
                                      absl::BitGenRef random);
  /// The same for a replica, which goes on under the id that it had.
  [[nodiscard]] bool RestartAsReplica(const HistoryPoint& point, int64_t begin, int64_t tail);

  /// The data is another (DEBUG CHANGE-REPL-ID, DEBUG RELOAD NOSAVE): nobody continues from here.
  void ChangeId(absl::BitGenRef random);

 private:
  bool Set(const HistoryPoint& point, int64_t begin, int64_t tail);
  void ForgetId2();

  ReplicationId id1_;
  ReplicationId id2_;
  int64_t id2_limit_ = kNoLimit;
  int64_t bias_ = 0;
  bool backlog_ = false;
  int64_t begin_ = 0;  // the position of the backlog's first byte
  /// The tail at a restart as primary, until id1 changes: up to there id1 is known to nobody.
  std::optional<int64_t> restart_tail_;
};

/// Whether a primary drops its backlog: without replicas for longer than repl-backlog-ttl seconds;
/// 0 is never. Times of one clock, in milliseconds.
bool BacklogIsIdle(int64_t now_ms, int64_t no_replicas_since_ms, int64_t ttl_s);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLICATION_HISTORY_H_
