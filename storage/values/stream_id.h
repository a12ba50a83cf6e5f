#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_ID_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_ID_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cloakroom {

/// The ID of an entry in a stream: milliseconds since the epoch, and a sequence number that tells
/// entries of the same millisecond apart. Its text is "ms-seq".
struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend auto operator<=>(const StreamId&, const StreamId&) = default;

  bool zero() const { return ms == 0 && seq == 0; }
  /// The IDs directly behind and before this one; nullopt: it is the last, or the first.
  std::optional<StreamId> Next() const;
  std::optional<StreamId> Previous() const;
};

inline constexpr StreamId kFirstStreamId = {0, 0};
inline constexpr StreamId kLastStreamId = {UINT64_MAX, UINT64_MAX};

/// The text of an ID, stored in the object.
class StreamIdText {
 public:
  explicit StreamIdText(const StreamId& id);

  /// Valid as long as this object.
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[41];  // two numbers of 20 digits and the dash
  uint8_t size_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_ID_H_
