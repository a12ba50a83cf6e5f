#include "server/commands/reference/command_syntax.h"

#include <algorithm>
#include <span>
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

struct NamedType {
  std::string_view name;
  Type type;
};

constexpr NamedType kTypes[] = {{"string", Type::kString},        {"integer", Type::kInteger},
                                {"double", Type::kDouble},        {"key", Type::kKey},
                                {"pattern", Type::kPattern},      {"unix-time", Type::kUnixTime},
                                {"pure-token", Type::kPureToken}, {"oneof", Type::kOneOf},
                                {"block", Type::kBlock}};

/// The type of a value that says none follows from its name.
Type TypeOfValue(std::string_view name) {
  static constexpr std::string_view kKeys[] = {"key",    "key1",        "key2",    "newkey",
                                               "source", "destination", "destkey", "sourcekey",
                                               "dst",    "src"};
  static constexpr std::string_view kDoubles[] = {"height", "latitude", "longitude", "radius",
                                                  "score",  "timeout",  "width"};
  static constexpr std::string_view kIntegers[] = {
      "bit",    "client-id",    "count",     "cursor",        "db",        "decrement",
      "end",    "entries_read", "frequency", "entries_added", "increment", "destination-db",
      "index",  "index1",       "index2",    "len",           "limit",     "maxage",
      "ms",     "milliseconds", "numfields", "num-matches",   "numkeys",   "nummembers",
      "offset", "port",         "protover",  "rank",          "seconds",   "start",
      "stop",   "ttl",          "version",   "weight"};
  auto in = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  if (in(kKeys)) return Type::kKey;
  if (in(kDoubles)) return Type::kDouble;
  if (in(kIntegers)) return Type::kInteger;
  if (name == "pattern") return Type::kPattern;
  return name.starts_with("unix-time") ? Type::kUnixTime : Type::kString;
}

/// "name", "name:type", "name#1", "name:type#1".
SyntaxArgument Value(std::string_view word) {
  SyntaxArgument value;
  if (const size_t hash = word.rfind('#'); hash != word.npos) {
    value.key_spec = word[hash + 1] - '0';
    word = word.substr(0, hash);
  }
  value.name = word;
  value.type = TypeOfValue(word);
  const size_t colon = word.rfind(':');
  if (colon == word.npos) return value;
  const std::string_view type = word.substr(colon + 1);
  for (const NamedType& known : kTypes) {
    if (known.name != type) continue;
    value.name = word.substr(0, colon);
    value.type = known.type;
  }
  return value;
}

bool IsLabel(std::string_view word) { return word.size() > 1 && word.ends_with(':'); }

/// Splits off the next word or mark; empty at the end.
std::string_view TakeWord(std::string_view& rest) {
  while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  const bool mark = !rest.empty() && kMarks.find(rest[0]) != kMarks.npos;
  const size_t size = mark ? 1 : std::min(rest.find_first_of(" []<>|"), rest.size());
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

bool SameNames(std::span<const SyntaxArgument> a, std::span<const SyntaxArgument> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name; });
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) { Advance(); }

  /// Alternatives up to a closing mark or the end, with a label or without.
  Arguments Group(bool top) {
    std::string label;
    if (IsLabel(word_)) {
      label = word_.substr(0, word_.size() - 1);
      Advance();
    }
    std::vector<Arguments> alternatives{Sequence(top)};
    while (word_ == "|") {
      Advance();
      alternatives.push_back(Sequence(/*top=*/false));
    }
    if (alternatives.size() == 1) {
      if (label.empty()) return std::move(alternatives[0]);
      return {Labelled(std::move(label), std::move(alternatives[0]))};
    }
    SyntaxArgument choice{.type = Type::kOneOf};
    for (Arguments& alternative : alternatives) {
      choice.arguments.push_back(Whole(std::move(alternative)));
    }
    choice.name = label.empty() ? choice.arguments[0].name : std::move(label);
    return {std::move(choice)};
  }

 private:
  /// Arguments in a row, and the token that introduces them, if one does.
  struct Row {
    Arguments arguments;
    std::string token;
    bool token_repeats = false;  ///< it is repeated with the arguments
  };

  void Advance() { word_ = TakeWord(rest_); }

  bool AtEnd() const { return word_.empty() || word_ == "]" || word_ == ">" || word_ == "|"; }

  Arguments Sequence(bool top) {
    Row row;
    const bool introduced = !top && !AtEnd() && kMarks.find(word_[0]) == kMarks.npos &&
                            IsToken(word_) && word_ != "...";
    if (introduced) {
      row.token = std::string(word_);
      Advance();
    }
    while (!AtEnd()) {
      if (word_ == "...") {
        Advance();
        repeats_ = true;
      } else {
        Element(row);
      }
    }
    if (!introduced) return std::move(row.arguments);
    return {Introduced(std::move(row))};
  }

  static SyntaxArgument Introduced(Row row) {
    if (row.arguments.empty()) {
      return {
          .name = LowerCase(row.token), .type = Type::kPureToken, .token = std::move(row.token)};
    }
    SyntaxArgument whole;
    if (row.arguments.size() == 1 && row.arguments[0].token.empty()) {
      whole = std::move(row.arguments[0]);
    } else {
      whole = {.name = LowerCase(row.token), .type = Type::kBlock};
      whole.arguments = std::move(row.arguments);
    }
    whole.token = std::move(row.token);
    whole.multiple |= row.token_repeats;
    whole.multiple_token = row.token_repeats;
    return whole;
  }

  /// A single value becomes a block of that name; everything else just gets it.
  static SyntaxArgument Labelled(std::string label, Arguments arguments) {
    const bool value = arguments.size() == 1 && arguments[0].arguments.empty() &&
                       arguments[0].type != Type::kPureToken;
    SyntaxArgument whole;
    if (value) {
      whole = {.type = Type::kBlock, .token = std::exchange(arguments[0].token, {})};
      whole.arguments = std::move(arguments);
    } else {
      whole = Whole(std::move(arguments));
    }
    whole.name = std::move(label);
    return whole;
  }

  void Element(Row& row) {
    if (word_ == "[" || word_ == "<") return Enclosed(row);
    const std::string word(word_);
    Advance();
    if (!IsToken(word)) return row.arguments.push_back(Value(word));
    // A token in the middle belongs to the next argument.
    if (AtEnd() || (word_ != "<" && (word_ == "[" || IsToken(word_)))) {
      row.arguments.push_back({.name = LowerCase(word), .type = Type::kPureToken, .token = word});
      return;
    }
    Element(row);
    row.arguments.back().token = word;
  }

  void Enclosed(Row& row) {
    const bool optional = word_ == "[";
    Advance();
    const bool outer_repeats = std::exchange(repeats_, false);
    Arguments inner = Group(/*top=*/false);
    const bool repeats = std::exchange(repeats_, outer_repeats);
    Advance();  // the closing mark
    if (repeats && (RepeatToken(row, inner) || Repeat(row.arguments, inner))) return;
    SyntaxArgument whole = Whole(std::move(inner));
    whole.optional |= optional;
    whole.multiple |= repeats;
    row.arguments.push_back(std::move(whole));
  }

  /// "TOKEN x [TOKEN x ...]". False if that is not what it is.
  static bool RepeatToken(Row& row, const Arguments& repeated) {
    if (row.token.empty() || repeated.size() != 1 || repeated[0].token != row.token) return false;
    const bool block = repeated[0].type == Type::kBlock;
    if (!SameNames(block ? repeated[0].arguments : repeated, row.arguments)) return false;
    row.token_repeats = true;
    return true;
  }

  /// "x y [x y ...]": the repeated arguments become multiple, under the label behind the bracket.
  /// False if they do not repeat the last ones.
  static bool Repeat(Arguments& arguments, const Arguments& repeated) {
    const bool labelled = repeated.size() == 1 && repeated[0].type == Type::kBlock;
    const Arguments& wanted = labelled ? repeated[0].arguments : repeated;
    const size_t n = wanted.size();
    if (n == 0 || arguments.size() < n) return false;
    if (!SameNames(wanted, std::span(arguments).last(n))) return false;
    const auto tail = arguments.end() - static_cast<ptrdiff_t>(n);
    SyntaxArgument whole = labelled ? repeated[0] : Whole({tail, arguments.end()});
    if (n > 1 && !labelled) whole.name = "data";
    whole.multiple = true;
    arguments.erase(tail, arguments.end());
    arguments.push_back(std::move(whole));
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

std::string ReadableSyntax(std::string_view syntax) {
  std::string text;
  bool space = false;
  for (std::string_view rest = syntax; !rest.empty();) {
    const bool spaced = rest[0] == ' ';
    const std::string_view word = TakeWord(rest);
    if (word.empty()) break;
    space |= spaced;
    const bool plain = IsToken(word) || word == "...";
    if (IsLabel(word)) {
      rest.remove_prefix(1);  // the space behind it
      continue;
    }
    if (std::exchange(space, false)) text += ' ';
    text += plain ? std::string(word) : Value(word).name;
  }
  return text;
}

std::string_view TypeName(Type type) {
  for (const NamedType& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return "string";
}

}  // namespace cloakroom
