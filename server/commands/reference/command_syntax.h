#ifndef CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_
#define CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_

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
/// hold what is optional, angle brackets groups, bars alternatives, and "x [x ...]" repeats. A
/// token at the beginning of a group introduces all of it, elsewhere the next argument. Pure.
std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

std::string_view TypeName(SyntaxArgument::Type type);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_
