#ifndef CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_BATCH_H_
#define CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/entry_view.h"

namespace cloakroom {

/// Copies of entries, in pieces of memory. Adding an entry copies its key and its payload, and now
/// and then allocates a piece; it never moves earlier copies. Large values are shared
/// (shared_value.h), so a set of a million members costs a reference.
///
/// Thread rule: one thread at a time; the stripe of an entry is held while it is added.
class SnapshotBatch {
 public:
  SnapshotBatch() = default;
  ~SnapshotBatch() { Clear(); }
  SnapshotBatch(SnapshotBatch&& other) noexcept { Swap(other); }
  SnapshotBatch& operator=(SnapshotBatch&& other) noexcept {
    Swap(other);
    return *this;
  }

  void Add(int db, const Entry& entry);
  void Swap(SnapshotBatch& other) noexcept;
  /// Takes over pieces of `other`, the oldest first, until this batch retains `bytes` or `other` is
  /// empty. Does not copy their contents.
  void TakeFrom(SnapshotBatch& other, size_t bytes);
  /// Gives back the values that it shares.
  void Clear();

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }
  /// Memory that the batch may be the last to keep: its bytes, and the blobs that it shares.
  size_t retained_bytes() const { return retained_bytes_; }

  /// In no order.
  void ForEach(absl::FunctionRef<void(const EntryView&)> visit) const;

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0;
    size_t size = 0;
    size_t count = 0;
    size_t retained_bytes = 0;
    size_t room() const { return capacity - size; }
  };
  Piece& PieceFor(size_t bytes);
  static void Visit(const Piece& piece, absl::FunctionRef<void(const EntryView&)> visit);

  std::deque<Piece> pieces_;  ///< the last one is being filled
  size_t count_ = 0;
  size_t retained_bytes_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SNAPSHOT_SNAPSHOT_BATCH_H_
