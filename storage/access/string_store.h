#ifndef CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_
#define CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_

#include <cstdint>
#include <string_view>

#include "storage/access/write_scope.h"
#include "storage/base/blob.h"

namespace cloakroom {

// Replaces a key by a string: value, type and expiry at once, with at most one allocation for the
// entry. MutableString (string_value.h) changes existing strings.

/// What SET stores. kNoExpiry: the key does not expire. REQUIRES: bytes.size() <= Blob::kMaxSize.
void StoreString(WriteScope& scope, std::string_view bytes, int64_t expire_at_ms);

/// The same for computed bytes (BITOP): OBJECT ENCODING says raw, even for short ones and for those
/// that spell an integer.
void StoreRaw(WriteScope& scope, BlobRef blob, int64_t expire_at_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_
