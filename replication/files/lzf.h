#ifndef CLOAKROOM_REPLICATION_FILES_LZF_H_
#define CLOAKROOM_REPLICATION_FILES_LZF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace cloakroom {

// LZF, the compression of strings in RDB files. Written by us: Debian's liblzf comes without a
// static library and is several times slower than this. The format (by Marc Lehmann), a sequence of
//
//   000nnnnn                      n + 1 bytes follow as they are
//   nnnooooo oooooooo             n from 1 to 6: n + 2 bytes from o + 1 bytes back
//   111ooooo nnnnnnnn oooooooo    n + 9 bytes from o + 1 bytes back
//
// The size of the original is not in it. There is more than one compressed form of a string; ours
// differ from Redis', and both read both.

/// The longest that a compressed byte can stand for: 264 bytes in three.
inline constexpr size_t kMaxLzfExpansion = 88;

/// Compresses strings one after the other. Holds a table of 32 KB, so keep one per thread.
/// Thread rule: one thread at a time.
class LzfCompressor {
 public:
  static constexpr size_t kMaxInput = size_t{1} << 28;
  /// How much of `out` may be overwritten behind the end of the result.
  static constexpr size_t kSlack = 64;

  LzfCompressor();

  /// Writes the compressed form to `out`, which has room for `limit` + kSlack bytes, and returns
  /// its size; 0 when it would be larger than `limit`. REQUIRES: in.size() <= kMaxInput.
  size_t Compress(std::string_view in, char* out, size_t limit);

 private:
  static constexpr unsigned kTableBits = 13;

  /// Where, in the sequence of all inputs, three bytes of this hash were last seen. Inputs are so
  /// far apart that what is left of the last one is never within reach: nothing is cleared.
  std::unique_ptr<uint32_t[]> seen_;
  uint32_t position_;
};

/// Restores exactly `size` bytes to `out`. False when `in` is malformed or of another size: what
/// is in `out` then is undefined, but nothing behind it was touched. Any thread.
[[nodiscard]] bool LzfDecompress(std::string_view in, char* out, size_t size);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_LZF_H_
