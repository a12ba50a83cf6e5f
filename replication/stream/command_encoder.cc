#include "replication/stream/command_encoder.h"

#include <algorithm>
#include <cstring>

namespace cloakroom {
namespace {

size_t Digits(size_t value) {
  size_t digits = 1;
  for (; value >= 10; value /= 10) digits++;
  return digits;
}

/// A type byte, the number, a line end.
size_t HeaderLength(size_t value) { return 1 + Digits(value) + 2; }

/// Memory that is known to suffice.
struct Memory {
  void Put(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  char* at;
};

/// Makes room for `more` bytes, with some to spare, and without clearing them twice.
char* Extend(std::string& out, size_t more) {
  size_t old = out.size();
  if (out.capacity() - old < more) out.reserve(std::max(old + more, out.capacity() * 2));
  out.resize(old + more);
  return out.data() + old;
}

}  // namespace

RespHeader::RespHeader(char type, size_t value) {
  text_[0] = type;
  size_ = 1 + FormatInteger(static_cast<int64_t>(value), text_ + 1);
  text_[size_++] = '\r';
  text_[size_++] = '\n';
}

size_t CommandLength(std::span<const std::string_view> arguments) {
  size_t length = HeaderLength(arguments.size());
  for (std::string_view argument : arguments) {
    length += HeaderLength(argument.size()) + argument.size() + 2;
  }
  return length;
}

void AppendCommand(std::string& out, std::span<const std::string_view> arguments) {
  Memory memory{Extend(out, CommandLength(arguments))};
  PutCommand(memory, arguments);
}

}  // namespace cloakroom
