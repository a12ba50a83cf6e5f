#include "storage/values/stream_leaf.h"

#include <cstddef>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kFirst = 0;
constexpr size_t kLast = 16;
constexpr size_t kListpackBytes = 32;
constexpr size_t kErased = 36;
constexpr size_t kHeadSize = 40;

/// A listpack's total size and count before its elements, and the byte that ends it.
constexpr size_t kLeafListpackFrame = 4 + 2 + 1;

StreamId LoadId(const char* at) {
  return {LoadUnaligned<uint64_t>(at), LoadUnaligned<uint64_t>(at + sizeof(uint64_t))};
}

char* StoreId(char* to, const StreamId& id) {
  return StoreUnaligned(StoreUnaligned(to, id.ms), id.seq);
}

uint64_t Zigzag(uint64_t difference) {
  return difference << 1 ^ (static_cast<int64_t>(difference) < 0 ? UINT64_MAX : 0);
}

uint64_t Unzigzag(uint64_t number) { return number >> 1 ^ (0 - (number & 1)); }

size_t IntegerInListpack(int64_t integer) { return ListpackSize(StreamElementSize(integer)); }

uint64_t KeyOfLeaf(std::string_view leaf) { return LoadUnaligned<uint64_t>(leaf.data()); }

/// What Redis adds to the elements of an entry: its flags, its ID, the number of its own fields,
/// and how many elements that makes.
size_t ListpackBytesAround(const StreamId& id, const StreamId& first, bool own_fields,
                           size_t element_count) {
  size_t bytes = IntegerInListpack(0);
  bytes += IntegerInListpack(static_cast<int64_t>(id.ms - first.ms));
  bytes += IntegerInListpack(static_cast<int64_t>(id.seq - first.seq));
  if (own_fields) bytes += IntegerInListpack(static_cast<int64_t>(element_count / 2));
  return bytes + IntegerInListpack(static_cast<int64_t>(element_count + (own_fields ? 4 : 3)));
}

}  // namespace

constinit const LeafFormat kStreamLeafFormat = {
    .max_bytes = SIZE_MAX, .max_items = SIZE_MAX, .offset = nullptr, .key = KeyOfLeaf};

size_t StreamEntry::size() const {
  if (!own_fields_) return field_count_;
  size_t elements = 0;
  for (const char* at = begin_; at < end_; ++elements) at += SizeOfStreamElementAt(at);
  return elements / 2;
}

StreamLeaf::StreamLeaf(std::string_view bytes) : bytes_(bytes), first_(LoadId(bytes.data())) {
  const char* at = bytes.data() + kHeadSize;
  field_count_ = TakeVarint(at);
  fields_ = static_cast<size_t>(at - bytes.data());
  for (size_t i = 0; i < field_count_; ++i) at += SizeOfStreamElementAt(at);
  entries_ = static_cast<size_t>(at - bytes.data());
}

StreamLeafHead StreamLeaf::head() const {
  return {first_, LoadId(bytes_.data() + kLast),
          LoadUnaligned<uint32_t>(bytes_.data() + kListpackBytes),
          LoadUnaligned<uint32_t>(bytes_.data() + kErased)};
}

StreamEntry StreamLeaf::At(size_t offset) const {
  StreamEntry entry;
  const char* at = bytes_.data() + offset;
  const uint64_t size = TakeVarint(at);
  entry.own_fields_ = (size & 1) != 0;
  entry.end_ = at + (size >> 1);
  entry.id_.ms = first_.ms + TakeVarint(at);
  entry.id_.seq = first_.seq + Unzigzag(TakeVarint(at));
  entry.begin_ = at;
  entry.fields_ = bytes_.data() + fields_;
  entry.field_count_ = field_count_;
  return entry;
}

size_t StreamLeaf::ListpackBytes(size_t items) const {
  const StreamLeafHead numbers = head();
  return numbers.listpack_bytes + IntegerInListpack(static_cast<int64_t>(items)) +
         IntegerInListpack(numbers.erased);
}

bool StreamLeaf::HasFieldsOf(StreamWords words) const {
  if (words.size() != 2 * field_count_) return false;
  const char* at = bytes_.data() + fields_;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (TakeStreamElement(at).view() != words[i]) return false;
  }
  return true;
}

std::string NewStreamLeaf(const StreamId& id, StreamWords words) {
  const size_t count = words.size() / 2;
  // Behind the fields Redis has a zero.
  size_t listpack_bytes =
      kLeafListpackFrame + IntegerInListpack(static_cast<int64_t>(count)) + IntegerInListpack(0);
  size_t size = kHeadSize + VarintSize(count);
  for (size_t i = 0; i < words.size(); i += 2) {
    const size_t element = StreamElementSize(words[i]);
    size += element;
    listpack_bytes += ListpackSize(element);
  }
  std::string leaf(size, '\0');
  StoreId(StoreId(leaf.data() + kFirst, id), id);
  StoreUnaligned(leaf.data() + kListpackBytes, static_cast<uint32_t>(listpack_bytes));
  char* at = StoreVarint(leaf.data() + kHeadSize, count);
  for (size_t i = 0; i < words.size(); i += 2) at = StoreStreamElement(at, words[i]);
  return leaf;
}

char* StreamLeafWriter::Extend(const StreamId& id, bool own_fields, size_t element_bytes,
                               size_t listpack_bytes) {
  const StreamId first = LoadId(region_.data());
  const uint64_t ms = id.ms - first.ms;
  const uint64_t seq = Zigzag(id.seq - first.seq);
  const size_t size = VarintSize(ms) + VarintSize(seq) + element_bytes;
  const uint64_t head = uint64_t{size} << 1 | (own_fields ? 1 : 0);
  char* to = region_.Splice(region_.size(), 0, VarintSize(head) + size);
  StoreId(region_.data() + kLast, id);
  char* const total = region_.data() + kListpackBytes;
  StoreUnaligned(total, static_cast<uint32_t>(LoadUnaligned<uint32_t>(total) + listpack_bytes));
  return StoreVarint(StoreVarint(StoreVarint(to, head), ms), seq);
}

void StreamLeafWriter::Append(const StreamId& id, StreamWords words) {
  const StreamLeaf leaf(region_.bytes());
  const StreamId first = leaf.first();
  const bool own_fields = !leaf.HasFieldsOf(words);
  const size_t step = own_fields ? 1 : 2;
  size_t bytes = 0;
  size_t listpack_bytes = ListpackBytesAround(id, first, own_fields, words.size() / step);
  for (size_t i = step - 1; i < words.size(); i += step) {
    const size_t size = StreamElementSize(words[i]);
    bytes += size;
    listpack_bytes += ListpackSize(size);
  }
  char* to = Extend(id, own_fields, bytes, listpack_bytes);
  for (size_t i = step - 1; i < words.size(); i += step) to = StoreStreamElement(to, words[i]);
}

void StreamLeafWriter::Erase(size_t offset, size_t end, size_t count) {
  region_.Splice(offset, end - offset, 0);
  char* const erased = region_.data() + kErased;
  StoreUnaligned(erased, static_cast<uint32_t>(LoadUnaligned<uint32_t>(erased) + count));
}

void StreamLeafWriter::SetHead(const StreamLeafHead& head) {
  char* const at = region_.data();
  StoreId(at + kLast, head.last);
  StoreUnaligned(at + kListpackBytes, head.listpack_bytes);
  StoreUnaligned(at + kErased, head.erased);
}

}  // namespace cloakroom
