#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "protocol/numbers.h"
#include "replication/rdb/listpack.h"
#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "replication/rdb/ziplist.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

// In kZset a score is a text behind its length in one byte, or one of these bytes alone.
constexpr uint8_t kNan = 253;
constexpr uint8_t kInfinity = 254;
constexpr uint8_t kMinusInfinity = 255;

constexpr std::string_view kBadScore = "invalid score";
constexpr std::string_view kBadZset = "Zset integrity check failed";

// Redis begins with the greatest score, too: each member is then the new first one for a loader.
void EncodeZset(RdbEncoder& out, const EntryView& entry) {
  const Zset zset(entry.value);
  out.BeginRecord(rdb::kZset2, entry);
  out.Length(zset.size());
  zset.ForRange(0, zset.size(), /*descending=*/true, [&](const ScoredItem& item) {
    out.String(item.member);
    out.Number(item.score);
  });
}

void Add(RdbDecoding& in, std::string_view member, double score) {
  if (!in.cursor.ok()) return;
  if (std::isnan(score)) return in.cursor.Fail("Zset with NAN score detected");
  if (!MutableZset(in.slot, in.limits).Put(member, score)) {
    in.cursor.Fail("RDB zset has duplicate fields");
  }
}

double TextScore(RdbDecoding& in) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const uint8_t length = in.cursor.Byte();
  if (length == kInfinity) return kInf;
  if (length == kMinusInfinity) return -kInf;
  if (length == kNan) return std::numeric_limits<double>::quiet_NaN();
  const std::optional<double> score = ParseDouble(in.cursor.Take(length));
  if (!score) in.cursor.Fail(kBadScore);
  return score.value_or(0);
}

void DecodeText(RdbDecoding& in) {
  in.Repeat([&] {
    const std::string_view member = in.String(in.first);
    const double score = TextScore(in);
    Add(in, member, score);
  });
}

/// The size of the longest of the members that come next.
size_t LongestMember(RdbDecoding& in, uint64_t members) {
  const size_t begin = in.cursor.position();
  size_t longest = 0;
  for (uint64_t left = members; left > 0 && in.cursor.ok(); --left) {
    longest = std::max(longest, in.String(in.first).size());
    in.cursor.Number<double>();
  }
  if (in.cursor.ok()) in.cursor.Seek(begin);
  return longest;
}

void DecodeBinary(RdbDecoding& in) {
  const uint64_t members = in.cursor.Length();
  // The encoding is decided first, since a packed sorted set loses the sign of a zero.
  const bool few = members <= in.limits.zset_max_listpack_entries;
  const size_t longest = few ? LongestMember(in, members) : 0;
  if (members > 0 && in.cursor.ok()) MutableZset(in.slot, in.limits).Prepare(members, longest);
  for (uint64_t left = members; left > 0 && in.cursor.ok(); --left) {
    const std::string_view member = in.String(in.first);
    const double score = in.cursor.Number<double>();
    Add(in, member, score);
  }
}

template <typename List>
void DecodeScorePairs(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (!in.cursor.ok()) return;
  List list(bytes);
  RdbText member;
  RdbText score;
  while (in.cursor.ok() && list.Next(member)) {
    if (!list.Next(score)) return in.cursor.Fail("a member without a score");
    const std::optional<double> number = ParseDouble(score.view());
    if (!number) return in.cursor.Fail(kBadScore);
    Add(in, member.view(), *number);
  }
  if (!list.complete()) in.cursor.Fail(kBadZset);
}

constexpr RdbLayout kZsetLayouts[] = {
    {rdb::kZset, DecodeText},
    {rdb::kZset2, DecodeBinary},
    {rdb::kZsetZiplist, DecodeScorePairs<ZiplistReader>},
    {rdb::kZsetListpack, DecodeScorePairs<ListpackReader>},
};

}  // namespace

constinit const RdbCodec kZsetCodec = {
    .type = ValueType::kZset, .encode = EncodeZset, .layouts = kZsetLayouts};

}  // namespace cloakroom
