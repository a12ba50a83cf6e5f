#ifndef CLOAKROOM_SERVER_COMMAND_SYNTAX_H_
#define CLOAKROOM_SERVER_COMMAND_SYNTAX_H_

#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// One argument of a command as COMMAND DOCS describes it.
struct SyntaxArgument {
  enum class Type {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,
    kOneOf,
    kBlock
  };
  std::string name;
  Type type = Type::kString;
  std::string token;  ///< the word in front of it, or the word that it is
  bool optional = false;
  bool multiple = false;
  std::vector<SyntaxArgument> arguments;  ///< of kOneOf and kBlock
};

/// Reads the notation of redis.io: words in lower case are values, in upper case tokens; brackets
/// hold what is optional, angle brackets or bars alternatives, and "x [x ...]" repeats.
/// What cannot be read ends the list; a unit test reads every row's syntax.
std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

std::string_view TypeName(SyntaxArgument::Type type);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMAND_SYNTAX_H_
