#ifndef CLOAKROOM_SERVER_EXECUTION_LOG_REPLAY_H_
#define CLOAKROOM_SERVER_EXECUTION_LOG_REPLAY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "protocol/output_buffer.h"
#include "server/context/server.h"
#include "server/execution/executor.h"
#include "server/execution/thread_context.h"
#include "server/persistence/applier.h"
#include "server/session/client.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Executes the commands of an append-only log. Nothing expires during the replay: the log itself
/// says what expired, and when. A transaction is executed when its EXEC is read.
///
/// Thread rule: one thread, which has closed the gates of all databases.
class LogReplay final : public Applier {
 public:
  /// `hold` closes the gates of all databases for as long as this lives.
  LogReplay(Server& server, Hold& hold);

  absl::Status Run(CommandArguments args) override;

 private:
  absl::Status RunOne(CommandArguments args);

  Server& server_;
  Hold& hold_;
  ThreadContext thread_;
  Executor executor_;
  Client client_;
  OutputBuffer output_;
  bool in_multi_ = false;
  std::vector<std::vector<std::string>> queue_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_LOG_REPLAY_H_
