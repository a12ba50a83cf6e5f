#include "server/execution/relative_time.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr int64_t kSecond = 1000;

OwnedArguments Owned(CommandArguments args) { return {args.begin(), args.end()}; }

/// When a time from now is; nullopt: the text is no number, or no time can be that far away.
std::optional<std::string> TimeOf(std::string_view text, int64_t unit_ms, int64_t now_ms) {
  const std::optional<int64_t> count = ParseInteger(text);
  if (!count) return std::nullopt;
  const int64_t most = (std::numeric_limits<int64_t>::max() - now_ms) / unit_ms;
  if (*count > most || *count < -most) return std::nullopt;
  return std::to_string(now_ms + *count * unit_ms);
}

}  // namespace

std::optional<OwnedArguments> ExpireToAbsolute(CommandArguments args, int64_t now_ms) {
  if (args.size() < 3) return std::nullopt;
  // "expire" and "pexpire", with a letter before them for items.
  const std::string name = LowerCase(args[0]);
  const bool in_ms = name.find("pexpire") != std::string::npos;
  const std::optional<std::string> time = TimeOf(args[2], in_ms ? 1 : kSecond, now_ms);
  if (!time) return std::nullopt;
  OwnedArguments absolute = Owned(args);
  absolute[0] = Concat({name.substr(0, name.find(in_ms ? "pexpire" : "expire")), "pexpireat"});
  absolute[2] = *time;
  return absolute;
}

std::optional<OwnedArguments> SetExToAbsolute(CommandArguments args, int64_t now_ms) {
  if (args.size() != 4) return std::nullopt;
  const bool in_ms = EqualsIgnoreCase(args[0], "psetex");
  const std::optional<std::string> time = TimeOf(args[2], in_ms ? 1 : kSecond, now_ms);
  if (!time || *ParseInteger(args[2]) <= 0) return std::nullopt;
  return OwnedArguments{"SET", std::string(args[1]), std::string(args[3]), "PXAT", *time};
}

std::optional<OwnedArguments> OptionToAbsolute(CommandArguments args, int64_t now_ms) {
  const bool sets = EqualsIgnoreCase(args[0], "set");
  for (size_t i = sets ? 3 : 2; i + 1 < args.size(); ++i) {
    // Behind it are fields, which may have any name.
    if (EqualsIgnoreCase(args[i], "fields")) return std::nullopt;
    const bool in_ms = EqualsIgnoreCase(args[i], "px");
    if (!in_ms && !EqualsIgnoreCase(args[i], "ex")) continue;
    const std::optional<std::string> time = TimeOf(args[i + 1], in_ms ? 1 : kSecond, now_ms);
    // It may be a value of SET's IFEQ; or it is wrong, and the command says so.
    if (!time || *ParseInteger(args[i + 1]) <= 0) continue;
    OwnedArguments absolute = Owned(args);
    absolute[i] = "PXAT";
    absolute[i + 1] = *time;
    return absolute;
  }
  return std::nullopt;
}

std::optional<OwnedArguments> RestoreToAbsolute(CommandArguments args, int64_t now_ms) {
  if (args.size() < 4) return std::nullopt;
  const auto options = args.subspan(4);
  if (std::ranges::any_of(options, [](auto word) { return EqualsIgnoreCase(word, "absttl"); })) {
    return std::nullopt;
  }
  const std::optional<std::string> time = TimeOf(args[2], 1, now_ms);
  // 0: it never expires.
  if (!time || *ParseInteger(args[2]) <= 0) return std::nullopt;
  OwnedArguments absolute = Owned(args);
  absolute[2] = *time;
  absolute.emplace_back("ABSTTL");
  return absolute;
}

}  // namespace cloakroom
