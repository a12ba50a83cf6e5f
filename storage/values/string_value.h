#ifndef CLOAKROOM_STORAGE_VALUES_STRING_VALUE_H_
#define CLOAKROOM_STORAGE_VALUES_STRING_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/base/blob.h"
#include "storage/base/integer_text.h"
#include "storage/values/value.h"

namespace cloakroom {

struct TypeOps;

/// Its row (type_ops.h).
extern const TypeOps kStringOps;

/// Longer strings leave their entry for a Blob. For shorter ones, the blob's header, its pointer
/// and the second allocation's rounding cost more than rewriting the entry when the value changes.
inline constexpr size_t kMaxInlineString = 192;

/// A string value as readers see it. A default-constructed one is absent, and empty. Valid until
/// the value changes; the caller holds the stripe's lock.
class StringView {
 public:
  static constexpr ValueType kType = ValueType::kString;

  StringView() = default;
  StringView(Encoding encoding, std::string_view payload);
  /// REQUIRES: a string.
  explicit StringView(const ValueView& value) : StringView(value.encoding, value.payload) {}

  size_t size() const { return bytes().size(); }
  /// Valid as long as this object and the value.
  std::string_view bytes() const;
  /// The integer that the string spells, in any encoding.
  std::optional<int64_t> integer() const;
  /// The blob that holds the bytes, for sending by reference; null for inline bytes.
  const Blob* blob() const { return blob_; }

 private:
  std::string_view bytes_;
  const Blob* blob_ = nullptr;
  std::optional<int64_t> integer_;  // only of an int encoding; spelt in digits_
  IntegerText digits_{0};
};

/// A string value being changed. The slot may be absent: the first write creates it. Arguments must
/// not point into the slot. The caller holds the stripe's lock.
///
/// Encoding rules, which OBJECT ENCODING makes visible as in Redis: Assign stores a canonical
/// integer as kInt; Append and other changes of bytes leave plain bytes and set `outgrown` (raw).
class MutableString {
 public:
  /// REQUIRES: the slot is absent or holds a string.
  explicit MutableString(ValueSlot& slot) : slot_(slot) {}

  StringView view() const;

  /// What SET stores.
  void Assign(std::string_view bytes);
  /// As Assign, but never as an integer (INCRBYFLOAT's result, GETRANGE into a key).
  void AssignText(std::string_view bytes);
  void AssignInteger(int64_t value);
  /// As AssignText for bytes that are in a blob already; the slot takes over the reference.
  void AssignBlob(BlobRef blob);

  /// Returns the new size.
  size_t Append(std::string_view bytes);
  /// Pads with zero bytes up to `offset`, then overwrites from there. Returns the new size.
  size_t SetRange(size_t offset, std::string_view bytes);
  /// The string's bytes for changing in place (SETBIT), at least `size` of them: zero bytes pad it.
  /// An integer becomes plain bytes, as OBJECT ENCODING then says. Logs only the padding; report
  /// changes of bytes with Wrote(). Valid until the value changes again.
  char* MakeRoom(size_t size);
  void Wrote(size_t offset, size_t count) { slot_.LogBytes(offset, offset + count); }

 private:
  char* Rewrite(Encoding encoding, size_t payload_size);
  char* Resize(size_t size);
  char* ResizeBlob(size_t size);

  ValueSlot& slot_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STRING_VALUE_H_
