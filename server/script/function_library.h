#ifndef CLOAKROOM_SERVER_SCRIPT_FUNCTION_LIBRARY_H_
#define CLOAKROOM_SERVER_SCRIPT_FUNCTION_LIBRARY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/script/script.h"

namespace cloakroom {

// Libraries of functions (FUNCTION LOAD). Immutable, shared between threads.

struct FunctionInfo {
  std::string name;
  std::optional<std::string> description;
  ScriptFlags flags;
};

struct FunctionLibrary {
  std::uint64_t id = 0;  ///< of this version of the library; unique in the process, never reused
  std::string name;
  std::string source;
  std::size_t body_offset = 0;  ///< where Lua starts: the newline that ends the `#!` line
  /// As FUNCTION LOAD registered them, each name once.
  std::vector<FunctionInfo> functions;
  bool may_leave_database = false;  ///< see Script

  std::string_view body() const { return std::string_view(source).substr(body_offset); }
  std::size_t memory_bytes() const;
};

using LibraryPtr = std::shared_ptr<const FunctionLibrary>;

/// The only engine, and how FUNCTION LIST and STATS call it.
inline constexpr std::string_view kFunctionEngineName = "LUA";

/// Whether libraries and functions may have this name: letters, digits and underscores.
bool IsFunctionName(std::string_view name);
inline constexpr char kBadFunctionName[] =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long";

/// Reads the `#!` line of a library; its functions are not known before it has run. An error is the
/// text of the reply.
absl::StatusOr<std::shared_ptr<FunctionLibrary>> ParseLibrary(std::string_view source);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_FUNCTION_LIBRARY_H_
