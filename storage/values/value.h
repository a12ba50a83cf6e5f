#ifndef CLOAKROOM_STORAGE_VALUES_VALUE_H_
#define CLOAKROOM_STORAGE_VALUES_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "storage/changes/change.h"

namespace cloakroom {

/// The types of values, each with a row of operations (type_ops.h). The numbers are our own;
/// snapshot files have theirs.
enum class ValueType : uint8_t { kString, kHash, kSet, kList, kZset, kStream };
inline constexpr size_t kValueTypes = 6;

/// How the payload of an entry holds its value. OBJECT ENCODING derives its names from this, the
/// type and `outgrown`.
enum class Encoding : uint8_t {
  kInt,     ///< string: a signed 64-bit integer, 8 bytes
  kBytes,   ///< string: the bytes themselves
  kBlob,    ///< string: a pointer to a Blob
  kPacked,  ///< all but strings: one packed block (packed.h, or the type's own)
  kIntSet,  ///< set: sorted integers (int_set.h)
  kTrie,    ///< hash, set: a pointer to the root of a trie of packed leaves (trie.h)
  kBTree,   ///< list, zset, stream: a B+ tree (btree.h), and what the type has beside it
};

/// Whether the payload is the whole value and points to nothing that must be released or shared.
constexpr bool IsSelfContained(Encoding encoding) {
  return encoding == Encoding::kInt || encoding == Encoding::kBytes ||
         encoding == Encoding::kIntSet;
}

/// A value in an entry, or in a copy of one. The class of its type reads it (StringView, Hash,
/// Set); callers that treat all types alike use its row of operations (type_ops.h). Valid until the
/// value changes. Thread rule: the caller holds the stripe's lock, or owns the payload.
struct ValueView {
  ValueType type = ValueType::kString;
  Encoding encoding = Encoding::kBytes;
  bool outgrown = false;  ///< ValueSlot::outgrown
  std::string_view payload;
};

/// A resizable run of bytes that its owner holds for a value: the payload of an entry, or a leaf of
/// a trie. Not aligned: read and write numbers with memcpy. Thread rule: as ValueView.
class Region {
 public:
  virtual ~Region() = default;

  virtual char* data() = 0;
  virtual size_t size() const = 0;

  /// Replaces `erase` bytes at `offset` by `insert` uninitialised ones and returns where they
  /// start. The bytes behind move. Every pointer into the region is invalid afterwards.
  /// REQUIRES: offset + erase <= size().
  virtual char* Splice(size_t offset, size_t erase, size_t insert) = 0;

  std::string_view bytes() { return {data(), size()}; }
};

/// The place of one value in the keyspace: absent, or an entry with a type, an encoding and a
/// payload. Hash, Set and String change their value through it and know nothing of tables. Thread
/// rule: as ValueView.
class ValueSlot : public Region {
 public:
  virtual bool exists() const = 0;
  virtual ValueType type() const = 0;
  virtual Encoding encoding() const = 0;
  /// REQUIRES: exists(). Valid until the next change.
  ValueView view() { return {type(), encoding(), outgrown(), bytes()}; }

  /// Sticky: the value has once exceeded what Redis keeps in its compact encoding (a listpack, an
  /// embstr), so OBJECT ENCODING says hashtable or raw from then on.
  virtual bool outgrown() const = 0;
  virtual void set_outgrown(bool outgrown) = 0;

  /// Makes an empty payload. REQUIRES: !exists().
  virtual void Create(ValueType type, Encoding encoding) = 0;
  /// Sets only the label: the caller rewrites the payload with Splice.
  virtual void set_encoding(Encoding encoding) = 0;
  /// Drops the entry; the references of its payload must have been released or taken over before.
  virtual void Remove() = 0;

  // Reports of changes, for the log (change.h). Every change of an item or a byte must be reported,
  // except one that changes nothing.
  virtual bool logged() const { return false; }
  virtual void LogItem(ChangeKind /*kind*/, std::initializer_list<std::string_view> /*items*/,
                       int64_t /*number*/ = 0) {}
  /// The same for any number of items.
  virtual void LogItems(ChangeKind /*kind*/, std::span<const std::string_view> /*items*/,
                        int64_t /*number*/ = 0) {}
  /// The bytes of a string from `first` up to `last` have other values, or will have before the
  /// change is over. kWholeString as `last`: nothing of the old string is left.
  virtual void LogBytes(size_t /*first*/, size_t /*last*/) {}
  static constexpr size_t kWholeString = SIZE_MAX;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_VALUE_H_
