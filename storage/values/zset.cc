#include "storage/values/zset.h"

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

/// A small set begins with its count.
constexpr size_t kCountSize = sizeof(uint32_t);

uint32_t LoadCount(std::string_view payload) { return LoadUnaligned<uint32_t>(payload.data()); }

ZsetRoots LoadRoots(std::string_view payload) { return LoadUnaligned<ZsetRoots>(payload.data()); }

void ReleaseZset(const ValueView& value) {
  if (value.encoding != Encoding::kBTree) return;
  const ZsetRoots roots = LoadRoots(value.payload);
  UnrefBTree(roots.order);
  UnrefTrie(roots.scores);
}

size_t CostOfReleasingZset(const ValueView& value) {
  // Estimates the number of leaves of both trees: counting them would cost as much.
  constexpr size_t kTypicalItems = 16;
  if (value.encoding != Encoding::kBTree) return 0;
  const ZsetRoots roots = LoadRoots(value.payload);
  return roots.order != nullptr && roots.order->unique()
             ? 1 + BTreeItems(roots.order) / kTypicalItems
             : 1;
}

void ShareRoots(const ValueView& value) {
  if (value.encoding != Encoding::kBTree) return;
  const ZsetRoots roots = LoadRoots(value.payload);
  roots.order->Ref();
  roots.scores->Ref();
}

size_t Memory(const ValueView& value, size_t samples) {
  if (value.encoding != Encoding::kBTree) return 0;
  return ZsetTreeView(LoadRoots(value.payload)).Memory(samples);
}

std::string_view NameEncodingOfZset(const ValueView& value) {
  return value.outgrown || value.encoding == Encoding::kBTree ? "skiplist" : "listpack";
}

size_t SizeOfZset(const ValueView& value, int64_t /*now_ms*/) { return Zset(value).size(); }

void ForEachMemberOfZset(const ValueView& value, absl::FunctionRef<void(const Item&)> fn,
                         int64_t /*now_ms*/) {
  Zset(value).ForEach([&](const ScoredItem& item) {
    const ScoreText score(item.score);
    fn({.field = item.member, .value = {.bytes = score.view()}});
  });
}

}  // namespace

constinit const TypeOps kZsetOps = {.type = ValueType::kZset,
                                    .name = "zset",
                                    .redis_number = 3,
                                    .has_values = true,
                                    .release = ReleaseZset,
                                    .release_cost = CostOfReleasingZset,
                                    .share = ShareRoots,
                                    .memory = Memory,
                                    .encoding_name = NameEncodingOfZset,
                                    .size = SizeOfZset,
                                    .for_each = ForEachMemberOfZset};

ZsetTreeView Zset::tree() const { return ZsetTreeView(LoadRoots(payload_)); }

std::string_view Zset::run() const {
  return payload_.empty() ? payload_ : payload_.substr(kCountSize);
}

size_t Zset::size() const {
  if (is_tree()) return tree().size();
  return payload_.empty() ? 0 : LoadCount(payload_);
}

std::optional<double> Zset::Score(std::string_view member) const {
  if (is_tree()) return tree().Score(member);
  std::optional<double> score;
  ForEachScored(run(), [&](const ScoredItem& item) {
    if (item.member != member) return true;
    score = item.score;
    return false;
  });
  return score;
}

std::optional<size_t> Zset::Rank(std::string_view member) const {
  const std::optional<double> score = Score(member);
  if (!score) return std::nullopt;
  const ScoredItem wanted = {.score = *score, .member = member};
  return CountBefore(OrderKeyOf(*score),
                     [&](const ScoredItem& item) { return ComesBefore(item, wanted); });
}

size_t Zset::CountBelow(double score, bool or_equal) const {
  return CountBefore(OrderKeyOf(score), [&](const ScoredItem& item) {
    return or_equal ? item.score <= score : item.score < score;
  });
}

size_t Zset::CountBelowMember(std::string_view member, bool or_equal) const {
  if (empty()) return 0;
  return CountBefore(OrderKeyOf(At(0).score), [&](const ScoredItem& item) {
    return or_equal ? item.member <= member : item.member < member;
  });
}

size_t Zset::CountBefore(uint64_t key, ScoredPredicate before) const {
  if (is_tree()) return tree().CountBefore(key, before);
  size_t count = 0;
  ForEachScored(run(), [&](const ScoredItem& item) {
    if (!before(item)) return false;
    ++count;
    return true;
  });
  return count;
}

ScoredItem Zset::At(size_t rank) const {
  if (is_tree()) return tree().At(rank);
  return ScoredItemAt(run(), ScoredItemOffset(run(), rank));
}

void Zset::ForRange(size_t first, size_t count, bool descending, ScoredFn fn) const {
  if (count == 0) return;
  if (is_tree()) return tree().ForRange(first, count, descending, fn);
  if (descending) return ForEachScoredBackwards(run(), first, first + count, fn);
  ForEachScored(run().substr(ScoredItemOffset(run(), first)), [&](const ScoredItem& item) {
    fn(item);
    return --count > 0;
  });
}

uint64_t Zset::Scan(uint64_t cursor, size_t count, ScoredFn fn) const {
  if (is_tree()) return tree().Scan(cursor, count, fn);
  ForEach(fn);
  return 0;
}

Zset MutableZset::view() const {
  return slot_.exists() ? Zset(slot_.encoding(), slot_.bytes()) : Zset();
}

// Takes the tree out of its slot for a change, and puts its new roots back.
template <typename Change>
void MutableZset::ChangeTree(Change change) {
  ZsetTree tree(LoadRoots(slot_.bytes()));
  change(tree);
  const bool empty = tree.size() == 0;
  const ZsetRoots roots = tree.Release();
  if (empty) return slot_.Remove();
  StoreUnaligned(slot_.data(), roots);
}

void MutableZset::Prepare(size_t members, size_t longest) {
  const bool many = members > limits_.zset_max_listpack_entries;
  const bool outgrown = longest > limits_.zset_max_listpack_value_bytes;
  if (!many && !outgrown) return;
  slot_.Create(Zset::kType, many ? Encoding::kBTree : Encoding::kPacked);
  if (many) {
    StoreUnaligned(slot_.Splice(0, 0, sizeof(ZsetRoots)), ZsetRoots());
  } else {
    StoreUnaligned(slot_.Splice(0, 0, kCountSize), uint32_t{0});
  }
  slot_.set_outgrown(outgrown);
}

bool MutableZset::Put(std::string_view member, double score) {
  const std::optional<double> old_score = view().Score(member);
  Put(member, score, old_score);
  return !old_score;
}

void MutableZset::Put(std::string_view member, double score, std::optional<double> old_score) {
  if (old_score && *old_score == score) return;
  if (slot_.logged()) slot_.LogItem(ChangeKind::kSetScore, {ScoreText(score).view(), member});
  if (slot_.exists() && is_tree()) {
    return ChangeTree([&](ZsetTree& tree) {
      old_score ? tree.Move(member, *old_score, score)
                : tree.Add({.score = score, .member = member});
    });
  }
  if (old_score) {
    const size_t rank = *view().Rank(member);
    const size_t at = kCountSize + ScoredItemOffset(view().run(), rank);
    slot_.Splice(at, ScoredItemAt(slot_.bytes(), at).end - at, 0);
    StoreUnaligned(slot_.data(), LoadCount(slot_.bytes()) - 1);
  }
  AddPacked({.score = score, .member = member});
}

void MutableZset::AddPacked(ScoredItem item) {
  if (!slot_.exists()) {
    slot_.Create(Zset::kType, Encoding::kPacked);
    StoreUnaligned(slot_.Splice(0, 0, kCountSize), uint32_t{0});
  }
  const uint32_t count = LoadCount(slot_.bytes()) + 1;
  if (item.member.size() > limits_.zset_max_listpack_value_bytes) slot_.set_outgrown(true);
  const bool many = count > limits_.zset_max_listpack_entries;
  if (item.score == 0 && !many && !slot_.outgrown()) item.score = 0;  // without its sign
  const Zset before = view();
  const size_t rank = before.CountBefore(
      OrderKeyOf(item.score), [&](const ScoredItem& other) { return ComesBefore(other, item); });
  InsertScored(slot_, kCountSize + ScoredItemOffset(before.run(), rank), item);
  StoreUnaligned(slot_.data(), count);
  if (many || slot_.size() > kMaxPackedBytes) BecomeTree();
}

void MutableZset::BecomeTree() {
  const ZsetRoots roots = ZsetTree::Of(view().run()).Release();
  slot_.set_encoding(Encoding::kBTree);
  StoreUnaligned(slot_.Splice(0, slot_.size(), sizeof(roots)), roots);
}

bool MutableZset::Remove(std::string_view member) {
  const std::optional<double> score = view().Score(member);
  if (!score) return false;
  slot_.LogItem(ChangeKind::kRemoveScore, {member});
  if (is_tree()) {
    ChangeTree([&](ZsetTree& tree) { tree.Remove({.score = *score, .member = member}); });
  } else {
    RemovePacked(*view().Rank(member), 1);
  }
  return true;
}

void MutableZset::RemovePacked(size_t first, size_t count) {
  const uint32_t left = LoadCount(slot_.bytes()) - static_cast<uint32_t>(count);
  if (left == 0) return slot_.Remove();
  const std::string_view run = view().run();
  const size_t from = ScoredItemOffset(run, first);
  const size_t size = ScoredItemOffset(run.substr(from), count);
  slot_.Splice(kCountSize + from, size, 0);
  StoreUnaligned(slot_.data(), left);
}

void MutableZset::RemoveRange(size_t first, size_t count) {
  if (count == 0) return;
  const auto log = [&](const ScoredItem& item) {
    slot_.LogItem(ChangeKind::kRemoveScore, {item.member});
  };
  if (is_tree()) {
    return ChangeTree([&](ZsetTree& tree) { tree.RemoveRange(first, count, log); });
  }
  view().ForRange(first, count, /*descending=*/false, log);
  RemovePacked(first, count);
}

}  // namespace cloakroom
