#include "server/commands/support/digest.h"

#include <fmt/core.h>

#include <cstdlib>

#include "server/script/sha1.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// A part with its length before it, so that different parts never make the same text.
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
  const TypeOps& ops = OpsOf(entry->type());
  size_t at = 0;
  const auto mix = [&](const Item& item) {
    if (ops.ordered) {
      return digest.Mix(fmt::format("{} {} {}", ops.name, at++, item.field));
    }
    if (!ops.has_values) return digest.Mix(fmt::format("{} {}", ops.name, item.field));
    digest.Mix(fmt::format("{} {} {} {}", ops.name, Part(item.field), item.expires_at_ms,
                           item.value.bytes));
  };
  ops.for_each(entry->value(), mix, now_ms);
  return digest.hex();
}

}  // namespace cloakroom
