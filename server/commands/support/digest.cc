#include "server/commands/support/digest.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/base/unaligned.h"
#include "storage/values/stream.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

void MixStream(Digest& digest, const Stream& stream) {
  stream.ForEach({}, [&](const StreamEntry& entry) {
    digest.Mix(absl::StrCat(entry.id().ms, ".", entry.id().seq));
    entry.ForEach([&](const StreamText& field, const StreamText& value) {
      digest.Mix(field.view());
      digest.Mix(value.view());
    });
    return true;
  });
}

void MixItems(Digest& digest, const ValueView& value, int64_t now_ms) {
  const TypeOps& ops = OpsOf(value.type);
  const bool ordered = ops.ordered || value.type == ValueType::kString;
  ops.for_each(
      value,
      [&](const Item& item) {
        if (ordered) return digest.Mix(item.field);
        if (!ops.has_values) {
          digest.Xor(item.field);
          if (item.expires_at_ms != kNever) digest.Xor("!!hexpire!!");
          return;
        }
        Digest pair;
        pair.Mix(item.field);
        pair.Mix(item.value.bytes);
        if (item.expires_at_ms != kNever) pair.Xor("!!hexpire!!");
        digest.Xor(pair.bytes());
      },
      now_ms);
}

}  // namespace

void Digest::Mix(std::string_view text) {
  Xor(text);
  bytes_ = Sha1(bytes());
}

void Digest::Xor(std::string_view text) {
  const Sha1Bytes sum = Sha1(text);
  for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] ^= sum[i];
}

void Digest::MixNumber(uint32_t number) {
  char bytes[sizeof(number)];
  StoreUnaligned(bytes, __builtin_bswap32(number));
  Mix({bytes, sizeof(bytes)});
}

void Digest::XorEntry(const Entry& entry, int64_t now_ms) {
  Digest digest;
  digest.Mix(entry.key());
  digest.MixValue(entry, now_ms);
  Xor(digest.bytes());
}

void Digest::MixValue(const Entry& entry, int64_t now_ms) {
  const ValueView value = entry.value();
  MixNumber(OpsOf(value.type).redis_number);
  if (value.type == ValueType::kStream) {
    MixStream(*this, Stream(value));
  } else {
    MixItems(*this, value, now_ms);
  }
  if (entry.has_expiry()) Xor("!!expire!!");
}

std::string Digest::hex() const { return absl::BytesToHexString({bytes().data(), bytes().size()}); }

}  // namespace cloakroom
