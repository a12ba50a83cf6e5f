#include "clients/drill/error_code.h"

#include <algorithm>
#include <string_view>

namespace cloakroom::drill {
namespace {

constexpr size_t kShortestCode = 3;  // ERR

/// The first word in capitals: an error's code, wherever the message begins.
std::string_view CodeIn(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    const bool capitals =
        std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (capitals && word.size() >= kShortestCode) return word;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return "error";
}

}  // namespace

std::string CodeOf(const absl::Status& status) {
  const std::string text(status.message());
  if (status.code() == absl::StatusCode::kNotFound) return "no primary";
  if (status.code() == absl::StatusCode::kFailedPrecondition) return std::string(CodeIn(text));
  if (text.ends_with("timed out")) return "time-out";
  if (text.find("refused") != std::string::npos) return "refused";
  const bool closed = text.find("closed") != std::string::npos ||
                      text.find("reset by peer") != std::string::npos ||
                      text.find("Broken pipe") != std::string::npos;
  return closed ? "closed" : "no connection";
}

}  // namespace cloakroom::drill
