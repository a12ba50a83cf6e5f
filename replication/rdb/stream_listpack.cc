#include "replication/rdb/stream_listpack.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "replication/rdb/listpack.h"
#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr int64_t kErasedFlag = 1;
constexpr int64_t kSameFieldsFlag = 2;
constexpr size_t kHead = sizeof(uint32_t) + sizeof(uint16_t);

/// Appends elements to a listpack.
class ListpackAppender {
 public:
  explicit ListpackAppender(size_t reserve) {
    bytes_.reserve(reserve);
    bytes_.assign(kHead, '\0');
  }

  void Integer(uint64_t integer) {
    const auto number = static_cast<int64_t>(integer);
    char element[9];
    StoreStreamElement(element, number);
    Element({element, StreamElementSize(number)});
  }
  /// Elements of a leaf.
  size_t Elements(std::string_view elements) {
    size_t count = 0;
    for (const char* at = elements.data(); at < elements.data() + elements.size(); ++count) {
      const size_t size = SizeOfStreamElementAt(at);
      Element({at, size});
      at += size;
    }
    return count;
  }
  std::string Finish() {
    bytes_.push_back(static_cast<char>(kListpackEnd));
    StoreUnaligned(bytes_.data(), static_cast<uint32_t>(bytes_.size()));
    StoreUnaligned(bytes_.data() + sizeof(uint32_t),
                   static_cast<uint16_t>(std::min<size_t>(count_, kUnknownListpackCount)));
    return std::move(bytes_);
  }

 private:
  void Element(std::string_view element) {
    bytes_.append(element);
    char behind[5];
    bytes_.append(behind,
                  static_cast<size_t>(StoreListpackBackLength(behind, element.size()) - behind));
    ++count_;
  }

  std::string bytes_;
  size_t count_ = 0;
};

/// A leaf's bytes outside a tree.
class LeafRegion final : public Region {
 public:
  explicit LeafRegion(std::string bytes) : bytes_(std::move(bytes)) {}

  char* data() override { return bytes_.data(); }
  size_t size() const override { return bytes_.size(); }
  char* Splice(size_t offset, size_t erase, size_t insert) override {
    bytes_.replace(offset, erase, insert, '\0');
    return bytes_.data() + offset;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads a node. After an error everything reads as 0, and ok() is false.
class NodeDecoder {
 public:
  NodeDecoder(const StreamId& first, std::string_view listpack)
      : first_(first), list_(listpack), size_(listpack.size()) {}

  absl::StatusOr<DecodedStreamLeaf> Decode() {
    const uint64_t live = Count();
    const uint64_t erased = Count();
    const uint64_t fields = Count();
    // An entry has at least its flags, so more than the bytes cannot be there.
    if (live > size_ || erased > size_) return Damage();
    Take(fields);
    if (Integer() != 0) ok_ = false;
    if (!ok_) return Damage();
    std::vector<std::string_view> words(2 * fields);
    for (size_t i = 0; i < fields; ++i) words[2 * i] = texts_[i].view();
    fields_ = std::exchange(texts_, {});
    for (size_t i = 0; i < fields; ++i) words[2 * i] = fields_[i].view();
    LeafRegion leaf(NewStreamLeaf(first_, words));
    DecodedStreamLeaf decoded;
    uint64_t found_erased = 0;
    for (uint64_t i = 0; i < live + erased && ok_; ++i) {
      if (TakeEntry(leaf, decoded)) {
        ++decoded.items;
      } else {
        ++found_erased;
      }
    }
    RdbText more;
    if (!ok_ || list_.Next(more) || !list_.complete() || found_erased != erased) {
      return Damage();
    }
    StreamLeafHead head{.first = first_, .last = last_, .erased = static_cast<uint32_t>(erased)};
    head.listpack_bytes = static_cast<uint32_t>(size_ - CountBytes(live) - CountBytes(erased));
    StreamLeafWriter(leaf).SetHead(head);
    decoded.bytes = leaf.Take();
    return decoded;
  }

 private:
  static absl::Status Damage() {
    return absl::DataLossError("Stream listpack integrity check failed.");
  }
  static size_t CountBytes(uint64_t count) {
    return ListpackSize(StreamElementSize(static_cast<int64_t>(count)));
  }

  int64_t Integer() {
    RdbText text;
    if (ok_ && list_.Next(text)) {
      if (const std::optional<int64_t> integer = ParseCanonicalInt(text.view())) return *integer;
    }
    ok_ = false;
    return 0;
  }
  /// A number of elements, of which each has at least two bytes.
  uint64_t Count() {
    const int64_t count = Integer();
    if (count < 0 || static_cast<uint64_t>(count) > size_) ok_ = false;
    return ok_ ? static_cast<uint64_t>(count) : 0;
  }
  /// Reads texts.
  void Take(uint64_t count) {
    texts_.clear();
    for (uint64_t i = 0; i < count && ok_; ++i) {
      RdbText text;
      if (!list_.Next(text)) ok_ = false;
      texts_.push_back(text);
    }
  }
  /// Whether the entry is there; false also if it was erased.
  bool TakeEntry(LeafRegion& leaf, DecodedStreamLeaf& decoded) {
    const int64_t flags = Integer();
    const StreamId id = {first_.ms + static_cast<uint64_t>(Integer()),
                         first_.seq + static_cast<uint64_t>(Integer())};
    if ((any_ && id <= last_) || id < first_) ok_ = false;
    const bool same_fields = (flags & kSameFieldsFlag) != 0;
    const uint64_t fields = same_fields ? fields_.size() : Count();
    Take(same_fields ? fields : 2 * fields);
    const auto elements = static_cast<int64_t>(texts_.size() + (same_fields ? 3 : 4));
    if (Integer() != elements || !ok_) {
      ok_ = false;
      return false;
    }
    last_ = id;
    any_ = true;
    if ((flags & kErasedFlag) != 0) return false;
    words_.clear();
    for (uint64_t i = 0; i < fields; ++i) {
      words_.push_back((same_fields ? fields_[i] : texts_[2 * i]).view());
      words_.push_back(texts_[same_fields ? i : 2 * i + 1].view());
    }
    StreamLeafWriter(leaf).Append(id, words_);
    decoded.last = id;
    return true;
  }

  const StreamId first_;
  ListpackReader list_;
  const size_t size_;
  std::vector<RdbText> fields_;
  std::vector<RdbText> texts_;
  std::vector<std::string_view> words_;
  StreamId last_;
  bool any_ = false;
  bool ok_ = true;
};

}  // namespace

std::string StreamListpackOf(const StreamLeaf& leaf, size_t items) {
  const StreamLeafHead head = leaf.head();
  ListpackAppender list(head.listpack_bytes + 2 * sizeof(uint64_t));
  list.Integer(items);
  list.Integer(0);  // none was erased
  list.Integer(leaf.field_count());
  list.Elements(leaf.fields());
  list.Integer(0);
  size_t at = leaf.begin();
  for (size_t i = 0; i < items; ++i) {
    const StreamEntry entry = leaf.At(at);
    at = leaf.Behind(entry);
    list.Integer(entry.has_own_fields() ? 0 : kSameFieldsFlag);
    list.Integer(entry.id().ms - head.first.ms);
    list.Integer(entry.id().seq - head.first.seq);
    if (entry.has_own_fields()) list.Integer(entry.size());
    const size_t elements = list.Elements(entry.elements());
    list.Integer(elements + (entry.has_own_fields() ? 4 : 3));
  }
  return list.Finish();
}

absl::StatusOr<DecodedStreamLeaf> DecodeStreamListpack(const StreamId& first,
                                                       std::string_view listpack) {
  return NodeDecoder(first, listpack).Decode();
}

}  // namespace cloakroom
