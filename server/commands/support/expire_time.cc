#include "server/commands/support/expire_time.h"

#include "protocol/text.h"

namespace cloakroom {
namespace {

/// No field of a hash expires later than this.
constexpr int64_t kMaxFieldExpiryMs = (int64_t{1} << 46) - 1;

void Invalid(Arguments& args) {
  args.Fail(Concat({"ERR invalid expire time in '", args.call().command().row->name, "' command"}));
}

int64_t ToAbsoluteMs(Arguments& args, int64_t number, ExpireForm form) {
  const int64_t base_ms = form.absolute ? 0 : args.call().now_ms();
  int64_t at_ms;
  if (__builtin_mul_overflow(number, form.unit_ms, &at_ms) ||
      __builtin_add_overflow(at_ms, base_ms, &at_ms)) {
    Invalid(args);
    return 0;
  }
  return at_ms;
}

}  // namespace

std::optional<ExpireForm> TakeExpireForm(Arguments& args) {
  if (args.Word("EX")) return kInSeconds;
  if (args.Word("PX")) return kInMilliseconds;
  if (args.Word("EXAT")) return kAtSecond;
  if (args.Word("PXAT")) return kAtMillisecond;
  return std::nullopt;
}

bool ExpireOption::Take(Arguments& args, std::string_view word) {
  if (!form && args.Word(word)) {
    has_word = true;
    return true;
  }
  const std::optional<ExpireForm> taken = TakeExpireForm(args);
  if (!taken || has_word || (form && *form != *taken)) return false;
  form = taken;
  time_at = args.at();
  args.String();
  return true;
}

int64_t TakePositiveExpireTime(Arguments& args, ExpireForm form) {
  const int64_t number = args.Integer();
  if (number <= 0) Invalid(args);
  return ToAbsoluteMs(args, number, form);
}

int64_t TakeAnyExpireTime(Arguments& args, ExpireForm form) {
  return ToAbsoluteMs(args, args.Integer(), form);
}

int64_t TakeFieldExpireTime(Arguments& args, ExpireForm form) {
  const int64_t number = args.Integer();
  if (number < 0) args.Fail("ERR invalid expire time, must be >= 0");
  const int64_t at_ms = ToAbsoluteMs(args, number, form);
  if (at_ms > kMaxFieldExpiryMs) Invalid(args);
  return at_ms;
}

}  // namespace cloakroom
