#ifndef CLOAKROOM_SERVER_NET_READ_BUFFER_H_
#define CLOAKROOM_SERVER_NET_READ_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace cloakroom {

/// The bytes of a request that has not come in whole: only connections in the middle of one own
/// any. Not initialised beyond size().
class ReadBuffer {
 public:
  std::span<char> bytes() { return {data_.get(), size_}; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

  void Append(std::string_view bytes) {
    std::memcpy(Room(bytes.size()).data(), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  /// At least `n` bytes behind the end, to read into; then Commit what was read.
  std::span<char> Room(size_t n) {
    if (capacity_ - size_ < n) Reserve(std::max(size_ + n, capacity_ + capacity_ / 2));
    return {data_.get() + size_, capacity_ - size_};
  }
  void Commit(size_t n) { size_ += n; }
  void DropFront(size_t n) {
    size_ -= n;
    if (size_ == 0) {
      Release();
    } else {
      std::memmove(data_.get(), data_.get() + n, size_);
    }
  }
  void Release() {
    data_.reset();
    size_ = capacity_ = 0;
  }

 private:
  void Reserve(size_t capacity) {
    std::unique_ptr<char[]> grown(new char[capacity]);
    if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
    data_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_READ_BUFFER_H_
