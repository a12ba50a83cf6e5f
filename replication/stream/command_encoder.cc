#include "replication/stream/command_encoder.h"

#include <algorithm>
#include <cstring>

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

size_t Digits(size_t value) {
  size_t digits = 1;
  for (; value >= 10; value /= 10) digits++;
  return digits;
}

/// A type byte, the number, a line end.
size_t HeaderLength(size_t value) { return 1 + Digits(value) + 2; }

char* PutLineEnd(char* at) {
  at[0] = '\r';
  at[1] = '\n';
  return at + 2;
}

char* PutHeader(char* at, char type, size_t value) {
  *at++ = type;
  // FormatInteger wants more room than the digits take, which the last header may not have.
  char digits[kMaxIntegerLength + 1];
  size_t length = FormatInteger(static_cast<int64_t>(value), digits);
  std::memcpy(at, digits, length);
  return PutLineEnd(at + length);
}

/// Makes room for `more` bytes, with some to spare, and without clearing them twice.
char* Extend(std::string& out, size_t more) {
  size_t old = out.size();
  if (out.capacity() - old < more) out.reserve(std::max(old + more, out.capacity() * 2));
  out.resize(old + more);
  return out.data() + old;
}

}  // namespace

size_t CommandLength(std::span<const std::string_view> arguments) {
  size_t length = HeaderLength(arguments.size());
  for (std::string_view argument : arguments) {
    length += HeaderLength(argument.size()) + argument.size() + 2;
  }
  return length;
}

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  char* at = Extend(out, CommandLength(arguments));
  at = PutHeader(at, '*', arguments.size());
  for (std::string_view argument : arguments) {
    at = PutHeader(at, '$', argument.size());
    if (!argument.empty()) std::memcpy(at, argument.data(), argument.size());
    at = PutLineEnd(at + argument.size());
  }
}

}  // namespace cloakroom
