#ifndef CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_
#define CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "protocol/output_buffer.h"
#include "server/context/server.h"
#include "server/execution/access.h"
#include "server/execution/executor.h"
#include "server/execution/thread_context.h"
#include "server/roles/record_runner.h"
#include "server/session/client.h"
#include "storage/gate/gate_tickets.h"

namespace cloakroom {

/// Runs the records of a primary's stream. A record takes what it needs as a transaction does: the
/// stripes of all its keys, or whole databases.
///
/// Thread rule: RecordRunner's.
class RecordExecutor final : public RecordRunner {
 public:
  explicit RecordExecutor(Server& server);

  bool TryRun(const RecordReader& record, absl::FunctionRef<void()> applied,
              Obstacle* obstacle) override;
  void GiveUp() override { tickets_.Clear(); }
  void RunUnder(const RecordReader& record, Hold& hold) override;
  bool refused(size_t command) const override;
  void set_source(const Address& address) override { client_.address = address; }
  int db() const override { return client_.db; }
  void set_db(int db) override { client_.db = db; }

 private:
  /// What a record needs held.
  struct Needs {
    DatabaseList databases;  ///< to be closed; if any, the keys do not matter
    absl::InlinedVector<KeyHash, 16> keys;
  };
  Needs NeedsOf(const RecordReader& record) const;
  bool TryHold(Hold& hold, const Needs& needs);
  void RunAll(const RecordReader& record, Hold& hold);
  /// False: it was refused.
  bool RunOne(CommandArguments args, Hold& hold);
  /// SELECT needs no hold of the database that it selects. False: it is another command.
  bool Select(CommandArguments args);
  void Tell(CommandArguments args, std::string_view error);

  Server& server_;
  ThreadContext& thread_;
  Executor executor_;
  Client client_;
  OutputBuffer output_;
  GateTickets tickets_;
  std::vector<size_t> refused_;  ///< of the last record, in order
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_
