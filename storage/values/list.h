#ifndef CLOAKROOM_STORAGE_VALUES_LIST_H_
#define CLOAKROOM_STORAGE_VALUES_LIST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/values/btree.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/list_run.h"
#include "storage/values/shared_value.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

// A small list is one run (list_run.h) in its entry. A large one is a B+ tree of runs; its payload
// is a pointer to the root and the bytes that the elements would have in a listpack of Redis, as a
// uint64. What OBJECT ENCODING answers is told apart from that by ValueSlot::outgrown.

/// Its row (type_ops.h).
extern const TypeOps kListOps;

/// The bytes of a run in a leaf, at most: with the leaf's header they fill a size class of the
/// allocator. Smaller than Redis' nodes (8 KB), because what is before an element in its leaf is
/// read to find it, and a leaf that a snapshot shares is copied to change it.
inline constexpr size_t kMaxListRunBytes = 4096 - sizeof(BTreeLeaf);

enum class ListEnd : uint8_t { kFront, kBack };

/// A place in a list: at an element, or behind one of the ends. Valid until the list changes.
class ListCursor {
 public:
  // REQUIRES: at().
  ListElement element() const { return run_.element(); }
  bool Is(const ListCode& element) const { return run_.Is(element); }
  /// Whether it is at an element.
  bool at() const { return index_ < size_; }
  size_t index() const { return index_; }

  // REQUIRES: at().
  void Next();
  /// Goes behind the end if it is at the first element.
  void Previous();

 private:
  friend class List;
  /// In a single run.
  ListCursor(std::string_view run, size_t index);
  /// In a tree. REQUIRES: index < the number of elements.
  ListCursor(const BTreeView& tree, size_t index);

  BTreePlace place_;  ///< invalid in a single run
  ListRunCursor run_;
  size_t index_;
  size_t size_;
};

/// A list as readers see it. A default-constructed List is absent, and empty. Valid until the list
/// changes; the caller holds the stripe's lock, or a SharedValue.
class List {
 public:
  static constexpr ValueType kType = ValueType::kList;

  List() = default;
  List(Encoding encoding, std::string_view payload) : encoding_(encoding), payload_(payload) {}
  /// REQUIRES: a list.
  explicit List(const ValueView& value) : List(value.encoding, value.payload) {}

  size_t size() const;
  bool empty() const { return size() == 0; }
  /// O(log n). REQUIRES: index < size().
  ListCursor At(size_t index) const;
  /// Calls `fn` for `count` elements from `first` on. REQUIRES: first + count <= size().
  void ForEach(size_t first, size_t count, absl::FunctionRef<void(std::string_view)> fn) const;

  /// The list as it is now, for a thread without the lock. O(1), or a copy of a run.
  SharedValue Share() const {
    return SharedValue({.type = kType, .encoding = encoding_, .payload = payload_});
  }

 private:
  Encoding encoding_ = Encoding::kPacked;
  std::string_view payload_;
};

/// A list being changed. The slot may be absent: the first Push creates it, and erasing the last
/// element removes it. Arguments must not point into the list. The caller holds the stripe's lock.
class MutableList {
 public:
  /// REQUIRES: the slot is absent or holds a list.
  MutableList(ValueSlot& slot, const EncodingLimits& limits);

  List view() const;

  /// Adds elements at an end, one after the other.
  void Push(ListEnd end, std::span<const std::string_view> elements);
  void Push(ListEnd end, std::string_view element) { Push(end, std::span(&element, 1)); }
  /// Removes elements from an end. REQUIRES: 0 < count <= the size.
  void Pop(ListEnd end, size_t count);
  /// Replaces an element. REQUIRES: there is one with this index.
  void Set(size_t index, std::string_view element);

  // These report no change to the log: the caller does, since it knows what was looked for.
  /// Puts an element before the one with this index. REQUIRES: the list has elements, index <= the
  /// size.
  void Insert(size_t index, std::string_view element);
  /// Keeps `count` elements from `first` on. REQUIRES: first + count <= the size.
  void Trim(size_t first, size_t count);
  /// Erases the elements that are equal to this one: at most `limit`, from this end on. Returns how
  /// many it erased.
  size_t EraseEqual(std::string_view element, ListEnd from, size_t limit);

  /// Lets OBJECT ENCODING follow from the size alone, for a list that was not made by commands.
  void SettleEncoding();

 private:
  bool is_tree() const { return slot_.encoding() == Encoding::kBTree; }
  BTree TakeTree() const;
  /// Puts the tree back into the slot; an empty one removes the slot, a small one becomes a run.
  void PutTree(BTree tree, size_t listpack_bytes);
  void BecomeTree();

  void PushOne(ListEnd end, const ListCode& element);
  void InsertAt(size_t index, const ListCode& element);
  void Erase(size_t first, size_t count);
  size_t EraseEqualInTree(const ListCode& element, ListEnd from, size_t limit);

  /// The bytes that Redis' listpack would have.
  size_t ListpackBytes() const;
  /// As Redis before it adds elements, whose text has so many bytes: may make it a quicklist.
  void NoteGrowth(size_t elements, size_t bytes);
  /// As Redis after it has removed elements: may make it a listpack.
  void NoteShrinking();

  ValueSlot& slot_;
  const int listpack_limit_;
  const LeafFormat format_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_LIST_H_
