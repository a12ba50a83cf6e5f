#include "server/commands/support/expire_time.h"

#include "protocol/text.h"

namespace cloakroom {
namespace {

std::optional<int64_t> Invalid(Call& call) {
  call.Error(Concat({"ERR invalid expire time in '", call.command().row->name, "' command"}));
  return std::nullopt;
}

std::optional<int64_t> ToAbsoluteMs(Call& call, int64_t number, ExpireForm form) {
  int64_t base_ms = form.absolute ? 0 : call.now_ms();
  int64_t at_ms;
  if (__builtin_mul_overflow(number, form.unit_ms, &at_ms) ||
      __builtin_add_overflow(at_ms, base_ms, &at_ms)) {
    return Invalid(call);
  }
  return at_ms;
}

}  // namespace

std::optional<ExpireForm> ExpireKeyword(std::string_view word) {
  if (EqualsIgnoreCase(word, "EX")) return kInSeconds;
  if (EqualsIgnoreCase(word, "PX")) return kInMilliseconds;
  if (EqualsIgnoreCase(word, "EXAT")) return kAtSecond;
  if (EqualsIgnoreCase(word, "PXAT")) return kAtMillisecond;
  return std::nullopt;
}

std::optional<int64_t> PositiveExpireTime(Call& call, size_t i, ExpireForm form) {
  std::optional<int64_t> number = call.Integer(i);
  if (!number) return std::nullopt;
  return *number > 0 ? ToAbsoluteMs(call, *number, form) : Invalid(call);
}

std::optional<int64_t> AnyExpireTime(Call& call, size_t i, ExpireForm form) {
  std::optional<int64_t> number = call.Integer(i);
  return number ? ToAbsoluteMs(call, *number, form) : std::nullopt;
}

}  // namespace cloakroom
