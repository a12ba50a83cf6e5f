#include "server/commands/support/database_index.h"

#include <limits>

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

constexpr std::string_view kOutsideInt =
    "ERR value is out of range, value must between -2147483648 and 2147483647";

bool IsInt(int64_t number) {
  return number >= std::numeric_limits<int>::min() && number <= std::numeric_limits<int>::max();
}

}  // namespace

int TakeDatabaseIndex(Arguments& args) {
  const int64_t number = args.Integer();
  if (!IsInt(number)) args.Fail(kOutsideInt);
  const int index = static_cast<int>(number);
  if (!IsDatabaseIndex(args.call(), index)) args.Fail(kDbIndexOutOfRange);
  return index;
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
