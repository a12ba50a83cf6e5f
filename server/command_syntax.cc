#include "server/command_syntax.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

using Arguments = std::vector<SyntaxArgument>;
using Kind = SyntaxArgument::Kind;

constexpr std::string_view kMarks = "[]<>|";

bool IsToken(std::string_view word) {
  return std::none_of(word.begin(), word.end(),
                      [](unsigned char c) { return absl::ascii_islower(c); });
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
    SyntaxArgument choice{.kind = Kind::kOneOf};
    for (Arguments& alternative : alternatives) {
      choice.parts.push_back(Whole(std::move(alternative)));
    }
    choice.name = choice.parts[0].name;
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
      return {.kind = Kind::kToken, .name = LowerCase(token), .token = std::move(token)};
    }
    if (arguments.size() == 1 && arguments[0].token.empty()) {
      arguments[0].token = std::move(token);
      return std::move(arguments[0]);
    }
    SyntaxArgument block{.kind = Kind::kBlock, .name = LowerCase(token), .token = token};
    block.parts = std::move(arguments);
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
      arguments->push_back({.name = std::move(word)});
      return;
    }
    // A token in the middle belongs to the next argument.
    if (AtEnd() || (word_ != "<" && (word_ == "[" || IsToken(word_)))) {
      arguments->push_back({.kind = Kind::kToken, .name = LowerCase(word), .token = word});
      return;
    }
    Element(arguments);
    arguments->back().token = std::move(word);
  }

  /// "x y [x y ...]": what was repeated becomes multiple. False when it is not what came before.
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

  /// One argument of several.
  static SyntaxArgument Whole(Arguments arguments) {
    if (arguments.size() == 1) return std::move(arguments[0]);
    SyntaxArgument block{.kind = Kind::kBlock};
    if (!arguments.empty()) block.name = arguments[0].name;
    block.parts = std::move(arguments);
    return block;
  }

  std::string_view rest_;
  std::string_view word_;
  bool repeats_ = false;
};

}  // namespace

Arguments ParseSyntax(std::string_view syntax) { return Parser(syntax).Group(/*top=*/true); }

std::string_view TypeOfValue(std::string_view name) {
  struct Named {
    std::string_view name;
    std::string_view type;
  };
  static constexpr Named kNames[] = {{"key", "key"},
                                     {"key1", "key"},
                                     {"key2", "key"},
                                     {"newkey", "key"},
                                     {"source", "key"},
                                     {"destination", "key"},
                                     {"destkey", "key"},
                                     {"srckey", "key"},
                                     {"pattern", "pattern"},
                                     {"cursor", "integer"},
                                     {"count", "integer"},
                                     {"seconds", "integer"},
                                     {"milliseconds", "integer"},
                                     {"offset", "integer"},
                                     {"start", "integer"},
                                     {"end", "integer"},
                                     {"stop", "integer"},
                                     {"numkeys", "integer"},
                                     {"numfields", "integer"},
                                     {"index", "integer"},
                                     {"increment", "integer"},
                                     {"decrement", "integer"},
                                     {"timeout", "integer"},
                                     {"db", "integer"},
                                     {"client-id", "integer"},
                                     {"limit", "integer"},
                                     {"bit", "integer"},
                                     {"protover", "integer"},
                                     {"destination-db", "integer"},
                                     {"index1", "integer"},
                                     {"index2", "integer"},
                                     {"version", "integer"},
                                     {"min-match-len", "integer"},
                                     {"maxage", "integer"}};
  if (name.starts_with("unix-time")) return "unix-time";
  for (const Named& known : kNames) {
    if (known.name == name) return known.type;
  }
  return "string";
}

}  // namespace cloakroom
