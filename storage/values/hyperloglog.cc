#include "storage/values/hyperloglog.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kFormAt = 4;
constexpr uint8_t kStale = 0x80;  // in the count's last byte

/// The bits of a hash that choose the register; the others have the rank.
constexpr int kIndexBits = 14;
constexpr int kRankBits = 64 - kIndexBits;
constexpr int kRegisterBits = 6;
constexpr uint8_t kRegisterMask = 0x3f;

constexpr uint32_t kMaxShortZeros = 64;
constexpr uint8_t kMaxSparseRank = 32;
constexpr uint32_t kMaxEqualRanks = 4;

uint64_t Murmur(std::string_view bytes) {
  constexpr uint64_t kSeed = 0xadc83b19;
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = kSeed ^ (bytes.size() * kFactor);
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word = LoadUnaligned<uint64_t>(bytes.data()) * kFactor;
    word = (word ^ (word >> kShift)) * kFactor;
    hash = (hash ^ word) * kFactor;
  }
  if (!bytes.empty()) {
    uint64_t rest = 0;
    std::memcpy(&rest, bytes.data(), bytes.size());
    hash = (hash ^ rest) * kFactor;
  }
  hash = (hash ^ (hash >> kShift)) * kFactor;
  return hash ^ (hash >> kShift);
}

/// Ertl's sigma: the correction for registers that are still 0, a share `x` of all.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double weight = 1;
  double sum = x;
  for (double before = -1; sum != before;) {
    x *= x;
    before = sum;
    sum += x * weight;
    weight += weight;
  }
  return sum;
}

/// Ertl's tau: the correction for registers that cannot rise any more; `x` is the share of the
/// others.
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double weight = 1;
  double sum = 1 - x;
  for (double before = -1; sum != before;) {
    x = std::sqrt(x);
    before = sum;
    weight *= 0.5;
    sum -= std::pow(1 - x, 2) * weight;
  }
  return sum / 3;
}

/// Where a register is in the dense form: its first bit, and whether it reaches into the next byte.
struct DensePlace {
  explicit DensePlace(uint32_t index)
      : byte(HllView::kHeaderSize + index * kRegisterBits / 8), shift(index * kRegisterBits % 8) {}
  bool crosses() const { return shift > 8 - kRegisterBits; }

  size_t byte;
  int shift;
};

uint8_t DenseRank(std::string_view bytes, uint32_t index) {
  const DensePlace place(index);
  unsigned bits = static_cast<uint8_t>(bytes[place.byte]);
  if (place.crosses())
    bits |= static_cast<unsigned>(static_cast<uint8_t>(bytes[place.byte + 1])) << 8;
  return static_cast<uint8_t>(bits >> place.shift) & kRegisterMask;
}

void SetDenseRank(std::string& bytes, HllMark mark) {
  const DensePlace place(mark.index);
  const auto put = [&](size_t at, unsigned mask, unsigned bits) {
    const unsigned kept = static_cast<uint8_t>(bytes[at]) & ~mask;
    bytes[at] = static_cast<char>(kept | (bits & mask));
  };
  const unsigned mask = static_cast<unsigned>(kRegisterMask) << place.shift;
  const unsigned bits = static_cast<unsigned>(mark.rank) << place.shift;
  put(place.byte, mask & 0xff, bits);
  if (place.crosses()) put(place.byte + 1, mask >> 8, bits >> 8);
}

/// A run of equal registers.
struct Run {
  uint8_t rank = 0;
  uint32_t length = 0;
  size_t size = 1;  ///< in bytes

  bool zeros() const { return rank == 0; }
};

/// Nullopt at the end, and where the run is cut off.
std::optional<Run> RunAt(std::string_view bytes, size_t at) {
  if (at >= bytes.size()) return std::nullopt;
  const auto head = static_cast<uint8_t>(bytes[at]);
  if ((head & 0x80) != 0) {
    return Run{.rank = static_cast<uint8_t>((head >> 2 & 0x1f) + 1), .length = (head & 3u) + 1};
  }
  if ((head & 0x40) == 0) return Run{.length = head + 1u};
  if (at + 1 >= bytes.size()) return std::nullopt;
  const uint32_t length = (head & 0x3fu) << 8 | static_cast<uint8_t>(bytes[at + 1]);
  return Run{.length = length + 1, .size = 2};
}

char EqualRanks(uint8_t rank, uint32_t length) {
  return static_cast<char>(0x80 | (rank - 1) << 2 | (length - 1));
}

void AppendRun(std::string& bytes, uint8_t rank, uint32_t length) {
  if (length == 0) return;
  if (rank != 0) {
    bytes.push_back(EqualRanks(rank, length));
  } else if (length <= kMaxShortZeros) {
    bytes.push_back(static_cast<char>(length - 1));
  } else {
    bytes.push_back(static_cast<char>(0x40 | (length - 1) >> 8));
    bytes.push_back(static_cast<char>(length - 1));
  }
}

}  // namespace

HllMark HllMarkOf(std::string_view element) {
  const uint64_t hash = Murmur(element);
  // A hash without any one bit has the highest rank.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {.index = static_cast<uint32_t>(hash & (HllRegisters::kCount - 1)),
          .rank = static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

uint64_t HllRegisters::Estimate() const {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr double kRegisters = kCount;
  std::array<int, kRegisterMask + 1> with_rank = {};
  for (const uint8_t rank : ranks_) with_rank[rank & kRegisterMask] += 1;
  double sum = kRegisters * Tau((kRegisters - with_rank[kRankBits + 1]) / kRegisters);
  for (int rank = kRankBits; rank >= 1; --rank) {
    sum = 0.5 * (sum + with_rank[static_cast<size_t>(rank)]);
  }
  sum += kRegisters * Sigma(with_rank[0] / kRegisters);
  return static_cast<uint64_t>(std::llround(kAlpha * kRegisters * kRegisters / sum));
}

std::optional<HllView> HllView::Of(std::string_view bytes) {
  if (bytes.size() < kHeaderSize || !bytes.starts_with(kMagic)) return std::nullopt;
  const auto form = static_cast<uint8_t>(bytes[kFormAt]);
  if (form > static_cast<uint8_t>(Form::kSparse)) return std::nullopt;
  if (form == static_cast<uint8_t>(Form::kDense) && bytes.size() != kDenseSize) return std::nullopt;
  return HllView(bytes);
}

std::optional<uint64_t> HllView::kept_count() const {
  const uint64_t count = LoadUnaligned<uint64_t>(bytes_.data() + kCountAt);
  if ((count >> 63) != 0) return std::nullopt;
  return count;
}

bool HllView::RaiseIn(HllRegisters& registers) const {
  if (form() == Form::kDense) {
    for (uint32_t i = 0; i < HllRegisters::kCount; ++i) {
      registers.Raise({.index = i, .rank = DenseRank(bytes_, i)});
    }
    return true;
  }
  uint32_t index = 0;
  size_t at = kHeaderSize;
  while (std::optional<Run> run = RunAt(bytes_, at)) {
    if (run->length > HllRegisters::kCount - index) return false;
    if (!run->zeros()) {
      for (uint32_t i = 0; i < run->length; ++i) {
        registers.Raise({.index = index + i, .rank = run->rank});
      }
    }
    index += run->length;
    at += run->size;
  }
  return at == bytes_.size() && index == HllRegisters::kCount;
}

std::optional<std::string> HllView::Describe() const {
  std::string text;
  size_t at = kHeaderSize;
  while (std::optional<Run> run = RunAt(bytes_, at)) {
    if (!text.empty()) text += ' ';
    if (run->zeros()) {
      text += run->size == 1 ? "z:" : "Z:";
    } else {
      text += "v:" + std::to_string(run->rank) + ",";
    }
    text += std::to_string(run->length);
    at += run->size;
  }
  if (at != bytes_.size()) return std::nullopt;
  return text;
}

HyperLogLog::HyperLogLog(size_t max_sparse) : bytes_(kMagic), max_sparse_(max_sparse) {
  bytes_.resize(HllView::kHeaderSize);
  bytes_[kFormAt] = static_cast<char>(HllView::Form::kSparse);
  AppendRun(bytes_, 0, HllRegisters::kCount);
}

bool HyperLogLog::dense() const {
  return bytes_[kFormAt] == static_cast<char>(HllView::Form::kDense);
}

void HyperLogLog::ForgetCount() {
  char& last = bytes_[HllView::kHeaderSize - 1];
  last = static_cast<char>(static_cast<uint8_t>(last) | kStale);
}

HyperLogLog::Change HyperLogLog::Raise(HllMark mark) {
  return dense() ? RaiseDense(mark) : RaiseSparse(mark);
}

HyperLogLog::Change HyperLogLog::RaiseDense(HllMark mark) {
  if (DenseRank(bytes_, mark.index) >= mark.rank) return Change::kNone;
  SetDenseRank(bytes_, mark);
  return Change::kRaised;
}

bool HyperLogLog::BecomeDense() {
  if (dense()) return true;
  HllRegisters registers;
  if (!HllView::Of(bytes_)->RaiseIn(registers)) return false;
  bytes_.resize(HllView::kHeaderSize);
  bytes_.resize(HllView::kDenseSize);
  bytes_[kFormAt] = static_cast<char>(HllView::Form::kDense);
  for (uint32_t i = 0; i < HllRegisters::kCount; ++i) {
    if (registers.at(i) != 0) SetDenseRank(bytes_, {.index = i, .rank = registers.at(i)});
  }
  return true;
}

/// Finds the run that has the register, and keeps the one before it. False: no run has it.
bool HyperLogLog::Locate(uint32_t index, Place* place) {
  Place last = before_;
  Place now = before_;
  while (std::optional<Run> run = RunAt(bytes_, now.at)) {
    if (index - now.first < run->length) {
      // Nothing is known of the run before the one where the search began, unless it is the first.
      if (now.at == before_.at && now.at != HllView::kHeaderSize) break;
      before_ = last;
      *place = now;
      return true;
    }
    if (index < now.first) break;
    last = now;
    now = {.at = now.at + run->size, .first = now.first + run->length};
  }
  if (before_.at == HllView::kHeaderSize) return false;
  before_ = {};
  return Locate(index, place);
}

HyperLogLog::Change HyperLogLog::RaiseSparse(HllMark mark) {
  const auto raise_dense = [&] { return BecomeDense() ? RaiseDense(mark) : Change::kCorrupt; };
  if (mark.rank > kMaxSparseRank) return raise_dense();
  Place place;
  if (!Locate(mark.index, &place)) return Change::kCorrupt;
  const Run run = *RunAt(bytes_, place.at);
  if (run.rank >= mark.rank) return Change::kNone;

  const uint32_t left = mark.index - place.first;
  std::string split;
  AppendRun(split, run.rank, left);
  AppendRun(split, mark.rank, 1);
  AppendRun(split, run.rank, run.length - left - 1);
  if (split.size() > run.size && bytes_.size() + split.size() - run.size > max_sparse_) {
    return raise_dense();
  }
  bytes_.replace(place.at, run.size, split);
  MergeFrom(before_.at);
  return Change::kRaised;
}

/// Joins equal neighbours, in the few steps that Redis takes from the run before the change.
void HyperLogLog::MergeFrom(size_t at) {
  constexpr int kSteps = 5;
  for (int steps = 0; steps < kSteps; ++steps) {
    const std::optional<Run> run = RunAt(bytes_, at);
    if (!run) return;
    const std::optional<Run> next = RunAt(bytes_, at + run->size);
    const bool joins = next && !run->zeros() && next->rank == run->rank &&
                       run->length + next->length <= kMaxEqualRanks;
    if (!joins) {
      at += run->size;
      continue;
    }
    bytes_[at + 1] = EqualRanks(run->rank, run->length + next->length);
    bytes_.erase(at, 1);
  }
}

std::array<char, 8> HllCountBytes(uint64_t count) {
  std::array<char, 8> bytes;
  StoreUnaligned(bytes.data(), count);
  return bytes;
}

}  // namespace cloakroom
