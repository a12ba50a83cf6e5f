#include "storage/keyspace/table.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "absl/random/distributions.h"

namespace cloakroom {
namespace {

uint64_t ReverseBits(uint64_t bits, int width) {
  uint64_t reversed = 0;
  bits = ((bits >> 1) & 0x5555555555555555u) | ((bits & 0x5555555555555555u) << 1);
  bits = ((bits >> 2) & 0x3333333333333333u) | ((bits & 0x3333333333333333u) << 2);
  bits = ((bits >> 4) & 0x0f0f0f0f0f0f0f0fu) | ((bits & 0x0f0f0f0f0f0f0f0fu) << 4);
  reversed = __builtin_bswap64(bits);
  return reversed >> (64 - width);
}

constexpr size_t kCacheLine = 64;

}  // namespace

/// Tag 0 marks an empty slot. In a chained bucket the last slot is the address of the next one.
struct alignas(64) Table::Bucket {
  uint8_t tags[kSlots];
  bool chained;
  void* slots[kSlots];

  static Bucket* Allocate(size_t count) {
    void* memory = std::aligned_alloc(sizeof(Bucket), count * sizeof(Bucket));
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0, count * sizeof(Bucket));
    return static_cast<Bucket*>(memory);
  }

  size_t slot_count() const { return chained ? kSlots - 1 : kSlots; }
  Bucket* next() const { return chained ? static_cast<Bucket*>(slots[kSlots - 1]) : nullptr; }
  Entry* entry(size_t i) const { return static_cast<Entry*>(slots[i]); }
  Entry** slot(size_t i) { return reinterpret_cast<Entry**>(&slots[i]); }

  template <typename Visit>
  void ForEachInChain(Visit&& visit) const {
    for (const Bucket* bucket = this; bucket != nullptr; bucket = bucket->next()) {
      for (size_t i = 0; i < bucket->slot_count(); ++i) {
        if (bucket->tags[i] != 0) visit(bucket->entry(i));
      }
    }
  }
};

inline Table::Bucket& Table::At(size_t index) const {
  return segments_[index / kSegmentBuckets][index % kSegmentBuckets];
}

Table::~Table() {
  for (size_t i = 0; i < bucket_count_; ++i) FreeChain(At(i));
  for (Bucket* segment : segments_) std::free(segment);
}

Table& Table::operator=(Table&& other) noexcept {
  Table taken(std::move(other));
  swap(taken);
  return *this;
}

void Table::swap(Table& other) noexcept {
  std::swap(segments_, other.segments_);
  std::swap(first_segment_capacity_, other.first_segment_capacity_);
  std::swap(bucket_count_, other.bucket_count_);
  std::swap(overflow_count_, other.overflow_count_);
  std::swap(size_, other.size_);
  std::swap(level_, other.level_);
  std::swap(expiry_, other.expiry_);
}

size_t Table::AddressOf(KeyHash hash) const {
  uint64_t bits = hash.bucket_bits();
  size_t address = bits & ((size_t{2} << level_) - 1);
  return address < bucket_count_ ? address : bits & ((size_t{1} << level_) - 1);
}

Entry** Table::Find(std::string_view key, KeyHash hash) {
  if (bucket_count_ == 0) return nullptr;
  uint8_t tag = hash.tag();
  for (Bucket* bucket = &At(AddressOf(hash)); bucket != nullptr; bucket = bucket->next()) {
    for (size_t i = 0; i < bucket->slot_count(); ++i) {
      if (bucket->tags[i] == tag && bucket->entry(i)->key() == key) return bucket->slot(i);
    }
  }
  return nullptr;
}

bool Table::Prefetch(KeyHash hash, int turn) const {
  if (bucket_count_ == 0) return false;
  const Bucket* bucket = &At(AddressOf(hash));
  if (turn == 0) {
    __builtin_prefetch(bucket);
    return true;
  }
  for (; turn > 1 && bucket != nullptr; --turn) bucket = bucket->next();
  if (bucket == nullptr) return false;
  for (size_t i = 0; i < bucket->slot_count(); ++i) {
    if (bucket->tags[i] != hash.tag()) continue;
    __builtin_prefetch(bucket->slots[i]);
    // The value begins behind the key, usually in the entry's second cache line.
    __builtin_prefetch(static_cast<const char*>(bucket->slots[i]) + kCacheLine);
  }
  if (bucket->chained) __builtin_prefetch(bucket->next());
  return bucket->chained;
}

Entry** Table::Insert(Entry* entry, KeyHash hash) {
  while (bucket_count_ * kMaxLoad <= size_) SplitNext();
  size_t address = AddressOf(hash);
  Entry** slot = Place(At(address), entry, hash.tag());
  ++size_;
  return slot;
}

Entry** Table::Place(Bucket& head, Entry* entry, uint8_t tag) {
  Bucket* bucket = &head;
  while (true) {
    for (size_t i = 0; i < bucket->slot_count(); ++i) {
      if (bucket->tags[i] != 0) continue;
      bucket->tags[i] = tag;
      bucket->slots[i] = entry;
      return bucket->slot(i);
    }
    if (!bucket->chained) {
      Bucket* overflow = Bucket::Allocate(1);
      ++overflow_count_;
      overflow->tags[0] = bucket->tags[kSlots - 1];
      overflow->slots[0] = bucket->slots[kSlots - 1];
      bucket->tags[kSlots - 1] = 0;
      bucket->slots[kSlots - 1] = overflow;
      bucket->chained = true;
    }
    bucket = bucket->next();
  }
}

Entry* Table::Erase(Entry** slot, KeyHash hash) {
  Entry* entry = *slot;
  Bucket* before_last = nullptr;
  Bucket* last = &At(AddressOf(hash));
  auto holds_slot = [slot](Bucket* b) { return slot >= b->slot(0) && slot <= b->slot(kSlots - 1); };
  while (!holds_slot(last)) {
    before_last = last;
    last = last->next();
  }
  Bucket* bucket = last;
  size_t hole = static_cast<size_t>(slot - bucket->slot(0));
  // The chain's last entry fills the hole, so that an overflow bucket empties and can be freed.
  while (last->chained) {
    before_last = last;
    last = last->next();
  }
  size_t filler = kSlots;
  size_t used = 0;
  for (size_t i = 0; i < kSlots; ++i) {
    if (last->tags[i] != 0) {
      filler = i;
      ++used;
    }
  }
  bucket->tags[hole] = last->tags[filler];
  bucket->slots[hole] = last->slots[filler];
  last->tags[filler] = 0;
  last->slots[filler] = nullptr;
  if (used == 1 && before_last != nullptr) {
    before_last->chained = false;
    before_last->slots[kSlots - 1] = nullptr;
    std::free(last);
    --overflow_count_;
  }
  --size_;
  if (bucket_count_ > 1 && size_ < bucket_count_ * kMinLoad) MergeLast();
  return entry;
}

void Table::AddBucket() {
  size_t index = bucket_count_++;
  if (index >= kSegmentBuckets) {
    if (index % kSegmentBuckets == 0) segments_.push_back(Bucket::Allocate(kSegmentBuckets));
  } else if (index >= first_segment_capacity_) {
    // The first segment doubles: with little data, most stripes have a handful of keys.
    size_t capacity = first_segment_capacity_ == 0 ? 1 : first_segment_capacity_ * 2;
    Bucket* grown = Bucket::Allocate(capacity);
    if (index > 0) {
      std::memcpy(static_cast<void*>(grown), segments_[0], index * sizeof(Bucket));
      std::free(segments_[0]);
      segments_[0] = grown;
    } else {
      segments_.push_back(grown);
    }
    first_segment_capacity_ = capacity;
  }
  while ((size_t{2} << level_) <= bucket_count_) ++level_;
  expiry_.Resize(bucket_count_);
}

void Table::SplitNext() {
  size_t added = bucket_count_;
  AddBucket();
  if (added == 0) return;
  size_t source = added - std::bit_floor(added);
  Bucket old = At(source);
  Bucket& head = At(source);
  std::memset(static_cast<void*>(&head), 0, sizeof(Bucket));
  expiry_.Inherit(source, added);
  for (const Bucket* bucket = &old; bucket != nullptr; bucket = bucket->next()) {
    for (size_t i = 0; i < bucket->slot_count(); ++i) __builtin_prefetch(bucket->slots[i]);
  }
  for (Bucket* bucket = &old; bucket != nullptr;) {
    for (size_t i = 0; i < bucket->slot_count(); ++i) {
      if (bucket->tags[i] == 0) continue;
      Entry* entry = bucket->entry(i);
      Place(At(AddressOf(KeyHash::Of(entry->key()))), entry, bucket->tags[i]);
    }
    Bucket* next = bucket->next();
    if (bucket != &old) {
      std::free(bucket);
      --overflow_count_;
    }
    bucket = next;
  }
}

void Table::MergeLast() {
  size_t removed = bucket_count_ - 1;
  size_t target = removed - std::bit_floor(removed);
  Bucket old = At(removed);
  expiry_.Inherit(removed, target);
  RemoveLastBucket();
  for (Bucket* bucket = &old; bucket != nullptr;) {
    for (size_t i = 0; i < bucket->slot_count(); ++i) {
      if (bucket->tags[i] != 0) Place(At(target), bucket->entry(i), bucket->tags[i]);
    }
    Bucket* next = bucket->next();
    if (bucket != &old) {
      std::free(bucket);
      --overflow_count_;
    }
    bucket = next;
  }
}

void Table::RemoveLastBucket() {
  size_t index = --bucket_count_;
  std::memset(static_cast<void*>(&At(index)), 0, sizeof(Bucket));
  if (index >= kSegmentBuckets && index % kSegmentBuckets == 0) {
    std::free(segments_.back());
    segments_.pop_back();
  }
  while (level_ > 0 && (size_t{1} << level_) > bucket_count_) --level_;
  expiry_.Resize(bucket_count_);
}

void Table::FreeChain(Bucket& head) {
  for (Bucket* bucket = head.next(); bucket != nullptr;) {
    Bucket* next = bucket->next();
    std::free(bucket);
    bucket = next;
  }
}

void Table::NoteDue(KeyHash hash, int64_t due_ms) { expiry_.Note(AddressOf(hash), due_ms); }

uint64_t Table::Scan(uint64_t position, absl::FunctionRef<void(Entry*)> visit) const {
  if (bucket_count_ == 0) return 0;
  size_t address = AddressOf(KeyHash{ReverseBits(position, kPositionBits)});
  size_t low = address & ((size_t{1} << level_) - 1);
  int bits = low + (size_t{1} << level_) < bucket_count_ ? level_ + 1 : level_;
  uint64_t start = ReverseBits(address, kPositionBits);
  if (start == position) {
    At(address).ForEachInChain(visit);
  } else {
    // The table has shrunk since: entries before the position were visited in another bucket.
    At(address).ForEachInChain([&](Entry* entry) {
      uint64_t bits_of_entry = KeyHash::Of(entry->key()).bucket_bits();
      if (ReverseBits(bits_of_entry, kPositionBits) >= position) visit(entry);
    });
  }
  uint64_t next = start + (uint64_t{1} << (kPositionBits - bits));
  return next >> kPositionBits != 0 ? 0 : next;
}

void Table::ForEach(absl::FunctionRef<void(Entry*)> visit) const {
  for (size_t i = 0; i < bucket_count_; ++i) At(i).ForEachInChain(visit);
}

Entry* Table::Random(absl::BitGenRef random) const {
  if (size_ == 0) return nullptr;
  // A place among 16 of a random bucket: every entry of a chain up to 16 long is equally likely.
  constexpr size_t kPlaces = 16;
  while (true) {
    const Bucket& head = At(absl::Uniform<size_t>(random, 0, bucket_count_));
    size_t place = absl::Uniform<size_t>(random, 0, kPlaces);
    Entry* chosen = nullptr;
    head.ForEachInChain([&](Entry* entry) {
      if (place-- == 0) chosen = entry;
    });
    if (chosen != nullptr) return chosen;
  }
}

Table::DueSlice Table::CollectDue(int64_t now_ms, size_t max_groups,
                                  absl::FunctionRef<int64_t(Entry*)> due) {
  DueSlice slice;
  if (!expiry_.AnyMayBeDue(now_ms)) return slice;
  for (size_t group = 0; group < expiry_.groups(); ++group) {
    if (!expiry_.MayBeDue(group, now_ms)) continue;
    if (max_groups-- == 0) {
      slice.finished = false;
      return slice;
    }
    int64_t first = kNever;
    size_t begin = group * ExpiryIndex::kGroupBuckets;
    size_t end = std::min(begin + ExpiryIndex::kGroupBuckets, bucket_count_);
    for (size_t i = begin; i < end; ++i) {
      At(i).ForEachInChain([&](Entry* entry) { first = std::min(first, due(entry)); });
    }
    slice.visited += end - begin;
    expiry_.SetGroup(group, first);
  }
  expiry_.RecomputeFirst();
  return slice;
}

size_t Table::overhead_bytes() const {
  size_t buckets = segments_.empty()                  ? 0
                   : bucket_count_ <= kSegmentBuckets ? first_segment_capacity_
                                                      : segments_.size() * kSegmentBuckets;
  return (buckets + overflow_count_) * sizeof(Bucket) + segments_.capacity() * sizeof(Bucket*) +
         expiry_.bytes();
}

}  // namespace cloakroom
