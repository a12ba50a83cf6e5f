#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/execution/arguments.h"

namespace cloakroom {

/// How an argument states when something expires: in seconds (1000) or milliseconds (1), from now
/// on or since 1970.
struct ExpireForm {
  int64_t unit_ms = 1000;
  bool absolute = false;

  bool operator==(const ExpireForm&) const = default;
};

inline constexpr ExpireForm kInSeconds = {1000, false};
inline constexpr ExpireForm kInMilliseconds = {1, false};
inline constexpr ExpireForm kAtSecond = {1000, true};
inline constexpr ExpireForm kAtMillisecond = {1, true};

/// Takes EX, PX, EXAT or PXAT; nullopt, and nothing is taken, when the next argument is another.
std::optional<ExpireForm> TakeExpireForm(Arguments& args);

/// What the options of SET and GETEX say of the expiry. Each may be repeated, and the last one
/// counts; no two different ones may stand together.
struct ExpireOption {
  std::optional<ExpireForm> form;
  /// The argument with the time, which Redis looks at when it has read all options.
  size_t time_at = 0;
  /// The word that stands instead of a time: KEEPTTL or PERSIST.
  bool has_word = false;

  /// Takes EX, PX, EXAT or PXAT with its argument, or `word`. False when the next argument is none
  /// of them, or must not stand beside those before it.
  bool Take(Arguments& args, std::string_view word);
};

// Take a number and return it as milliseconds since 1970. When it leads too far the error is
// "ERR invalid expire time in 'set' command".

/// Of SET, GETEX and their like: the number must be positive, so only an absolute time can lie in
/// the past.
int64_t TakePositiveExpireTime(Arguments& args, ExpireForm form);
/// Of EXPIRE and its like: may lie in the past, and below zero.
int64_t TakeAnyExpireTime(Arguments& args, ExpireForm form);
/// Of HEXPIRE, HSETEX and their like: at least 0, and within the 46 bits that Redis keeps of it.
int64_t TakeFieldExpireTime(Arguments& args, ExpireForm form);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
