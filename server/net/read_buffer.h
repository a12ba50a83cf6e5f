#ifndef CLOAKROOM_SERVER_NET_READ_BUFFER_H_
#define CLOAKROOM_SERVER_NET_READ_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace cloakroom {

/// The bytes of an incomplete request, or of requests that wait for their turn; other connections
/// own no bytes. Not initialised beyond what was committed.
///
/// DropFront leaves a gap, which is closed only when room is needed, so that a long pipeline is not
/// moved on each of its turns. Thread rule: one thread at a time, the connection's event loop.
class ReadBuffer {
 public:
  std::span<char> bytes() { return {data_.get() + begin_, size()}; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return begin_ == end_; }

  void Append(std::string_view bytes) {
    std::memcpy(Room(bytes.size()).data(), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  /// At least `n` bytes behind the end, to read into; then Commit what was read.
  std::span<char> Room(size_t n) {
    if (capacity_ - end_ < n) CloseGap();
    if (capacity_ - end_ < n) Reserve(std::max(end_ + n, capacity_ + capacity_ / 2));
    return {data_.get() + end_, capacity_ - end_};
  }
  void Commit(size_t n) { end_ += n; }
  void DropFront(size_t n) {
    begin_ += n;
    if (begin_ == end_) Release();
  }
  void Release() {
    data_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void CloseGap() {
    if (begin_ == 0) return;
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  /// REQUIRES: there is no gap.
  void Reserve(size_t capacity) {
    std::unique_ptr<char[]> grown(new char[capacity]);
    if (end_ > 0) std::memcpy(grown.get(), data_.get(), end_);
    data_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_READ_BUFFER_H_
