#ifndef CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_ACTION_H_
#define CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_ACTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "replication/link/link_line.h"
#include "replication/link/replication_history.h"
#include "replication/link/replication_id.h"
#include "replication/link/sync_receiver.h"

namespace cloakroom {

/// Where a full sync's data goes: `repl-diskless-load`, and with on-empty-db the present data,
/// decide.
enum class SyncLoad : uint8_t {
  kDisk,     ///< into a file, which is loaded when it is whole; until then the old data stays
  kInPlace,  ///< to the loader at once, in place of the old data
  kSwap,     ///< to the loader at once, into spare databases; the old data stays until it is whole
};

// What PrimaryLink asks its owner to do, in order.
namespace link_action {

/// Look the name up, on another thread, and report PrimaryLink::Resolved(attempt, ...).
struct Resolve {
  uint64_t attempt;
  std::string host;
  int port;
  friend bool operator==(const Resolve&, const Resolve&) = default;
};
/// Connect to what was found, and report PrimaryLink::Connected(attempt, ...).
struct Connect {
  uint64_t attempt;
  friend bool operator==(const Connect&, const Connect&) = default;
};
/// Send these bytes, behind those not sent yet.
struct Write {
  std::string bytes;
  friend bool operator==(const Write&, const Write&) = default;
};
/// Close the socket, or give up connecting. Bytes that were read and not used are dropped.
struct Close {
  friend bool operator==(const Close&, const Close&) = default;
};
/// A transfer begins: make a SyncReceiver. Unless the data goes to disk, begin to load it as well.
struct OpenReceiver {
  SyncSize size;
  SyncLoad load;
  friend bool operator==(const OpenReceiver&, const OpenReceiver&) = default;
};
/// The transfer is whole: load the file, or finish the load; then report LoadDone() or
/// LoadFailed().
struct Load {
  friend bool operator==(const Load&, const Load&) = default;
};
/// The full sync is over before its end: remove what it received, end the load, and report nothing
/// of it any more.
struct Discard {
  friend bool operator==(const Discard&, const Discard&) = default;
};
/// The data is the primary's at this place of its history. The stream follows. Without a place the
/// primary is too old to have one.
struct Synced {
  std::optional<HistoryPoint> point;
  friend bool operator==(const Synced&, const Synced&) = default;
};
/// The stream follows what is applied. `changed`: the history has a new id from here on.
struct Continue {
  ReplicationId id;
  bool changed;
  friend bool operator==(const Continue&, const Continue&) = default;
};
/// The stream has ended: cut it back to what is applied, and report that with set_progress().
struct StreamEnded {
  friend bool operator==(const StreamEnded&, const StreamEnded&) = default;
};
/// The answer to PSYNC with FAILOVER.
struct FailoverAnswered {
  bool accepted;
  friend bool operator==(const FailoverAnswered&, const FailoverAnswered&) = default;
};

}  // namespace link_action

/// One of these, or a line for the server log.
using PrimaryLinkAction =
    std::variant<link_action::Resolve, link_action::Connect, link_action::Write, link_action::Close,
                 link_action::OpenReceiver, link_action::Load, link_action::Discard,
                 link_action::Synced, link_action::Continue, link_action::StreamEnded,
                 link_action::FailoverAnswered, LinkLine>;
using PrimaryLinkActions = std::vector<PrimaryLinkAction>;

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_PRIMARY_LINK_ACTION_H_
