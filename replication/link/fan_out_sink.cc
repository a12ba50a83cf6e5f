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
    }
    moved_();
    MakeRoom();
  }
}

void FanOutSink::PushBlock() {
  if (block_.empty() || abandoned()) return block_.clear();
  end_ += static_cast<int64_t>(block_.size());
  blocks_.push_back(std::make_shared<const std::string>(std::exchange(block_, {})));
}

void FanOutSink::MakeRoom() {
  for (bool refused = false;;) {
    Block oldest;
    std::shared_ptr<Spool> spool;
    int64_t least = 0;
    {
      MutexLock lock(mutex_);
      waiting_ = refused;
      // Somebody who reads on makes room in the spool as well.
      if (refused && TooMuch()) freed_.Wait(mutex_);
      waiting_ = false;
      if (!TooMuch()) return;
      spool = SpoolForOldest();
      oldest = blocks_.front();
      least = Least();
    }
    refused = spool == nullptr;
    if (refused) continue;
    spool->Discard(least);
    const int64_t place = spool->end();
    refused = !spool->Append(*oldest).ok();
    MutexLock lock(mutex_);
    if (refused || first_ != place || blocks_.empty()) continue;
    PopOldest();
    spool_ = std::move(spool);
  }
}

std::shared_ptr<Spool> FanOutSink::SpoolForOldest() {
  if (space_ == nullptr || space_->off()) return nullptr;
  if (spool_ == nullptr) spool_ = space_->Make(first_);
  return spool_;
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
  places_[reader] = {};
}

void FanOutSink::Leave(Reader reader) {
  {
    MutexLock lock(mutex_);
    places_.erase(reader);
    Free();
  }
  freed_.NotifyAll();
}

FanOutSink::Next FanOutSink::Peek(Reader reader) {
  MutexLock lock(mutex_);
  const auto found = places_.find(reader);
  if (found == places_.end() || found->second.position == end_) return {};
  Place& place = found->second;
  if (place.position < first_) return {.spool = spool_, .place = place.position};
  // All blocks but the last are full. The reader holds its block, which may be spooled meanwhile.
  const auto offset = static_cast<size_t>(place.position - first_);
  place.block = blocks_[offset / kBlockBytes];
  return {.bytes = std::string_view(*place.block).substr(offset % kBlockBytes)};
}

void FanOutSink::Advance(Reader reader, size_t bytes) {
  {
    MutexLock lock(mutex_);
    Place& place = places_[reader];
    place.position += static_cast<int64_t>(bytes);
    place.block.reset();
    Free();
  }
  freed_.NotifyAll();
}

int64_t FanOutSink::Least() const {
  int64_t least = end_;
  for (const auto& [reader, place] : places_) least = std::min(least, place.position);
  return least;
}

void FanOutSink::PopOldest() {
  first_ += static_cast<int64_t>(blocks_.front()->size());
  blocks_.pop_front();
}

void FanOutSink::Free() {
  const int64_t least = Least();
  while (!blocks_.empty() && first_ + static_cast<int64_t>(blocks_.front()->size()) <= least) {
    PopOldest();
  }
  if (least >= first_) spool_.reset();
}

bool FanOutSink::Done(Reader reader) const {
  MutexLock lock(mutex_);
  const auto found = places_.find(reader);
  return ended_ && found != places_.end() && found->second.position == end_;
}

std::optional<FanOutSink::Reader> FanOutSink::HoldsUp() const {
  MutexLock lock(mutex_);
  if (!waiting_ || !TooMuch() || places_.empty()) return std::nullopt;
  const auto behind = [](const auto& one, const auto& other) {
    return one.second.position < other.second.position;
  };
  return std::min_element(places_.begin(), places_.end(), behind)->first;
}

}  // namespace cloakroom
