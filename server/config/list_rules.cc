#include "server/config/list_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include "server/config/grammar.h"
#include "server/config/text.h"

namespace cloakroom::config {
namespace {

using Words = std::vector<std::string>;
using Lines = std::vector<std::string>;

constexpr std::string_view kOutputClasses[] = {"normal", "slave", "pubsub"};  // as ClientClass

Words SplitText(std::string_view text) { return Split(text, ' '); }

Lines OneLine(std::string_view name, std::string_view text) {
  return {Cat(name, " ", text.empty() ? std::string_view("\"\"") : text)};
}

Lines OneLineUnlessEmpty(std::string_view name, std::string_view text) {
  return text.empty() ? Lines{} : OneLine(name, text);
}

std::optional<int64_t> IntegerWithin(std::string_view word, int64_t min, int64_t max) {
  std::optional<int64_t> number = ParseInteger(word);
  return number && *number >= min && *number <= max ? number : std::nullopt;
}

absl::StatusOr<std::string> ParseSave(const Words& words, std::string_view current) {
  constexpr int64_t kIntMax = std::numeric_limits<int>::max();
  if (words.empty()) return std::string();
  if (words.size() % 2 != 0) return absl::InvalidArgumentError("Invalid save parameters");
  Words all = SplitText(current);
  for (size_t i = 0; i < words.size(); ++i) {
    bool is_seconds = i % 2 == 0;
    std::optional<int64_t> number = IntegerWithin(words[i], is_seconds ? 1 : 0, kIntMax);
    if (!number) return absl::InvalidArgumentError("Invalid save parameters");
    all.push_back(Cat(*number));
  }
  return Joined(all, " ");
}

Lines SaveLines(std::string_view name, std::string_view text) {
  Words words = SplitText(text);
  Lines lines;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    lines.push_back(Cat(name, " ", words[i], " ", words[i + 1]));
  }
  return lines.empty() ? OneLine(name, "") : lines;
}

absl::StatusOr<std::string> ParseBind(const Words& words, std::string_view) {
  constexpr size_t kMaxAddresses = 16;  // Redis' limit
  if (words.size() > kMaxAddresses)
    return absl::InvalidArgumentError("Too many bind addresses specified.");
  if (std::ranges::any_of(words, [](const auto& word) { return word.empty(); })) {
    return absl::InvalidArgumentError("Empty bind address.");
  }
  return Joined(words, " ");
}

absl::StatusOr<std::string> ParseOutputLimits(const Words& words, std::string_view current) {
  constexpr size_t kPerClass = 4;  // class, hard, soft, soft seconds
  if (words.size() % kPerClass != 0) {
    return absl::InvalidArgumentError("Wrong number of arguments in buffer limit configuration.");
  }
  Words all = SplitText(current);
  if (all.empty()) all = SplitText("normal 0 0 0 slave 0 0 0 pubsub 0 0 0");
  for (size_t i = 0; i < words.size(); i += kPerClass) {
    std::string name = Lower(words[i]);
    if (name == "replica") name = "slave";
    auto which = std::ranges::find(kOutputClasses, name);
    if (which == std::end(kOutputClasses)) {
      return absl::InvalidArgumentError(
          "Invalid client class specified in buffer limit configuration.");
    }
    std::optional<uint64_t> hard = ParseMemory(words[i + 1]);
    std::optional<uint64_t> soft = ParseMemory(words[i + 2]);
    std::optional<int64_t> seconds = IntegerWithin(words[i + 3], 0, INT64_MAX);
    if (!hard || !soft || !seconds || *hard > INT64_MAX || *soft > INT64_MAX) {
      return absl::InvalidArgumentError(
          "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    }
    size_t at = (which - std::begin(kOutputClasses)) * kPerClass;
    all[at + 1] = Cat(*hard);
    all[at + 2] = Cat(*soft);
    all[at + 3] = Cat(*seconds);
  }
  return Joined(all, " ");
}

Lines OutputLimitLines(std::string_view name, std::string_view text) {
  Words words = SplitText(text);
  Lines lines;
  for (size_t i = 0; i + 3 < words.size(); i += 4) {
    lines.push_back(Cat(name, " ", words[i] == "slave" ? "replica" : words[i], " ",
                        ShortMemory(*ParseMemory(words[i + 1])), " ",
                        ShortMemory(*ParseMemory(words[i + 2])), " ", words[i + 3]));
  }
  return lines;
}

absl::StatusOr<std::string> ParseOomScores(const Words& words, std::string_view) {
  constexpr size_t kScores = 3;  // the primary, replicas, background children
  if (words.size() != kScores) return absl::InvalidArgumentError("wrong number of arguments");
  for (const std::string& word : words) {
    if (!IntegerWithin(word, -2000, 2000)) {
      return absl::InvalidArgumentError(
          "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
  }
  return Joined(words, " ");
}

absl::StatusOr<std::string> ParsePercentiles(const Words& words, std::string_view) {
  constexpr size_t kMaxPercentiles = 64;
  Words canonical;
  if (words.size() > kMaxPercentiles) {
    return absl::InvalidArgumentError("Invalid latency-tracking-info-percentiles parameters");
  }
  for (const std::string& word : words) {
    double percentile = 0;
    auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), percentile);
    if (status != std::errc() || end != word.data() + word.size()) {
      return absl::InvalidArgumentError("Invalid latency-tracking-info-percentiles parameters");
    }
    if (!(percentile >= 0 && percentile <= 100)) {
      return absl::InvalidArgumentError(
          "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    std::array<char, 32> digits;
    auto written = std::to_chars(digits.data(), digits.data() + digits.size(), percentile);
    canonical.emplace_back(digits.data(), written.ptr);
  }
  return Joined(canonical, " ");
}

absl::StatusOr<std::string> ParseReplicaOf(const Words& words, std::string_view) {
  if (words.size() != 2) return absl::InvalidArgumentError("wrong number of arguments");
  if (EqualsIgnoringCase(words[0], "no") && EqualsIgnoringCase(words[1], "one")) {
    return std::string();
  }
  if (!IntegerWithin(words[1], 0, 65535)) return absl::InvalidArgumentError("Invalid master port");
  return Joined(words, " ");
}

absl::StatusOr<std::string> ParseShutdown(const Words& words, std::string_view) {
  constexpr std::string_view kKnown[] = {"default", "save", "nosave", "now", "force"};
  Words canonical;
  for (const std::string& word : words.empty() ? Words{""} : words) {
    std::string lower = Lower(word);
    if (std::ranges::find(kKnown, lower) == std::end(kKnown)) {
      return absl::InvalidArgumentError(
          Cat("argument(s) must be one of the following: ", Joined(kKnown, ", ")));
    }
    canonical.push_back(std::move(lower));
  }
  return Joined(canonical, " ");
}

// Redis shows the event classes in a fixed order, and all of them together as 'A'.
absl::StatusOr<std::string> ParseNotify(const Words& words, std::string_view) {
  constexpr std::string_view kClasses = "g$lshzxetd";
  constexpr std::string_view kInOrder = "g$lshzxetdnKEm";
  std::string given;
  for (const std::string& word : words) given += given.empty() ? word : " " + word;
  if (words.size() > 1) given += ' ';  // never a class, as in Redis
  if (given.find_first_not_of("Ag$lshzxeKEtmdn") != given.npos) {
    return absl::InvalidArgumentError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
  }
  auto has = [&given](char letter) { return given.find(letter) != given.npos; };
  bool all = has('A') || std::ranges::all_of(kClasses, has);
  std::string canonical = all ? "A" : "";
  for (char letter : kInOrder) {
    bool covered = all && kClasses.find(letter) != kClasses.npos;
    if (has(letter) && !covered) canonical.push_back(letter);
  }
  return canonical;
}

}  // namespace

const ListRule kSaveRule = {ListRule::kAppendInFile, ParseSave, SaveLines};
const ListRule kBindRule = {ListRule::kReplace, ParseBind, OneLine};
const ListRule kOutputLimitRule = {ListRule::kOverlay, ParseOutputLimits, OutputLimitLines};
const ListRule kOomScoreRule = {ListRule::kReplace, ParseOomScores, OneLine};
const ListRule kPercentilesRule = {ListRule::kReplace, ParsePercentiles, OneLine};
const ListRule kReplicaOfRule = {ListRule::kReplace, ParseReplicaOf, OneLineUnlessEmpty};
const ListRule kShutdownRule = {ListRule::kReplace, ParseShutdown, OneLine};
const ListRule kNotifyRule = {ListRule::kReplace, ParseNotify, OneLine};

void PublishOutputLimits(Config& config, std::string_view text) {
  Words words = SplitText(text);
  for (size_t i = 0; i < config.output_limits.size() && i * 4 + 3 < words.size(); ++i) {
    auto number = [&words, i](size_t at) { return ParseInteger(words[i * 4 + at]).value_or(0); };
    OutputLimit& limit = config.output_limits[i];
    limit.hard_bytes.Set(number(1));
    limit.soft_bytes.Set(number(2));
    limit.soft_seconds.Set(number(3));
  }
}

}  // namespace cloakroom::config
