#include "replication/link/fan_out_sink.h"

#include <algorithm>
#include <utility>

namespace cloakroom {

void FanOutSink::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (block_.empty()) block_.reserve(kBlockBytes);
    const std::string_view piece = bytes.substr(0, kBlockBytes - block_.size());
    block_.append(piece);
    bytes.remove_prefix(piece.size());
    if (block_.size() < kBlockBytes) return;
    {
      MutexLock lock(mutex_);
      PushBlock();
      while (!abandoned() && end_ - first_ > max_kept_) freed_.Wait(mutex_);
    }
    moved_();
  }
}

void FanOutSink::PushBlock() {
  std::string block = std::exchange(block_, {});
  if (block.empty() || abandoned()) return;
  end_ += block.size();
  blocks_.push_back(std::move(block));
}

absl::Status FanOutSink::status() const {
  MutexLock lock(mutex_);
  return abandoned() ? absl::CancelledError("no replica is left") : absl::OkStatus();
}

void FanOutSink::GiveUp() {
  {
    MutexLock lock(mutex_);
    given_up_ = true;
  }
  freed_.NotifyAll();
}

void FanOutSink::End() {
  {
    MutexLock lock(mutex_);
    PushBlock();
    ended_ = true;
  }
  moved_();
}

void FanOutSink::Join(Reader reader) {
  MutexLock lock(mutex_);
  joined_ = true;
  places_[reader] = 0;
}

void FanOutSink::Leave(Reader reader) {
  {
    MutexLock lock(mutex_);
    places_.erase(reader);
    Free();
  }
  freed_.NotifyAll();
}

std::string_view FanOutSink::Peek(Reader reader) {
  MutexLock lock(mutex_);
  const auto place = places_.find(reader);
  if (place == places_.end() || place->second == end_) return {};
  // All blocks but the last are full.
  const uint64_t offset = place->second - first_;
  const std::string& block = blocks_[offset / kBlockBytes];
  return std::string_view(block).substr(offset % kBlockBytes);
}

void FanOutSink::Advance(Reader reader, size_t bytes) {
  {
    MutexLock lock(mutex_);
    places_[reader] += bytes;
    Free();
  }
  freed_.NotifyAll();
}

void FanOutSink::Free() {
  uint64_t least = end_;
  for (const auto& [reader, place] : places_) least = std::min(least, place);
  while (!blocks_.empty() && first_ + blocks_.front().size() <= least) {
    first_ += blocks_.front().size();
    blocks_.pop_front();
  }
}

bool FanOutSink::Done(Reader reader) const {
  MutexLock lock(mutex_);
  const auto place = places_.find(reader);
  return ended_ && place != places_.end() && place->second == end_;
}

}  // namespace cloakroom
