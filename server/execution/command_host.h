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
#include "server/script/script_host.h"

namespace cloakroom {

/// What a script or function may do on this server: run commands, under the gates that its EVAL or
/// FCALL has closed. Lives as long as that command. Thread rule: the same as its call's.
class CommandHost final : public ScriptHost {
 public:
  struct Guest {
    RunningScript::Kind kind = RunningScript::Kind::kScript;
    std::string_view name;   ///< the SHA1 of a script; must live as long as the host
    bool read_only = false;  ///< EVAL_RO or FCALL_RO, or it declares no-writes
    bool allow_oom = false;
  };
  CommandHost(cloakroom::Call& call, const Guest& guest);
  ~CommandHost() override;

  void Call(std::span<const std::string_view> args, int resp, std::string* reply) override;
  void PassesErrorOn() override { passes_error_on_ = true; }
  std::optional<bool> CommandAllowed(std::span<const std::string_view> args) override;
  void Log(int level, std::string_view message) override;
  bool ShouldStop() override;

  /// Whether the script was ended in the middle of its changes, which nobody may see.
  bool cut_off() const { return running_.cut_off(); }
  /// Whether the script's reply is an error of one of its commands, which has been counted.
  bool passes_error_on() const { return passes_error_on_; }

 private:
  /// The error that refuses a command to the script, or OK.
  absl::Status Admit(const Command* command, std::span<const std::string_view> args);
  void BecomeBusy();

  cloakroom::Call& call_;
  const Guest guest_;
  /// Memory was over the limit when the script began: until it has written, it may not use more.
  const bool out_of_memory_;
  const int64_t started_us_;
  RunningScript running_;
  Client client_;
  OutputBuffer output_;
  bool passes_error_on_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_COMMAND_HOST_H_
