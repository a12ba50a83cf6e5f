#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/execution/arguments.h"

namespace cloakroom {

/// How an argument gives an expiry: in seconds (1000) or milliseconds (1), from now or since 1970.
struct ExpireForm {
  int64_t unit_ms = 1000;
  bool absolute = false;

  bool operator==(const ExpireForm&) const = default;
};

inline constexpr ExpireForm kInSeconds = {1000, false};
inline constexpr ExpireForm kInMilliseconds = {1, false};
inline constexpr ExpireForm kAtSecond = {1000, true};
inline constexpr ExpireForm kAtMillisecond = {1, true};

/// Takes EX, PX, EXAT or PXAT. If the next argument is another, takes nothing and returns nullopt.
std::optional<ExpireForm> TakeExpireForm(Arguments& args);

/// What the options of SET and GETEX say about the expiry. An option may be repeated, and the last
/// one counts; two different ones exclude each other.
struct ExpireOption {
  std::optional<ExpireForm> form;
  /// The index of the argument with the time, which Redis reads after all options.
  size_t time_at = 0;
  /// The word in place of a time was given: KEEPTTL or PERSIST.
  bool has_word = false;

  /// Takes EX, PX, EXAT or PXAT with its argument, or `word`. False when the next argument is none
  /// of them, or conflicts with an earlier one.
  bool Take(Arguments& args, std::string_view word);
};

// These take a number and return it as milliseconds since 1970. When it is out of range, the error
// is "ERR invalid expire time in 'set' command".

/// For SET, GETEX and their like: the number must be positive, so only an absolute time can be in
/// the past.
int64_t TakePositiveExpireTime(Arguments& args, ExpireForm form);
/// For EXPIRE and its like: may be in the past, and negative.
int64_t TakeAnyExpireTime(Arguments& args, ExpireForm form);
/// For HEXPIRE, HSETEX and their like: at least 0, and within the 46 bits that Redis stores.
int64_t TakeFieldExpireTime(Arguments& args, ExpireForm form);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
