#ifndef CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_
#define CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_

#include <optional>
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
  bool multiple_token = false;  ///< the token comes again before each
  std::optional<int> key_spec;  ///< which of the key specs finds it, if the syntax says so
  std::vector<SyntaxArgument> arguments;  ///< of kOneOf and kBlock
};

/// Parses the notation of redis.io, with names and types for what that does not say. Pure.
///
///   key, increment:double     values; their types, if they do not follow from the names
///   pattern#1                 a value that key spec 1 is about
///   NX                        a token: at the beginning of a group it introduces the whole group,
///                             elsewhere the next argument
///   [ ]  < >  |               an optional part; a group; alternatives
///   [condition: NX | XX]      a name for the choice or the block; without it, that of its first
///                             part. A single value that has one becomes a block
///   x [x ...]                 x, any number of times
///   x y [x_y: x y ...]        a block x_y, any number of times; without the name it is "data"
///   [T x [T x ...]]           with its token each time
std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

/// The notation of redis.io, as HELP shows it: without types and names of groups.
std::string ReadableSyntax(std::string_view syntax);

std::string_view TypeName(SyntaxArgument::Type type);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_REFERENCE_COMMAND_SYNTAX_H_
