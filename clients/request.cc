#include "clients/request.h"

namespace cloakroom {

void AppendRequest(std::string& out, std::initializer_list<std::string_view> words) {
  out += '*' + std::to_string(words.size()) + "\r\n";
  for (std::string_view word : words) {
    out += '$' + std::to_string(word.size()) + "\r\n";
    out.append(word);
    out += "\r\n";
  }
}

std::string Request(std::initializer_list<std::string_view> words) {
  std::string out;
  AppendRequest(out, words);
  return out;
}

}  // namespace cloakroom
