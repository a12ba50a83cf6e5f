#ifndef CLOAKROOM_PROTOCOL_OUTPUT_BUFFER_H_
#define CLOAKROOM_PROTOCOL_OUTPUT_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/shared_bytes.h"

namespace cloakroom {

/// Bytes that wait for a socket: one contiguous text, with large values spliced in by reference.
///
/// Invariant: the unsent bytes are text[begin_, end_), with the bytes of each splice, in order,
/// before text[splice.at]. Splices are never empty. Text before begin_ has been sent.
///
/// Offsets and marks count unsent bytes, text and shared alike, from the front; Consume() shifts
/// them all. Only memory limits the size. Growth is amortised; running out of memory throws
/// std::bad_alloc, as std::string does. Not thread safe: it belongs to one connection.
class OutputBuffer {
 public:
  /// The most that Clear() keeps, in bytes.
  static constexpr size_t kKeptCapacity = 64 * 1024;

  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept { Swap(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    OutputBuffer moved(std::move(other));
    Swap(moved);
    return *this;
  }

  /// Copies the bytes. They must not lie in this buffer.
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Prepare(bytes.size()), bytes.data(), bytes.size());
    Commit(bytes.size());
  }

  /// Holds the bytes by reference until they are consumed, however few they are. Below a few
  /// hundred bytes a copy is cheaper.
  void Append(SharedBytes shared);

  /// For encoders: makes room for `n` bytes at the end, of which Commit() then adds those written.
  /// The pointer is valid until the next call.
  char* Prepare(size_t n) {
    if (capacity_ - end_ < n) Grow(n);
    return text_.get() + end_;
  }
  /// REQUIRES: n is at most the argument of the preceding Prepare().
  void Commit(size_t n) {
    end_ += n;
    size_ += n;
  }

  /// Unsent bytes, shared ones included.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Memory that the text holds, used or not.
  size_t owned_bytes() const { return capacity_; }

  /// Drops everything; keeps the text's memory if it is at most kKeptCapacity.
  void Clear();
  /// Drops everything, including the memory: an idle connection holds nothing.
  void Release();

  /// All unsent bytes, if they are one contiguous text; valid until the buffer changes.
  std::optional<std::string_view> Whole() const {
    if (first_splice_ < splices_.size()) return std::nullopt;
    return Text(begin_, end_);
  }
  /// Fills `out` with the first spans to send, in order, and returns how many. They are valid until
  /// the buffer changes.
  size_t Gather(std::span<std::string_view> out) const;
  /// Drops `n` sent bytes from the front. REQUIRES: n <= size().
  void Consume(size_t n);

  /// Appends everything to `other` and clears this buffer.
  void MoveTo(OutputBuffer& other);
  /// Appends everything from offset `from` on to `other` and drops it here. REQUIRES: from <=
  /// size(), &other != this.
  void MoveTailTo(size_t from, OutputBuffer& other);
  /// Drops everything behind offset `size`. REQUIRES: size <= this->size().
  void Truncate(size_t size);

  /// The place where the next byte goes. InsertAt() puts bytes there later: array headers whose
  /// count is known only at the end. It moves the text behind the mark, and so costs its length.
  /// REQUIRES: no Consume() in between.
  size_t Mark() const { return size_; }
  void InsertAt(size_t mark, std::string_view bytes);

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  struct Splice {
    size_t at;  // the bytes stand before this text offset
    SharedBytes shared;
  };
  /// A byte offset, resolved: before text[text] and splices_[splice], or `inside` bytes into that
  /// splice.
  struct Position {
    size_t text;
    size_t splice;
    size_t inside;
  };

  void Swap(OutputBuffer& other) noexcept;
  void Grow(size_t n);
  void SlideToFront();
  void DropSentSplices();
  Position Locate(size_t offset) const;
  std::string_view Text(size_t from, size_t to) const { return {text_.get() + from, to - from}; }

  std::unique_ptr<char, Free> text_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t size_ = 0;
  std::vector<Splice> splices_;
  size_t first_splice_ = 0;  // those before it have been sent
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_OUTPUT_BUFFER_H_
