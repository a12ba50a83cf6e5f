#include <cstddef>
#include <string>

#include "replication/rdb/listpack.h"
#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "storage/base/unaligned.h"
#include "storage/values/int_set.h"
#include "storage/values/set.h"

namespace cloakroom {
namespace {

// An int set is its width in bytes and its count, four bytes each, and the integers, ascending.

constexpr int64_t kNoMemberExpiry = 0;
constexpr std::string_view kBadExpiries = "the expiries are not those of the set's members";
constexpr std::string_view kBadIntset = "Intset integrity check failed.";

void EncodeIntset(RdbEncoder& out, const EntryView& entry) {
  // Ours has the width in one byte, the integers behind it, and no count.
  const std::string_view payload = entry.value.payload;
  std::string blob(2 * sizeof(uint32_t), '\0');
  StoreUnaligned(StoreUnaligned(blob.data(), static_cast<uint32_t>(payload[0])),
                 static_cast<uint32_t>(IntSetView(payload).size()));
  blob.append(payload.substr(1));
  out.BeginRecord(rdb::kSetIntset, entry);
  out.String(blob);
}

/// The members' expiries in the order of the members; empty if none expires.
std::string ExpiriesOf(const Set& set, size_t members) {
  std::string expiries;
  if (set.NextExpiry() == kNever) return expiries;
  expiries.reserve(members * sizeof(int64_t));
  set.ForEachItem([&](const Item& item) {
    const bool expires = item.expires_at_ms != kNever;
    const int64_t at_ms = expires ? item.expires_at_ms : kNoMemberExpiry;
    expiries.append(reinterpret_cast<const char*>(&at_ms), sizeof(at_ms));
  });
  return expiries;
}

void EncodeSet(RdbEncoder& out, const EntryView& entry) {
  if (entry.value.encoding == Encoding::kIntSet) return EncodeIntset(out, entry);
  const Set set(entry.value, out.options().now_ms);
  const size_t members = set.size();
  if (members == 0) return;
  out.BeginRecord(rdb::kSet, entry, ExpiriesOf(set, members));
  out.Length(members);
  set.ForEach([&](std::string_view member) { out.String(member); });
}

void Add(RdbDecoding& in, std::string_view member) {
  if (!MutableSet(in.slot, in.limits).Add(member)) in.cursor.Fail("duplicate set member");
}

void DecodeSet(RdbDecoding& in) {
  RdbCursor expiries(in.item_expiries);
  const bool expires = !in.item_expiries.empty();
  in.Repeat([&] {
    const std::string_view member = in.String(in.first);
    if (!in.cursor.ok()) return;
    Add(in, member);
    if (!expires || !in.cursor.ok()) return;
    const int64_t at_ms = expiries.Number<int64_t>();
    if (!expiries.ok() || at_ms < 0) return in.cursor.Fail(kBadExpiries);
    if (at_ms != kNoMemberExpiry) MutableSet(in.slot, in.limits).SetMemberExpiry(member, at_ms);
  });
  if (expires && in.cursor.ok() && !expiries.at_end()) in.cursor.Fail(kBadExpiries);
}

template <typename Int>
int64_t IntAt(std::string_view bytes, size_t index) {
  return LoadUnaligned<Int>(bytes.data() + index * sizeof(Int));
}

void DecodeIntset(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (!in.cursor.ok()) return;
  RdbCursor head(bytes);
  const uint32_t width = head.Number<uint32_t>();
  const uint64_t count = head.Number<uint32_t>();
  const bool right_width = width == 2 || width == 4 || width == 8;
  if (!head.ok() || !right_width || count == 0 || bytes.size() - head.position() != count * width) {
    return in.cursor.Fail(kBadIntset);
  }
  const std::string_view integers = head.Take(count * width);
  int64_t last = 0;
  for (size_t i = 0; i < count && in.cursor.ok(); ++i) {
    const int64_t integer = width == 2   ? IntAt<int16_t>(integers, i)
                            : width == 4 ? IntAt<int32_t>(integers, i)
                                         : IntAt<int64_t>(integers, i);
    if (i > 0 && integer <= last) return in.cursor.Fail(kBadIntset);
    last = integer;
    Add(in, IntegerText(integer).view());
  }
}

void DecodeListpack(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (!in.cursor.ok()) return;
  ListpackReader list(bytes);
  RdbText member;
  while (in.cursor.ok() && list.Next(member)) Add(in, member.view());
  if (!list.complete()) in.cursor.Fail("Set listpack integrity check failed.");
}

constexpr RdbLayout kSetLayouts[] = {
    {rdb::kSet, DecodeSet},
    {rdb::kSetIntset, DecodeIntset},
    {rdb::kSetListpack, DecodeListpack},
};

}  // namespace

constinit const RdbCodec kSetCodec = {
    .type = ValueType::kSet, .encode = EncodeSet, .layouts = kSetLayouts};

}  // namespace cloakroom
