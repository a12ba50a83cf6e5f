#include "storage/sessions/fenced_notes.h"

#include <algorithm>
#include <utility>

#include "storage/base/text_hash.h"

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

void FencedNotes::NoteDestroyed(std::string_view key, int64_t last, int64_t now_ms) {
  if (destroyed_.size() == kMostSpent) destroyed_.erase(destroyed_.begin());
  destroyed_.push_back({HashText(key), last, now_ms});
}

bool FencedNotes::Destroyed(std::string_view key, int64_t fence) const {
  const uint64_t hash = HashText(key);
  return std::ranges::any_of(destroyed_, [&](const Destruction& destruction) {
    return destruction.key_hash == hash && fence <= destruction.last;
  });
}

void FencedNotes::Forget(int64_t now_ms) {
  const auto old = [now_ms](const auto& kept) { return now_ms - kept.at_ms >= kKeepMs; };
  std::erase_if(notes_, old);
  if (notes_.empty()) notes_.shrink_to_fit();
  std::erase_if(spent_, old);
  if (spent_.empty()) spent_.shrink_to_fit();
  std::erase_if(destroyed_, old);
  if (destroyed_.empty()) destroyed_.shrink_to_fit();
}

size_t FencedNotes::bytes() const {
  size_t bytes = notes_.capacity() * sizeof(Kept) + spent_.capacity() * sizeof(Spending) +
                 destroyed_.capacity() * sizeof(Destruction);
  for (const Kept& kept : notes_) {
    const Fenced& fenced = kept.fenced;
    for (const std::string* text : {&fenced.by, &fenced.by_req, &fenced.owner, &fenced.req})
      bytes += text->capacity();
  }
  return bytes;
}

}  // namespace cloakroom
