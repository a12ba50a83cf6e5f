#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELD_STRING_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELD_STRING_H_

#include "storage/keyspace/entry.h"
#include "storage/values/shared_value.h"
#include "storage/values/string_value.h"

namespace cloakroom {

/// The string of an entry; empty for null. REQUIRES: a string entry or null.
inline StringView ViewOf(const Entry* entry) {
  return entry == nullptr ? StringView() : StringView(entry->value());
}

/// A string as it was under the hold, for long work to read without a hold. Copies share its bytes.
class HeldString {
 public:
  /// REQUIRES: the entry holds a string, and its stripe is held; or it is null, for the empty
  /// string.
  explicit HeldString(const Entry* entry)
      : value_(entry == nullptr ? ValueView{.type = StringView::kType} : entry->value()) {}

  /// Whether the entry, or null, still has the same string. REQUIRES: as above.
  bool IsOf(const Entry* entry) const {
    if (entry == nullptr) return value_.view().payload.empty();
    return value_.Is(entry->value());
  }

  /// Valid as long as this object.
  StringView view() const { return StringView(value_.view()); }

 private:
  SharedValue value_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_HELD_STRING_H_
