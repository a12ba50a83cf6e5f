#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_

#include <span>
#include <string>
#include <string_view>

namespace cloakroom {

/// Appends a command as RESP, as the log and the replication stream hold it:
/// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n". Grows `out` at most once. Any thread.
void AppendCommand(std::string& out, std::span<const std::string_view> arguments);

/// The number of bytes that AppendCommand() would append.
size_t CommandLength(std::span<const std::string_view> arguments);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_
