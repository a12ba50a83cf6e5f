#include "server/config/directive.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "server/config/grammar.h"
#include "server/config/text.h"

namespace cloakroom::config {
namespace {

absl::Status NotBetween(std::string_view min, std::string_view max) {
  return absl::InvalidArgumentError(
      Cat("argument must be between ", min, " and ", max, " inclusive"));
}

std::string OctalText(uint64_t number) {
  std::array<char, 24> digits;
  return {digits.data(),
          std::to_chars(digits.data(), digits.data() + digits.size(), number, 8).ptr};
}

absl::StatusOr<Value> ParseIntegerValue(const Kind& kind, std::string_view word) {
  std::optional<int64_t> number = ParseInteger(word);
  if (!number) return absl::InvalidArgumentError("argument couldn't be parsed into an integer");
  if (*number < kind.min || *number > static_cast<int64_t>(kind.max)) {
    return NotBetween(Cat(kind.min), Cat(kind.max));
  }
  *number = std::clamp(*number, kind.clamp_min, kind.clamp_max);
  return Value{Cat(*number), *number};
}

absl::StatusOr<Value> ParseOctalValue(const Kind& kind, std::string_view word) {
  uint64_t number = 0;
  bool octal = !word.empty() && word.size() <= 20 &&
               word.find_first_not_of("01234567") == std::string_view::npos;
  if (!octal) return absl::InvalidArgumentError("argument couldn't be parsed as an octal number");
  for (char digit : word) number = number * 8 + (digit - '0');
  if (number > kind.max) return NotBetween(OctalText(kind.min), OctalText(kind.max));
  return Value{OctalText(number), static_cast<int64_t>(number)};
}

absl::StatusOr<Value> ParseMemoryValue(const Kind& kind, std::string_view word) {
  std::optional<uint64_t> bytes = ParseMemory(word);
  if (!bytes) {
    return absl::InvalidArgumentError(kind.type == Kind::kMemory
                                          ? "argument must be a memory value"
                                          : "argument must be a memory or percent value");
  }
  if (*bytes < static_cast<uint64_t>(kind.min) || *bytes > kind.max) {
    return NotBetween(Cat(kind.min), Cat(kind.max));
  }
  if (kind.clamp_min > 0) *bytes = std::max(*bytes, static_cast<uint64_t>(kind.clamp_min));
  auto number = static_cast<int64_t>(std::min<uint64_t>(*bytes, INT64_MAX));
  return Value{Cat(*bytes), number};
}

absl::StatusOr<Value> ParseMemoryOrPercent(const Kind& kind, std::string_view word) {
  if (!word.ends_with('%')) return ParseMemoryValue(kind, word);
  std::optional<int64_t> percent = ParseInteger(word.substr(0, word.size() - 1));
  if (!percent || *percent < 0)
    return absl::InvalidArgumentError("argument must be a memory or percent value");
  if (*percent > 100)
    return absl::InvalidArgumentError("percentage argument must be less or equal to 100");
  return Value{Cat(*percent, "%"), -*percent};
}

absl::StatusOr<Value> ParseChoice(const Kind& kind, std::string_view word) {
  auto same_word = [word](const Choice& c) { return EqualsIgnoringCase(c.word, word); };
  auto given = std::ranges::find_if(kind.choices, same_word);
  if (given == kind.choices.end()) {
    std::vector<std::string_view> words;
    for (const Choice& choice : kind.choices) words.push_back(choice.word);
    return absl::InvalidArgumentError(
        Cat("argument(s) must be one of the following: ", Joined(words, ", ")));
  }
  auto canonical = std::ranges::find(kind.choices, given->number, &Choice::number);
  return Value{std::string(canonical->word), given->number};
}

absl::StatusOr<Value> ParseYesNo(std::string_view word) {
  if (EqualsIgnoringCase(word, "yes")) return Value{"yes", 1};
  if (EqualsIgnoringCase(word, "no")) return Value{"no", 0};
  return absl::InvalidArgumentError("argument must be 'yes' or 'no'");
}

absl::StatusOr<Value> ParseText(const Kind& kind, std::string_view word) {
  if (kind.text_rule == nullptr) return Value{std::string(word)};
  absl::StatusOr<std::string> text = kind.text_rule(word);
  if (!text.ok()) return text.status();
  return Value{*std::move(text)};
}

// The only word of a list may hold all of its words, as in CONFIG SET and in a quoted line.
absl::StatusOr<Value> ParseList(const ListRule& rule, const std::vector<std::string>& words,
                                std::string_view current, Origin origin) {
  bool builds = rule.repeats == ListRule::kOverlay ||
                (rule.repeats == ListRule::kAppendInFile && origin == Origin::kFile);
  std::vector<std::string> split = words;
  if (words.size() == 1 && words[0].empty()) split.clear();
  if (words.size() == 1 && !words[0].empty()) split = Split(words[0], ' ');
  absl::StatusOr<std::string> text = rule.parse(split, builds ? current : std::string_view());
  if (!text.ok()) return text.status();
  return Value{*std::move(text)};
}

// One per core that this process may run on, as limited by a container or taskset: more loops than
// cores only make clients wait for the other loop's time slice.
int DefaultIoThreads() {
  constexpr int kMostByDefault = 4;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return std::clamp(CPU_COUNT(&cores), 1, kMostByDefault);
}

// Keys are lower case.
absl::flat_hash_map<std::string_view, const Directive*> IndexByName() {
  absl::flat_hash_map<std::string_view, const Directive*> index;
  for (const Directive* row : AllDirectives()) {
    index.emplace(row->name, row);
    if (!row->alias.empty()) index.emplace(row->alias, row);
  }
  return index;
}

}  // namespace

const std::vector<const Directive*>& AllDirectives() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<const Directive*>;
    for (const Directive& row : ServingDirectives()) all->push_back(&row);
    for (const Directive& row : AcceptedDirectives()) all->push_back(&row);
    return all;
  }();
  return *kAll;
}

const Directive* FindDirective(std::string_view name) {
  static const auto* const kIndex =
      new absl::flat_hash_map<std::string_view, const Directive*>(IndexByName());
  auto found = kIndex->find(Lower(name));
  return found == kIndex->end() ? nullptr : found->second;
}

std::vector<std::string_view> DirectiveNames() {
  std::vector<std::string_view> names = {"include"};
  for (const Directive* row : AllDirectives()) {
    names.push_back(row->name);
    if (!row->alias.empty()) names.push_back(row->alias);
  }
  return names;
}

std::string DefaultText(const Directive& directive) {
  if (!directive.Is(kOfMachine)) return std::string(directive.default_text);
  if (directive.name == "io-threads") return Cat(DefaultIoThreads());
  std::error_code status;
  return std::filesystem::current_path(status).string();
}

absl::StatusOr<Value> ParseWords(const Directive& directive, const std::vector<std::string>& words,
                                 std::string_view current, Origin origin) {
  const Kind& kind = directive.kind;
  if (kind.type == Kind::kList) return ParseList(*kind.list, words, current, origin);
  if (words.size() != 1) return absl::InvalidArgumentError("wrong number of arguments");
  switch (kind.type) {
    case Kind::kInteger:
      return ParseIntegerValue(kind, words[0]);
    case Kind::kOctal:
      return ParseOctalValue(kind, words[0]);
    case Kind::kMemory:
      return ParseMemoryValue(kind, words[0]);
    case Kind::kMemoryOrPercent:
      return ParseMemoryOrPercent(kind, words[0]);
    case Kind::kBool:
      return ParseYesNo(words[0]);
    case Kind::kEnum:
      return ParseChoice(kind, words[0]);
    default:
      return ParseText(kind, words[0]);
  }
}

Value FromText(const Directive& directive, std::string_view text) {
  if (directive.kind.type == Kind::kList || directive.kind.type == Kind::kText) {
    return Value{std::string(text)};
  }
  absl::StatusOr<Value> value = ParseWords(directive, {std::string(text)}, "", Origin::kConfigSet);
  return value.ok() ? *std::move(value) : Value{std::string(text)};
}

std::vector<std::string> FileLines(const Directive& directive, const Value& value) {
  const Kind& kind = directive.kind;
  if (kind.type == Kind::kList) return kind.list->lines(directive.name, value.text);
  bool percent = value.number < 0;
  bool memory = kind.type == Kind::kMemory || kind.type == Kind::kMemoryOrPercent;
  std::string word = value.text;
  if (kind.type == Kind::kText) word = Quoted(word);
  if (memory && !percent) word = ShortMemory(ParseMemory(word).value_or(0));
  return {Cat(directive.name, " ", word)};
}

}  // namespace cloakroom::config

namespace cloakroom {

Config::Config() {
  for (const config::Directive* row : config::AllDirectives()) {
    if (row->publish == nullptr) continue;
    row->publish(*this, config::FromText(*row, config::DefaultText(*row)));
  }
}

}  // namespace cloakroom
