#include "storage/values/packed.h"

#include <algorithm>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kPackedHeaderSize = 4;
constexpr uint32_t kHasValues = 1;
constexpr uint32_t kMayExpire = 2;
constexpr uint32_t kMayHaveBlobs = 4;

constexpr uint8_t kTwoByteLength = 0x80;
constexpr uint8_t kFourByteLength = 0xC0;
constexpr uint8_t kExpiryMark = 0xFE;
constexpr uint8_t kBlobMark = 0xFF;
constexpr size_t kExpirySize = 1 + sizeof(int64_t);
constexpr size_t kBlobSize = 1 + sizeof(const Blob*);

size_t LengthSize(size_t length) { return length < 0x80 ? 1 : length < 0x4000 ? 2 : 5; }

// Reads the length at `at` and moves `at` behind it.
size_t LoadLength(const char*& at) {
  const uint8_t first = ByteAt(at);
  if (first < kTwoByteLength) [[likely]] {
    at += 1;
    return first;
  }
  if (first < kFourByteLength) {
    const size_t length = (first & 0x3Fu) << 8 | ByteAt(at + 1);
    at += 2;
    return length;
  }
  const size_t length = LoadUnaligned<uint32_t>(at + 1);
  at += 5;
  return length;
}

char* StoreLength(char* to, size_t length) {
  if (length < 0x80) {
    *to = static_cast<char>(length);
    return to + 1;
  }
  if (length < 0x4000) {
    to[0] = static_cast<char>(kTwoByteLength | length >> 8);
    to[1] = static_cast<char>(length & 0xFF);
    return to + 2;
  }
  *to = static_cast<char>(kFourByteLength);
  return StoreUnaligned(to + 1, static_cast<uint32_t>(length));
}

const char* SkipValue(const char* at) {
  if (ByteAt(at) == kBlobMark) return at + kBlobSize;
  const size_t length = LoadLength(at);
  return at + length;
}

size_t ValueSize(std::string_view value) {
  if (value.size() >= kMinBlobValue) return kBlobSize;
  return LengthSize(value.size()) + value.size();
}

char* StoreValue(char* to, std::string_view value) {
  if (value.size() < kMinBlobValue) return StoreBytes(StoreLength(to, value.size()), value);
  *to = static_cast<char>(kBlobMark);
  return StoreUnaligned<const Blob*>(to + 1, Blob::Create(value));
}

char* StoreExpiry(char* to, int64_t expires_at_ms) {
  *to = static_cast<char>(kExpiryMark);
  return StoreUnaligned(to + 1, expires_at_ms);
}

// Checks untrusted bytes. Every step returns whether the bytes were there.
class Checker {
 public:
  explicit Checker(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }

  bool SkipExpiry(bool allowed) {
    if (rest_.empty() || static_cast<uint8_t>(rest_[0]) != kExpiryMark) return true;
    if (!allowed || rest_.size() < kExpirySize) return false;
    // "Never" means that there is no expiry; changing an expiry relies on that.
    if (LoadUnaligned<int64_t>(rest_.data() + 1) == kNever) return false;
    return Skip(kExpirySize);
  }

  bool SkipString(size_t max_length) {
    if (rest_.empty()) return false;
    const uint8_t first = static_cast<uint8_t>(rest_[0]);
    if (first > kFourByteLength) return false;  // A mark out of place, or a foreign byte.
    const size_t header = first < kTwoByteLength ? 1 : first < kFourByteLength ? 2 : 5;
    if (rest_.size() < header) return false;
    const char* at = rest_.data();
    const size_t length = LoadLength(at);
    return length <= max_length && LengthSize(length) == header && Skip(header + length);
  }

 private:
  bool Skip(size_t size) {
    if (rest_.size() < size) return false;
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

bool PackedView::Validate(std::string_view bytes) {
  if (bytes.size() < kPackedHeaderSize) return false;
  const uint32_t header = LoadUnaligned<uint32_t>(bytes.data());
  const uint32_t flags = header & 0xFF;
  const bool values = (flags & kHasValues) != 0;
  const bool expires = (flags & kMayExpire) != 0;
  if ((flags & ~(kHasValues | kMayExpire)) != 0 || (expires && !values)) return false;
  Checker checker(bytes.substr(kPackedHeaderSize));
  for (uint32_t left = header >> 8; left > 0; --left) {
    if (!checker.SkipExpiry(expires) || !checker.SkipString(UINT32_MAX)) return false;
    if (values && !checker.SkipString(kMinBlobValue - 1)) return false;
  }
  return checker.done();
}

uint32_t PackedView::Header() const { return LoadUnaligned<uint32_t>(block_.data()); }

bool PackedView::has_values() const { return (Header() & kHasValues) != 0; }

bool PackedView::may_have_blobs() const { return (Header() & kMayHaveBlobs) != 0; }

int64_t PackedView::MinExpiry() const {
  int64_t earliest = kNever;
  if ((Header() & kMayExpire) == 0) return earliest;
  for (const PackedItem& item : *this) earliest = std::min(earliest, item.expires_at_ms);
  return earliest;
}

PackedItem PackedView::Decode(size_t index, size_t offset) const {
  PackedItem item;
  item.index = index;
  item.offset = offset;
  const char* at = block_.data() + offset;
  if (ByteAt(at) == kExpiryMark) {
    item.expires_at_ms = LoadUnaligned<int64_t>(at + 1);
    at += kExpirySize;
  }
  const size_t field_size = LoadLength(at);
  item.field = {at, field_size};
  at += field_size;
  item.value_offset = static_cast<size_t>(at - block_.data());
  item.end = item.value_offset;
  if (!has_values()) return item;
  if (ByteAt(at) == kBlobMark) {
    item.value.blob = LoadUnaligned<const Blob*>(at + 1);
    item.value.bytes = item.value.blob->bytes();
    item.end += kBlobSize;
    return item;
  }
  const size_t value_size = LoadLength(at);
  item.value.bytes = {at, value_size};
  item.end = static_cast<size_t>(at - block_.data()) + value_size;
  return item;
}

size_t PackedView::SkipItems(size_t offset, size_t count) const {
  const bool values = has_values();
  const char* at = block_.data() + offset;
  for (; count > 0; --count) {
    if (ByteAt(at) == kExpiryMark) at += kExpirySize;
    const size_t field_size = LoadLength(at);
    at += field_size;
    if (values) at = SkipValue(at);
  }
  return static_cast<size_t>(at - block_.data());
}

std::optional<PackedItem> PackedView::Find(std::string_view field) const {
  const bool values = has_values();
  const char* at = block_.data() + kPackedHeaderSize;
  for (size_t index = 0, count = size(); index < count; ++index) {
    const char* const item = at;
    if (ByteAt(at) == kExpiryMark) at += kExpirySize;
    const size_t length = LoadLength(at);
    if (std::string_view(at, length) == field) {
      return Decode(index, static_cast<size_t>(item - block_.data()));
    }
    at += length;
    if (values) at = SkipValue(at);
  }
  return std::nullopt;
}

PackedItem PackedView::At(size_t index) const {
  return Decode(index, SkipItems(kPackedHeaderSize, index));
}

PackedItem PackedView::At(size_t index, const PackedItem& from) const {
  return Decode(index, SkipItems(from.end, index - from.index - 1));
}

void PackedView::RefBlobs() const {
  if (!may_have_blobs()) return;
  for (const PackedItem& item : *this) {
    if (item.value.blob != nullptr) item.value.blob->Ref();
  }
}

void PackedView::UnrefBlobs() const {
  if (!may_have_blobs()) return;
  for (const PackedItem& item : *this) {
    if (item.value.blob != nullptr) item.value.blob->Unref();
  }
}

size_t PackedView::BlobCount() const {
  if (!may_have_blobs()) return 0;
  size_t blobs = 0;
  for (const PackedItem& item : *this) blobs += item.value.blob != nullptr;
  return blobs;
}

size_t PackedView::BlobMemory() const {
  if (!may_have_blobs()) return 0;
  size_t memory = 0;
  for (const PackedItem& item : *this) {
    if (item.value.blob != nullptr) memory += item.value.blob->memory();
  }
  return memory;
}

PackedView::Iterator PackedView::begin() const { return Iterator(*this); }

PackedView::Iterator::Iterator(PackedView view) : view_(view), count_(view.size()) {
  if (count_ > 0) item_ = view_.Decode(0, kPackedHeaderSize);
}

PackedView::Iterator& PackedView::Iterator::operator++() {
  const size_t next = item_.index + 1;
  if (next < count_) {
    item_ = view_.Decode(next, item_.end);
  } else {
    item_.index = next;
  }
  return *this;
}

void PackedBlock::Init(Region& region, bool has_values) {
  StoreUnaligned<uint32_t>(region.Splice(0, 0, kPackedHeaderSize), has_values ? kHasValues : 0);
}

void PackedBlock::SetHeader(size_t count, uint32_t flags) {
  StoreUnaligned(region_.data(), static_cast<uint32_t>(count << 8 | flags));
}

void PackedBlock::AddFlags(uint32_t flags) {
  SetHeader(view().size(), (view().Header() & 0xFF) | flags);
}

void PackedBlock::Append(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  const uint32_t header = view().Header();
  const bool values = (header & kHasValues) != 0;
  const bool expires = expires_at_ms != kNever;
  const size_t size = (expires ? kExpirySize : 0) + LengthSize(field.size()) + field.size() +
                      (values ? ValueSize(value) : 0);
  char* to = region_.Splice(region_.size(), 0, size);
  if (expires) to = StoreExpiry(to, expires_at_ms);
  to = StoreBytes(StoreLength(to, field.size()), field);
  if (values) StoreValue(to, value);
  const bool blob = value.size() >= kMinBlobValue;
  SetHeader((header >> 8) + 1,
            (header & 0xFF) | (expires ? kMayExpire : 0) | (blob ? kMayHaveBlobs : 0));
}

void PackedBlock::AppendMoved(const PackedView& from, const PackedItem& item) {
  const uint32_t header = view().Header();
  StoreBytes(region_.Splice(region_.size(), 0, item.end - item.offset),
             from.block_.substr(item.offset, item.end - item.offset));
  SetHeader((header >> 8) + 1, (header & 0xFF) | (item.expires_at_ms != kNever ? kMayExpire : 0) |
                                   (item.value.blob != nullptr ? kMayHaveBlobs : 0));
}

void PackedBlock::SetValue(const PackedItem& item, std::string_view value) {
  if (item.value.blob != nullptr) item.value.blob->Unref();
  const size_t old_size = item.end - item.value_offset;
  const size_t new_size = ValueSize(value);
  char* to = old_size == new_size ? region_.data() + item.value_offset
                                  : region_.Splice(item.value_offset, old_size, new_size);
  StoreValue(to, value);
  if (value.size() >= kMinBlobValue) AddFlags(kMayHaveBlobs);
}

void PackedBlock::SetExpiry(const PackedItem& item, int64_t expires_at_ms) {
  const size_t old_size = item.expires_at_ms == kNever ? 0 : kExpirySize;
  const size_t new_size = expires_at_ms == kNever ? 0 : kExpirySize;
  if (old_size != new_size) region_.Splice(item.offset, old_size, new_size);
  if (new_size == 0) return;
  StoreExpiry(region_.data() + item.offset, expires_at_ms);
  AddFlags(kMayExpire);
}

void PackedBlock::Erase(const PackedItem& item) {
  if (item.value.blob != nullptr) item.value.blob->Unref();
  const uint32_t header = view().Header();
  region_.Splice(item.offset, item.end - item.offset, 0);
  SetHeader((header >> 8) - 1, header & 0xFF);
}

}  // namespace cloakroom
