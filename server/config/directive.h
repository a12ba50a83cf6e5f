#ifndef CLOAKROOM_SERVER_CONFIG_DIRECTIVE_H_
#define CLOAKROOM_SERVER_CONFIG_DIRECTIVE_H_

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/config/config.h"
#include "server/config/list_rules.h"

namespace cloakroom::config {

/// The value of a directive. `text` is what CONFIG GET replies; equal texts are equal values.
struct Value {
  std::string text;
  int64_t number = 0;  // integers, bytes, a choice's number, yes = 1, -n = n percent; else 0
};

/// One word that an enumeration accepts. The first of several words with one number is canonical.
struct Choice {
  std::string_view word;
  int number;
};

/// Refuses a text, or returns it in its canonical form.
using TextRule = absl::StatusOr<std::string> (*)(std::string_view text);

/// Which values a directive takes. Made by the functions below.
struct Kind {
  enum Type : uint8_t { kInteger, kOctal, kMemory, kMemoryOrPercent, kBool, kEnum, kText, kList };
  Type type;
  int64_t min = 0;
  uint64_t max = 0;
  int64_t clamp_min = INT64_MIN;  // an accepted number outside is moved into the range
  int64_t clamp_max = INT64_MAX;
  absl::Span<const Choice> choices = {};
  TextRule text_rule = nullptr;
  const ListRule* list = nullptr;
};

constexpr Kind Integer(int64_t min, int64_t max) {
  return {.type = Kind::kInteger, .min = min, .max = static_cast<uint64_t>(max)};
}
constexpr Kind Clamped(int64_t min, int64_t max, int64_t clamp_min, int64_t clamp_max) {
  Kind kind = Integer(min, max);
  kind.clamp_min = clamp_min;
  kind.clamp_max = clamp_max;
  return kind;
}
constexpr Kind Octal(uint64_t max) { return {.type = Kind::kOctal, .max = max}; }
constexpr Kind Memory(int64_t min = 0, uint64_t max = INT64_MAX) {
  return {.type = Kind::kMemory, .min = min, .max = max};
}
constexpr Kind MemoryAtLeast(int64_t clamp_min) {
  Kind kind = Memory(1);
  kind.clamp_min = clamp_min;
  return kind;
}
constexpr Kind MemoryOrPercent() { return {.type = Kind::kMemoryOrPercent, .max = UINT64_MAX}; }
constexpr Kind YesNo() { return {.type = Kind::kBool}; }
constexpr Kind OneOf(absl::Span<const Choice> choices) {
  return {.type = Kind::kEnum, .choices = choices};
}
/// Whether, and from where, what could harm the server may be done.
inline constexpr Choice kAllowedChoices[] = {{"no", 0}, {"yes", 1}, {"local", 2}};
constexpr Kind Text(TextRule rule = nullptr) { return {.type = Kind::kText, .text_rule = rule}; }
constexpr Kind List(const ListRule& rule) { return {.type = Kind::kList, .list = &rule}; }

enum Flags : uint8_t {
  kModifiable = 0,
  kImmutable = 1,         // CONFIG SET refuses it
  kHidden = 2,            // CONFIG GET shows it only for its exact name
  kProtected = 4,         // CONFIG SET needs enable-protected-configs
  kNoEffect = 8,          // accepted for compatibility with Redis, without effect
  kOfMachine = 16,        // the default depends on the machine, see DefaultText
  kRepeatable = 32,       // each line adds one (user, loadmodule, ...); kept, but not interpreted
  kNotWhileLoading = 64,  // CONFIG SET replies LOADING until the data is loaded
  kAlwaysWritten = 128,   // CONFIG REWRITE writes it even at its default
};

/// One row of the table. Constant, so any thread may use it.
struct Directive {
  std::string_view name;
  std::string_view alias;  // another name, or ""
  Kind kind;
  std::string_view default_text;
  uint8_t flags = kModifiable;
  void (*publish)(Config& config, const Value& value) = nullptr;  // into a Config's Live fields

  bool Is(Flags flag) const { return (flags & flag) != 0; }
};

/// Where a value comes from. It decides what repeated lines and short forms mean.
enum class Origin { kFile, kConfigSet };

/// All directives, first those that have an effect here; CONFIG GET replies in this order.
const std::vector<const Directive*>& AllDirectives();

/// The two parts of the table: directives that have an effect here, and those that are only
/// accepted.
absl::Span<const Directive> ServingDirectives();
absl::Span<const Directive> AcceptedDirectives();

/// Finds a directive by name or alias in any case; null when there is none.
const Directive* FindDirective(std::string_view name);

/// Names and aliases, for suggestions.
std::vector<std::string_view> DirectiveNames();

/// The default in CONFIG GET's form. Those of io-threads and dir depend on the machine.
std::string DefaultText(const Directive& directive);

/// Reads the words behind a directive's name. `current` is the value that a list adds to or
/// overlays. Errors have Redis' words, which clients and operators search for.
absl::StatusOr<Value> ParseWords(const Directive& directive, const std::vector<std::string>& words,
                                 std::string_view current, Origin origin);

/// The value that ParseWords made, from its canonical text.
Value FromText(const Directive& directive, std::string_view text);

/// The lines of a configuration file that set `directive` to `value`.
std::vector<std::string> FileLines(const Directive& directive, const Value& value);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_DIRECTIVE_H_
