#include "storage/values/stream.h"

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

StreamHead HeadOf(std::string_view payload) {
  return payload.empty() ? StreamHead() : LoadUnaligned<StreamHead>(payload.data());
}

void ReleaseStream(const ValueView& value) {
  const StreamHead head = HeadOf(value.payload);
  UnrefBTree(head.root);
  if (head.groups != nullptr) head.groups->Unref();
}

size_t CostOfReleasingStream(const ValueView& value) {
  const StreamHead head = HeadOf(value.payload);
  return BTreeView(head.root).PartCount() + (head.groups == nullptr ? 0 : PartsOf(*head.groups));
}

void ShareStream(const ValueView& value) {
  const StreamHead head = HeadOf(value.payload);
  if (head.root != nullptr) head.root->Ref();
  if (head.groups != nullptr) head.groups->Ref();
}

size_t MemoryOfStream(const ValueView& value, size_t samples) {
  const StreamHead head = HeadOf(value.payload);
  return BTreeView(head.root).Memory(samples) +
         (head.groups == nullptr ? 0 : MemoryOf(*head.groups, samples));
}

std::string_view NameEncodingOfStream(const ValueView& /*value*/) { return "stream"; }

/// A stream without entries is a value all the same.
size_t SizeOfStream(const ValueView& value, int64_t /*now_ms*/) {
  return std::max<size_t>(1, Stream(value).size());
}

/// An item is an entry: its ID, and its fields and values with their sizes before them.
void ForEachEntry(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                  int64_t /*now_ms*/) {
  std::string words;
  Stream(value).ForEach({}, [&](const StreamEntry& entry) {
    words.clear();
    entry.ForEach([&](const StreamText& field, const StreamText& text) {
      for (const std::string_view word : {field.view(), text.view()}) {
        words.append(std::to_string(word.size())).append(":").append(word);
      }
    });
    const StreamIdText id(entry.id());
    fn({.field = id.view(), .value = {.bytes = words}});
    return true;
  });
}

}  // namespace

constinit const TypeOps kStreamOps = {.type = ValueType::kStream,
                                      .name = "stream",
                                      .redis_number = 6,
                                      .has_values = true,
                                      .release = ReleaseStream,
                                      .release_cost = CostOfReleasingStream,
                                      .share = ShareStream,
                                      .memory = MemoryOfStream,
                                      .encoding_name = NameEncodingOfStream,
                                      .size = SizeOfStream,
                                      .for_each = ForEachEntry};

Stream::Stream(Encoding /*encoding*/, std::string_view payload) : head_(HeadOf(payload)) {}

BTreePlace Stream::Seek(const StreamId& id) const {
  return tree().Seek(id.ms, [&](std::string_view leaf) { return StreamLeaf(leaf).first() > id; });
}

StreamId Stream::first_entry() const {
  if (empty()) return {};
  const StreamLeaf leaf(tree().First().bytes());
  return leaf.At(leaf.begin()).id();
}

StreamId Stream::last_entry() const {
  StreamId id;
  if (empty()) return id;
  const StreamLeafHead head = StreamLeaf(tree().Last().bytes()).head();
  if (head.erased == 0) return head.last;
  ForEachBackwards({}, [&](const StreamEntry& entry) {
    id = entry.id();
    return false;
  });
  return id;
}

bool Stream::Contains(const StreamId& id) const {
  bool found = false;
  ForEach({id, id}, [&](const StreamEntry& /*entry*/) {
    found = true;
    return false;
  });
  return found;
}

void Stream::ForEach(const StreamRange& range,
                     absl::FunctionRef<bool(const StreamEntry&)> fn) const {
  if (empty() || range.last < range.first) return;
  BTreePlace place = Seek(range.first);
  do {
    const std::string_view bytes = place.bytes();
    const StreamLeaf leaf(bytes);
    for (size_t at = leaf.begin(); at < leaf.end();) {
      const StreamEntry entry = leaf.At(at);
      at = leaf.Behind(entry);
      if (entry.id() < range.first) continue;
      if (entry.id() > range.last || !fn(entry)) return;
    }
  } while (place.Next());
}

void Stream::ForEachBackwards(const StreamRange& range,
                              absl::FunctionRef<bool(const StreamEntry&)> fn) const {
  if (empty() || range.last < range.first) return;
  BTreePlace place = Seek(range.last);
  std::vector<size_t> offsets;
  do {
    const std::string_view bytes = place.bytes();
    const StreamLeaf leaf(bytes);
    offsets.clear();
    for (size_t at = leaf.begin(); at < leaf.end();) {
      offsets.push_back(at);
      at = leaf.Behind(leaf.At(at));
    }
    for (size_t i = offsets.size(); i-- > 0;) {
      const StreamEntry entry = leaf.At(offsets[i]);
      if (entry.id() > range.last) continue;
      if (entry.id() < range.first || !fn(entry)) return;
    }
  } while (place.Previous());
}

size_t Stream::AtMostIn(const StreamRange& range) const {
  if (empty() || range.last < range.first) return 0;
  const BTreePlace last = Seek(range.last);
  return last.before + last.items() - Seek(range.first).before;
}

void Stream::ForEachLeaf(absl::FunctionRef<void(const StreamLeaf&, size_t items)> fn) const {
  tree().ForEachLeaf([&](std::string_view bytes, size_t items) { fn(StreamLeaf(bytes), items); });
}

size_t Stream::group_count() const { return groups() == nullptr ? 0 : groups()->by_name.size(); }

const StreamGroup* Stream::FindGroup(std::string_view name) const {
  if (groups() == nullptr) return nullptr;
  const auto found = groups()->by_name.find(name);
  return found == groups()->by_name.end() ? nullptr : &found->second;
}

bool Stream::HasGapsFrom(const StreamId& from) const {
  // What was deleted before the first entry leaves no gap.
  return !empty() && !max_deleted().zero() && from <= max_deleted() &&
         first_entry() <= max_deleted();
}

std::optional<int64_t> Stream::CountUpTo(const StreamId& id) const {
  const auto added = static_cast<int64_t>(entries_added());
  if (added == 0) return 0;
  if (empty() && id <= last_id()) return added;
  if (id == last_id()) return added;
  if (id > last_id()) return std::nullopt;
  const StreamId first = first_entry();
  if (!max_deleted().zero() && max_deleted() >= first) return std::nullopt;
  const int64_t before = added - static_cast<int64_t>(size());
  if (id < first) return before;
  if (id == first) return before + 1;
  return std::nullopt;
}

std::optional<int64_t> Stream::LagOf(const StreamGroup& group) const {
  const auto added = static_cast<int64_t>(entries_added());
  if (added == 0) return 0;
  if (group.entries_read != StreamGroup::kUnknownRead && !HasGapsFrom(group.last_id)) {
    return added - group.entries_read;
  }
  const std::optional<int64_t> read = CountUpTo(group.last_id);
  if (!read) return std::nullopt;
  return added - *read;
}

SharedValue Stream::Share() const {
  return SharedValue({.type = kType,
                      .encoding = Encoding::kBTree,
                      .payload = {reinterpret_cast<const char*>(&head_), sizeof(head_)}});
}

}  // namespace cloakroom
