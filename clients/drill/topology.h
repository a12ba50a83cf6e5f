#ifndef CLOAKROOM_CLIENTS_DRILL_TOPOLOGY_H_
#define CLOAKROOM_CLIENTS_DRILL_TOPOLOGY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/drill/address.h"
#include "clients/drill/info_text.h"
#include "protocol/reply_value.h"

namespace cloakroom::drill {

// What servers and Sentinels say of themselves and of each other. Plain values, and pure functions
// that read them from replies; survey.h asks for them.

/// Names and values, as CONFIG GET and SENTINEL MASTER reply them.
using Fields = std::map<std::string, std::string, std::less<>>;
/// Empty when the reply is no list of names and values.
Fields FieldsOf(const ReplyValue& reply);
std::string FieldOr(const Fields& fields, std::string_view name, std::string_view otherwise);
int64_t NumberOr(const Fields& fields, std::string_view name, int64_t otherwise);

/// A replica as its primary sees it: a line slaveN of INFO.
struct AttachedReplica {
  Address address;
  std::string state;  ///< "online"; anything else is a sync under way
  int64_t offset = 0;
  int64_t lag_s = 0;  ///< since its last acknowledgement; -1: it sends none
};

/// A server as it sees itself.
struct Server {
  Address address;    ///< by which it was reached
  std::string error;  ///< why it did not answer; if not empty, nothing below is known

  std::string product;  ///< "Cloakroom", "Valkey" or "Redis"
  std::string version;
  std::string run_id;
  std::string replication_id;
  bool is_primary = false;
  int64_t offset = 0;  ///< of a primary what it has written, of a replica what it has applied
  int64_t memory_bytes = 0;

  // Of a primary.
  std::vector<AttachedReplica> replicas;
  int64_t backlog_bytes = 0;

  // Of a replica.
  Address primary;
  bool link_up = false;
  int64_t link_down_s = 0;
  int64_t priority = 100;
  bool read_only = true;
  int64_t errors = 0;  ///< of the stream, which Cloakroom counts

  /// CONFIG GET; empty when the server does not tell.
  Fields settings;

  bool answers() const { return error.empty(); }
};

/// From INFO's sections server, replication and memory.
Server ReadServer(const Address& address, const InfoText& info);

/// An instance that a Sentinel watches.
struct Watched {
  Address address;
  std::string flags;
  int64_t priority = 100;
  bool is_down() const;
};

struct Sentinel {
  Address address;
  std::string error;

  bool has_quorum = false;
  std::string quorum_text;  ///< its own words in reply to SENTINEL CKQUORUM
  Watched primary;
  std::vector<Watched> replicas;
  int64_t other_sentinels = 0;
  int64_t quorum = 0;
  int64_t down_after_ms = 0;
  int64_t failover_timeout_ms = 0;

  bool answers() const { return error.empty(); }
};

/// From the replies to SENTINEL MASTER and SENTINEL REPLICAS. False: they are not such replies.
bool ReadSentinel(const ReplyValue& master, const ReplyValue& replicas, Sentinel* sentinel);
/// From the reply to SENTINEL GET-MASTER-ADDR-BY-NAME.
std::optional<Address> ReadPrimaryAddress(const ReplyValue& reply);

struct Role {
  bool is_primary = false;
  Address primary;  ///< of a replica
  bool link_up = false;
};
/// From the reply to ROLE; nullopt for what is neither primary nor replica.
std::optional<Role> ReadRole(const ReplyValue& reply);

struct Topology {
  std::vector<Sentinel> sentinels;
  Server primary;
  std::vector<Server> replicas;
  double write_bytes_per_s = 0;  ///< by two samples of the primary's offset
  double measured_s = 0;         ///< between them; 0: there was no second sample

  /// The primary's address, then those of the replicas.
  std::vector<Address> servers() const;
  /// How far a replica is behind the primary, as known.
  int64_t BehindBytes(const Server& replica) const;
  /// The primary's own line about a replica; nullptr if there is none.
  const AttachedReplica* LineOf(const Server& replica) const;
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_TOPOLOGY_H_
