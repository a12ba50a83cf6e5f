#ifndef CLOAKROOM_STORAGE_VALUES_TRIE_VIEW_H_
#define CLOAKROOM_STORAGE_VALUES_TRIE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/values/item.h"
#include "storage/values/trie_node.h"

namespace cloakroom {

/// The hash by which a trie places a member: seeded per process, so nothing derived from it (a
/// cursor, an order) may be kept in a file. Tests inject others to make members collide.
using TrieHash = uint64_t (*)(std::string_view field);
uint64_t SeededTrieHash(std::string_view field);

/// A place in the order in which a trie holds its items: the upper 60 bits of the hash, so that a
/// cursor fits a signed 64-bit integer. The lowest byte of the hash is the leaf's tag.
inline constexpr unsigned kTriePositionBits = 60;
inline constexpr unsigned kTrieSlotBits = 4;
inline constexpr unsigned kMaxTrieDepth = kTriePositionBits / kTrieSlotBits;

inline uint64_t TriePosition(uint64_t hash) { return hash >> (64 - kTriePositionBits); }
inline uint8_t TrieTag(uint64_t hash) { return static_cast<uint8_t>(hash); }
/// The slot of `position` in a node below `depth` other nodes.
inline unsigned TrieSlot(uint64_t position, unsigned depth) {
  return (position >> (kTriePositionBits - kTrieSlotBits * (depth + 1))) & (TrieNode::kSlots - 1);
}

/// Reads a trie through its root; a null root is an empty trie. Owns nothing. Items come in the
/// order of their positions, which is valid until the trie changes. Thread rule: any thread that
/// keeps the root alive, by the stripe's lock or without it by a reference of its own.
class TrieView {
 public:
  explicit TrieView(const TriePart* root, TrieHash hash = SeededTrieHash)
      : root_(root), hash_(hash) {}

  /// O(1): at most the 16 counts of the root.
  size_t size() const { return TrieItems(root_); }
  /// The earliest expiry of an item; kNever if there is none. O(1).
  int64_t MinExpiry() const { return TrieMinExpiry(root_); }

  std::optional<PackedItem> Find(std::string_view field) const;
  void ForEach(absl::FunctionRef<void(const Item&)> fn) const;

  /// Calls `fn` for whole leaves from `cursor` on until at least `count` items have come, and
  /// returns the cursor of the next leaf, 0 at the end. Begin with 0; any cursor is accepted. An
  /// item that is there during the whole scan comes at least once, whatever splits or merges
  /// meanwhile; twice only if its leaf was merged.
  uint64_t Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(const Item&)> fn) const;

  /// The item at a rank in ForEach's order, found by the nodes' counts. REQUIRES: rank < size().
  PackedItem At(size_t rank) const;

  /// Calls `fn` for the expired items until it returns false. Skips every subtree without one.
  void ForEachExpired(int64_t now_ms, absl::FunctionRef<bool(const Item&)> fn) const;

  /// Bytes of all its allocations, blobs included, as the allocator counts them; estimated from
  /// `samples` paths, or counted exactly if that is 0. Shared parts count in full.
  size_t MemoryUsage(size_t samples) const;

 private:
  const TriePart* root_;
  TrieHash hash_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_TRIE_VIEW_H_
