#include "storage/snapshot/snapshot_batch.h"

#include <cstring>
#include <utility>

#include "storage/base/unaligned.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// The size of a piece. An entry larger than a fourth of it gets a piece of its own size, so that
/// no piece is left with much unused room.
constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kLargeBytes = kPieceBytes / 4;

/// Precedes the key and the payload of each entry.
struct Header {
  int64_t expire_at_ms;
  int32_t db;
  uint32_t access;
  uint32_t key_size;
  uint32_t payload_size;
  ValueType type;
  Encoding encoding;
  bool outgrown;
};

/// The shared bytes that only the batch will own after a change of the original. For a trie these
/// are some leaves, as long as the batch is short-lived.
size_t SharedBytes(const ValueView& value) {
  constexpr size_t kSomeLeaves = 8 * 1024;
  if (value.encoding == Encoding::kTrie) return kSomeLeaves;
  return ValueMemory(value);
}

char* Put(char* at, std::string_view bytes) {
  bytes.copy(at, bytes.size());
  return at + bytes.size();
}

}  // namespace

void SnapshotBatch::Add(int db, const Entry& entry) {
  const std::string_view key = entry.key();
  const ValueView value = entry.value();
  Header header{.expire_at_ms = entry.expire_at_ms(),
                .db = db,
                .access = entry.access(),
                .key_size = static_cast<uint32_t>(key.size()),
                .payload_size = static_cast<uint32_t>(value.payload.size()),
                .type = value.type,
                .encoding = value.encoding,
                .outgrown = value.outgrown};
  const size_t bytes = sizeof(header) + key.size() + value.payload.size();
  Piece& piece = PieceFor(bytes);
  char* at = piece.bytes.get() + piece.size;
  at = Put(at, {reinterpret_cast<const char*>(&header), sizeof(header)});
  Put(Put(at, key), value.payload);
  ShareValue(value);
  const size_t retained = bytes + SharedBytes(value);
  piece.size += bytes;
  piece.count += 1;
  piece.retained_bytes += retained;
  count_ += 1;
  retained_bytes_ += retained;
}

SnapshotBatch::Piece& SnapshotBatch::PieceFor(size_t bytes) {
  if (!pieces_.empty() && pieces_.back().room() >= bytes) return pieces_.back();
  Piece piece;
  piece.capacity = bytes > kLargeBytes ? bytes : kPieceBytes;
  piece.bytes = std::make_unique_for_overwrite<char[]>(piece.capacity);
  if (bytes <= kLargeBytes || pieces_.empty()) return pieces_.emplace_back(std::move(piece));
  // The piece that is being filled remains the last.
  return *pieces_.insert(pieces_.end() - 1, std::move(piece));
}

void SnapshotBatch::Swap(SnapshotBatch& other) noexcept {
  std::swap(pieces_, other.pieces_);
  std::swap(count_, other.count_);
  std::swap(retained_bytes_, other.retained_bytes_);
}

void SnapshotBatch::TakeFrom(SnapshotBatch& other, size_t bytes) {
  while (!other.pieces_.empty() && retained_bytes_ < bytes) {
    Piece piece = std::move(other.pieces_.front());
    other.pieces_.pop_front();
    other.count_ -= piece.count;
    other.retained_bytes_ -= piece.retained_bytes;
    count_ += piece.count;
    retained_bytes_ += piece.retained_bytes;
    pieces_.push_back(std::move(piece));
  }
}

void SnapshotBatch::Clear() {
  ForEach([](const EntryView& entry) { ReleaseValue(entry.value); });
  pieces_.clear();
  count_ = 0;
  retained_bytes_ = 0;
}

void SnapshotBatch::ForEach(absl::FunctionRef<void(const EntryView&)> visit) const {
  for (const Piece& piece : pieces_) Visit(piece, visit);
}

void SnapshotBatch::Visit(const Piece& piece, absl::FunctionRef<void(const EntryView&)> visit) {
  const char* at = piece.bytes.get();
  const char* const end = at + piece.size;
  while (at < end) {
    Header header;
    std::memcpy(&header, at, sizeof(header));
    at += sizeof(header);
    std::string_view key(at, header.key_size);
    at += header.key_size;
    std::string_view payload(at, header.payload_size);
    at += header.payload_size;
    visit({.db = header.db,
           .key = key,
           .value = {.type = header.type,
                     .encoding = header.encoding,
                     .outgrown = header.outgrown,
                     .payload = payload},
           .expire_at_ms = header.expire_at_ms,
           .access = header.access});
  }
}

}  // namespace cloakroom
