#include "server/commands/reference/command_syntax.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

using Arguments = std::vector<SyntaxArgument>;
using Type = SyntaxArgument::Type;

constexpr std::string_view kMarks = "[]<>|";

bool IsToken(std::string_view word) {
  return std::none_of(word.begin(), word.end(),
                      [](unsigned char c) { return absl::ascii_islower(c); });
}

/// A value's type follows from its name: the rows use names consistently.
Type TypeOfValue(std::string_view name) {
  static constexpr std::string_view kKeys[] = {"key",    "key1",        "key2",    "newkey",
                                               "source", "destination", "destkey", "srckey"};
  static constexpr std::string_view kIntegers[] = {
      "bit",           "client-id", "count",   "cursor", "db",       "decrement", "destination-db",
      "end",           "index",     "index1",  "index2", "limit",    "maxage",    "milliseconds",
      "min-match-len", "numfields", "numkeys", "offset", "protover", "seconds",   "start",
      "stop",          "timeout",   "version"};
  auto in = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  if (in(kKeys)) return Type::kKey;
  if (in(kIntegers)) return Type::kInteger;
  if (name == "pattern") return Type::kPattern;
  if (name == "increment") return Type::kDouble;
  return name.starts_with("unix-time") ? Type::kUnixTime : Type::kString;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) { Advance(); }

  /// Alternatives up to a closing mark or the end.
  Arguments Group(bool top) {
    std::vector<Arguments> alternatives{Sequence(top)};
    while (word_ == "|") {
      Advance();
      alternatives.push_back(Sequence(/*top=*/false));
    }
    if (alternatives.size() == 1) return std::move(alternatives[0]);
    SyntaxArgument choice{.type = Type::kOneOf};
    for (Arguments& alternative : alternatives) {
      choice.arguments.push_back(Whole(std::move(alternative)));
    }
    choice.name = choice.arguments[0].name;
    return {std::move(choice)};
  }

 private:
  void Advance() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    size_t size = 0;
    if (!rest_.empty() && kMarks.find(rest_[0]) != kMarks.npos) {
      size = 1;
    } else {
      size = std::min(rest_.find_first_of(" []<>|"), rest_.size());
    }
    word_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  bool AtEnd() const { return word_.empty() || word_ == "]" || word_ == ">" || word_ == "|"; }

  Arguments Sequence(bool top) {
    Arguments arguments;
    bool introduced = !top && !AtEnd() && kMarks.find(word_[0]) == kMarks.npos && IsToken(word_) &&
                      word_ != "...";
    std::string token;
    if (introduced) {
      token = std::string(word_);
      Advance();
    }
    while (!AtEnd()) {
      if (word_ == "...") {
        Advance();
        repeats_ = true;
      } else {
        Element(&arguments);
      }
    }
    if (!introduced) return arguments;
    return {Introduced(std::move(token), std::move(arguments))};
  }

  /// `arguments` behind the token that begins their group.
  static SyntaxArgument Introduced(std::string token, Arguments arguments) {
    if (arguments.empty()) {
      return {.name = LowerCase(token), .type = Type::kPureToken, .token = std::move(token)};
    }
    if (arguments.size() == 1 && arguments[0].token.empty()) {
      arguments[0].token = std::move(token);
      return std::move(arguments[0]);
    }
    SyntaxArgument block{.name = LowerCase(token), .type = Type::kBlock, .token = token};
    block.arguments = std::move(arguments);
    return block;
  }

  void Element(Arguments* arguments) {
    if (word_ == "[" || word_ == "<") {
      bool optional = word_ == "[";
      Advance();
      bool outer_repeats = std::exchange(repeats_, false);
      Arguments inner = Group(/*top=*/false);
      bool repeats = std::exchange(repeats_, outer_repeats);
      Advance();  // the closing mark
      if (repeats && Repeat(arguments, inner)) return;
      SyntaxArgument whole = Whole(std::move(inner));
      whole.optional |= optional;
      whole.multiple |= repeats;
      arguments->push_back(std::move(whole));
      return;
    }
    std::string word(word_);
    Advance();
    if (!IsToken(word)) {
      Type type = TypeOfValue(word);
      arguments->push_back({.name = std::move(word), .type = type});
      return;
    }
    // A token in the middle belongs to the next argument.
    if (AtEnd() || (word_ != "<" && (word_ == "[" || IsToken(word_)))) {
      arguments->push_back({.name = LowerCase(word), .type = Type::kPureToken, .token = word});
      return;
    }
    Element(arguments);
    arguments->back().token = std::move(word);
  }

  /// "x y [x y ...]": the repeated arguments become multiple. False if they do not repeat the last
  /// ones.
  static bool Repeat(Arguments* arguments, const Arguments& repeated) {
    size_t n = repeated.size();
    if (n == 0 || arguments->size() < n) return false;
    auto tail = arguments->end() - static_cast<ptrdiff_t>(n);
    bool same = std::equal(repeated.begin(), repeated.end(), tail,
                           [](const auto& a, const auto& b) { return a.name == b.name; });
    if (!same) return false;
    SyntaxArgument whole = Whole({tail, arguments->end()});
    if (n > 1) whole.name = "data";
    whole.multiple = true;
    arguments->erase(tail, arguments->end());
    arguments->push_back(std::move(whole));
    return true;
  }

  /// Makes several arguments one.
  static SyntaxArgument Whole(Arguments arguments) {
    if (arguments.size() == 1) return std::move(arguments[0]);
    SyntaxArgument block{.type = Type::kBlock};
    if (!arguments.empty()) block.name = arguments[0].name;
    block.arguments = std::move(arguments);
    return block;
  }

  std::string_view rest_;
  std::string_view word_;
  bool repeats_ = false;
};

}  // namespace

Arguments ParseSyntax(std::string_view syntax) { return Parser(syntax).Group(/*top=*/true); }

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
