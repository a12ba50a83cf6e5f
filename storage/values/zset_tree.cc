#include "storage/values/zset_tree.h"

#include <string>

namespace cloakroom {
namespace {

uint64_t KeyOfFirst(std::string_view leaf) { return OrderKeyOf(ScoredItemAt(leaf, 0).score); }

constexpr LeafFormat kScoredLeaves = {
    .max_bytes = 2048, .max_items = 64, .offset = ScoredItemOffset, .key = KeyOfFirst};

/// The leaf in which an item is, or belongs.
BTreePlace PlaceOf(const BTreeView& order, const ScoredItem& item) {
  return order.Seek(OrderKeyOf(item.score), [&](std::string_view leaf) {
    return ComesBefore(item, ScoredItemAt(leaf, 0));
  });
}

/// The offset in a run at which an item is, or belongs.
size_t OffsetOf(std::string_view run, const ScoredItem& item) {
  size_t offset = run.size();
  ForEachScored(run, [&](const PlacedItem& other) {
    if (ComesBefore(other, item)) return true;
    offset = other.offset;
    return false;
  });
  return offset;
}

// These visit `count` items from index `first` on. REQUIRES: count > 0, and there are so many.

void WalkForwards(const BTreeView& order, size_t first, size_t count, ScoredFn fn) {
  BTreePlace place = order.At(first);
  size_t skipped = first - place.before;
  do {
    ForEachScored(place.bytes(), [&](const PlacedItem& item) {
      if (skipped > 0) {
        --skipped;
        return true;
      }
      fn(item);
      return --count > 0;
    });
  } while (count > 0 && place.Next());
}

void WalkBackwards(const BTreeView& order, size_t first, size_t count, ScoredFn fn) {
  size_t end = first + count;
  BTreePlace place = order.At(end - 1);
  do {
    const size_t from = first > place.before ? first - place.before : 0;
    ForEachScoredBackwards(place.bytes(), from, end - place.before, fn);
    end = place.before;
  } while (end > first && place.Previous());
}

}  // namespace

BTreeView ZsetTreeView::order() const { return BTreeView(roots_.order); }

std::optional<double> ZsetTreeView::Score(std::string_view member) const {
  const std::optional<PackedItem> found = scores().Find(member);
  if (!found) return std::nullopt;
  return PackedScore::Unpack(found->value.bytes);
}

size_t ZsetTreeView::CountBefore(uint64_t key, ScoredPredicate before) const {
  const BTreePlace place =
      order().Seek(key, [&](std::string_view leaf) { return !before(ScoredItemAt(leaf, 0)); });
  if (!place.valid()) return 0;
  size_t count = place.before;
  ForEachScored(place.bytes(), [&](const PlacedItem& item) {
    const uint64_t its_key = OrderKeyOf(item.score);
    if (its_key > key || (its_key == key && !before(item))) return false;
    ++count;
    return true;
  });
  return count;
}

ScoredItem ZsetTreeView::At(size_t rank) const {
  const BTreePlace place = order().At(rank);
  return ScoredItemAt(place.bytes(), ScoredItemOffset(place.bytes(), rank - place.before));
}

void ZsetTreeView::ForRange(size_t first, size_t count, bool descending, ScoredFn fn) const {
  if (count == 0) return;
  descending ? WalkBackwards(order(), first, count, fn) : WalkForwards(order(), first, count, fn);
}

uint64_t ZsetTreeView::Scan(uint64_t cursor, size_t count, ScoredFn fn) const {
  return scores().Scan(cursor, count, [&](const Item& item) {
    fn({.score = PackedScore::Unpack(item.value.bytes), .member = item.field});
  });
}

size_t ZsetTreeView::Memory(size_t samples) const {
  return order().Memory(samples) + scores().MemoryUsage(samples);
}

ZsetTree::ZsetTree(const ZsetRoots& roots)
    : order_(roots.order, kScoredLeaves), scores_(roots.scores, /*has_values=*/true) {}

ZsetTree ZsetTree::Of(std::string_view run) {
  ZsetTree tree({});
  std::string leaf;
  size_t items = 0;
  ForEachScored(run, [&](const PlacedItem& item) {
    tree.scores_.Put(item.member, PackedScore(item.score).bytes());
    const std::string_view bytes = run.substr(item.offset, item.end - item.offset);
    // A run grows at any place, so its leaves get room.
    if (items > 0 && (items == kScoredLeaves.max_items / 2 ||
                      leaf.size() + bytes.size() > kScoredLeaves.max_bytes / 2)) {
      tree.order_.AppendLeaf(leaf, items);
      leaf.clear();
      items = 0;
    }
    leaf.append(bytes);
    ++items;
    return true;
  });
  if (items > 0) tree.order_.AppendLeaf(leaf, items);
  return tree;
}

void ZsetTree::Place(const ScoredItem& item) {
  order_.Edit(PlaceOf(order_.view(), item), [&](BTreeLeafEditor& leaf) {
    InsertScored(leaf, OffsetOf(leaf.bytes(), item), item);
    leaf.set_items(leaf.items() + 1);
  });
}

void ZsetTree::TakeOut(const ScoredItem& item) {
  order_.Edit(PlaceOf(order_.view(), item), [&](BTreeLeafEditor& leaf) {
    const PlacedItem found = ScoredItemAt(leaf.bytes(), OffsetOf(leaf.bytes(), item));
    leaf.Splice(found.offset, found.end - found.offset, 0);
    leaf.set_items(leaf.items() - 1);
  });
}

void ZsetTree::Add(const ScoredItem& item) {
  Place(item);
  scores_.Put(item.member, PackedScore(item.score).bytes());
}

void ZsetTree::Move(std::string_view member, double old_score, double new_score) {
  TakeOut({.score = old_score, .member = member});
  Add({.score = new_score, .member = member});
}

void ZsetTree::Remove(const ScoredItem& item) {
  TakeOut(item);
  scores_.Erase(item.member);
}

void ZsetTree::RemoveRange(size_t first, size_t count, ScoredFn fn) {
  if (count == 0) return;
  WalkForwards(order_.view(), first, count, [&](const ScoredItem& item) {
    fn(item);
    scores_.Erase(item.member);
  });
  order_.Erase(first, count);
}

}  // namespace cloakroom
