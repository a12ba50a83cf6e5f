#ifndef CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_
#define CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_

#include <string>
#include <string_view>
#include <utility>

#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// A copy of a value as it was when taken. One thread at a time may read it without a lock while
/// the original changes, for instance with Hash(shared.view()). The last owner frees what is left
/// of the value, on whatever thread that happens.
class SharedValue {
 public:
  explicit SharedValue(const ValueView& value)
      : type_(value.type),
        encoding_(value.encoding),
        outgrown_(value.outgrown),
        payload_(CopyPayload(value)) {}
  ~SharedValue() { ReleaseValue(view()); }
  SharedValue(const SharedValue& other) : SharedValue(other.view()) {}
  SharedValue(SharedValue&& other) noexcept
      : type_(other.type_),
        encoding_(other.encoding_),
        outgrown_(other.outgrown_),
        payload_(std::exchange(other.payload_, std::string())) {}
  SharedValue& operator=(SharedValue other) noexcept {
    std::swap(type_, other.type_);
    std::swap(encoding_, other.encoding_);
    std::swap(outgrown_, other.outgrown_);
    std::swap(payload_, other.payload_);
    return *this;
  }

  /// Whether `value` is this value, unchanged since it was shared. Large values are copied when
  /// they change, so their address tells; it is not reused while this object lives.
  bool Is(const ValueView& value) const {
    return type_ == value.type && encoding_ == value.encoding && payload_ == value.payload;
  }

  /// Valid as long as this object.
  ValueView view() const {
    return {.type = type_, .encoding = encoding_, .outgrown = outgrown_, .payload = payload_};
  }

 private:
  ValueType type_;
  Encoding encoding_;
  bool outgrown_;
  std::string payload_;  // owns its references, unless empty
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SHARED_VALUE_H_
