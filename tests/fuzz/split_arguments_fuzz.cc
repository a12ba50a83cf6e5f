// Words lie in their line, in order and without overlap; quoted again, they split into the same
// words.

#include <string>

#include "protocol/split_arguments.h"
#include "tests/fuzz/pieces.h"

namespace {

std::string Quoted(std::string_view word) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (unsigned char byte : word) {
    quoted += "\\x";
    quoted += kHex[byte / 16];
    quoted += kHex[byte % 16];
  }
  return quoted + "\" ";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cloakroom::fuzz::Check;
  std::vector<char> line(data, data + size);
  std::vector<std::string_view> words;
  if (!cloakroom::SplitArguments(line, words)) return 0;
  const char* free = line.data();
  std::string again;
  for (std::string_view word : words) {
    Check(word.data() >= free && word.data() + word.size() <= line.data() + line.size());
    free = word.data() + word.size();
    again += Quoted(word);
  }
  std::vector<std::string_view> words_again;
  Check(cloakroom::SplitArguments(again, words_again));
  Check(words == words_again);
  return 0;
}
