#include "server/command_syntax.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

using Arguments = std::vector<SyntaxArgument>;
using Type = SyntaxArgument::Type;

constexpr std::string_view kRepeat = "...";

std::vector<std::string> Tokens(std::string_view syntax) {
  std::vector<std::string> tokens;
  bool joined = false;
  for (char c : syntax) {
    if (c == ' ') {
      joined = false;
    } else if (c == '[' || c == ']' || c == '<' || c == '>' || c == '|') {
      tokens.emplace_back(1, c);
      joined = false;
    } else {
      if (!joined) tokens.emplace_back();
      tokens.back().push_back(c);
      joined = true;
    }
  }
  return tokens;
}

bool IsToken(std::string_view word) {
  return std::none_of(word.begin(), word.end(), absl::ascii_islower) &&
         std::any_of(word.begin(), word.end(),
                     [](char c) { return absl::ascii_isupper(c) || c == '*' || c == '='; });
}

Type TypeOfName(std::string_view name) {
  constexpr std::array<std::string_view, 22> kIntegers = {
      "count",     "seconds",       "milliseconds", "index",
      "offset",    "start",         "end",          "numkeys",
      "limit",     "cursor",        "numfields",    "db",
      "timeout",   "value-integer", "decrement",    "increment-integer",
      "len",       "min-match-len", "bit",          "samples",
      "client-id", "version"};
  if (name.ends_with("key") || name == "destination" || name == "source") return Type::kKey;
  if (name.ends_with("pattern")) return Type::kPattern;
  if (name.starts_with("unix-time")) return Type::kUnixTime;
  if (name == "increment") return Type::kDouble;
  if (std::find(kIntegers.begin(), kIntegers.end(), name) != kIntegers.end()) {
    return Type::kInteger;
  }
  return Type::kString;
}

class Parser {
 public:
  explicit Parser(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  Arguments ParseSequence() {
    Arguments sequence;
    while (!AtEnd() && Peek() != "]" && Peek() != ">" && Peek() != "|") {
      if (Peek() == "[" && FoldRepeat(sequence)) continue;
      if (Peek() == "[" || Peek() == "<") {
        sequence.push_back(ParseGroup());
      } else if (!ParseWord(sequence)) {
        break;
      }
    }
    return sequence;
  }

 private:
  bool AtEnd() const { return at_ >= tokens_.size(); }
  const std::string& Peek() const { return tokens_[at_]; }

  bool ParseWord(Arguments& sequence) {
    std::string word = tokens_[at_++];
    if (word == kRepeat) return false;
    SyntaxArgument argument;
    if (IsToken(word)) {
      argument.token = word;
      argument.name = absl::AsciiStrToLower(word);
      argument.type = Type::kPureToken;
      // A token and the value behind it are one argument.
      if (!AtEnd() && absl::ascii_islower(static_cast<unsigned char>(Peek()[0]))) {
        argument.name = tokens_[at_++];
        argument.type = TypeOfName(argument.name);
      }
    } else {
      argument.name = word;
      argument.type = TypeOfName(word);
    }
    sequence.push_back(std::move(argument));
    return true;
  }

  /// "field value [field value ...]": the words in brackets repeat the last ones before them.
  bool FoldRepeat(Arguments& sequence) {
    size_t words = 0;
    while (at_ + 1 + words < tokens_.size() && tokens_[at_ + 1 + words] != kRepeat) {
      const std::string& word = tokens_[at_ + 1 + words];
      if (word.size() == 1 && std::string_view("[]<>|").find(word[0]) != std::string_view::npos) {
        return false;
      }
      ++words;
    }
    if (words == 0 || words > sequence.size() || at_ + 2 + words >= tokens_.size()) return false;
    for (size_t i = 0; i < words; ++i) {
      if (sequence[sequence.size() - words + i].name != tokens_[at_ + 1 + i]) return false;
    }
    at_ += words + 3;
    if (words > 1) {
      SyntaxArgument block{.name = "data", .type = Type::kBlock};
      auto first = sequence.end() - static_cast<ptrdiff_t>(words);
      block.arguments.assign(first, sequence.end());
      sequence.erase(first, sequence.end());
      sequence.push_back(std::move(block));
    }
    sequence.back().multiple = true;
    return true;
  }

  SyntaxArgument ParseGroup() {
    bool optional = tokens_[at_++] == "[";
    std::vector<Arguments> choices = {ParseSequence()};
    while (!AtEnd() && Peek() == "|") {
      ++at_;
      choices.push_back(ParseSequence());
    }
    if (!AtEnd()) ++at_;
    SyntaxArgument group;
    if (choices.size() == 1) {
      group = AsOne(std::move(choices[0]));
    } else {
      group.type = Type::kOneOf;
      group.name = "condition";
      for (Arguments& choice : choices) group.arguments.push_back(AsOne(std::move(choice)));
    }
    group.optional |= optional;
    return group;
  }

  static SyntaxArgument AsOne(Arguments sequence) {
    if (sequence.size() == 1) return std::move(sequence[0]);
    SyntaxArgument block{.name = "options", .type = Type::kBlock};
    block.arguments = std::move(sequence);
    return block;
  }

  std::vector<std::string> tokens_;
  size_t at_ = 0;
};

}  // namespace

std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax) {
  return Parser(Tokens(syntax)).ParseSequence();
}

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kDouble:
      return "double";
    case Type::kKey:
      return "key";
    case Type::kPattern:
      return "pattern";
    case Type::kUnixTime:
      return "unix-time";
    case Type::kPureToken:
      return "pure-token";
    case Type::kOneOf:
      return "oneof";
    case Type::kBlock:
      return "block";
  }
  return "string";
}

}  // namespace cloakroom
