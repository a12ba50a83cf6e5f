#include "protocol/split_arguments.h"

#include <cstddef>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

// Redis skips all white space between words, but only these bytes end an unquoted word.
bool EndsWord(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool IsHex(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

int HexValue(char c) {
  return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

/// Reads one word and writes it, unescaped, over the bytes from which it was read: `write_` never
/// overtakes `read_`.
class WordReader {
 public:
  WordReader(std::span<char> line, size_t at) : line_(line), read_(at), start_(at), write_(at) {}

  /// False if a quote is unbalanced.
  bool Read() {
    while (read_ < line_.size() && !EndsWord(line_[read_])) {
      char c = line_[read_++];
      if (c == '"') return ReadDoubleQuoted() && EndsHere();
      if (c == '\'') return ReadSingleQuoted() && EndsHere();
      line_[write_++] = c;
    }
    return true;
  }

  size_t next() const { return read_; }
  std::string_view word() const { return {line_.data() + start_, write_ - start_}; }

 private:
  bool EndsHere() const { return read_ == line_.size() || IsSpace(line_[read_]); }

  size_t left() const { return line_.size() - read_; }

  bool ReadDoubleQuoted() {
    while (left() > 0) {
      char c = line_[read_++];
      if (c == '"') return true;
      if (c == '\\' && left() >= 3 && line_[read_] == 'x' && IsHex(line_[read_ + 1]) &&
          IsHex(line_[read_ + 2])) {
        c = static_cast<char>(HexValue(line_[read_ + 1]) * 16 + HexValue(line_[read_ + 2]));
        read_ += 3;
      } else if (c == '\\' && left() > 0) {
        c = Unescape(line_[read_++]);
      }
      line_[write_++] = c;
    }
    return false;
  }

  bool ReadSingleQuoted() {
    while (left() > 0) {
      char c = line_[read_++];
      if (c == '\'') return true;
      if (c == '\\' && left() > 0 && line_[read_] == '\'') c = line_[read_++];
      line_[write_++] = c;
    }
    return false;
  }

  std::span<char> line_;
  size_t read_;
  size_t start_;
  size_t write_;
};

}  // namespace

bool SplitArguments(std::span<char> line, std::vector<std::string_view>& words) {
  size_t at = 0;
  for (;;) {
    while (at < line.size() && IsSpace(line[at])) ++at;
    if (at == line.size()) return true;
    WordReader reader(line, at);
    if (!reader.Read()) return false;
    words.push_back(reader.word());
    at = reader.next();
  }
}

}  // namespace cloakroom
