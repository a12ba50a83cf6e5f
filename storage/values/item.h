#ifndef CLOAKROOM_STORAGE_VALUES_ITEM_H_
#define CLOAKROOM_STORAGE_VALUES_ITEM_H_

#include <cstdint>
#include <string_view>

#include "storage/base/blob.h"
#include "storage/base/clock.h"

namespace cloakroom {

/// A value in a hash. `bytes` is valid until the hash changes; to keep a large one longer, take a
/// reference to `blob`, which is null for inline bytes.
struct ItemValue {
  std::string_view bytes;
  const Blob* blob = nullptr;
};

/// One field of a hash, or one member of a set (no value). Valid until the hash or set
/// changes. `expires_at_ms` is kNever for an item that does not expire.
struct Item {
  std::string_view field;
  ItemValue value;
  int64_t expires_at_ms = kNever;

  bool ExpiredAt(int64_t now_ms) const { return expires_at_ms <= now_ms; }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ITEM_H_
