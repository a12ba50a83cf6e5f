#include "server/commands/support/database_index.h"

#include <limits>

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

constexpr std::string_view kOutsideInt =
    "ERR value is out of range, value must between -2147483648 and 2147483647";

}  // namespace

std::optional<int> ParseInt(Call& call, size_t i, std::string_view error) {
  std::optional<int64_t> value = ParseInteger(call.arg(i));
  bool fits = value && *value >= std::numeric_limits<int>::min() &&
              *value <= std::numeric_limits<int>::max();
  if (fits) return static_cast<int>(*value);
  call.Error(!error.empty() ? error : value ? kOutsideInt : kNotInteger);
  return std::nullopt;
}

std::optional<int> ParseDatabaseIndex(Call& call, size_t i) {
  std::optional<int> index = ParseInt(call, i);
  if (!index || IsDatabaseIndex(call, *index)) return index;
  call.Error(kDbIndexOutOfRange);
  return std::nullopt;
}

int DatabaseNumberOf(std::string_view argument) {
  std::optional<int64_t> number = ParseInteger(argument);
  const bool fits = number && *number >= 0 && *number <= std::numeric_limits<int>::max();
  return fits ? static_cast<int>(*number) : -1;
}

bool IsDatabaseIndex(Call& call, int index) {
  return index >= 0 && index < call.server().keyspace().database_count();
}

}  // namespace cloakroom
