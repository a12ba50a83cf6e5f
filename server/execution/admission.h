#ifndef CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_
#define CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/context/server.h"
#include "server/execution/command.h"
#include "server/execution/command_table.h"
#include "server/execution/request.h"
#include "server/execution/thread_context.h"
#include "server/session/client.h"

namespace cloakroom {

/// Whether a command may run. All that asks for commands comes through here: clients, scripts, the
/// log. An error has the words of the reply that refuses it.
///
/// Thread rule: the thread of its context.
class Admission {
 public:
  Admission(Server& server, ThreadContext& thread) : server_(server), thread_(thread) {}

  /// Of a client's request. Makes room for one that needs memory.
  absl::Status Admit(const Client& client, const Request& request) const;

  /// What a script may do.
  struct ScriptTerms {
    bool read_only = false;
    bool out_of_memory = false;  ///< it may not make it worse
  };
  /// Of a command that a script calls.
  absl::Status AdmitInScript(const ScriptTerms& terms, const Command* command,
                             CommandArguments args) const;
  /// Of a command that stands in a log.
  absl::Status AdmitFromLog(const Command* command, CommandArguments args) const;

  /// Whether the request has one of these flags. What runs a queue has those of the queue.
  bool HasFlag(const Client& client, const Request& request, uint32_t flags) const;
  /// Whether it is a script, or a transaction with one in it, as far as an end holds those back.
  bool RunsScript(const Client& client, const Request& request) const;
  /// It is, or has, a script while this event loop runs another one.
  bool LacksInterpreter(const Client& client, const Request& request) const {
    return thread_.in_script && HasFlag(client, request, kInterpreter);
  }

 private:
  std::string UnknownCommand(CommandArguments args) const;
  absl::Status AdmitForSession(const Client& client, const CommandRow& row) const;
  absl::Status AdmitForMemory(const Client& client, const Command& command) const;
  /// The evictor's, telling the latency monitor when it takes long.
  bool MakeRoom() const;

  Server& server_;
  ThreadContext& thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_ADMISSION_H_
