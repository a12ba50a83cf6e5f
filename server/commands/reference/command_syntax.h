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
  std::string token;  ///< the word before the argument, or the argument itself
  bool optional = false;
  bool multiple = false;
  std::vector<SyntaxArgument> arguments;  ///< of kOneOf and kBlock
};

/// Parses the notation of redis.io: lower-case words are values, upper-case words tokens; brackets
/// enclose optional parts, angle brackets groups; bars separate alternatives, and "x [x ...]"
/// repeats. A token at the beginning of a group introduces the whole group, elsewhere the next
/// argument. Pure.
std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

std::string_view TypeName(SyntaxArgument::Type type);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_
