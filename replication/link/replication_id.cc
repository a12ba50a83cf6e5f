#include "replication/link/replication_id.h"

#include <algorithm>

#include "absl/random/distributions.h"
#include "absl/strings/ascii.h"
#include "protocol/text.h"

namespace cloakroom {

ReplicationId ReplicationId::Random(absl::BitGenRef random) {
  ReplicationId id;
  for (char& digit : id.digits_) digit = "0123456789abcdef"[absl::Uniform<size_t>(random, 0, 16)];
  return id;
}

std::optional<ReplicationId> ReplicationId::Parse(std::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
  if (text.size() != kLength || !std::all_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  ReplicationId id;
  std::copy(text.begin(), text.end(), id.digits_.begin());
  return id;
}

bool ReplicationId::Is(std::string_view other) const { return EqualsIgnoreCase(text(), other); }

}  // namespace cloakroom
