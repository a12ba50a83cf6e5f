#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCAN_OPTIONS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCAN_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/execution/call.h"

namespace cloakroom {

// The arguments that SCAN, HSCAN, SSCAN and ZSCAN have in common:
//   cursor [MATCH pattern] [COUNT count], SCAN also TYPE, HSCAN also NOVALUES.

/// What is scanned. It decides which options are known.
enum class ScanOf : uint8_t { kKeys, kHash, kSet, kZset };

/// The arguments behind the cursor. Owns its texts, so that long work may use it.
struct ScanOptions {
  /// Absent also for MATCH *.
  std::optional<std::string> pattern;
  /// About how many elements one step visits; at least 1.
  size_t count = 10;
  /// As the client wrote it.
  std::optional<std::string> type;
  bool no_values = false;

  bool Matches(std::string_view element) const;
};

/// The cursor at argument `i`. Replies with the error if it returns nullopt. Like Redis it accepts
/// what strtoul does, even a sign or no digits, so the result may be any 64-bit number.
std::optional<uint64_t> ParseScanCursor(Call& call, size_t i);

/// The options from argument `first` on. Replies with the error if it returns nullopt. Redis reads
/// them only after it has found a key of the right type: HSCAN of an absent key replies no error.
std::optional<ScanOptions> ParseScanOptions(Call& call, size_t first, ScanOf what);

/// The beginning of a step's reply; an array of the elements must follow.
void ReplyScanCursor(ReplyWriter& reply, uint64_t next_cursor);
/// The whole reply for an absent key.
void ReplyEmptyScan(ReplyWriter& reply);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCAN_OPTIONS_H_
