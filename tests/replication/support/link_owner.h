#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_LINK_OWNER_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_LINK_OWNER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/files/bytes.h"
#include "replication/link/primary_link.h"
#include "replication/link/sync_receiver.h"

namespace cloakroom {

/// An action as a line: "write *1|$4|PING|" (with | for \r\n), "* Connecting to MASTER a:1".
std::string DescribeAction(const PrimaryLinkAction& action);

/// A PrimaryLink's owner without a socket, which keeps a trace of what it is asked to do.
class LinkOwner {
 public:
  explicit LinkOwner(PrimaryLinkSettings settings = {}) : link(std::move(settings)) {}

  /// Does the actions, in order.
  void Do(const PrimaryLinkActions& actions);
  /// Bytes from the primary, for whom they are; what nobody may have yet is kept.
  void Read(std::string_view bytes);
  /// Offers again what was kept.
  void ReadKept() { Read(""); }
  /// The trace since the last call, one line an action.
  std::vector<std::string> TakeTrace();

  PrimaryLink link;
  int64_t now_ms = 100'000;
  uint64_t attempt = 0;    // the last one
  std::string stream;      // what came of it
  StringSink data;         // what the receiver passed on, of all transfers
  bool receiving = false;  // between OpenReceiver and the end

 private:
  void Pass(std::string_view& bytes);

  std::optional<SyncReceiver> receiver_;
  std::string kept_;
  bool socket_open_ = false;
  std::vector<std::string> trace_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SUPPORT_LINK_OWNER_H_
