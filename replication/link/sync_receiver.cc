#include "replication/link/sync_receiver.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace cloakroom {

size_t SyncReceiver::Receive(std::string_view bytes) {
  if (done() || bytes.empty()) return 0;
  const size_t taken = size_.has_mark ? ReceiveMarked(bytes) : ReceiveCounted(bytes);
  read_ += static_cast<int64_t>(taken);
  return taken;
}

size_t SyncReceiver::ReceiveCounted(std::string_view bytes) {
  const int64_t missing = size_.length - read_;
  const size_t most = bytes.size();
  const size_t taken = static_cast<size_t>(std::min(missing, static_cast<int64_t>(most)));
  sink_.Append(bytes.substr(0, taken));
  return taken;
}

size_t SyncReceiver::ReceiveMarked(std::string_view bytes) {
  size_t end = FindAcross(bytes);
  if (end == 0) {
    // Most positions are skipped: data seldom has the mark's bytes.
    const std::boyer_moore_horspool_searcher searcher(size_.mark.begin(), size_.mark.end());
    const auto found = std::search(bytes.begin(), bytes.end(), searcher);
    if (found != bytes.end()) {
      end = static_cast<size_t>(found - bytes.begin()) + SyncSize::kMarkLength;
    }
  }
  if (end > 0) {
    FinishAt(end, bytes);
    return end;
  }
  Keep(bytes);
  return bytes.size();
}

/// The end in `bytes` of a mark that begins in what was kept; 0 if there is none.
size_t SyncReceiver::FindAcross(std::string_view bytes) const {
  std::array<char, 2 * (SyncSize::kMarkLength - 1)> window;
  char* end = std::copy_n(kept_.data(), kept_size_, window.data());
  end = std::copy_n(bytes.data(), std::min(bytes.size(), SyncSize::kMarkLength - 1), end);
  const std::string_view text(window.data(), static_cast<size_t>(end - window.data()));
  const size_t found = text.find(mark());
  // With the next 39 bytes only a mark that begins in the kept ones fits into the window.
  return found == std::string_view::npos ? 0 : found + SyncSize::kMarkLength - kept_size_;
}

/// Passes on all but the last 39 bytes.
void SyncReceiver::Keep(std::string_view bytes) {
  const size_t whole = kept_size_ + bytes.size();
  const size_t passed = whole - std::min(whole, kept_.size());
  const size_t from_kept = std::min(passed, kept_size_);
  if (from_kept > 0) sink_.Append(kept().substr(0, from_kept));
  if (passed > from_kept) sink_.Append(bytes.substr(0, passed - from_kept));
  kept_size_ -= from_kept;
  std::memmove(kept_.data(), kept_.data() + from_kept, kept_size_);
  bytes.remove_prefix(passed - from_kept);
  std::copy(bytes.begin(), bytes.end(), kept_.data() + kept_size_);
  kept_size_ += bytes.size();
}

/// The mark ends at `end` in `bytes`: passes on what is before it.
void SyncReceiver::FinishAt(size_t end, std::string_view bytes) {
  const size_t data = kept_size_ + end - SyncSize::kMarkLength;
  const size_t from_kept = std::min(data, kept_size_);
  if (from_kept > 0) sink_.Append(kept().substr(0, from_kept));
  if (data > from_kept) sink_.Append(bytes.substr(0, data - from_kept));
  kept_size_ = 0;
  done_ = true;
}

}  // namespace cloakroom
