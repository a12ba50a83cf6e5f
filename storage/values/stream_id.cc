#include "storage/values/stream_id.h"

#include <charconv>

namespace cloakroom {

std::optional<StreamId> StreamId::Next() const {
  if (seq < UINT64_MAX) return StreamId{ms, seq + 1};
  if (ms < UINT64_MAX) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::Previous() const {
  if (seq > 0) return StreamId{ms, seq - 1};
  if (ms > 0) return StreamId{ms - 1, UINT64_MAX};
  return std::nullopt;
}

StreamIdText::StreamIdText(const StreamId& id) {
  char* at = std::to_chars(text_, text_ + sizeof(text_), id.ms).ptr;
  *at++ = '-';
  at = std::to_chars(at, text_ + sizeof(text_), id.seq).ptr;
  size_ = static_cast<uint8_t>(at - text_);
}

}  // namespace cloakroom
