#ifndef CLOAKROOM_SERVER_COMMAND_SYNTAX_H_
#define CLOAKROOM_SERVER_COMMAND_SYNTAX_H_

#include <string>
#include <string_view>
#include <vector>

#include "server/command.h"

namespace cloakroom {

/// One argument of a command, as COMMAND DOCS describes it.
struct SyntaxArgument {
  enum class Kind : uint8_t {
    kValue,  ///< what the caller says
    kToken,  ///< a word as it stands, alone
    kOneOf,  ///< one of `parts`
    kBlock,  ///< all of `parts`
  };
  Kind kind = Kind::kValue;
  std::string name;
  std::string token;  ///< the word in front of it, or "" without one
  bool optional = false;
  bool multiple = false;
  std::vector<SyntaxArgument> parts;

  bool operator==(const SyntaxArgument&) const = default;
};

/// Reads a row's `syntax`: words in capitals are tokens, others are values; [ ] is optional, < >
/// groups, | parts alternatives, and "x [x ...]" means one x or more. A token at the beginning of
/// a group introduces all of it, elsewhere the next argument. Pure.
std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

/// What a value is: "key", "integer", "double", "unix-time", "pattern" or "string". Derives from
/// its name, as the rows use names consistently.
std::string_view TypeOfValue(std::string_view name);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMAND_SYNTAX_H_
