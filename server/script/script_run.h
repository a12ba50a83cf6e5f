#ifndef CLOAKROOM_SERVER_SCRIPT_SCRIPT_RUN_H_
#define CLOAKROOM_SERVER_SCRIPT_SCRIPT_RUN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/script/script_host.h"

struct lua_State;

namespace cloakroom {

// What the C functions of the sandbox share with the engine while a script runs. Private to this
// folder.

/// The generator of POSIX' drand48 family with its standard seed, so that math.random returns the
/// same numbers as in Redis: X' = 0x5DEECE66D * X + 11 mod 2^48. As in Redis 7 it is not reset
/// between scripts; a script that wants a known sequence calls math.randomseed.
struct ScriptRandom {
  std::uint64_t state = 0x1234abcd330e;

  void Seed(std::int32_t seed) {
    state = std::uint64_t{static_cast<std::uint32_t>(seed)} << 16 | 0x330e;
  }
  std::int32_t Next() {  // 0 .. 2^31-1
    state = (state * 0x5deece66dULL + 11) & 0xffffffffffffULL;
    return static_cast<std::int32_t>(state >> 17);
  }
};

inline constexpr char kScriptKilled[] = "ERR Script killed by user with SCRIPT KILL...";

struct LibraryContents;

/// The state of an engine's current run. Lua's errors are long jumps that skip destructors, so a C
/// function keeps whatever needs a destructor here instead of on its stack.
struct ScriptRun {
  ScriptHost* host = nullptr;
  int resp = 2;         ///< for this script's calls, set by redis.setresp
  bool killed = false;  ///< the host asked to stop: every further line raises the error again
  const char* killed_error = kScriptKilled;
  /// Where redis.register_function puts what it is given; null unless a library is being loaded.
  LibraryContents* loading = nullptr;
  bool json_settings_changed = false;  ///< by cjson.encode_max_depth(…) or its like
  ScriptRandom random;
  std::vector<std::string_view> args;  ///< of the current call; point into the Lua stack
  std::string numbers;                 ///< digits that some of args point to
  std::string reply;                   ///< of the call being made
  std::string scratch;
};

/// The run of a state, or of a coroutine of it. The engine sets it once.
ScriptRun* RunOf(lua_State* lua);
void SetRun(lua_State* lua, ScriptRun* run);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SCRIPT_RUN_H_
