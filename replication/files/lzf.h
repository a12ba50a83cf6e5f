#ifndef CLOAKROOM_REPLICATION_FILES_LZF_H_
#define CLOAKROOM_REPLICATION_FILES_LZF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace cloakroom {

// LZF, the compression of strings in RDB files. Our own code: Debian's liblzf comes without a
// static library and is several times slower. The format (by Marc Lehmann), a sequence of
//
//   000nnnnn                      n + 1 bytes follow as they are
//   nnnooooo oooooooo             n from 1 to 6: n + 2 bytes from o + 1 bytes back
//   111ooooo nnnnnnnn oooooooo    n + 9 bytes from o + 1 bytes back
//
// It does not contain the size of the original. A string has more than one compressed form; ours
// differ from Redis', and both read both.

/// The most that a compressed byte can stand for: 264 bytes in three.
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
  /// its size; 0 if it would be larger than `limit`. REQUIRES: in.size() <= kMaxInput.
  size_t Compress(std::string_view in, char* out, size_t limit);

 private:
  static constexpr unsigned kTableBits = 13;

  /// Where three bytes with this hash were last seen in the sequence of all inputs. Inputs are so
  /// far apart that entries of the last one are out of reach, and nothing is cleared.
  std::unique_ptr<uint32_t[]> seen_;
  uint32_t position_;
};

/// Restores exactly `size` bytes to `out`. False if `in` is malformed or of another size: the
/// contents of `out` are then undefined, but nothing behind it is touched. Any thread.
[[nodiscard]] bool LzfDecompress(std::string_view in, char* out, size_t size);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_LZF_H_
