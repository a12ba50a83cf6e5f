#include "storage/values/stream_records.h"

#include <string_view>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

// Both kinds of trees have records of one size, which begin with the ID. Numbers are in the host's
// order.
constexpr size_t kIdSize = 16;
constexpr size_t kPendingSize = kIdSize + sizeof(int64_t) + sizeof(int64_t) + sizeof(uint32_t);
/// About a hundred records: moving them costs less than looking for the leaf.
constexpr size_t kMaxRecordBytes = 4000;

StreamId IdAt(const char* record) {
  return {LoadUnaligned<uint64_t>(record), LoadUnaligned<uint64_t>(record + sizeof(uint64_t))};
}

uint64_t KeyOfRecord(std::string_view leaf) { return LoadUnaligned<uint64_t>(leaf.data()); }

template <size_t kRecord>
size_t OffsetOf(std::string_view /*leaf*/, size_t index) {
  return index * kRecord;
}

template <size_t kRecord>
constexpr LeafFormat kFormat = {.max_bytes = kMaxRecordBytes,
                                .max_items = kMaxRecordBytes / kRecord,
                                .offset = OffsetOf<kRecord>,
                                .key = KeyOfRecord};

/// The index of the first record in a leaf that is not before `id`.
template <size_t kRecord>
size_t LowerBound(std::string_view leaf, const StreamId& id) {
  size_t low = 0;
  size_t high = leaf.size() / kRecord;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (IdAt(leaf.data() + middle * kRecord) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// A place in a tree: where the record with an ID is, or would be.
struct RecordPlace {
  BTreePlace place;
  size_t offset = 0;
  bool found = false;
};

template <size_t kRecord>
RecordPlace Look(BTreeView tree, const StreamId& id) {
  if (tree.empty()) return {};
  RecordPlace found{
      .place = tree.Seek(id.ms, [&](std::string_view leaf) { return IdAt(leaf.data()) > id; })};
  const std::string_view leaf = found.place.bytes();
  found.offset = LowerBound<kRecord>(leaf, id) * kRecord;
  found.found = found.offset < leaf.size() && IdAt(leaf.data() + found.offset) == id;
  return found;
}

template <size_t kRecord>
void ForEachRecord(BTreeView tree, const StreamId& from, absl::FunctionRef<bool(const char*)> fn) {
  RecordPlace at = Look<kRecord>(tree, from);
  if (!at.place.valid()) return;
  do {
    const std::string_view leaf = at.place.bytes();
    for (; at.offset < leaf.size(); at.offset += kRecord) {
      if (!fn(leaf.data() + at.offset)) return;
    }
    at.offset = 0;
  } while (at.place.Next());
}

/// Makes room for a record, or finds the one that is there. Returns whether it is new.
template <size_t kRecord>
bool PutRecord(BTree& tree, const StreamId& id, absl::FunctionRef<void(char*)> write) {
  const RecordPlace at = Look<kRecord>(tree.view(), id);
  tree.Edit(at.place, [&](BTreeLeafEditor& editor) {
    if (at.found) return write(editor.data() + at.offset);
    write(editor.Splice(at.offset, 0, kRecord));
    editor.set_items(editor.items() + 1);
  });
  return !at.found;
}

template <size_t kRecord>
bool EraseRecord(BTree& tree, const StreamId& id) {
  const RecordPlace at = Look<kRecord>(tree.view(), id);
  if (!at.found) return false;
  tree.Edit(at.place, [&](BTreeLeafEditor& editor) {
    editor.Splice(at.offset, kRecord, 0);
    editor.set_items(editor.items() - 1);
  });
  return true;
}

PendingEntry Load(const char* record) {
  PendingEntry entry{.id = IdAt(record)};
  const char* at = record + kIdSize;
  entry.delivered_ms = LoadUnaligned<int64_t>(at);
  entry.deliveries = LoadUnaligned<int64_t>(at + sizeof(int64_t));
  entry.consumer = LoadUnaligned<uint32_t>(at + 2 * sizeof(int64_t));
  return entry;
}

}  // namespace

PendingEntries::PendingEntries() : tree_(kFormat<kPendingSize>) {}

std::optional<PendingEntry> PendingEntries::Find(const StreamId& id) const {
  const RecordPlace at = Look<kPendingSize>(tree_.view(), id);
  if (!at.found) return std::nullopt;
  return Load(at.place.bytes().data() + at.offset);
}

StreamId PendingEntries::first() const { return IdAt(tree_.view().First().bytes().data()); }

StreamId PendingEntries::last() const {
  const BTreePlace place = tree_.view().Last();
  return IdAt(place.bytes().data() + place.bytes().size() - kPendingSize);
}

void PendingEntries::ForEachFrom(const StreamId& from,
                                 absl::FunctionRef<bool(const PendingEntry&)> fn) const {
  ForEachRecord<kPendingSize>(tree_.view(), from,
                              [&](const char* record) { return fn(Load(record)); });
}

void PendingEntries::Put(const PendingEntry& entry) {
  PutRecord<kPendingSize>(tree_, entry.id, [&](char* to) {
    to = StoreUnaligned(StoreUnaligned(to, entry.id.ms), entry.id.seq);
    to = StoreUnaligned(StoreUnaligned(to, entry.delivered_ms), entry.deliveries);
    StoreUnaligned(to, entry.consumer);
  });
}

bool PendingEntries::Erase(const StreamId& id) { return EraseRecord<kPendingSize>(tree_, id); }

StreamIdSet::StreamIdSet() : tree_(kFormat<kIdSize>) {}

bool StreamIdSet::Contains(const StreamId& id) const {
  return Look<kIdSize>(tree_.view(), id).found;
}

void StreamIdSet::ForEachFrom(const StreamId& from,
                              absl::FunctionRef<bool(const StreamId&)> fn) const {
  ForEachRecord<kIdSize>(tree_.view(), from, [&](const char* record) { return fn(IdAt(record)); });
}

bool StreamIdSet::Insert(const StreamId& id) {
  return PutRecord<kIdSize>(tree_, id,
                            [&](char* to) { StoreUnaligned(StoreUnaligned(to, id.ms), id.seq); });
}

bool StreamIdSet::Erase(const StreamId& id) { return EraseRecord<kIdSize>(tree_, id); }

}  // namespace cloakroom
