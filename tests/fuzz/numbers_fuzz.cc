// What parses prints as itself: integers to the byte, floating-point numbers to the value.

#include <string>

#include "protocol/numbers.h"
#include "tests/fuzz/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (std::optional<int64_t> integer = ParseInteger(text)) {
    char out[21];
    fuzz::Check(std::string_view(out, FormatInteger(*integer, out)) == text);
  }
  if (std::optional<uint64_t> number = ParseUnsigned(text)) {
    fuzz::Check(std::to_string(*number) == text);
  }
  if (std::optional<double> number = ParseDouble(text)) {
    fuzz::Check(ParseDouble(FormatDouble(*number)) == number);
  }
  if (std::optional<long double> number = ParseLongDouble(text)) {
    fuzz::Check(!FormatLongDouble(*number).empty());
  }
  return 0;
}
