#include "storage/sessions/fenced_notes.h"

#include <utility>

namespace cloakroom {

std::string_view FencedReasonName(FencedReason reason) {
  switch (reason) {
    case FencedReason::kBroken:
      return "broken";
    case FencedReason::kTaken:
      return "taken";
    case FencedReason::kChanged:
      return "changed";
    case FencedReason::kDeleted:
      return "deleted";
    case FencedReason::kUnknown:
      break;
  }
  return "unknown";
}

void FencedNotes::Note(int64_t fence, Fenced fenced, int64_t now_ms) {
  if (notes_.size() == kMost) notes_.erase(notes_.begin());
  notes_.push_back({fence, now_ms, std::move(fenced)});
}

const Fenced* FencedNotes::Find(int64_t fence) const {
  for (const Kept& kept : notes_) {
    if (kept.fence == fence) return &kept.fenced;
  }
  return nullptr;
}

void FencedNotes::Forget(int64_t now_ms) {
  std::erase_if(notes_, [now_ms](const Kept& kept) { return now_ms - kept.at_ms >= kKeepMs; });
  if (notes_.empty()) notes_.shrink_to_fit();
}

size_t FencedNotes::bytes() const {
  size_t bytes = notes_.capacity() * sizeof(Kept);
  for (const Kept& kept : notes_) {
    const Fenced& fenced = kept.fenced;
    for (const std::string* text : {&fenced.by, &fenced.by_req, &fenced.owner, &fenced.req})
      bytes += text->capacity();
  }
  return bytes;
}

}  // namespace cloakroom
