#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/execution/call.h"

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

/// What EX, PX, EXAT or PXAT, in any case, announce; nullopt for other words.
std::optional<ExpireForm> ExpireKeyword(std::string_view word);

// Argument `i` as milliseconds since 1970. When it is no number, or leads beyond 64 bits, nullopt,
// and the error has been replied: "ERR invalid expire time in 'set' command".

/// Of SET, GETEX, HSETEX and their like: the number must be positive, so only an absolute time can
/// lie in the past.
std::optional<int64_t> PositiveExpireTime(Call& call, size_t i, ExpireForm form);
/// Of EXPIRE and its like: may lie in the past, and below zero.
std::optional<int64_t> AnyExpireTime(Call& call, size_t i, ExpireForm form);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_EXPIRE_TIME_H_
