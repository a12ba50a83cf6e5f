#include "server/config/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "server/config/text.h"

namespace cloakroom::config {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// The letter after the backslash, and the byte that it means.
constexpr std::array<std::pair<char, char>, 5> kEscapes = {
    {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'b', '\b'}, {'a', '\a'}}};

int HexValue(char digit) {
  size_t at = kHexDigits.find(absl::ascii_tolower(digit));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Reads what follows a backslash inside double quotes and moves `rest` past it.
char TakeEscape(std::string_view& rest) {
  if (rest.size() >= 3 && rest[0] == 'x' && HexValue(rest[1]) >= 0 && HexValue(rest[2]) >= 0) {
    int byte = HexValue(rest[1]) * 16 + HexValue(rest[2]);
    rest.remove_prefix(3);
    return static_cast<char>(byte);
  }
  char letter = rest[0];
  rest.remove_prefix(1);
  for (auto [escape, byte] : kEscapes) {
    if (letter == escape) return byte;
  }
  return letter;
}

// Appends a quoted part to `word`; `rest` starts after the opening quote and ends after the closing
// one. False when the quote stays open or is followed by something other than white space.
bool TakeQuoted(char quote, std::string_view& rest, std::string& word) {
  while (!rest.empty() && rest[0] != quote) {
    bool escaped = rest[0] == '\\' && rest.size() > 1;
    if (escaped && quote == '"') {
      rest.remove_prefix(1);
      word.push_back(TakeEscape(rest));
    } else {
      if (escaped && rest[1] == '\'') rest.remove_prefix(1);
      word.push_back(rest[0]);
      rest.remove_prefix(1);
    }
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return rest.empty() || absl::ascii_isspace(rest[0]);
}

// The number of single-letter edits that turn `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    line = Trimmed(line);
    if (line.empty()) return words;
    std::string word;
    while (!line.empty() && !absl::ascii_isspace(line[0])) {
      char letter = line[0];
      line.remove_prefix(1);
      if (letter != '"' && letter != '\'') {
        word.push_back(letter);
      } else if (!TakeQuoted(letter, line, word)) {
        return std::nullopt;
      }
    }
    words.push_back(std::move(word));
  }
}

std::string Quoted(std::string_view word) {
  std::string out = "\"";
  for (char letter : word) {
    auto escape =
        std::ranges::find_if(kEscapes, [letter](const auto& e) { return e.second == letter; });
    if (letter == '"' || letter == '\\') {
      out.append({'\\', letter});
    } else if (escape != kEscapes.end()) {
      out.append({'\\', escape->first});
    } else if (absl::ascii_isprint(letter)) {
      out.push_back(letter);
    } else {
      auto byte = static_cast<unsigned char>(letter);
      out.append({'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]});
    }
  }
  out.push_back('"');
  return out;
}

std::optional<uint64_t> ParseMemory(std::string_view text) {
  constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
      {"", 1},        {"b", 1},           {"k", 1000},       {"kb", 1 << 10},
      {"m", 1000000}, {"mb", 1ULL << 20}, {"g", 1000000000}, {"gb", 1ULL << 30}};
  uint64_t count = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (status == std::errc::result_out_of_range) return std::nullopt;
  std::string_view unit = text.substr(end - text.data());
  for (auto [name, bytes] : kUnits) {
    if (!EqualsIgnoringCase(unit, name)) continue;
    if (count > std::numeric_limits<uint64_t>::max() / bytes) return std::nullopt;
    return count * bytes;
  }
  return std::nullopt;
}

std::string ShortMemory(uint64_t bytes) {
  constexpr std::pair<uint64_t, std::string_view> kUnits[] = {
      {1ULL << 30, "gb"}, {1ULL << 20, "mb"}, {1ULL << 10, "kb"}};
  for (auto [unit, name] : kUnits) {
    if (bytes != 0 && bytes % unit == 0) return Cat(bytes / unit, name);
  }
  return Cat(bytes);
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) return std::nullopt;
  int64_t number = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view NearestWord(std::string_view word,
                             const std::vector<std::string_view>& candidates) {
  constexpr size_t kFurthest = 3;
  constexpr size_t kLongestWord = 64;  // no directive is longer; bounds the work per candidate
  if (word.size() > kLongestWord) return {};
  std::string lower = Lower(word);
  size_t best = std::min(kFurthest, word.size() / 3) + 1;
  std::string_view nearest;
  for (std::string_view candidate : candidates) {
    size_t distance = EditDistance(lower, candidate);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace cloakroom::config
