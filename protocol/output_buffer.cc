#include "protocol/output_buffer.h"

#include <algorithm>
#include <new>

namespace cloakroom {
namespace {

constexpr size_t kFirstCapacity = 1024;
constexpr size_t kKeptSplices = 64;

}  // namespace

void OutputBuffer::Append(SharedBytes shared) {
  if (shared.bytes.empty()) return;
  size_ += shared.bytes.size();
  splices_.push_back({end_, std::move(shared)});
}

void OutputBuffer::Clear() {
  if (capacity_ > kKeptCapacity || splices_.capacity() > kKeptSplices) return Release();
  begin_ = end_ = size_ = first_splice_ = 0;
  splices_.clear();
}

void OutputBuffer::Release() {
  OutputBuffer dropped;
  Swap(dropped);
}

void OutputBuffer::Swap(OutputBuffer& other) noexcept {
  std::swap(text_, other.text_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(size_, other.size_);
  std::swap(splices_, other.splices_);
  std::swap(first_splice_, other.first_splice_);
}

void OutputBuffer::SlideToFront() {
  if (begin_ == 0) return;
  std::memmove(text_.get(), text_.get() + begin_, end_ - begin_);
  for (size_t i = first_splice_; i < splices_.size(); ++i) splices_[i].at -= begin_;
  end_ -= begin_;
  begin_ = 0;
}

void OutputBuffer::Grow(size_t n) {
  // Sliding is worth its copy only if it frees half of the memory; otherwise a nearly full buffer
  // would slide for every few bytes.
  bool mostly_sent = begin_ > 0 && begin_ >= capacity_ / 2;
  SlideToFront();
  if (mostly_sent && capacity_ - end_ >= n) return;
  size_t capacity = std::max({kFirstCapacity, capacity_ * 2, end_ + n});
  char* grown = static_cast<char*>(std::realloc(text_.get(), capacity));
  if (grown == nullptr) throw std::bad_alloc();
  static_cast<void>(text_.release());
  text_.reset(grown);
  capacity_ = capacity;
}

size_t OutputBuffer::Gather(std::span<std::string_view> out) const {
  size_t count = 0;
  size_t text = begin_;
  for (size_t i = first_splice_; i < splices_.size() && count < out.size(); ++i) {
    const Splice& splice = splices_[i];
    if (splice.at > text) {
      out[count++] = Text(text, splice.at);
      text = splice.at;
    }
    if (count < out.size()) out[count++] = splice.shared.bytes;
  }
  if (count < out.size() && end_ > text) out[count++] = Text(text, end_);
  return count;
}

void OutputBuffer::Consume(size_t n) {
  if (n == size_) return Clear();
  size_ -= n;
  while (n > 0) {
    bool spliced = first_splice_ < splices_.size();
    size_t text = std::min(n, (spliced ? splices_[first_splice_].at : end_) - begin_);
    begin_ += text;
    n -= text;
    if (n == 0) break;
    SharedBytes& shared = splices_[first_splice_].shared;
    size_t sent = std::min(n, shared.bytes.size());
    shared.bytes.remove_prefix(sent);
    n -= sent;
    if (shared.bytes.empty()) {
      shared.owner.reset();
      ++first_splice_;
    }
  }
  DropSentSplices();
}

void OutputBuffer::DropSentSplices() {
  if (first_splice_ < kKeptSplices || first_splice_ < splices_.size() / 2) return;
  splices_.erase(splices_.begin(), splices_.begin() + static_cast<ptrdiff_t>(first_splice_));
  first_splice_ = 0;
}

// Searches from the back, because callers cut, move or insert in the latest reply.
OutputBuffer::Position OutputBuffer::Locate(size_t offset) const {
  size_t behind = size_ - offset;
  size_t text_end = end_;
  size_t splice = splices_.size();
  for (;;) {
    size_t text_start = splice > first_splice_ ? splices_[splice - 1].at : begin_;
    if (behind <= text_end - text_start) return {text_end - behind, splice, 0};
    behind -= text_end - text_start;
    text_end = text_start;
    --splice;
    size_t shared = splices_[splice].shared.bytes.size();
    if (behind < shared) return {text_end, splice, shared - behind};
    behind -= shared;
  }
}

void OutputBuffer::Truncate(size_t size) {
  if (size == size_) return;
  if (size == 0) return Clear();
  Position cut = Locate(size);
  if (cut.inside > 0) {
    std::string_view& bytes = splices_[cut.splice].shared.bytes;
    bytes = bytes.substr(0, cut.inside);
    ++cut.splice;
  }
  splices_.resize(cut.splice);
  end_ = cut.text;
  size_ = size;
}

void OutputBuffer::MoveTo(OutputBuffer& other) {
  if (!other.empty()) return MoveTailTo(0, other);
  Swap(other);
  Clear();
}

void OutputBuffer::MoveTailTo(size_t from, OutputBuffer& other) {
  Position cut = Locate(from);
  if (cut.inside > 0) {
    SharedBytes rest = splices_[cut.splice].shared;
    rest.bytes.remove_prefix(cut.inside);
    other.Append(std::move(rest));
    ++cut.splice;
  }
  for (; cut.splice < splices_.size(); ++cut.splice) {
    Splice& splice = splices_[cut.splice];
    other.Append(Text(cut.text, splice.at));
    cut.text = splice.at;
    other.Append(std::move(splice.shared));
  }
  other.Append(Text(cut.text, end_));
  Truncate(from);
}

void OutputBuffer::InsertAt(size_t mark, std::string_view bytes) {
  if (bytes.empty()) return;
  Prepare(bytes.size());
  Position place = Locate(mark);
  char* hole = text_.get() + place.text;
  std::memmove(hole + bytes.size(), hole, end_ - place.text);
  std::memcpy(hole, bytes.data(), bytes.size());
  for (size_t i = place.splice; i < splices_.size(); ++i) splices_[i].at += bytes.size();
  Commit(bytes.size());
}

}  // namespace cloakroom
