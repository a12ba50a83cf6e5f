#include "replication/command_encoder.h"

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

void AppendHeader(char type, size_t n, std::string* bytes) {
  char header[kMaxIntegerLength + 4];
  header[0] = type;
  size_t size = 1 + FormatInteger(static_cast<int64_t>(n), header + 1);
  header[size++] = '\r';
  header[size++] = '\n';
  bytes->append(header, size);
}

}  // namespace

void AppendCommand(std::span<const std::string_view> words, std::string* bytes) {
  AppendHeader('*', words.size(), bytes);
  for (std::string_view word : words) {
    AppendHeader('$', word.size(), bytes);
    bytes->append(word);
    bytes->append("\r\n", 2);
  }
}

}  // namespace cloakroom
