#include "storage/values/mutable_stream.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "storage/base/unaligned.h"
#include "storage/values/btree.h"

namespace cloakroom {
namespace {

size_t BytesOf(StreamWords words) {
  size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  return bytes;
}

}  // namespace

Stream MutableStream::view() const {
  return slot_.exists() ? Stream(slot_.encoding(), slot_.bytes()) : Stream();
}

StreamHead MutableStream::head() const { return LoadUnaligned<StreamHead>(slot_.data()); }

void MutableStream::Store(const StreamHead& head) { StoreUnaligned(slot_.data(), head); }

template <typename Fn>
void MutableStream::EditTree(Fn fn) {
  StreamHead changed = head();
  BTree tree(changed.root, kStreamLeafFormat);
  fn(tree, changed);
  changed.root = tree.Release();
  Store(changed);
}

void MutableStream::Create() {
  if (slot_.exists()) return;
  slot_.Create(ValueType::kStream, Encoding::kBTree);
  slot_.Splice(0, 0, sizeof(StreamHead));
  Store({});
}

bool MutableStream::NeedsNewLeaf(const BTreePlace& last, StreamWords words) const {
  if (!last.valid()) return true;
  const StreamLeaf leaf(last.bytes());
  const size_t limit = limits_.stream_node_max_bytes;
  const size_t max_bytes = limit == 0 ? kMaxEntryBytes : std::min(limit, kMaxEntryBytes);
  if (leaf.ListpackBytes(last.items()) + BytesOf(words) >= max_bytes) return true;
  return limits_.stream_node_max_entries > 0 &&
         last.items() + leaf.head().erased >= limits_.stream_node_max_entries;
}

void MutableStream::Append(const StreamId& id, StreamWords words) {
  Create();
  EditTree([&](BTree& tree, StreamHead& changed) {
    if (NeedsNewLeaf(tree.view().Last(), words)) {
      // AppendLeaf wants a whole leaf, and the tree counts its items: begin with none.
      const std::string leaf = NewStreamLeaf(id, words);
      tree.AppendLeaf(leaf, 1);
      tree.Edit(tree.view().Last(),
                [&](BTreeLeafEditor& editor) { StreamLeafWriter(editor).Append(id, words); });
    } else {
      tree.Edit(tree.view().Last(), [&](BTreeLeafEditor& editor) {
        StreamLeafWriter(editor).Append(id, words);
        editor.set_items(editor.items() + 1);
      });
    }
    changed.last_id = id;
    ++changed.entries_added;
  });
  if (!slot_.logged()) return;
  const StreamIdText text(id);
  absl::InlinedVector<std::string_view, 16> items = {text.view()};
  items.insert(items.end(), words.begin(), words.end());
  slot_.LogItems(ChangeKind::kAddEntry, items);
}

bool MutableStream::Erase(const StreamId& id) {
  if (!slot_.exists() || !view().Contains(id)) return false;
  EditTree([&](BTree& tree, StreamHead& changed) {
    const BTreePlace place = tree.view().Seek(
        id.ms, [&](std::string_view leaf) { return StreamLeaf(leaf).first() > id; });
    tree.Edit(place, [&](BTreeLeafEditor& editor) {
      const StreamLeaf leaf(editor.bytes());
      size_t at = leaf.begin();
      while (leaf.At(at).id() != id) at = leaf.Behind(leaf.At(at));
      const size_t end = leaf.Behind(leaf.At(at));
      StreamLeafWriter(editor).Erase(at, end, 1);
      editor.set_items(editor.items() - 1);
    });
    changed.max_deleted = std::max(changed.max_deleted, id);
  });
  slot_.LogItem(ChangeKind::kEraseEntry, {StreamIdText(id).view()});
  return true;
}

size_t MutableStream::TrimFirstLeaf(const StreamTrim& trim) {
  const size_t size = view().size();
  size_t erased = 0;
  EditTree([&](BTree& tree, StreamHead& /*changed*/) {
    tree.Edit(tree.view().First(), [&](BTreeLeafEditor& editor) {
      const StreamLeaf leaf(editor.bytes());
      size_t at = leaf.begin();
      for (; at < leaf.end(); ++erased) {
        const StreamEntry entry = leaf.At(at);
        const bool kept = trim.by == StreamTrim::By::kSize ? size - erased <= trim.max_size
                                                           : entry.id() >= trim.min_id;
        if (kept) break;
        at = leaf.Behind(entry);
      }
      StreamLeafWriter(editor).Erase(leaf.begin(), at, erased);
      editor.set_items(editor.items() - erased);
    });
  });
  return erased;
}

size_t MutableStream::Trim(const StreamTrim& trim) {
  if (!slot_.exists()) return 0;
  const bool by_size = trim.by == StreamTrim::By::kSize;
  const size_t old_size = view().size();
  size_t size = old_size;
  bool part_left = false;
  EditTree([&](BTree& tree, StreamHead& /*changed*/) {
    while (!tree.empty() && !(by_size && size <= trim.max_size)) {
      const BTreePlace first = tree.view().First();
      const size_t items = first.items();
      if (trim.limit > 0 && old_size - size + items > static_cast<size_t>(trim.limit)) return;
      const bool whole = by_size ? size - items >= trim.max_size
                                 : StreamLeaf(first.bytes()).head().last < trim.min_id;
      part_left = !whole && !trim.whole_leaves;
      if (!whole) return;
      tree.Edit(first, [](BTreeLeafEditor& editor) { editor.set_items(0); });
      size -= items;
    }
  });
  if (part_left) size -= TrimFirstLeaf(trim);
  if (size < old_size) {
    slot_.LogItem(ChangeKind::kTrimEntries, {}, static_cast<int64_t>(size));
  }
  return old_size - size;
}

void MutableStream::SetIds(const StreamId& last_id, std::optional<uint64_t> entries_added,
                           std::optional<StreamId> max_deleted) {
  StreamHead changed = head();
  changed.last_id = last_id;
  changed.entries_added = entries_added.value_or(changed.entries_added);
  changed.max_deleted = max_deleted.value_or(changed.max_deleted);
  Store(changed);
  slot_.LogItem(ChangeKind::kSetStreamIds,
                {StreamIdText(changed.last_id).view(),
                 IntegerText(static_cast<int64_t>(changed.entries_added)).view(),
                 StreamIdText(changed.max_deleted).view()});
}

StreamGroups& MutableStream::OwnGroups() {
  StreamHead changed = head();
  if (changed.groups != nullptr && changed.groups->unique()) return *changed.groups;
  StreamGroups* const old = changed.groups;
  changed.groups = old == nullptr ? StreamGroups::Create() : old->Copy();
  if (old != nullptr) old->Unref();
  Store(changed);
  return *changed.groups;
}

bool MutableStream::CreateGroup(std::string_view name, const StreamId& last_id,
                                int64_t entries_read) {
  if (view().FindGroup(name) != nullptr) return false;
  StreamGroup& group = OwnGroups().by_name[std::string(name)];
  group.last_id = last_id;
  group.entries_read = entries_read;
  slot_.LogItem(ChangeKind::kCreateGroup,
                {name, StreamIdText(last_id).view(), IntegerText(entries_read).view()});
  return true;
}

bool MutableStream::DestroyGroup(std::string_view name) {
  if (view().FindGroup(name) == nullptr) return false;
  StreamGroups::Map& groups = OwnGroups().by_name;
  groups.erase(groups.find(name));
  if (groups.empty()) {
    StreamHead changed = head();
    changed.groups->Unref();
    changed.groups = nullptr;
    Store(changed);
  }
  slot_.LogItem(ChangeKind::kDestroyGroup, {name});
  return true;
}

void MutableStream::AppendLeaf(std::string_view bytes, size_t items) {
  EditTree([&](BTree& tree, StreamHead& /*changed*/) { tree.AppendLeaf(bytes, items); });
}

void MutableStream::SetHead(const StreamId& last_id, const StreamId& max_deleted,
                            uint64_t entries_added) {
  StreamHead changed = head();
  changed.last_id = last_id;
  changed.max_deleted = max_deleted;
  changed.entries_added = entries_added;
  Store(changed);
}

MutableStreamGroup::MutableStreamGroup(MutableStream& stream, std::string_view name)
    : slot_(stream.slot_), name_(name), group_(stream.OwnGroups().by_name.find(name)->second) {}

void MutableStreamGroup::SetPosition(const StreamId& last_id, int64_t entries_read) {
  group_.last_id = last_id;
  group_.entries_read = entries_read;
  slot_.LogItem(ChangeKind::kSetGroup,
                {name_, StreamIdText(last_id).view(), IntegerText(entries_read).view()});
}

void MutableStreamGroup::CreateConsumer(std::string_view name, int64_t now_ms) {
  group_.Create(name, now_ms);
  slot_.LogItem(ChangeKind::kCreateConsumer, {name_, name});
}

size_t MutableStreamGroup::DeleteConsumer(std::string_view name) {
  const size_t pending = group_.Find(name)->pending.size();
  group_.EraseConsumer(name);
  slot_.LogItem(ChangeKind::kDeleteConsumer, {name_, name});
  return pending;
}

void MutableStreamGroup::Note(std::string_view consumer, int64_t now_ms, bool got) {
  StreamConsumer& noted = *group_.Find(consumer);
  noted.seen_ms = now_ms;
  if (got) noted.active_ms = now_ms;
}

void MutableStreamGroup::SetTimes(std::string_view consumer, int64_t seen_ms, int64_t active_ms) {
  StreamConsumer& timed = *group_.Find(consumer);
  timed.seen_ms = seen_ms;
  timed.active_ms = active_ms;
}

size_t MutableStreamGroup::Acknowledge(std::span<const StreamId> ids) {
  std::vector<StreamIdText> texts;
  for (const StreamId& id : ids) {
    if (group_.Drop(id)) texts.emplace_back(id);
  }
  if (texts.empty() || !slot_.logged()) return texts.size();
  std::vector<std::string_view> items = {name_};
  for (const StreamIdText& text : texts) items.push_back(text.view());
  slot_.LogItems(ChangeKind::kAcknowledge, items);
  return texts.size();
}

void MutableStreamGroup::Claim(std::string_view consumer, std::span<const StreamId> ids,
                               int64_t delivered_ms, int64_t deliveries) {
  StreamConsumer& owner = *group_.Find(consumer);
  for (const StreamId& id : ids) group_.Give(owner, id, delivered_ms, deliveries);
  if (!slot_.logged()) return;
  const IntegerText count(deliveries);
  std::vector<StreamIdText> texts(ids.begin(), ids.end());
  std::vector<std::string_view> items = {name_, consumer, count.view()};
  for (const StreamIdText& text : texts) items.push_back(text.view());
  slot_.LogItems(ChangeKind::kClaimEntry, items, delivered_ms);
}

}  // namespace cloakroom
