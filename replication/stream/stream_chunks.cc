#include "replication/stream/stream_chunks.h"

#include <utility>

namespace cloakroom {
namespace {

/// Enough for 16 MB, so that it seldom grows.
constexpr size_t kFirstRing = 256;

}  // namespace

StreamChunks::StreamChunks() {
  MutexLock lock(mutex_);
  rings_.push_back(std::make_unique<Ring>(kFirstRing));
  ring_.store(rings_.back().get(), std::memory_order_release);
}

StreamChunks::~StreamChunks() {
  MutexLock lock(mutex_);
  for (Chunk& chunk : rings_.back()->chunks) delete[] chunk.bytes.load(std::memory_order_relaxed);
  for (char* bytes : spares_) delete[] bytes;
}

StreamChunks::Chunk& StreamChunks::Find(int64_t number) {
  Chunk& chunk = (*ring_.load(std::memory_order_acquire))[number];
  if (chunk.number.load(std::memory_order_acquire) == number) [[likely]]
    return chunk;
  return Make(number);
}

char* StreamChunks::At(int64_t position) {
  return Find(NumberOf(position)).bytes.load(std::memory_order_relaxed) +
         static_cast<size_t>(position) % kChunkBytes;
}

StreamChunks::Chunk& StreamChunks::Make(int64_t number) {
  MutexLock lock(mutex_);
  while (number - first_ > static_cast<int64_t>(rings_.back()->mask)) Grow();
  Chunk& chunk = (*rings_.back())[number];
  // Another thread may have made it meanwhile.
  if (chunk.number.load(std::memory_order_relaxed) == number) return chunk;
  chunk.bytes.store(Allocate(), std::memory_order_relaxed);
  chunk.record_end.store(kUnknown, std::memory_order_relaxed);
  chunk.number.store(number, std::memory_order_release);
  return chunk;
}

void StreamChunks::Grow() {
  Ring& old = *rings_.back();
  auto larger = std::make_unique<Ring>(2 * (old.mask + 1));
  for (Chunk& from : old.chunks) {
    const int64_t number = from.number.load(std::memory_order_relaxed);
    if (number == kUnknown) continue;
    Chunk& to = (*larger)[number];
    to.bytes.store(from.bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.record_end.store(from.record_end.load(std::memory_order_relaxed), std::memory_order_relaxed);
    to.number.store(number, std::memory_order_relaxed);
  }
  ring_.store(larger.get(), std::memory_order_release);
  rings_.push_back(std::move(larger));
}

char* StreamChunks::Allocate() {
  if (!spares_.empty()) {
    char* const bytes = spares_.back();
    spares_.pop_back();
    return bytes;
  }
  memory_.fetch_add(kChunkBytes, std::memory_order_relaxed);
  return new char[kChunkBytes];
}

void StreamChunks::Free(char* bytes) {
  if (spares_.size() < kMaxSpares) return spares_.push_back(bytes);
  memory_.fetch_sub(kChunkBytes, std::memory_order_relaxed);
  delete[] bytes;
}

void StreamChunks::NoteRecordEnd(int64_t position) {
  Find(NumberOf(position)).record_end.store(position, std::memory_order_relaxed);
}

int64_t StreamChunks::RecordEnd(int64_t position, int64_t limit) {
  for (int64_t number = NumberOf(position); number <= NumberOf(limit - 1); ++number) {
    const int64_t end = Find(number).record_end.load(std::memory_order_relaxed);
    if (end >= position && end <= limit) return end;
  }
  return limit;
}

void StreamChunks::Trim(int64_t position) {
  MutexLock lock(mutex_);
  for (const int64_t kept = NumberOf(position); first_ < kept; ++first_) Drop(first_);
}

void StreamChunks::Cut(int64_t position, int64_t end) {
  MutexLock lock(mutex_);
  for (int64_t number = NumberOf(position) + 1; number <= NumberOf(end); ++number) Drop(number);
}

void StreamChunks::Drop(int64_t number) {
  Chunk& chunk = (*rings_.back())[number];
  if (chunk.number.load(std::memory_order_relaxed) != number) return;
  chunk.number.store(kUnknown, std::memory_order_relaxed);
  Free(chunk.bytes.exchange(nullptr, std::memory_order_relaxed));
}

}  // namespace cloakroom
