#ifndef CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_
#define CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/context/server.h"
#include "server/execution/command.h"
#include "server/execution/command_table.h"
#include "server/execution/request.h"
#include "server/execution/thread_context.h"
#include "server/session/client.h"

namespace cloakroom {

/// Decides whether a command may run, for clients, scripts and the log alike. An error holds the
/// text of the error reply.
///
/// Thread rule: the thread of its context.
class Admission {
 public:
  Admission(Server& server, ThreadContext& thread) : server_(server), thread_(thread) {}

  /// Admits a client's request. Evicts keys first if the request needs memory.
  absl::Status Admit(const Client& client, const Request& request) const;

  /// What a script may do.
  struct ScriptTerms {
    bool read_only = false;
    bool out_of_memory = false;  ///< the script may not use more memory
    bool obeyed = false;         ///< the primary's, or the log's: nothing else is refused
  };
  /// Admits a command that a script calls.
  absl::Status AdmitInScript(const ScriptTerms& terms, const Command* command,
                             CommandArguments args) const;
  /// Admits a command of our primary's stream.
  absl::Status AdmitFromPrimary(const Command* command, CommandArguments args) const;
  /// Admits a request once more, under its hold: the server may have become a replica meanwhile,
  /// which happens only while all gates are closed.
  absl::Status AdmitHeld(const Client& client, const Request& request) const;
  /// Admits a command that was read from the log.
  absl::Status AdmitFromLog(const Command* command, CommandArguments args) const;

  /// Whether the request has one of these flags: a script has those that it declares, and a request
  /// that runs a queue has the queue's.
  bool HasFlag(const Client& client, const Request& request, uint32_t flags) const;
  /// Whether the request, or a command of the queue that it runs, lacks this flag.
  bool Lacks(const Client& client, const Request& request, uint32_t flag) const;
  /// Whether the request is a script, or a transaction that contains one: a server that is about to
  /// end holds those back.
  bool RunsScript(const Client& client, const Request& request) const;
  /// Whether the request needs the Lua interpreter while this event loop runs another script.
  bool LacksInterpreter(const Client& client, const Request& request) const {
    return thread_.in_script && HasFlag(client, request, kInterpreter);
  }

 private:
  uint32_t FlagsOf(const Command& command, CommandArguments args) const;
  /// Whether `holds` for the flags of the request, or of a command of the queue that it runs.
  bool AnyOf(const Client& client, const Request& request,
             absl::FunctionRef<bool(uint32_t)> holds) const;
  std::string UnknownCommand(CommandArguments args) const;
  /// For what this server is to others, and whether it has its data.
  absl::Status AdmitForRole(const Client& client, const Request& request) const;
  absl::Status AdmitForSession(const Client& client, const Request& request) const;
  absl::Status AdmitForMemory(const Client& client, const Command& command) const;
  /// Calls the evictor, and tells the latency monitor if it took long.
  bool MakeRoom() const;

  Server& server_;
  ThreadContext& thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_
