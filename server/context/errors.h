#ifndef CLOAKROOM_SERVER_CONTEXT_ERRORS_H_
#define CLOAKROOM_SERVER_CONTEXT_ERRORS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cloakroom {

/// The status of a refused request, with this error reply as its message. Only the message counts;
/// it has the words that Redis' clients know.
inline absl::Status Refused(std::string_view reply) {
  return absl::FailedPreconditionError(absl::string_view(reply.data(), reply.size()));
}
/// The text of the error reply. Valid as long as the status is.
inline std::string_view ReplyOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

/// The first word of an error. A copy: messages are often temporary.
inline std::string ErrorCodeOf(std::string_view message) {
  return std::string(message.substr(0, message.find(' ')));
}

inline std::string WrongArityOf(std::string_view command) {
  return "ERR wrong number of arguments for '" + std::string(command) + "' command";
}

// Error replies that several commands share, in Redis' words, since clients compare them.
inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kNotFloat = "ERR value is not a valid float";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kOutOfRange = "ERR index out of range";
inline constexpr std::string_view kSameObject = "ERR source and destination objects are the same";
inline constexpr std::string_view kNoAuthError = "NOAUTH Authentication required.";
inline constexpr std::string_view kTooFewReplicas = "NOREPLICAS Not enough good replicas to write.";
inline constexpr std::string_view kReadOnlyReplica =
    "READONLY You can't write against a read only replica.";
inline constexpr std::string_view kPrimaryDown =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
inline constexpr std::string_view kOutOfMemory =
    "OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr std::string_view kExecAbort =
    "EXECABORT Transaction discarded because of previous errors.";
inline constexpr std::string_view kUnblockedByRole =
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
inline constexpr std::string_view kUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
inline constexpr std::string_view kBusyScript =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
inline constexpr std::string_view kBusyFunction =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
inline constexpr std::string_view kLoadingError = "LOADING Redis is loading the dataset in memory";
inline constexpr std::string_view kNoScriptError = "NOSCRIPT No matching script. Please use EVAL.";
/// A script closes the gates of all databases if its text shows that it may select one. This error
/// is for a script that hides it.
inline constexpr std::string_view kCannotSelect =
    "ERR A script that works in several databases must name SELECT, or the command that reaches "
    "another database, literally in redis.call()";
inline constexpr std::string_view kDbIndexOutOfRange = "ERR DB index is out of range";

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_ERRORS_H_
