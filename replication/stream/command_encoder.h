#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "protocol/numbers.h"

namespace cloakroom {

/// Appends a command as RESP, as the log and the replication stream hold it:
/// "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n". Grows `out` at most once. Any thread.
void AppendCommand(std::string& out, std::span<const std::string_view> arguments);

/// The number of bytes that AppendCommand() would append.
size_t CommandLength(std::span<const std::string_view> arguments);

/// A number in a header of RESP: "$3\r\n".
class RespHeader {
 public:
  RespHeader(char type, size_t value);
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kMaxIntegerLength + 4];
  size_t size_;
};

/// Puts a command as AppendCommand() appends it. `Out` has Put(std::string_view).
template <typename Out>
void PutCommand(Out& out, std::span<const std::string_view> arguments) {
  out.Put(RespHeader('*', arguments.size()).view());
  for (const std::string_view argument : arguments) {
    out.Put(RespHeader('$', argument.size()).view());
    out.Put(argument);
    out.Put("\r\n");
  }
}

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_ENCODER_H_
