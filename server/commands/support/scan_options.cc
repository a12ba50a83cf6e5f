#include "server/commands/support/scan_options.h"

#include <charconv>
#include <utility>

#include "protocol/glob.h"

namespace cloakroom {
namespace {

constexpr std::string_view kInvalidCursor = "ERR invalid cursor";

std::optional<uint64_t> CursorOf(std::string_view text) {
  if (text.empty()) return 0;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  uint64_t cursor = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? 0 - cursor : cursor;
}

}  // namespace

bool ScanOptions::Matches(std::string_view element) const {
  return !pattern || GlobMatch(*pattern, element);
}

std::optional<uint64_t> ParseScanCursor(Call& call, size_t i) {
  std::optional<uint64_t> cursor = CursorOf(call.arg(i));
  if (!cursor) call.Error(kInvalidCursor);
  return cursor;
}

std::optional<ScanOptions> ParseScanOptions(Call& call, size_t first, ScanOf what) {
  ScanOptions options;
  for (size_t i = first; i < call.argc(); ++i) {
    const bool has_value = i + 1 < call.argc();
    if (call.Is(i, "count") && has_value) {
      std::optional<int64_t> count = call.Integer(++i);
      if (!count) return std::nullopt;
      if (*count < 1) {
        call.SyntaxError();
        return std::nullopt;
      }
      options.count = static_cast<size_t>(*count);
    } else if (call.Is(i, "match") && has_value) {
      options.pattern = std::string(call.arg(++i));
      if (*options.pattern == "*") options.pattern.reset();
    } else if (what == ScanOf::kKeys && call.Is(i, "type") && has_value) {
      options.type = std::string(call.arg(++i));
    } else if (what == ScanOf::kHash && call.Is(i, "novalues")) {
      options.no_values = true;
    } else {
      call.SyntaxError();
      return std::nullopt;
    }
  }
  return options;
}

void ReplyScanCursor(ReplyWriter& reply, uint64_t next_cursor) {
  reply.Array(2);
  reply.BulkInteger(static_cast<int64_t>(next_cursor));
}

void ReplyEmptyScan(ReplyWriter& reply) {
  ReplyScanCursor(reply, 0);
  reply.Array(0);
}

}  // namespace cloakroom
