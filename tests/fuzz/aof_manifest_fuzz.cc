// A manifest that parses prints a text that parses to the same manifest.

#include <variant>

#include "replication/aof/aof_manifest.h"
#include "tests/fuzz/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  auto parsed = AofManifest::Parse({reinterpret_cast<const char*>(data), size});
  const auto* manifest = std::get_if<AofManifest>(&parsed);
  if (manifest == nullptr) {
    fuzz::Check(!std::get<AofManifest::ParseError>(parsed).text.empty());
    return 0;
  }
  std::string text = manifest->Print();
  // Quoting may make a line too long, and a manifest that holds only comments prints nothing.
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end - at >= AofManifest::kMaxLine) return 0;
    at = end + 1;
  }
  if (text.empty()) return 0;
  auto again = AofManifest::Parse(text);
  fuzz::Check(std::holds_alternative<AofManifest>(again));
  fuzz::Check(std::get<AofManifest>(again).Print() == text);
  return 0;
}
