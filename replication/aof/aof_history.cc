#include "replication/aof/aof_history.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr std::string_view kHistoryWord = "#REPL:";
constexpr std::string_view kOffsetWord = "#OFF:";
constexpr std::string_view kNoHistory = "-";
constexpr size_t kIdLength = 40;
/// Far from what a stream reaches, and no sum with the size of a file overflows.
constexpr int64_t kMostOffset = int64_t{1} << 62;

bool IsId(std::string_view text) {
  return text.size() == kIdLength && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

}  // namespace

std::string AofHistory::Line(int64_t position) const {
  if (!known()) return Concat({kHistoryWord, kNoHistory, "\r\n"});
  return Concat({kHistoryWord, id, ":", std::to_string(position + bias), "\r\n"});
}

std::string AofHistory::OffsetLine(int64_t position) const {
  return Concat({kOffsetWord, std::to_string(position + bias), "\r\n"});
}

std::optional<AofStatement> AofStatement::Of(std::string_view line) {
  AofStatement statement;
  std::string_view number;
  if (line.starts_with(kHistoryWord)) {
    line.remove_prefix(kHistoryWord.size());
    statement.id = line.substr(0, kIdLength);
    if (!IsId(statement.id) || line.substr(statement.id.size(), 1) != ":") return AofStatement();
    statement.kind = Kind::kHistory;
    number = line.substr(kIdLength + 1);
  } else if (line.starts_with(kOffsetWord)) {
    statement.kind = Kind::kOffset;
    number = line.substr(kOffsetWord.size());
  } else {
    return std::nullopt;
  }
  const std::optional<int64_t> offset = ParseInteger(number);
  if (!offset || *offset < 0 || *offset > kMostOffset) return AofStatement();
  statement.offset = *offset;
  return statement;
}

}  // namespace cloakroom
