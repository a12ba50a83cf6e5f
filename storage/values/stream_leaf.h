#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_LEAF_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_LEAF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/values/btree_parts.h"
#include "storage/values/stream_element.h"
#include "storage/values/stream_id.h"

namespace cloakroom {

// A leaf of a stream: what Redis keeps in one node of its radix tree.
//
//   leaf   = header  varint: how many fields  fields  entry*
//   header = first ID (16 bytes)  last ID (16)  bytes (4)  erased (4)
//   entry  = varint: 2 * size, + 1 if it has fields of its own
//            varint: ms - first ms   varint: zigzag of seq - first seq
//            values | (field value)*
//
// Fields and values are elements (stream_element.h). The fields of the leaf are those of its first
// entry; an entry whose fields are the same, in the same order, has only values. The first and the
// last ID are those of entries that the leaf has had, whether or not they are still there. `bytes`
// and `erased` say how large Redis' node would be, which decides when a new leaf begins, and so
// what XTRIM with ~ removes: the size of its listpack without the two counts at its start, and how
// many entries it has erased, which remain in Redis' node but not here.

/// The header, as numbers.
struct StreamLeafHead {
  StreamId first;
  StreamId last;
  uint32_t listpack_bytes = 0;
  uint32_t erased = 0;
};

/// The streams' leaves in their tree: a stream divides them itself.
extern const LeafFormat kStreamLeafFormat;

/// Fields and values in turn: of one entry.
using StreamWords = std::span<const std::string_view>;

/// One entry in a leaf. Valid until the stream changes.
class StreamEntry {
 public:
  StreamId id() const { return id_; }
  /// How many pairs of a field and a value there are.
  size_t size() const;
  bool has_own_fields() const { return own_fields_; }

  /// Calls `fn(StreamText field, StreamText value)` for each pair.
  template <typename Fn>
  void ForEach(Fn fn) const {
    const char* field = fields_;
    const char* at = begin_;
    while (at < end_) {
      if (own_fields_) {
        const StreamText own = TakeStreamElement(at);
        fn(own, TakeStreamElement(at));
      } else {
        const StreamText shared = TakeStreamElement(field);
        fn(shared, TakeStreamElement(at));
      }
    }
  }
  /// The elements behind the IDs: values, or fields and values.
  std::string_view elements() const { return {begin_, static_cast<size_t>(end_ - begin_)}; }

 private:
  friend class StreamLeaf;

  StreamId id_;
  bool own_fields_ = false;
  const char* fields_ = nullptr;  ///< the leaf's
  size_t field_count_ = 0;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
};

/// Reads a leaf. Valid until the stream changes.
class StreamLeaf {
 public:
  explicit StreamLeaf(std::string_view bytes);

  StreamLeafHead head() const;
  StreamId first() const { return first_; }
  size_t field_count() const { return field_count_; }
  /// The elements of the fields.
  std::string_view fields() const { return bytes_.substr(fields_, entries_ - fields_); }

  /// Where the first entry, and the byte behind the last one, are.
  size_t begin() const { return entries_; }
  size_t end() const { return bytes_.size(); }
  /// The entry at an offset, and the offset behind it. REQUIRES: an entry is there.
  StreamEntry At(size_t offset) const;
  size_t Behind(const StreamEntry& entry) const {
    return static_cast<size_t>(entry.end_ - bytes_.data());
  }

  /// The size of the listpack in which Redis would keep the leaf. `items`: how many entries it has.
  size_t ListpackBytes(size_t items) const;
  /// Whether these words have the leaf's fields.
  bool HasFieldsOf(StreamWords words) const;

 private:
  std::string_view bytes_;
  StreamId first_;
  size_t fields_;
  size_t field_count_;
  size_t entries_;
};

/// The bytes of a new leaf without entries, whose first one will be `id` with these words.
std::string NewStreamLeaf(const StreamId& id, StreamWords words);

/// Changes a leaf in its region, and counts its entries.
class StreamLeafWriter {
 public:
  explicit StreamLeafWriter(Region& region) : region_(region) {}

  /// Appends an entry. REQUIRES: it is behind all others. The words must not be in the region.
  void Append(const StreamId& id, StreamWords words);
  /// Erases the bytes of `count` entries.
  void Erase(size_t offset, size_t end, size_t count);
  /// For decoders: all but the first ID.
  void SetHead(const StreamLeafHead& head);

 private:
  char* Extend(const StreamId& id, bool own_fields, size_t element_bytes, size_t listpack_bytes);

  Region& region_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_LEAF_H_
