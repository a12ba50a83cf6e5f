#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_IDS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_IDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/execution/arguments.h"
#include "storage/values/stream.h"

namespace cloakroom {

inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";
/// The count of a COUNT option that was not given.
inline constexpr int64_t kNoCount = -1;

/// The ID "ms-seq", or "ms" with the sequence number `missing_seq`, as Redis reads it; nullopt if
/// it is none. Not the special IDs.
std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq = 0);
/// The same, and "-" and "+", the first and the last ID there is.
std::optional<StreamId> ParseStreamBound(std::string_view text, uint64_t missing_seq);

/// Takes an ID.
StreamId TakeStreamId(Arguments& args);
/// Takes the ends of a range: an ID, "-" or "+", or an ID behind "(", which is not in the range.
StreamId TakeRangeStart(Arguments& args);
StreamId TakeRangeEnd(Arguments& args);

/// The time of the command, for IDs and deliveries. While a log is replayed nothing expires, and
/// Call::now_ms() is no time; then it is that of the clock.
int64_t StreamTime(Call& call);

/// "NOGROUP No such key ... or consumer group ...": what XPENDING and others answer.
std::string NoSuchGroup(std::string_view key, std::string_view group);
/// "NOGROUP No such consumer group ... for key name ...": what XGROUP and XINFO answer.
std::string NoSuchGroupOf(std::string_view key, std::string_view group);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_IDS_H_
