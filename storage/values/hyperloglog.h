#ifndef CLOAKROOM_STORAGE_VALUES_HYPERLOGLOG_H_
#define CLOAKROOM_STORAGE_VALUES_HYPERLOGLOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

// HyperLogLog in Redis' byte format, which clients may GET and SET: an estimate of how many
// different elements were added, from 16,384 registers. An element's hash chooses a register and
// has a rank, the place of its lowest one bit; the register keeps the highest rank.
//
//   value  = "HYLL" form 0 0 0 count registers
//   form   = 0: dense, 1: sparse
//   count  = the estimate, 8 bytes, low ones first; its highest bit: it has to be computed anew
//   dense  = 6 bits for each register, from the lowest bit of each byte on
//   sparse = runs of equal registers, in order:
//     00nnnnnn           n + 1 registers are 0
//     01nnnnnn nnnnnnnn  n + 1 registers are 0, high bits first
//     1vvvvvnn           n + 1 registers are v + 1
//
// Sources: redis.io's description of the format; Flajolet et al., HyperLogLog (2007); Ertl, New
// cardinality estimation algorithms for HyperLogLog sketches (2017); Appleby's MurmurHash64A for
// the hash, with the seed 0xadc83b19.

/// What an element does to the registers.
struct HllMark {
  uint32_t index = 0;
  uint8_t rank = 0;
};
HllMark HllMarkOf(std::string_view element);

/// Registers outside a value, one byte each. Thread rule: one thread at a time.
class HllRegisters {
 public:
  static constexpr uint32_t kCount = 16'384;

  uint8_t at(uint32_t index) const { return ranks_[index]; }
  void Raise(HllMark mark) {
    if (ranks_[mark.index] < mark.rank) ranks_[mark.index] = mark.rank;
  }
  /// The estimated number of elements.
  uint64_t Estimate() const;

 private:
  std::array<uint8_t, kCount> ranks_ = {};
};

/// Reads a value. Never reads out of bounds, whatever the bytes are.
class HllView {
 public:
  enum class Form : uint8_t { kDense = 0, kSparse = 1 };
  static constexpr size_t kHeaderSize = 16;
  static constexpr size_t kDenseSize = kHeaderSize + HllRegisters::kCount * 6 / 8;
  /// Where the count is.
  static constexpr size_t kCountAt = 8;

  /// Nullopt: this is no HyperLogLog. The runs of a sparse one are not checked yet.
  static std::optional<HllView> Of(std::string_view bytes);

  std::string_view bytes() const { return bytes_; }
  Form form() const { return static_cast<Form>(bytes_[4]); }
  /// The count that the value has kept; nullopt if it has to be computed.
  std::optional<uint64_t> kept_count() const;
  /// Raises `registers` to those of this value. False: the runs are corrupt, and some registers may
  /// have been raised.
  [[nodiscard]] bool RaiseIn(HllRegisters& registers) const;
  /// The runs of a sparse value in words: "Z:100 v:3,1 z:64". Nullopt: they are corrupt.
  std::optional<std::string> Describe() const;

 private:
  explicit HllView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes_;
};

/// A value being changed, in a copy of its bytes. Changes the runs exactly as Redis does, so that
/// both servers have the same bytes.
///
/// Thread rule: one thread at a time.
class HyperLogLog {
 public:
  enum class Change : uint8_t { kNone, kRaised, kCorrupt };

  /// An empty one, which is sparse. `max_sparse`: hll-sparse-max-bytes, the most bytes of a sparse
  /// one, with its header.
  explicit HyperLogLog(size_t max_sparse);
  HyperLogLog(const HllView& view, size_t max_sparse)
      : bytes_(view.bytes()), max_sparse_(max_sparse) {}

  const std::string& bytes() const { return bytes_; }

  /// After kCorrupt the value is of no more use.
  [[nodiscard]] Change Raise(HllMark mark);
  /// False: the runs are corrupt, and nothing has changed.
  [[nodiscard]] bool BecomeDense();
  bool dense() const;

  /// Says that the kept count is no longer right.
  void ForgetCount();

 private:
  /// A run and where it is.
  struct Place {
    size_t at = HllView::kHeaderSize;
    uint32_t first = 0;  ///< its first register
  };

  Change RaiseDense(HllMark mark);
  Change RaiseSparse(HllMark mark);
  bool Locate(uint32_t index, Place* place);
  void MergeFrom(size_t at);

  std::string bytes_;
  size_t max_sparse_;
  /// The run before the one that was found last, so that going through the registers in order does
  /// not start from the first run each time.
  Place before_;
};

/// The eight bytes of a kept count.
std::array<char, 8> HllCountBytes(uint64_t count);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_HYPERLOGLOG_H_
