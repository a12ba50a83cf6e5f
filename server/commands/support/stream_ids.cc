#include "server/commands/support/stream_ids.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdlib>

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

constexpr size_t kMostIdText = 127;

/// Redis reads arguments of these commands as C strings.
std::string_view UpToNul(std::string_view text) { return text.substr(0, text.find('\0')); }

/// As strtoull, which Redis uses for what is not a canonical integer: spaces and a sign may come
/// first.
std::optional<uint64_t> ParseNumber(std::string_view digits) {
  if (const std::optional<int64_t> value = ParseInteger(digits)) {
    if (*value < 0) return std::nullopt;
    return static_cast<uint64_t>(*value);
  }
  const std::string text(digits);
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (errno != 0 || *end != '\0' || end == text.c_str()) return std::nullopt;
  return value;
}

/// The bound behind "(", or in the range itself. `exclusive` says which it was.
StreamId TakeBound(Arguments& args, uint64_t missing_seq, bool& exclusive) {
  const std::string_view text = args.String();
  exclusive = text.size() > 1 && text[0] == '(';
  const std::optional<StreamId> id =
      exclusive ? ParseStreamId(text.substr(1), missing_seq) : ParseStreamBound(text, missing_seq);
  if (!id) args.Fail(kInvalidStreamId);
  return id.value_or(StreamId());
}

}  // namespace

std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_seq) {
  if (text.size() > kMostIdText) return std::nullopt;
  text = UpToNul(text);
  const size_t dash = text.find('-');
  const std::optional<uint64_t> ms = ParseNumber(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return StreamId{*ms, missing_seq};
  const std::optional<uint64_t> seq = ParseNumber(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return StreamId{*ms, *seq};
}

std::optional<StreamId> ParseStreamBound(std::string_view text, uint64_t missing_seq) {
  const std::string_view bound = UpToNul(text);
  if (bound == "-") return kFirstStreamId;
  if (bound == "+") return kLastStreamId;
  return ParseStreamId(text, missing_seq);
}

StreamId TakeStreamId(Arguments& args) {
  const std::optional<StreamId> id = ParseStreamId(args.String());
  if (!id) args.Fail(kInvalidStreamId);
  return id.value_or(StreamId());
}

StreamId TakeRangeStart(Arguments& args) {
  bool exclusive = false;
  const StreamId id = TakeBound(args, 0, exclusive);
  if (!exclusive) return id;
  const std::optional<StreamId> next = id.Next();
  if (!next) args.Fail("ERR invalid start ID for the interval");
  return next.value_or(StreamId());
}

StreamId TakeRangeEnd(Arguments& args) {
  bool exclusive = false;
  const StreamId id = TakeBound(args, UINT64_MAX, exclusive);
  if (!exclusive) return id;
  const std::optional<StreamId> previous = id.Previous();
  if (!previous) args.Fail("ERR invalid end ID for the interval");
  return previous.value_or(StreamId());
}

int64_t StreamTime(Call& call) {
  return call.now_ms() == kNothingExpiresMs ? call.server().clock().NowMs() : call.now_ms();
}

std::string NoSuchGroup(std::string_view key, std::string_view group) {
  return fmt::format("NOGROUP No such key '{}' or consumer group '{}'", UpToNul(key),
                     UpToNul(group));
}

std::string NoSuchGroupOf(std::string_view key, std::string_view group) {
  return fmt::format("NOGROUP No such consumer group '{}' for key name '{}'", UpToNul(group),
                     UpToNul(key));
}

}  // namespace cloakroom
