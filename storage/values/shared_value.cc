#include "storage/values/shared_value.h"

#include <utility>

#include "storage/base/blob.h"
#include "storage/base/unaligned.h"
#include "storage/values/packed.h"
#include "storage/values/trie.h"

namespace cloakroom {
namespace {

// What freeing a trie costs is estimated from its size: counting its leaves would cost as much.
constexpr size_t kTypicalLeafItems = kMaxLeafItems / 2;
// The kernel takes a large blob back page by page; this many of them weigh as much as a free.
constexpr size_t kBlobBytesPerFree = 64 * 1024;

const Blob* BlobOf(std::string_view payload) { return LoadUnaligned<const Blob*>(payload.data()); }

TriePart* RootOf(std::string_view payload) { return LoadUnaligned<TriePart*>(payload.data()); }

}  // namespace

void ReleaseValue(ValueType /*type*/, Encoding encoding, std::string_view payload) {
  if (payload.empty()) return;
  if (encoding == Encoding::kBlob) BlobOf(payload)->Unref();
  if (encoding == Encoding::kPacked) PackedView(payload).UnrefBlobs();
  if (encoding == Encoding::kTrie) UnrefTrie(RootOf(payload));
}

size_t ReleaseCost(ValueType /*type*/, Encoding encoding, std::string_view payload) {
  if (payload.empty()) return 0;
  if (encoding == Encoding::kBlob) {
    const Blob* const blob = BlobOf(payload);
    return blob->unique() ? 1 + blob->size() / kBlobBytesPerFree : 1;
  }
  if (encoding == Encoding::kPacked) return PackedView(payload).BlobCount();
  if (encoding != Encoding::kTrie) return 0;
  const TriePart* const root = RootOf(payload);
  return root->unique() ? 1 + TrieItems(root) / kTypicalLeafItems : 1;
}

void ShareValue(Encoding encoding, std::string_view payload) {
  if (payload.empty()) return;
  if (encoding == Encoding::kBlob) BlobOf(payload)->Ref();
  if (encoding == Encoding::kPacked) PackedView(payload).RefBlobs();
  if (encoding == Encoding::kTrie) RootOf(payload)->Ref();
}

std::string CopyPayload(ValueType /*type*/, Encoding encoding, std::string_view payload) {
  ShareValue(encoding, payload);
  return std::string(payload);
}

size_t ValueMemory(ValueType /*type*/, Encoding encoding, std::string_view payload,
                   size_t samples) {
  if (payload.empty()) return 0;
  if (encoding == Encoding::kBlob) return BlobOf(payload)->memory();
  if (encoding == Encoding::kPacked) return PackedView(payload).BlobMemory();
  if (encoding == Encoding::kTrie) return TrieView(RootOf(payload)).MemoryUsage(samples);
  return 0;
}

SharedValue::SharedValue(ValueType type, Encoding encoding, std::string_view payload)
    : type_(type), encoding_(encoding), payload_(CopyPayload(type, encoding, payload)) {}

SharedValue::SharedValue(const SharedValue& other)
    : SharedValue(other.type_, other.encoding_, other.payload_) {}

SharedValue::SharedValue(SharedValue&& other) noexcept
    : type_(other.type_),
      encoding_(other.encoding_),
      payload_(std::exchange(other.payload_, std::string())) {}

SharedValue& SharedValue::operator=(SharedValue other) noexcept {
  std::swap(type_, other.type_);
  std::swap(encoding_, other.encoding_);
  std::swap(payload_, other.payload_);
  return *this;
}

}  // namespace cloakroom
