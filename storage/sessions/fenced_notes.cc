#include "storage/sessions/fenced_notes.h"

#include <algorithm>
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
  if (fenced.reason == FencedReason::kDeleted) NoteSpent(fence, now_ms);
  notes_.push_back({fence, now_ms, std::move(fenced)});
}

const Fenced* FencedNotes::Find(int64_t fence) const {
  for (const Kept& kept : notes_) {
    if (kept.fence == fence) return &kept.fenced;
  }
  return nullptr;
}

void FencedNotes::NoteSpent(int64_t fence, int64_t now_ms) {
  if (spent_.size() == kMostSpent) spent_.erase(spent_.begin());
  spent_.push_back({fence, now_ms});
}

bool FencedNotes::Spent(int64_t fence) const {
  return std::ranges::find(spent_, fence, &Spending::fence) != spent_.end();
}

void FencedNotes::Forget(int64_t now_ms) {
  const auto old = [now_ms](const auto& kept) { return now_ms - kept.at_ms >= kKeepMs; };
  std::erase_if(notes_, old);
  if (notes_.empty()) notes_.shrink_to_fit();
  std::erase_if(spent_, old);
  if (spent_.empty()) spent_.shrink_to_fit();
}

size_t FencedNotes::bytes() const {
  size_t bytes = notes_.capacity() * sizeof(Kept) + spent_.capacity() * sizeof(Spending);
  for (const Kept& kept : notes_) {
    const Fenced& fenced = kept.fenced;
    for (const std::string* text : {&fenced.by, &fenced.by_req, &fenced.owner, &fenced.req})
      bytes += text->capacity();
  }
  return bytes;
}

}  // namespace cloakroom
