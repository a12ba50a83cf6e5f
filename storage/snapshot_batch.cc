#include "storage/snapshot_batch.h"

#include <cstring>
#include <utility>

#include "storage/packed.h"
#include "storage/shared_value.h"
#include "storage/unaligned.h"

namespace cloakroom {
namespace {

/// What stands before the key and the payload of each entry.
struct Header {
  int64_t expire_at_ms;
  int32_t db;
  uint32_t access;
  uint32_t key_size;
  uint32_t payload_size;
  ValueType type;
  Encoding encoding;
};

/// What a change to the original will leave in nobody's hands but the batch's. Of a trie that is
/// some leaves, as long as the batch is short-lived.
size_t SharedBytes(const Entry& entry) {
  constexpr size_t kSomeLeaves = 8 * 1024;
  if (entry.encoding() == Encoding::kTrie) return kSomeLeaves;
  return ValueMemory(entry.type(), entry.encoding(), entry.payload());
}

}  // namespace

void SnapshotBatch::Add(int db, const Entry& entry) {
  std::string_view key = entry.key();
  std::string_view payload = entry.payload();
  Header header{.expire_at_ms = entry.expire_at_ms(),
                .db = db,
                .access = entry.access(),
                .key_size = static_cast<uint32_t>(key.size()),
                .payload_size = static_cast<uint32_t>(payload.size()),
                .type = entry.type(),
                .encoding = entry.encoding()};
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes_.append(key);
  bytes_.append(payload);
  ShareValue(entry.encoding(), payload);
  shared_bytes_ += SharedBytes(entry);
  ++count_;
}

void SnapshotBatch::Swap(SnapshotBatch& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(count_, other.count_);
  std::swap(shared_bytes_, other.shared_bytes_);
}

void SnapshotBatch::Clear() {
  ForEach(
      [](const SnapshotEntry& entry) { ReleaseValue(entry.type, entry.encoding, entry.payload); });
  bytes_.clear();
  count_ = 0;
  shared_bytes_ = 0;
}

void SnapshotBatch::ForEach(absl::FunctionRef<void(const SnapshotEntry&)> visit) const {
  const char* at = bytes_.data();
  const char* const end = at + bytes_.size();
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
           .type = header.type,
           .encoding = header.encoding,
           .payload = payload,
           .expire_at_ms = header.expire_at_ms,
           .access = header.access});
  }
}

}  // namespace cloakroom
