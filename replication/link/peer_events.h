#ifndef CLOAKROOM_REPLICATION_LINK_PEER_EVENTS_H_
#define CLOAKROOM_REPLICATION_LINK_PEER_EVENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "replication/link/link_line.h"
#include "replication/link/replconf.h"
#include "replication/link/replication_id.h"

namespace cloakroom {

// What happens to a replica's connection on its primary, and what the primary then does: the
// language of ReplicaPeer. Values; texts in events must live for the call.

/// PSYNC was granted: `reply` is +CONTINUE, the stream follows from `position`.
struct PeerGranted {
  std::string_view reply;
  int64_t position = 0;
  int64_t now_ms = 0;
};
/// SYNC or PSYNC led to a full sync.
struct PeerFull {
  bool psync = true;
};
/// A second has passed.
struct PeerSecond {
  int64_t now_ms = 0;
  int64_t repl_timeout_s = 0;
};
/// The snapshot of the waiting group cannot begin.
struct PeerSnapshotRefused {};
/// The snapshot's instant, for replicas of the group and for those that join its file later.
struct PeerInstant {
  ReplicationId id;
  int64_t offset = 0;    ///< at the instant, as replicas count
  int64_t position = 0;  ///< the same place
  /// 40 bytes that end the RDB if it is sent while it is made; nullopt: by a file.
  std::optional<ReplicationId> mark;
};
/// The file is complete.
struct PeerFileReady {
  int64_t length = 0;
};
/// The snapshot failed before its end.
struct PeerSaveFailed {};
/// The socket has taken bytes of the RDB, the file or the stream; those of a kWrite do not count.
struct PeerTaken {
  int64_t bytes = 0;
};
/// The socket takes nothing, although there are bytes of the RDB for it.
struct PeerBlocked {
  int64_t now_ms = 0;
};
/// The socket has taken the last byte of the RDB, or of the file.
struct PeerRdbSent {
  int64_t now_ms = 0;
};
/// REPLCONF ACK, as ReadReplconf reads it.
struct PeerAck {
  Replconf ack;
  int64_t now_ms = 0;
};
/// The stream has grown, or the time of a kSendLater has come.
struct PeerPublished {
  int64_t position = 0;
  bool at_once = false;  ///< somebody waits for ACKs
  int64_t now_us = 0;
};
/// A command of the replica was, or would be, answered.
struct PeerCommand {
  std::string_view name;    ///< "" if there is no such command
  bool keyspace = false;    ///< it reads or writes keys, and was not executed
  std::string_view error;   ///< without "ERR "; "" if the reply is no error
  std::string_view client;  ///< its line of CLIENT LIST
};
/// Too many bytes wait for it (client-output-buffer-limit replica).
struct PeerOverLimit {
  std::string_view client;  ///< its line of CLIENT LIST
  std::string_view detail;  ///< a line that names size, rate and directive; may be empty
};
/// It must go without a fault of its own: id1 has changed, or CLIENT KILL.
struct PeerDismissed {};
/// The connection is lost, or closed by the replica.
struct PeerLost {};

using PeerEvent =
    std::variant<PeerGranted, PeerFull, PeerSecond, PeerSnapshotRefused, PeerInstant, PeerFileReady,
                 PeerSaveFailed, PeerTaken, PeerBlocked, PeerRdbSent, PeerAck, PeerPublished,
                 PeerCommand, PeerOverLimit, PeerDismissed, PeerLost>;

/// What the driver does, in the order of the list.
struct PeerAction {
  enum class Kind : uint8_t {
    kMoveSocket,      ///< from its event loop to the replication thread
    kJoinGroup,       ///< that waits for the next full sync
    kWrite,           ///< `text`, before anything else
    kPinCursor,       ///< keep the stream from `position` on
    kSendRdb,         ///< the blocks of the snapshot
    kSendFile,        ///< the file's bytes
    kOnline,          ///< it counts for WAIT and min-replicas: AckBoard::Join
    kSendStream,      ///< what has been published behind its cursor
    kSendLater,       ///< a PeerPublished at `at_us`, for more to gather
    kAcked,           ///< AckBoard::Acked with ack() and fack()
    kCountError,      ///< INFO's unexpected_error_replies
    kLog,             ///< `line`
    kClose,           ///< at once, and let go of cursor, group and board
    kCloseAfterWrite  ///< the same once all that was written has been sent
  };

  Kind kind;
  std::string text = {};
  int64_t position = 0;
  int64_t at_us = 0;
  LinkLine line = {};

  friend bool operator==(const PeerAction&, const PeerAction&) = default;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_PEER_EVENTS_H_
