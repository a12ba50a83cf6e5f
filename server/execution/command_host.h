#ifndef CLOAKROOM_SERVER_EXECUTION_COMMAND_HOST_H_
#define CLOAKROOM_SERVER_EXECUTION_COMMAND_HOST_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "protocol/output_buffer.h"
#include "server/execution/call.h"
#include "server/script/running_scripts.h"
#include "server/script/script.h"
#include "server/script/script_host.h"

namespace cloakroom {

/// What a script may do on this server: run commands, under the gates that its EVAL has closed.
/// Lives as long as the EVAL. Thread rule: the same as its call's.
class CommandHost final : public ScriptHost {
 public:
  /// `read_only`: EVAL_RO, or a script that declares no-writes.
  CommandHost(cloakroom::Call& call, const Script& script, bool read_only);
  ~CommandHost() override;

  void Call(std::span<const std::string_view> args, int resp, std::string* reply) override;
  std::optional<bool> CommandAllowed(std::span<const std::string_view> args) override;
  void Log(int level, std::string_view message) override;
  bool ShouldStop() override;

  /// Whether the script was ended in the middle of its changes, which nobody may see.
  bool cut_off() const { return running_.cut_off(); }

 private:
  /// The error that refuses a command to the script, or OK.
  absl::Status Admit(const Command* command, std::span<const std::string_view> args);
  void BecomeBusy();

  cloakroom::Call& call_;
  const Script& script_;
  const bool read_only_;
  /// Memory was over the limit when the script began: until it has written, it may not use more.
  const bool out_of_memory_;
  const int64_t started_us_;
  RunningScript running_;
  Client client_;
  OutputBuffer output_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_COMMAND_HOST_H_
