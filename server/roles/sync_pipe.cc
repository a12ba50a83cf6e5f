#include "server/roles/sync_pipe.h"

#include <algorithm>
#include <cstring>

namespace cloakroom {

size_t SyncPipe::room() {
  MutexLock lock(mutex_);
  if (given_up_) return kMostBytes;
  full_ = bytes_ >= kMostBytes;
  return full_ ? 0 : kMostBytes - bytes_;
}

void SyncPipe::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  MutexLock lock(mutex_);
  if (given_up_) return;
  pieces_.emplace_back(bytes);
  bytes_ += bytes.size();
  changed_.NotifyOne();
}

void SyncPipe::Finish() {
  MutexLock lock(mutex_);
  finished_ = true;
  changed_.NotifyOne();
}

size_t SyncPipe::Read(std::span<char> into) {
  size_t taken = 0;
  bool drained = false;
  {
    MutexLock lock(mutex_);
    while (pieces_.empty() && !finished_ && !given_up_) changed_.Wait(mutex_);
    if (given_up_ || pieces_.empty()) return 0;
    while (taken < into.size() && !pieces_.empty()) {
      const std::string& piece = pieces_.front();
      const size_t size = std::min(into.size() - taken, piece.size() - first_read_);
      std::memcpy(into.data() + taken, piece.data() + first_read_, size);
      taken += size;
      first_read_ += size;
      if (first_read_ < piece.size()) break;
      pieces_.pop_front();
      first_read_ = 0;
    }
    bytes_ -= taken;
    if (full_ && bytes_ < kMostBytes) drained = std::exchange(full_, false);
  }
  if (drained) drained_();
  return taken;
}

void SyncPipe::GiveUp() {
  MutexLock lock(mutex_);
  given_up_ = true;
  pieces_.clear();
  bytes_ = 0;
  changed_.NotifyOne();
}

bool SyncPipe::given_up() {
  MutexLock lock(mutex_);
  return given_up_;
}

}  // namespace cloakroom
