#ifndef CLOAKROOM_SERVER_SCRIPT_SCRIPT_HOST_H_
#define CLOAKROOM_SERVER_SCRIPT_SCRIPT_HOST_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cloakroom {

/// What a running Lua script may ask of the server. The server implements this interface on top of
/// its commands; tests fake it. The engine knows nothing else about the server.
///
/// Thread rule: the thread that runs the script, while it runs. No method may throw, because Lua's
/// C frames lie between the host and any catch. The arguments live only during the call.
class ScriptHost {
 public:
  virtual ~ScriptHost() = default;

  /// Executes one command and appends its one reply, encoded in RESP version `resp` (2 or 3), to
  /// *reply. Refusals are error replies, in the words that Redis uses for scripts:
  ///   -ERR Unknown Redis command called from script
  ///   -ERR Wrong number of args calling Redis command from script
  ///   -ERR This Redis command is not allowed from script
  ///   -ERR Write commands are not allowed from read-only scripts.
  /// The engine appends the place in the script.
  virtual void Call(std::span<const std::string_view> args, int resp, std::string* reply) = 0;

  /// The script's reply is an error that Call gave it.
  virtual void PassesErrorOn() = 0;

  /// Whether the script's user may run this command. nullopt: there is no such command.
  virtual std::optional<bool> CommandAllowed(std::span<const std::string_view> args) = 0;

  /// redis.log. level: 0 debug, 1 verbose, 2 notice, 3 warning.
  virtual void Log(int level, std::string_view message) = 0;

  /// Called every 100,000 Lua instructions, so that the server can serve others during a slow
  /// script. True ends the script as SCRIPT KILL does.
  virtual bool ShouldStop() = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SCRIPT_HOST_H_
