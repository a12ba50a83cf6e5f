#ifndef CLOAKROOM_REPLICATION_COMMAND_ENCODER_H_
#define CLOAKROOM_REPLICATION_COMMAND_ENCODER_H_

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace cloakroom {

/// Appends a command as clients send it: an array of bulk strings in RESP.
void AppendCommand(std::span<const std::string_view> words, std::string* bytes);

inline void AppendCommand(std::initializer_list<std::string_view> words, std::string* bytes) {
  AppendCommand(std::span(words.begin(), words.size()), bytes);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_COMMAND_ENCODER_H_
