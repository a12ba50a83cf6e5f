// Reads the input as a program of changes to a sorted set, which becomes a B+ tree after a few
// members, and compares it, and a copy taken on the way, with a std::set of (score, member).

#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "storage/values/memory_slot.h"
#include "storage/values/zset.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using fuzz::Check;
using Model = std::set<std::pair<double, std::string>>;

Model::iterator Find(Model& model, std::string_view member) {
  auto at = model.begin();
  while (at != model.end() && at->second != member) ++at;
  return at;
}

void RequireEqual(const Zset& zset, const Model& model) {
  Check(zset.size() == model.size());
  auto at = model.begin();
  size_t rank = 0;
  zset.ForEach([&](const ScoredItem& item) {
    Check(item.score == at->first && item.member == at->second);
    Check(zset.Rank(item.member) == rank++);
    Check(zset.Score(item.member) == at++->first);
  });
  Check(at == model.end());
}

/// Several members for each byte of the input, so that few bytes make a tree of many leaves.
std::string MemberOf(uint8_t byte, size_t n) {
  return std::string(byte % 40u, static_cast<char>('a' + byte % 3)) + std::to_string(byte * 7 + n);
}

double ScoreOf(uint8_t byte) {
  constexpr double kScores[] = {0, 0.1, -1e300, 1e300, -3, 1 << 20};
  return byte < std::size(kScores) ? kScores[byte] : byte % 16;
}

void Put(MutableZset& zset, Model& model, uint8_t name, uint8_t score) {
  for (size_t n = 0; n < 8; ++n) {
    const std::string member = MemberOf(name, n);
    const auto old = Find(model, member);
    Check(zset.Put(member, ScoreOf(score)) == (old == model.end()));
    if (old != model.end()) model.erase(old);
    model.emplace(ScoreOf(score), member);
  }
}

void Remove(MutableZset& zset, Model& model, const std::string& member) {
  const auto old = Find(model, member);
  Check(zset.Remove(member) == (old != model.end()));
  if (old != model.end()) model.erase(old);
}

void RemoveRange(MutableZset& zset, Model& model, uint8_t first, uint8_t count) {
  if (model.empty()) return;
  const size_t from = first % model.size();
  const size_t removed = 1 + count % (model.size() - from);
  zset.RemoveRange(from, removed);
  const auto begin = std::next(model.begin(), static_cast<ptrdiff_t>(from));
  model.erase(begin, std::next(begin, static_cast<ptrdiff_t>(removed)));
}

void CheckCounts(const Zset& zset, const Model& model, double score) {
  size_t below = 0;
  size_t equal = 0;
  for (const auto& [of_member, member] : model) {
    below += of_member < score;
    equal += of_member == score;
  }
  Check(zset.CountBelow(score, /*or_equal=*/false) == below);
  Check(zset.CountBelow(score, /*or_equal=*/true) == below + equal);
}

void Run(std::string_view program) {
  const EncodingLimits limits{.zset_max_listpack_entries = 20};
  MemorySlot slot;
  MutableZset zset(slot, limits);
  Model model;
  SharedValue copy = zset.view().Share();
  Model copy_model;
  for (; program.size() >= 3; program.remove_prefix(3)) {
    const auto a = static_cast<uint8_t>(program[1]);
    const auto b = static_cast<uint8_t>(program[2]);
    switch (static_cast<uint8_t>(program[0]) % 8) {
      case 0:
        Remove(zset, model, MemberOf(a, b % 8));
        break;
      case 1:
        RemoveRange(zset, model, a, b);
        break;
      case 2:
        copy = zset.view().Share();
        copy_model = model;
        break;
      case 3:
        CheckCounts(zset.view(), model, ScoreOf(a));
        break;
      default:
        Put(zset, model, a, b);
    }
  }
  RequireEqual(zset.view(), model);
  RequireEqual(Zset(copy.view()), copy_model);
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cloakroom::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
