#include "replication/stream/change_stream.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <thread>

#include "replication/stream/command_encoder.h"
#include "storage/base/integer_text.h"

namespace cloakroom {
namespace {

/// Calls `use` with the words of the command that selects the database.
template <typename Use>
auto WithSelect(int db, Use use) {
  const IntegerText number(db);
  const std::array<std::string_view, 2> words = {"SELECT", number.view()};
  return use(std::span<const std::string_view>(words));
}

size_t SelectSize(int db) {
  return WithSelect(db,
                    [](std::span<const std::string_view> words) { return CommandLength(words); });
}

}  // namespace

ChangeStream::ChangeStream(int own_slots)
    : own_slots_(own_slots),
      slots_(std::make_unique<Slot[]>(static_cast<size_t>(own_slots) + kLeasedSlots)) {}

uint64_t ChangeStream::TailOf(int64_t position, int db) {
  const uint64_t code = db > kMaxDb ? 0 : static_cast<uint64_t>(db + 1);
  return static_cast<uint64_t>(position) << kDbBits | code;
}

ChangePlace ChangeStream::Reserve(int slot, size_t bytes, int first_db, int last_db) {
  ChangePlace place;
  place.slot = slot >= 0 && slot < own_slots_ ? slot : Lease();
  uint64_t tail = tail_.load(std::memory_order_relaxed);
  // Positions only grow, so this is a lower bound however often the next step is repeated.
  slots_[static_cast<size_t>(place.slot)].bound.store(PositionOf(tail), std::memory_order_relaxed);
  for (;;) {
    const bool selects = first_db != kKeepsDb && DbOf(tail) != first_db;
    place.begin = PositionOf(tail);
    place.end = place.begin + static_cast<int64_t>(bytes + (selects ? SelectSize(first_db) : 0));
    place.selected_db = selects ? first_db : kKeepsDb;
    const uint64_t next = TailOf(place.end, last_db == kKeepsDb ? DbOf(tail) : last_db);
    if (tail_.compare_exchange_weak(tail, next, std::memory_order_seq_cst,
                                    std::memory_order_relaxed)) [[likely]]
      return place;
  }
}

int ChangeStream::Lease() {
  uint64_t leased = leased_.load(std::memory_order_relaxed);
  for (;;) {
    const int free = std::countr_one(leased);
    if (free == kLeasedSlots) {
      // More threads than anybody starts copy at this moment.
      std::this_thread::yield();
      leased = leased_.load(std::memory_order_relaxed);
      continue;
    }
    if (leased_.compare_exchange_weak(leased, leased | uint64_t{1} << free,
                                      std::memory_order_acq_rel, std::memory_order_relaxed)) {
      return own_slots_ + free;
    }
  }
}

StreamWriter ChangeStream::Begin(const ChangePlace& place) {
  StreamWriter writer(chunks_, place.begin);
  if (place.selected_db != kKeepsDb) {
    WithSelect(place.selected_db,
               [&](std::span<const std::string_view> words) { PutCommand(writer, words); });
  }
  return writer;
}

void ChangeStream::Complete(const ChangePlace& place) {
  // A reader that stops somewhere wants to stop where a record ends: once in a chunk is enough.
  if (StreamChunks::RoomAt(place.begin) < static_cast<size_t>(place.end - place.begin)) [[unlikely]]
    chunks_.NoteRecordEnd(place.end);
  slots_[static_cast<size_t>(place.slot)].bound.exchange(kIdle, std::memory_order_seq_cst);
  if (place.slot >= own_slots_) [[unlikely]]
    leased_.fetch_and(~(uint64_t{1} << (place.slot - own_slots_)), std::memory_order_acq_rel);
}

ChangePlace ChangeStream::ReserveEmpty(int* db) {
  ChangePlace place;
  place.slot = Lease();
  uint64_t tail = tail_.load(std::memory_order_relaxed);
  slots_[static_cast<size_t>(place.slot)].bound.store(PositionOf(tail), std::memory_order_relaxed);
  // A write of the same value: who reserves behind it has seen the bound.
  while (!tail_.compare_exchange_weak(tail, tail, std::memory_order_seq_cst,
                                      std::memory_order_relaxed)) {
  }
  place.begin = place.end = PositionOf(tail);
  *db = DbOf(tail);
  return place;
}

int64_t ChangeStream::Append(std::string_view bytes) {
  const ChangePlace place = Reserve(kNoSlot, bytes.size(), kKeepsDb, kKeepsDb);
  Begin(place).Put(bytes);
  Complete(place);
  Announce();
  return place.end;
}

int64_t ChangeStream::SetDb(int db) {
  uint64_t tail = tail_.load(std::memory_order_relaxed);
  while (!tail_.compare_exchange_weak(tail, TailOf(PositionOf(tail), db), std::memory_order_seq_cst,
                                      std::memory_order_relaxed)) {
  }
  return PositionOf(tail);
}

void ChangeStream::Extend(int64_t end, int db) {
  const int64_t begin = tail();
  if (StreamChunks::RoomAt(begin) < static_cast<size_t>(end - begin)) chunks_.NoteRecordEnd(end);
  // No slot: the bytes are there already.
  tail_.store(TailOf(end, db), std::memory_order_seq_cst);
}

int64_t ChangeStream::Published() const {
  int64_t position = PositionOf(tail_.load(std::memory_order_seq_cst));
  const auto see = [&](int slot) {
    const Slot& its_slot = slots_[static_cast<size_t>(slot)];
    position = std::min(position, its_slot.bound.load(std::memory_order_seq_cst));
  };
  for (int slot = 0; slot < own_slots_; ++slot) see(slot);
  for (uint64_t leased = leased_.load(std::memory_order_seq_cst); leased != 0;) {
    see(own_slots_ + std::countr_zero(leased));
    leased &= leased - 1;
  }
  return position;
}

void ChangeStream::WakeReaders() {
  for (const auto& place : readers_) {
    if (StreamReader* reader = place.load(std::memory_order_acquire); reader != nullptr) {
      reader->StreamMoved();
    }
  }
}

void ChangeStream::Add(StreamReader& reader) {
  for (auto& place : readers_) {
    StreamReader* free = nullptr;
    if (place.compare_exchange_strong(free, &reader)) return;
  }
  assert(!"kMostReaders is too small");
}

void ChangeStream::Remove(StreamReader& reader) {
  for (auto& place : readers_) {
    if (place.load(std::memory_order_relaxed) == &reader) place = nullptr;
  }
}

void ChangeStream::Keep(StreamReader& reader, int64_t position) {
  reader.kept_.store(position, std::memory_order_relaxed);
  int64_t kept = Published();
  for (const auto& place : readers_) {
    const StreamReader* other = place.load(std::memory_order_acquire);
    if (other != nullptr) kept = std::min(kept, other->kept_.load(std::memory_order_relaxed));
  }
  chunks_.Trim(kept);
}

}  // namespace cloakroom
