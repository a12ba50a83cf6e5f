#ifndef CLOAKROOM_REPLICATION_LINK_SYNC_REPLIES_H_
#define CLOAKROOM_REPLICATION_LINK_SYNC_REPLIES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "replication/link/replication_history.h"
#include "replication/link/replication_id.h"
#include "replication/link/sync_receiver.h"

namespace cloakroom {

// The lines with which a primary answers PSYNC and begins a transfer, as Redis 5 to 7.2 and Valkey
// send them. Pure functions of one line without its end; any thread may call them.

enum class PsyncAnswer : uint8_t {
  kFullSync,     ///< "+FULLRESYNC <id> <offset>"
  kContinue,     ///< "+CONTINUE [<id>]"
  kLater,        ///< -NOMASTERLINK, -LOADING: it may work soon
  kUnsupported,  ///< all else: Redis then tries SYNC
};
PsyncAnswer ReadPsyncAnswer(std::string_view line);

/// Where the data of a full sync stands; nullopt if the line is malformed, or the offset larger
/// than ReplicationHistory::kMaxOffset.
std::optional<HistoryPoint> ReadFullSync(std::string_view line);

/// The id in "+CONTINUE <id>"; nullopt if there is none, and the history keeps its own.
std::optional<ReplicationId> ReadContinue(std::string_view line);

/// "$<length>", of at least one byte, or "$EOF:<mark>".
std::optional<SyncSize> ReadSyncSize(std::string_view line);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_SYNC_REPLIES_H_
