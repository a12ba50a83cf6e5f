#include "storage/access/string_store.h"

#include <optional>
#include <utility>

#include "storage/base/integer_text.h"
#include "storage/base/unaligned.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

constexpr ValueType kString = ValueType::kString;

void StoreBlob(WriteScope& scope, BlobRef blob, int64_t expire_at_ms) {
  char* payload = scope.Overwrite(kString, Encoding::kBlob, sizeof(const Blob*), expire_at_ms);
  StoreUnaligned(payload, blob.Release());
}

void StoreInline(WriteScope& scope, std::string_view bytes, int64_t expire_at_ms) {
  StoreBytes(scope.Overwrite(kString, Encoding::kBytes, bytes.size(), expire_at_ms), bytes);
}

}  // namespace

void StoreString(WriteScope& scope, std::string_view bytes, int64_t expire_at_ms) {
  if (bytes.size() > kMaxInlineString) {
    return StoreBlob(scope, BlobRef::Adopt(Blob::Create(bytes)), expire_at_ms);
  }
  if (std::optional<int64_t> integer = ParseCanonicalInt(bytes)) {
    StoreUnaligned(scope.Overwrite(kString, Encoding::kInt, sizeof(int64_t), expire_at_ms),
                   *integer);
    return;
  }
  StoreInline(scope, bytes, expire_at_ms);
}

void StoreRaw(WriteScope& scope, BlobRef blob, int64_t expire_at_ms) {
  if (blob->size() > kMaxInlineString) {
    StoreBlob(scope, std::move(blob), expire_at_ms);
  } else {
    StoreInline(scope, blob->bytes(), expire_at_ms);
  }
  scope.set_outgrown(true);
}

}  // namespace cloakroom
