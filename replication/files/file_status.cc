#include "replication/files/file_status.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr char kErrnoPayload[] = "cloakroom/errno";
constexpr std::string_view kBetween = ": ";

absl::StatusCode CodeOf(int error_number) {
  const bool absent = error_number == ENOENT || error_number == ENOTDIR;
  return absent ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable;
}

}  // namespace

absl::Status FileError(int error_number, std::string_view what) {
  absl::Status status(CodeOf(error_number), Concat({what, kBetween, std::strerror(error_number)}));
  const std::string digits = absl::StrCat(error_number);
  // Not from the string itself: clang and Debian's Abseil disagree on that constructor's name.
  status.SetPayload(kErrnoPayload, absl::Cord(absl::string_view(digits)));
  return status;
}

int ErrnoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrnoPayload);
  if (!payload) return 0;
  const std::string digits(*payload);
  int error_number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), error_number);
  return error_number;
}

std::string ErrnoText(const absl::Status& status) {
  const int error_number = ErrnoOf(status);
  return error_number == 0 ? "" : std::strerror(error_number);
}

std::string FileCallOf(const absl::Status& status) {
  std::string text = MessageOf(status);
  const size_t behind = kBetween.size() + ErrnoText(status).size();
  text.resize(text.size() - std::min(behind, text.size()));
  return text;
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace cloakroom
