#ifndef CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_
#define CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_

#include <cstdint>
#include <string_view>

#include "storage/access/write_scope.h"
#include "storage/base/blob.h"

namespace cloakroom {

// Strings that replace a key as a whole: value, type and expiry at once, with at most one
// allocation for the entry. MutableString (string_value.h) changes the strings that are there.

/// What SET stores; kNoExpiry: for ever. REQUIRES: bytes.size() <= Blob::kMaxSize.
void StoreString(WriteScope& scope, std::string_view bytes, int64_t expire_at_ms);

/// The same for bytes that were computed (BITOP): OBJECT ENCODING says raw, however short they
/// are and even where they spell an integer.
void StoreRaw(WriteScope& scope, BlobRef blob, int64_t expire_at_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_STRING_STORE_H_
