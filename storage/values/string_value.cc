#include "storage/values/string_value.h"

#include <algorithm>
#include <cstring>

#include "storage/base/unaligned.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

// The kernel takes back a large blob page by page; this many bytes cost as much as a free.
constexpr size_t kBlobBytesPerFree = 64 * 1024;
// Redis allocates a string up to this length together with its object: OBJ_ENCODING_EMBSTR.
constexpr size_t kMaxEmbedded = 44;

// REQUIRES: the encoding is kBlob, the only one of a string that holds a reference.
const Blob* BlobOf(const ValueView& value) {
  return LoadUnaligned<const Blob*>(value.payload.data());
}

void ReleaseString(const ValueView& value) { BlobOf(value)->Unref(); }

size_t CostOf(const ValueView& value) {
  const Blob* const blob = BlobOf(value);
  return blob->unique() ? 1 + blob->size() / kBlobBytesPerFree : 1;
}

void ShareString(const ValueView& value) { BlobOf(value)->Ref(); }

size_t MemoryOfString(const ValueView& value, size_t /*samples*/) {
  return BlobOf(value)->memory();
}

std::string_view NameEncodingOfString(const ValueView& value) {
  if (value.encoding == Encoding::kInt) return "int";
  return value.outgrown || StringView(value).size() > kMaxEmbedded ? "raw" : "embstr";
}

size_t SizeOfString(const ValueView& /*value*/, int64_t /*now_ms*/) { return 1; }

void ForTheString(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                  int64_t /*now_ms*/) {
  const StringView string(value);
  fn({.field = string.bytes()});
}

}  // namespace

constinit const TypeOps kStringOps = {.type = ValueType::kString,
                                      .name = "string",
                                      .redis_number = 0,
                                      .release = ReleaseString,
                                      .release_cost = CostOf,
                                      .share = ShareString,
                                      .memory = MemoryOfString,
                                      .encoding_name = NameEncodingOfString,
                                      .size = SizeOfString,
                                      .for_each = ForTheString};

StringView::StringView(Encoding encoding, std::string_view payload) {
  if (encoding == Encoding::kInt) {
    integer_ = LoadUnaligned<int64_t>(payload.data());
    digits_ = IntegerText(*integer_);
  } else if (encoding == Encoding::kBlob) {
    blob_ = LoadUnaligned<const Blob*>(payload.data());
    bytes_ = blob_->bytes();
  } else {
    bytes_ = payload;
  }
}

std::string_view StringView::bytes() const { return integer_ ? digits_.view() : bytes_; }

std::optional<int64_t> StringView::integer() const {
  return integer_ ? integer_ : ParseCanonicalInt(bytes_);
}

StringView MutableString::view() const {
  return slot_.exists() ? StringView(slot_.encoding(), slot_.bytes()) : StringView();
}

void MutableString::Assign(std::string_view bytes) {
  const std::optional<int64_t> integer = ParseCanonicalInt(bytes);
  if (integer) return AssignInteger(*integer);
  AssignText(bytes);
}

void MutableString::AssignText(std::string_view bytes) {
  slot_.LogBytes(0, ValueSlot::kWholeString);
  if (bytes.size() > kMaxInlineString) return AssignBlob(BlobRef::Adopt(Blob::Create(bytes)));
  StoreBytes(Rewrite(Encoding::kBytes, bytes.size()), bytes);
}

void MutableString::AssignInteger(int64_t value) {
  slot_.LogBytes(0, ValueSlot::kWholeString);
  StoreUnaligned(Rewrite(Encoding::kInt, sizeof(value)), value);
}

void MutableString::AssignBlob(BlobRef blob) {
  slot_.LogBytes(0, ValueSlot::kWholeString);
  if (blob->size() <= kMaxInlineString) return AssignText(blob->bytes());
  StoreUnaligned(Rewrite(Encoding::kBlob, sizeof(const Blob*)), blob.Release());
}

size_t MutableString::Append(std::string_view bytes) {
  const size_t old_size = view().size();
  StoreBytes(Resize(old_size + bytes.size()) + old_size, bytes);
  slot_.LogBytes(old_size, old_size + bytes.size());
  return old_size + bytes.size();
}

size_t MutableString::SetRange(size_t offset, std::string_view bytes) {
  StoreBytes(MakeRoom(offset + bytes.size()) + offset, bytes);
  Wrote(offset, bytes.size());
  return view().size();
}

char* MutableString::MakeRoom(size_t size) {
  const size_t old_size = view().size();
  char* const bytes = Resize(std::max(size, old_size));
  if (size > old_size) {
    std::memset(bytes + old_size, 0, size - old_size);
    slot_.LogBytes(size - 1, size);  // SETRANGE also pads
  }
  return bytes;
}

// Drops the old value and makes room for the payload of a new one, not `outgrown`.
char* MutableString::Rewrite(Encoding encoding, size_t payload_size) {
  if (!slot_.exists()) {
    slot_.Create(ValueType::kString, encoding);
  } else {
    if (const Blob* blob = view().blob()) blob->Unref();
    slot_.set_encoding(encoding);
    slot_.set_outgrown(false);
  }
  if (slot_.size() == payload_size) return slot_.data();
  return slot_.Splice(0, slot_.size(), payload_size);
}

// Makes the value plain bytes of this size, which may change in place. Keeps the old bytes; new
// ones are undefined. REQUIRES: size >= the old size.
char* MutableString::Resize(size_t size) {
  const StringView old = view();
  if (size > kMaxInlineString || old.blob() != nullptr) return ResizeBlob(size);
  if (!slot_.exists() || slot_.encoding() == Encoding::kInt) {
    StoreBytes(Rewrite(Encoding::kBytes, old.size()), old.bytes());
  }
  slot_.set_outgrown(true);
  const size_t old_size = slot_.size();
  if (size > old_size) slot_.Splice(old_size, 0, size - old_size);
  return slot_.data();
}

char* MutableString::ResizeBlob(size_t size) {
  const StringView old = view();
  Blob* blob = const_cast<Blob*>(old.blob());
  if (blob != nullptr && blob->unique()) {
    blob = Blob::Resize(blob, size);
    StoreUnaligned<const Blob*>(slot_.data(), blob);
  } else {
    blob = Blob::Create(size);
    StoreBytes(blob->mutable_data(), old.bytes());
    StoreUnaligned<const Blob*>(Rewrite(Encoding::kBlob, sizeof(const Blob*)), blob);
  }
  slot_.set_outgrown(true);
  return blob->mutable_data();
}

}  // namespace cloakroom
