#include "server/commands/support/scan_options.h"

#include <charconv>
#include <utility>

#include "protocol/glob.h"
#include "server/execution/arguments.h"

namespace cloakroom {
namespace {

constexpr std::string_view kInvalidCursor = "ERR invalid cursor";

std::optional<uint64_t> CursorOf(std::string_view text) {
  // Redis reads it as a C string.
  text = text.substr(0, text.find('\0'));
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
  Arguments args(call, first);
  while (args.More()) {
    if (args.Word("COUNT")) {
      const int64_t count = args.Integer();
      if (count < 1) args.SyntaxError();
      options.count = static_cast<size_t>(count);
    } else if (args.Word("MATCH")) {
      options.pattern = std::string(args.String());
      if (*options.pattern == "*") options.pattern.reset();
    } else if (what == ScanOf::kKeys && args.Word("TYPE")) {
      options.type = std::string(args.String());
    } else if (what == ScanOf::kHash && args.Word("NOVALUES")) {
      options.no_values = true;
    } else {
      args.SyntaxError();
    }
  }
  if (!args.Finish()) return std::nullopt;
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
