#ifndef CLOAKROOM_STORAGE_VALUES_SHARED_PART_H_
#define CLOAKROOM_STORAGE_VALUES_SHARED_PART_H_

#include <atomic>
#include <cstdint>

namespace cloakroom {

/// What nodes and leaves of a trie or a B+ tree share: a count of the references to them, from
/// parents in any number of trees and from owners of roots. A part that has more than one
/// reference, or is below such a part, never changes. The owner of the only path to a part may
/// change it in place.
struct SharedPart {
  explicit SharedPart(bool leaf) : is_leaf(leaf) {}

  bool unique() const { return refs.load(std::memory_order_acquire) == 1; }
  void Ref() const { refs.fetch_add(1, std::memory_order_relaxed); }
  /// Drops a reference and returns whether it was the last.
  bool DropRef() const { return refs.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  mutable std::atomic<uint32_t> refs{1};
  const bool is_leaf;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SHARED_PART_H_
