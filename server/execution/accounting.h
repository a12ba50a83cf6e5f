#ifndef CLOAKROOM_SERVER_EXECUTION_ACCOUNTING_H_
#define CLOAKROOM_SERVER_EXECUTION_ACCOUNTING_H_

#include <cstdint>
#include <string_view>
#include <utility>

#include "server/context/server.h"
#include "server/execution/call.h"
#include "server/execution/command.h"
#include "server/execution/command_table.h"
#include "server/execution/thread_context.h"
#include "server/metrics/monitor_feed.h"
#include "server/metrics/stats.h"
#include "server/session/client.h"

namespace cloakroom {

/// Records what commands do: statistics, errors, slowlog, latency, monitors.
///
/// Thread rule: the thread of its context.
class Accounting {
 public:
  Accounting(Server& server, ThreadContext& thread) : server_(server), thread_(thread) {}

  void CountError(std::string_view error);
  /// Call it when a command was refused. Null: no command has that name.
  void CountRejected(const Command* command, std::string_view error);
  void CountFailure(const Command& command, std::string_view error_code);
  /// Call it when a command's function has returned: tells the monitors, and counts the error.
  void NoteRun(const Call& call);
  /// Call it when a command has ended and its reply is written.
  void NoteEnd(Client& client, const Command& command, CommandArguments args, int64_t duration_us);
  void TellMonitors(const Client& client, const Command& command, CommandArguments args,
                    CallMode mode);
  /// While `notes` is not null, it collects what monitors are to hear of a transaction. Returns the
  /// previous value.
  MonitorNotes* KeepNotes(MonitorNotes* notes) { return std::exchange(notes_, notes); }

 private:
  void CountFailed(const Command& command);
  void AddToHistogram(CommandStats& stats, int64_t duration_us);
  void AddToSlowLog(Client& client, const Command& command, CommandArguments args,
                    int64_t duration_us);

  Server& server_;
  ThreadContext& thread_;
  MonitorNotes* notes_ = nullptr;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ACCOUNTING_H_
