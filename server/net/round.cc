#include "server/net/round.h"

#include <algorithm>
#include <utility>

#include "server/net/connection.h"

namespace cloakroom {

Round::Round(Executor& executor)
    : executor_(executor),
      buffer_(std::make_unique_for_overwrite<std::array<char, kBufferBytes>>()) {}

void Round::Serve() {
  ready_.swap(added_);
  while (next_ready_ < ready_.size() || next_received_ < received_.size()) {
    ReceiveFromSome();
    ExecuteReceived();
  }
  ready_.clear();
  next_ready_ = 0;
}

void Round::ReceiveFromSome() {
  std::span<char> room(*buffer_);
  while (next_ready_ < ready_.size() && room.size() >= kReadBytes) {
    Connection& connection = *ready_[next_ready_++];
    const std::span<char> bytes = connection.Receive(room.first(kReadBytes));
    if (bytes.empty()) continue;
    received_.push_back({&connection, bytes});
    // Not what went behind bytes that the connection keeps.
    if (bytes.data() == room.data()) room = room.subspan(bytes.size());
  }
}

void Round::ExecuteReceived() {
  executor_.BeginBatch();
  while (next_received_ < received_.size()) {
    Batch& batch = executor_.batches().round;
    batch.Clear();
    while (begun_ < received_.size() && batch.size() < kTogether) {
      const Received& next = received_[begun_++];
      next.connection->Begin(next.bytes, batch);
    }
    executor_.Prepare(batch);
    // A script among them may have those behind it served, see TakeOver.
    while (next_received_ < begun_) {
      const Received& next = received_[next_received_++];
      next.connection->Execute(next.bytes);
    }
  }
  received_.clear();
  next_received_ = begun_ = 0;
}

void Round::TakeOver(Round& other) {
  for (size_t i = other.next_received_; i < other.begun_; ++i) {
    other.received_[i].connection->ParseAgain();
  }
  const auto received = other.received_.begin() + static_cast<ptrdiff_t>(other.next_received_);
  received_.insert(received_.end(), received, other.received_.end());
  other.received_.erase(received, other.received_.end());
  other.begun_ = other.next_received_;
  const auto ready = other.ready_.begin() + static_cast<ptrdiff_t>(other.next_ready_);
  added_.insert(added_.end(), ready, other.ready_.end());
  other.ready_.erase(ready, other.ready_.end());
  added_.insert(added_.end(), other.added_.begin(), other.added_.end());
  other.added_.clear();
}

void Round::DropClosed() {
  std::erase_if(added_, [](const Connection* connection) { return !connection->open(); });
}

}  // namespace cloakroom
