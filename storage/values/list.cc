#include "storage/values/list.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kTreePayload = sizeof(BTreePart*) + sizeof(uint64_t);
/// A listpack's header and end, in Redis.
constexpr size_t kListpackFrame = 7;

/// What a run's erase and append do for a leaf; the tree counts the items.
void EraseInLeaf(BTreeLeafEditor& leaf, size_t first, size_t count) {
  ListRun(leaf).Erase(first, count);
}
void AppendToLeaf(BTreeLeafEditor& leaf, std::string_view other) { ListRun(leaf).Append(other); }

/// Reading a tree needs no limits.
constexpr LeafFormat kReadFormat = {.max_bytes = kMaxListRunBytes,
                                    .max_items = UINT16_MAX,
                                    .erase = EraseInLeaf,
                                    .append = AppendToLeaf};

/// What list-max-listpack-size allows in a listpack.
struct ListpackLimit {
  size_t bytes;
  size_t elements;
  /// A limit of elements comes with one of bytes for a list that grows.
  bool Exceeds(size_t its_bytes, size_t its_elements) const {
    constexpr size_t kSafetyBytes = 8192;
    if (bytes != SIZE_MAX) return its_bytes > bytes;
    return its_bytes > kSafetyBytes || its_elements > elements;
  }
};

ListpackLimit LimitOf(int setting) {
  constexpr int kLastLevel = 5;
  constexpr size_t kFirstLevelBytes = 4096;
  if (setting >= 0) return {SIZE_MAX, static_cast<size_t>(std::max(setting, 1))};
  return {kFirstLevelBytes << (-std::max(setting, -kLastLevel) - 1), SIZE_MAX};
}

LeafFormat FormatOf(int setting) {
  const ListpackLimit limit = LimitOf(setting);
  LeafFormat format = kReadFormat;
  format.max_bytes = std::min(limit.bytes, kMaxListRunBytes);
  format.max_items = std::min<size_t>(limit.elements, UINT16_MAX);
  return format;
}

BTreePart* LoadTreeRoot(std::string_view payload) {
  return LoadUnaligned<BTreePart*>(payload.data());
}
size_t LoadListpackBytes(std::string_view payload) {
  return LoadUnaligned<uint64_t>(payload.data() + sizeof(BTreePart*));
}
BTreeView TreeOf(std::string_view payload) { return BTreeView(LoadTreeRoot(payload)); }

size_t ListpackBytesOf(const BTreeView& tree, size_t first, size_t count) {
  size_t bytes = 0;
  if (count == 0) return 0;
  for (BTreePlace place = tree.At(first);; place.Next()) {
    const size_t skipped = first - place.before;
    const size_t here = std::min(count, place.items() - skipped);
    bytes += ListRunView(place.bytes()).ListpackSize(skipped, here);
    first += here;
    count -= here;
    // Before the next leaf is looked at, which may not be in the cache.
    if (count == 0) return bytes;
  }
}

/// Erases equal elements of one run. Returns how many.
size_t EraseEqualInRun(ListRun run, const ListCode& element, ListEnd from, size_t limit) {
  std::vector<size_t> found;
  const size_t size = run.view().size();
  ListRunCursor cursor = run.view().At(from == ListEnd::kFront ? 0 : size);
  for (size_t seen = 0; seen < size && found.size() < limit; ++seen) {
    if (from == ListEnd::kBack) cursor.Previous();
    if (cursor.Is(element)) found.push_back(cursor.index());
    if (from == ListEnd::kFront) cursor.Next();
  }
  // From the back, so that the other indexes remain right.
  std::ranges::sort(found, std::greater<>());
  for (const size_t index : found) run.Erase(index, 1);
  return found.size();
}

void ReleaseList(const ValueView& value) {
  if (value.encoding == Encoding::kBTree) UnrefBTree(LoadTreeRoot(value.payload));
}

size_t CostOfReleasingList(const ValueView& value) {
  constexpr size_t kTypicalLeafItems = 64;
  if (value.encoding != Encoding::kBTree) return 0;
  const BTreePart* const root = LoadTreeRoot(value.payload);
  return root->unique() ? 1 + BTreeItems(root) / kTypicalLeafItems : 1;
}

void ShareList(const ValueView& value) {
  if (value.encoding == Encoding::kBTree) LoadTreeRoot(value.payload)->Ref();
}

size_t MemoryOfList(const ValueView& value, size_t samples) {
  return value.encoding == Encoding::kBTree ? TreeOf(value.payload).Memory(samples) : 0;
}

std::string_view NameEncodingOfList(const ValueView& value) {
  return value.outgrown ? "quicklist" : "listpack";
}

size_t SizeOfList(const ValueView& value, int64_t /*now_ms*/) { return List(value).size(); }

void ForEachElement(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                    int64_t /*now_ms*/) {
  const List list(value);
  list.ForEach(0, list.size(), [&](std::string_view element) { fn({.field = element}); });
}

}  // namespace

constinit const TypeOps kListOps = {.type = ValueType::kList,
                                    .name = "list",
                                    .redis_number = 1,
                                    .ordered = true,
                                    .release = ReleaseList,
                                    .release_cost = CostOfReleasingList,
                                    .share = ShareList,
                                    .memory = MemoryOfList,
                                    .encoding_name = NameEncodingOfList,
                                    .size = SizeOfList,
                                    .for_each = ForEachElement};

ListCursor::ListCursor(std::string_view run, size_t index)
    : run_(run, index), index_(index), size_(ListRunView(run).size()) {}

ListCursor::ListCursor(const BTreeView& tree, size_t index)
    : place_(tree.At(index)),
      run_(place_.bytes(), index - place_.before),
      index_(index),
      size_(tree.size()) {}

void ListCursor::Next() {
  index_ += 1;
  run_.Next();
  if (!place_.valid() || index_ - place_.before < place_.items()) return;
  if (place_.Next()) run_ = ListRunCursor(place_.bytes(), 0);
}

void ListCursor::Previous() {
  index_ -= 1;
  if (!at()) return;
  if (place_.valid() && index_ < place_.before) {
    place_.Previous();
    run_ = ListRunCursor(place_.bytes(), place_.items());
  }
  run_.Previous();
}

size_t List::size() const {
  if (payload_.empty()) return 0;
  return encoding_ == Encoding::kBTree ? TreeOf(payload_).size() : ListRunView(payload_).size();
}

ListCursor List::At(size_t index) const {
  if (encoding_ == Encoding::kBTree) return ListCursor(TreeOf(payload_), index);
  return ListCursor(payload_, index);
}

void List::ForEach(size_t first, size_t count, absl::FunctionRef<void(std::string_view)> fn) const {
  if (count == 0) return;
  for (ListCursor cursor = At(first); count > 0; --count, cursor.Next()) {
    fn(cursor.element().view());
  }
}

MutableList::MutableList(ValueSlot& slot, const EncodingLimits& limits)
    : slot_(slot),
      listpack_limit_(limits.list_max_listpack_size),
      format_(FormatOf(limits.list_max_listpack_size)) {}

List MutableList::view() const {
  return slot_.exists() ? List(slot_.encoding(), slot_.bytes()) : List();
}

BTree MutableList::TakeTree() const { return BTree(LoadTreeRoot(slot_.bytes()), format_); }

void MutableList::PutTree(BTree tree, size_t listpack_bytes) {
  if (tree.empty()) return slot_.Remove();
  const BTreePlace first = tree.view().First();
  // Half of a run's limits, so that it does not become a tree and a run in turns.
  if (first.items() == tree.size() && first.bytes().size() <= format_.max_bytes / 2 &&
      first.items() <= format_.max_items / 2) {
    slot_.set_encoding(Encoding::kPacked);
    StoreBytes(slot_.Splice(0, slot_.size(), first.bytes().size()), first.bytes());
    return;
  }
  StoreUnaligned<uint64_t>(StoreUnaligned(slot_.data(), tree.Release()), listpack_bytes);
}

void MutableList::BecomeTree() {
  const size_t elements = view().size();
  const size_t listpack_bytes = ListRunView(slot_.bytes()).ListpackSize(0, elements);
  BTree tree(format_);
  tree.AppendLeaf(slot_.bytes(), elements);
  slot_.set_encoding(Encoding::kBTree);
  char* const payload = slot_.Splice(0, slot_.size(), kTreePayload);
  StoreUnaligned<uint64_t>(StoreUnaligned(payload, tree.Release()), listpack_bytes);
}

void MutableList::Push(ListEnd end, std::span<const std::string_view> elements) {
  size_t bytes = 0;
  for (const std::string_view element : elements) bytes += element.size();
  const bool created = !slot_.exists();
  if (created) {
    slot_.Create(ValueType::kList, Encoding::kPacked);
    StoreBytes(slot_.Splice(0, 0, ListRun::kEmpty.size()), ListRun::kEmpty);
  }
  NoteGrowth(elements.size(), bytes);
  for (const std::string_view element : elements) {
    slot_.LogItem(end == ListEnd::kFront ? ChangeKind::kPushFront : ChangeKind::kPushBack,
                  {element});
    PushOne(end, ListCode(element));
  }
}

void MutableList::PushOne(ListEnd end, const ListCode& element) {
  if (!is_tree()) return InsertAt(end == ListEnd::kFront ? 0 : view().size(), element);
  const size_t listpack_bytes = LoadListpackBytes(slot_.bytes()) + element.ListpackSize();
  BTree tree = TakeTree();
  const BTreePlace place = end == ListEnd::kFront ? tree.view().First() : tree.view().Last();
  // A full leaf stays as it is. It would grow into another size class of the allocator before it
  // were split.
  if (place.bytes().size() + element.size() > format_.max_bytes ||
      place.items() >= format_.max_items) {
    BTreeLeafEditor run(BTreeLeaf::Create(ListRun::kEmpty, 0));
    ListRun(run).Insert(0, element);
    if (end == ListEnd::kFront) {
      tree.PrependLeaf(run.bytes(), 1);
    } else {
      tree.AppendLeaf(run.bytes(), 1);
    }
    BTreeLeaf::Free(run.leaf());
  } else {
    tree.Edit(place, [&](BTreeLeafEditor& leaf) {
      ListRun(leaf).Insert(end == ListEnd::kFront ? 0 : leaf.items(), element);
      leaf.set_items(leaf.items() + 1);
    });
  }
  StoreUnaligned<uint64_t>(StoreUnaligned(slot_.data(), tree.Release()), listpack_bytes);
}

void MutableList::InsertAt(size_t index, const ListCode& element) {
  if (!is_tree()) {
    ListRun run(slot_);
    const size_t elements = run.view().size();
    const bool fits =
        slot_.size() + element.size() <= format_.max_bytes && elements < format_.max_items;
    if (fits || elements == 0) run.Insert(index, element);
    if (fits) return;
    BecomeTree();
    if (elements == 0) return;
    if (index == 0) return PushOne(ListEnd::kFront, element);
    if (index == elements) return PushOne(ListEnd::kBack, element);
  }
  const size_t listpack_bytes = LoadListpackBytes(slot_.bytes()) + element.ListpackSize();
  BTree tree = TakeTree();
  const BTreePlace place = tree.view().At(index);
  tree.Edit(place, [&](BTreeLeafEditor& leaf) {
    ListRun(leaf).Insert(index - place.before, element);
    leaf.set_items(leaf.items() + 1);
  });
  StoreUnaligned<uint64_t>(StoreUnaligned(slot_.data(), tree.Release()), listpack_bytes);
}

void MutableList::Pop(ListEnd end, size_t count) {
  slot_.LogItem(end == ListEnd::kFront ? ChangeKind::kPopFront : ChangeKind::kPopBack, {},
                static_cast<int64_t>(count));
  Erase(end == ListEnd::kFront ? 0 : view().size() - count, count);
  NoteShrinking();
}

void MutableList::Erase(size_t first, size_t count) {
  if (!is_tree()) {
    ListRun run(slot_);
    run.Erase(first, count);
    if (run.view().size() == 0) slot_.Remove();
    return;
  }
  BTree tree = TakeTree();
  const size_t size = tree.size();
  size_t listpack_bytes = LoadListpackBytes(slot_.bytes());
  // Reads what is erased or what is left, whichever is less.
  if (count <= size / 2) {
    listpack_bytes -= ListpackBytesOf(tree.view(), first, count);
  } else {
    listpack_bytes = ListpackBytesOf(tree.view(), 0, first) +
                     ListpackBytesOf(tree.view(), first + count, size - first - count);
  }
  tree.Erase(first, count);
  PutTree(std::move(tree), listpack_bytes);
}

void MutableList::Set(size_t index, std::string_view element) {
  const ListCode code(element);
  if (view().At(index).Is(code)) return;
  NoteGrowth(1, element.size());
  slot_.LogItem(ChangeKind::kSetElement, {element}, static_cast<int64_t>(index));
  // In this order, since erasing the only element would remove the list.
  InsertAt(index, code);
  Erase(index + 1, 1);
  NoteShrinking();
}

void MutableList::Insert(size_t index, std::string_view element) {
  NoteGrowth(1, element.size());
  const ListCode code(element);
  if (index == 0) return PushOne(ListEnd::kFront, code);
  if (index == view().size()) return PushOne(ListEnd::kBack, code);
  InsertAt(index, code);
}

void MutableList::Trim(size_t first, size_t count) {
  const size_t behind = view().size() - first - count;
  if (behind > 0) Erase(first + count, behind);
  if (first > 0) Erase(0, first);
  NoteShrinking();
}

size_t MutableList::EraseEqual(std::string_view element, ListEnd from, size_t limit) {
  const ListCode code(element);
  size_t erased = 0;
  if (is_tree()) {
    erased = EraseEqualInTree(code, from, limit);
  } else {
    erased = EraseEqualInRun(ListRun(slot_), code, from, limit);
    if (view().empty()) slot_.Remove();
  }
  if (erased > 0) NoteShrinking();
  return erased;
}

size_t MutableList::EraseEqualInTree(const ListCode& element, ListEnd from, size_t limit) {
  BTree tree = TakeTree();
  size_t erased = 0;
  // Places are invalid after a change, so that it goes on by index: `rest` elements are still to be
  // looked at.
  for (size_t rest = tree.size(); rest > 0 && erased < limit;) {
    const BTreePlace place =
        tree.view().At(from == ListEnd::kFront ? tree.size() - rest : rest - 1);
    // A merge with a neighbour brings elements into the leaf that were looked at before; they hold
    // no equal one.
    const size_t here = from == ListEnd::kFront
                            ? place.before + place.items() - (tree.size() - rest)
                            : rest - place.before;
    rest -= here;
    size_t found = 0;
    for (ListRunCursor cursor(place.bytes(), 0); cursor.index() < place.items(); cursor.Next()) {
      found += cursor.Is(element) ? 1 : 0;
    }
    if (found == 0) continue;
    tree.Edit(place, [&](BTreeLeafEditor& leaf) {
      const size_t here_erased = EraseEqualInRun(ListRun(leaf), element, from, limit - erased);
      leaf.set_items(leaf.items() - here_erased);
      erased += here_erased;
    });
  }
  const size_t listpack_bytes = LoadListpackBytes(slot_.bytes()) - erased * element.ListpackSize();
  PutTree(std::move(tree), listpack_bytes);
  return erased;
}

size_t MutableList::ListpackBytes() const {
  const size_t elements = is_tree() ? LoadListpackBytes(slot_.bytes())
                                    : ListRunView(slot_.bytes()).ListpackSize(0, view().size());
  return kListpackFrame + elements;
}

void MutableList::NoteGrowth(size_t elements, size_t bytes) {
  if (slot_.outgrown()) return;
  const ListpackLimit limit = LimitOf(listpack_limit_);
  const size_t all = view().size() + elements;
  // No element has more than this beside what it has in our run. So a small list need not be
  // measured.
  constexpr size_t kMostBeside = 5;
  if (!is_tree() &&
      !limit.Exceeds(kListpackFrame + slot_.size() + view().size() * kMostBeside + bytes, all)) {
    return;
  }
  if (limit.Exceeds(ListpackBytes() + bytes, all)) slot_.set_outgrown(true);
}

void MutableList::NoteShrinking() {
  if (!slot_.exists() || !slot_.outgrown()) return;
  const ListpackLimit limit = LimitOf(listpack_limit_);
  // Half of the limit, as in Redis: a list at the limit does not change its encoding each time.
  if (limit.bytes != SIZE_MAX ? ListpackBytes() <= limit.bytes / 2
                              : view().size() <= limit.elements / 2) {
    slot_.set_outgrown(false);
  }
}

void MutableList::SettleEncoding() {
  if (!slot_.exists()) return;
  const ListpackLimit limit = LimitOf(listpack_limit_);
  slot_.set_outgrown(limit.bytes != SIZE_MAX ? ListpackBytes() > limit.bytes
                                             : view().size() > limit.elements);
}

}  // namespace cloakroom
