#include "replication/rdb/rdb_error.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace cloakroom {

std::string RdbError::Text() const {
  constexpr size_t kMaxKey = 200;
  std::string text = absl::StrCat("offset ", offset);
  if (key) {
    const std::string_view shown = std::string_view(*key).substr(0, kMaxKey);
    absl::StrAppend(&text, ", key '",
                    absl::CHexEscape(absl::string_view(shown.data(), shown.size())),
                    shown.size() < key->size() ? "'…" : "'");
  }
  return absl::StrCat(text, ": ", message);
}

std::string_view RdbStageName(RdbStage stage) {
  constexpr std::string_view kNames[] = {
      "start",     "read-type", "read-expire", "read-key",        "read-object-value",
      "check-sum", "read-len",  "read-aux",    "read-module-aux", "read-functions",
  };
  return kNames[static_cast<size_t>(stage)];
}

}  // namespace cloakroom
