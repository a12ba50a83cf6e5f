#include "server/script/script.h"

#include <atomic>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "protocol/text.h"
#include "server/script/sha1.h"

namespace cloakroom {
namespace {

// The end of the quoted part that starts at line[at] (a quote), or npos when it is not closed.
std::size_t ReadQuoted(std::string_view line, std::size_t at, std::string* word) {
  const char quote = line[at];
  for (++at; at < line.size(); ++at) {
    if (line[at] == quote) return at + 1;
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    word->push_back(line[at]);
  }
  return std::string_view::npos;
}

// Words between blanks, with quotes as in an inline request. nullopt: a quote is not closed.
std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && absl::ascii_isspace(line[at])) ++at;
    if (at == line.size()) return words;
    std::string& word = words.emplace_back();
    while (at < line.size() && !absl::ascii_isspace(line[at])) {
      if (line[at] != '"' && line[at] != '\'') {
        word.push_back(line[at++]);
        continue;
      }
      at = ReadQuoted(line, at, &word);
      if (at == std::string_view::npos) return std::nullopt;
      if (at < line.size() && !absl::ascii_isspace(line[at])) return std::nullopt;
    }
  }
}

struct FlagRow {
  std::string_view name;
  bool ScriptFlags::* member;
};
constexpr FlagRow kFlags[] = {
    {"no-writes", &ScriptFlags::no_writes},
    {"allow-oom", &ScriptFlags::allow_oom},
    {"allow-stale", &ScriptFlags::allow_stale},
    {"no-cluster", &ScriptFlags::no_cluster},
    {"allow-cross-slot-keys", &ScriptFlags::allow_cross_slot_keys},
};

// Parses the words after the engine's name.
absl::Status ParseOption(std::string_view option, ScriptFlags* flags) {
  std::string_view list = option;
  if (!list.starts_with("flags=")) {
    return absl::InvalidArgumentError(
        absl::StrCat("ERR Unknown lua shebang option: ", std::string(option)));
  }
  list.remove_prefix(6);
  if (list.empty()) return absl::OkStatus();
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    if (!SetFlag(name, /*ignore_case=*/false, flags)) {
      return absl::InvalidArgumentError(
          absl::StrCat("ERR Unexpected flag in script shebang: ", std::string(name)));
    }
    if (comma == std::string_view::npos) return absl::OkStatus();
    list.remove_prefix(comma + 1);
  }
}

absl::Status ParseShebang(Script* script) {
  if (!script->text.starts_with("#!")) return absl::OkStatus();
  const std::size_t end = script->text.find('\n');
  if (end == std::string::npos) return absl::InvalidArgumentError("ERR Invalid script shebang");
  const auto words = SplitWords(std::string_view(script->text).substr(0, end));
  if (!words) return absl::InvalidArgumentError("ERR Invalid engine in script shebang");
  if (words->front() != "#!lua") {
    return absl::InvalidArgumentError(
        absl::StrCat("ERR Unexpected engine in script shebang: ", words->front()));
  }
  script->flags.declared = true;
  for (std::size_t i = 1; i < words->size(); ++i) {
    absl::Status parsed = ParseOption((*words)[i], &script->flags);
    if (!parsed.ok()) return parsed;
  }
  // The newline stays, so that the line numbers in errors are those of the full text.
  script->body_offset = end;
  return absl::OkStatus();
}

}  // namespace

bool SetFlag(std::string_view name, bool ignore_case, ScriptFlags* flags) {
  for (const FlagRow& row : kFlags) {
    const bool same = ignore_case ? EqualsIgnoreCase(row.name, name) : row.name == name;
    if (!same) continue;
    flags->*row.member = true;
    return true;
  }
  return false;
}

std::vector<std::string_view> FlagNames(const ScriptFlags& flags) {
  std::vector<std::string_view> names;
  for (const FlagRow& row : kFlags) {
    if (flags.*row.member) names.push_back(row.name);
  }
  return names;
}

bool MayLeaveDatabase(std::string_view text) {
  std::string lower = absl::AsciiStrToLower(absl::string_view(text.data(), text.size()));
  for (std::string_view name : {"select", "swapdb", "move", "copy", "flushall"}) {
    if (lower.find(name) != std::string::npos) return true;
  }
  // Every `call` and `pcall` must be followed by a single literal name: ("GET" and then , or ).
  for (std::size_t at = lower.find("call"); at != std::string::npos; at = lower.find("call", at)) {
    at += 4;
    auto skip_blanks = [&] {
      while (at < lower.size() && absl::ascii_isspace(lower[at])) ++at;
    };
    skip_blanks();
    // pcall(redis.call, "GET", …): the name follows the comma.
    if (at >= lower.size() || (lower[at] != '(' && lower[at] != ',')) return true;
    ++at;
    skip_blanks();
    if (lower.compare(at, 11, "redis.call,") == 0 || lower.compare(at, 12, "redis.pcall,") == 0) {
      continue;
    }
    if (at >= lower.size() || (lower[at] != '"' && lower[at] != '\'')) return true;
    at = lower.find(lower[at], at + 1);
    if (at == std::string::npos) return true;
    ++at;
    skip_blanks();
    if (at < lower.size() && lower[at] != ',' && lower[at] != ')') return true;
  }
  return false;
}

absl::StatusOr<ScriptPtr> MakeScript(std::string_view text) {
  static std::atomic<std::uint64_t> next_id{1};
  auto script = std::make_shared<Script>();
  script->text = text;
  if (absl::Status parsed = ParseShebang(script.get()); !parsed.ok()) return parsed;
  script->id = next_id.fetch_add(1, std::memory_order_relaxed);
  script->sha = Sha1Hex(text);
  script->may_leave_database = MayLeaveDatabase(text);
  return script;
}

}  // namespace cloakroom
