#include "server/commands/support/digest.h"

#include <fmt/core.h>

#include <cstdlib>

#include "server/script/sha1.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

/// A part with its length in front, so that two parts never read like two others.
std::string Part(std::string_view text) { return fmt::format("{}:{}", text.size(), text); }

}  // namespace

void Digest::Mix(std::string_view text) {
  std::string sum = Sha1Hex(text);
  for (size_t i = 0; i < bytes_.size(); ++i) {
    bytes_[i] ^= static_cast<uint8_t>(std::strtol(sum.substr(2 * i, 2).c_str(), nullptr, 16));
  }
}

void Digest::MixEntry(int db, const Entry& entry, int64_t now_ms) {
  Mix(fmt::format("{} {} {} {}", db, Part(entry.key()), entry.expire_at_ms(),
                  DigestOfValue(&entry, now_ms)));
}

std::string Digest::hex() const {
  std::string text;
  for (uint8_t byte : bytes_) text += fmt::format("{:02x}", byte);
  return text;
}

std::string DigestOfValue(const Entry* entry, int64_t now_ms) {
  Digest digest;
  if (entry == nullptr) return digest.hex();
  switch (entry->type()) {
    case ValueType::kString:
      digest.Mix("string " + std::string(StringView(entry->encoding(), entry->payload()).bytes()));
      break;
    case ValueType::kSet:
      Set(entry->encoding(), entry->payload()).ForEach([&](std::string_view member) {
        digest.Mix("set " + std::string(member));
      });
      break;
    case ValueType::kHash: {
      Hash hash(entry->encoding(), entry->payload());
      hash.ForEach(
          [&](const Item& item) {
            digest.Mix(fmt::format("hash {} {} {}", Part(item.field), item.expires_at_ms,
                                   item.value.bytes));
          },
          now_ms);
      break;
    }
  }
  return digest.hex();
}

}  // namespace cloakroom
