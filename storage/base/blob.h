#ifndef CLOAKROOM_STORAGE_BASE_BLOB_H_
#define CLOAKROOM_STORAGE_BASE_BLOB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace cloakroom {

/// A large value outside its entry: a reference count, a size and the bytes, in one allocation.
///
/// Invariants: the bytes do not change while there is more than one reference; `size` bytes follow
/// the header; the bytes between them and capacity() are undefined. Threads: an owner of a
/// reference may read, Ref and Unref on any thread, so a socket can send the bytes after the
/// stripe's lock is released. Only the sole owner (unique()) may write, under the lock that keeps
/// others from taking a reference meanwhile.
/// Limit: sizes and counts below 2^32. With the 8-byte header, a session of 2,000 bytes fits
/// jemalloc's class of 2,048.
class Blob {
 public:
  static constexpr size_t kMaxSize = UINT32_MAX - (2u << 20);

  /// A new blob with one reference, which the caller owns. `Create(size)` leaves its bytes
  /// undefined. REQUIRES: size <= kMaxSize.
  static Blob* Create(size_t size);
  static Blob* Create(std::string_view bytes);

  /// Changes the size; consumes `blob` and returns its successor, still with one reference. A
  /// growing blob allocates ahead (it doubles up to 1 MB, then adds 1 MB) so that appending n bytes
  /// piecemeal costs O(n). New bytes are undefined. REQUIRES: blob->unique().
  static Blob* Resize(Blob* blob, size_t size);

  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const;
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

  size_t size() const { return size_; }
  std::string_view bytes() const { return {data(), size_}; }
  /// REQUIRES: unique().
  char* mutable_data() { return reinterpret_cast<char*>(this + 1); }

  /// The size up to which Resize need not move it.
  size_t capacity() const;
  /// Bytes of the allocation as the allocator counts them.
  size_t memory() const;

 private:
  explicit Blob(size_t size) : refs_(1), size_(static_cast<uint32_t>(size)) {}
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  mutable std::atomic<uint32_t> refs_;
  uint32_t size_;
};

static_assert(sizeof(Blob) == 8);

/// Owns one reference to a Blob, or nothing.
class BlobRef {
 public:
  BlobRef() = default;
  /// Takes over the caller's reference.
  static BlobRef Adopt(const Blob* blob) { return BlobRef(blob); }
  /// Adds a reference of its own.
  static BlobRef Share(const Blob* blob) {
    if (blob != nullptr) blob->Ref();
    return BlobRef(blob);
  }

  BlobRef(const BlobRef& other) : BlobRef(Share(other.blob_)) {}
  BlobRef(BlobRef&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
  BlobRef& operator=(BlobRef other) noexcept {
    std::swap(blob_, other.blob_);
    return *this;
  }
  ~BlobRef() {
    if (blob_ != nullptr) blob_->Unref();
  }

  const Blob* get() const { return blob_; }
  const Blob* operator->() const { return blob_; }
  explicit operator bool() const { return blob_ != nullptr; }
  /// Gives the reference to the caller.
  const Blob* Release() { return std::exchange(blob_, nullptr); }

 private:
  explicit BlobRef(const Blob* blob) : blob_(blob) {}

  const Blob* blob_ = nullptr;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_BLOB_H_
