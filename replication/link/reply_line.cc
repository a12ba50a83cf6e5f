#include "replication/link/reply_line.h"

#include <algorithm>

namespace cloakroom {

ReplyLine::Status ReplyLine::Take(std::string_view& bytes) {
  if (whole_) Clear();
  const size_t end = std::min(bytes.find('\n'), bytes.size());
  if (text_.size() + end > kMax) return Status::kTooLong;
  text_.append(bytes.substr(0, end));
  bytes.remove_prefix(end);
  if (bytes.empty()) return Status::kNeedMore;
  bytes.remove_prefix(1);
  if (text_.ends_with('\r')) text_.pop_back();
  whole_ = true;
  return Status::kLine;
}

void ReplyLine::Clear() {
  text_.clear();
  whole_ = false;
}

}  // namespace cloakroom
