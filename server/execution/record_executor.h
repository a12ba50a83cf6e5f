#ifndef CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_
#define CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "protocol/output_buffer.h"
#include "server/context/server.h"
#include "server/execution/access.h"
#include "server/execution/batch.h"
#include "server/execution/executor.h"
#include "server/execution/thread_context.h"
#include "server/metrics/monitor_feed.h"
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

  void BeginTurn(std::span<char> ahead) override;
  bool TryRun(const RecordReader& record, absl::FunctionRef<void()> applied,
              Obstacle* obstacle) override;
  void GiveUp() override { tickets_.Clear(); }
  void RunUnder(const RecordReader& record, Hold& hold) override;
  bool refused(size_t command) const override;
  const OwnedArguments* reworded(size_t command) const override;
  void set_source(const Address& address) override { client_.address = address; }
  int db() const override { return client_.db; }
  void set_db(int db) override { client_.db = db; }

 private:
  /// The most commands that are looked up ahead of their turn.
  static constexpr size_t kAhead = 32;

  /// What must be held while a record runs.
  struct Needs {
    DatabaseList databases;  ///< to be closed; if any, the keys do not matter
    KeyHashes keys;
  };
  /// Looks up the record's commands.
  void Look(const RecordReader& record);
  /// As the look ahead has prepared it, if it got that far.
  Request Prepare(CommandArguments args);
  Needs NeedsOf(const RecordReader& record) const;
  bool TryHold(Hold& hold, const Needs& needs);
  void RunAll(const RecordReader& record, Hold& hold);
  void NoteForMonitors(CommandArguments args);
  void TellMonitors();
  /// `request.command`: null if it is refused. Returns false then.
  bool RunOne(const Request& request, Hold& hold);
  /// nullopt: the command is not SELECT, or there is no such database.
  std::optional<int> SelectedBy(CommandArguments args) const;
  void Tell(CommandArguments args, std::string_view error);

  Server& server_;
  ThreadContext& thread_;
  Executor executor_;
  Client client_;
  OutputBuffer output_;
  GateTickets tickets_;
  Batch ahead_;
  size_t ahead_at_ = 0;            ///< the request of ahead_ that is expected next
  std::vector<Request> requests_;  ///< of the last record; without a command: refused
  std::vector<size_t> refused_;    ///< of the last record, in order
  using Reworded = std::pair<size_t, OwnedArguments>;
  std::vector<Reworded> reworded_;  ///< of the last record
  size_t record_command_ = 0;       ///< the one that runs
  MonitorNotes monitor_notes_;      ///< of the last record, until they are told
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_RECORD_EXECUTOR_H_
