#ifndef CLOAKROOM_STORAGE_BASE_INTEGER_TEXT_H_
#define CLOAKROOM_STORAGE_BASE_INTEGER_TEXT_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace cloakroom {

/// The integer whose canonical decimal form is `text` ("12", not "012", "+12", " 12" or "-0"), as
/// Redis stores integers and INCR accepts them.
std::optional<int64_t> ParseCanonicalInt(std::string_view text);

/// The canonical decimal form of an integer, stored in the object.
class IntegerText {
 public:
  explicit IntegerText(int64_t value);

  /// Valid as long as this object.
  std::string_view view() const { return {digits_, size_}; }

 private:
  char digits_[20];  // "-9223372036854775808"
  uint8_t size_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_INTEGER_TEXT_H_
