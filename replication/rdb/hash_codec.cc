#include <algorithm>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "replication/rdb/hash_builder.h"
#include "replication/rdb/listpack.h"
#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "replication/rdb/ziplist.h"
#include "replication/rdb/zipmap.h"
#include "storage/values/hash.h"

namespace cloakroom {
namespace {

/// Redis keeps 48 bits of milliseconds for a field.
constexpr int64_t kMaxFieldExpiry = (int64_t{1} << 48) - 1;
constexpr std::string_view kBadExpiry = "invalid expiry of a field";
constexpr std::string_view kBadHash = "Hash integrity check failed";

absl::Status TooOldFor(const EntryView& entry, int version) {
  return absl::FailedPreconditionError(
      absl::StrCat("key '", absl::CHexEscape(absl::string_view(entry.key.data(), entry.key.size())),
                   "' is a hash with fields that expire, which RDB version ", version,
                   " cannot hold; it takes version ", rdb::kFirstFieldExpiry));
}

void EncodeTimed(RdbEncoder& out, const EntryView& entry, size_t fields) {
  const RdbOptions& options = out.options();
  if (options.version < rdb::kFirstFieldExpiry) return out.Fail(TooOldFor(entry, options.version));
  const Hash hash(entry.value);
  int64_t first = kNever;
  hash.ForEach([&](const Item& item) { first = std::min(first, item.expires_at_ms); },
               options.now_ms);
  out.BeginRecord(rdb::kHashMetadata, entry);
  // All fields that had an expiry have expired, so any time will do.
  out.Number(first == kNever ? int64_t{0} : first);
  out.Length(fields);
  hash.ForEach(
      [&](const Item& item) {
        const bool expires = item.expires_at_ms != kNever;
        out.Length(expires ? static_cast<uint64_t>(item.expires_at_ms - first) + 1 : 0);
        out.String(item.field);
        out.String(item.value.bytes);
      },
      options.now_ms);
}

void EncodeHash(RdbEncoder& out, const EntryView& entry) {
  const Hash hash(entry.value);
  const int64_t now_ms = out.options().now_ms;
  const size_t fields = hash.size(now_ms);
  if (fields == 0) return;
  if (hash.NextExpiry() != kNever) return EncodeTimed(out, entry, fields);
  out.BeginRecord(rdb::kHash, entry);
  out.Length(fields);
  hash.ForEach(
      [&](const Item& item) {
        out.String(item.field);
        out.String(item.value.bytes);
      },
      now_ms);
}

/// A hash being decoded.
class Fields {
 public:
  explicit Fields(RdbDecoding& in) : in_(in), builder_(in.slot, in.limits) {}
  void Add(std::string_view field, std::string_view value, int64_t expires_at_ms = kNever) {
    if (expires_at_ms != kNever && expires_at_ms > kMaxFieldExpiry) in_.cursor.Fail(kBadExpiry);
    if (!in_.cursor.ok()) return;
    if (!builder_.Add(field, value, expires_at_ms)) in_.cursor.Fail("duplicate hash field");
  }

 private:
  RdbDecoding& in_;
  HashBuilder builder_;
};

void DecodeHash(RdbDecoding& in) {
  Fields fields(in);
  in.Repeat([&] {
    const std::string_view field = in.String(in.first);
    const std::string_view value = in.String(in.second);
    if (in.cursor.ok()) fields.Add(field, value);
  });
}

void DecodeTimed(RdbDecoding& in, int64_t first_expiry) {
  Fields fields(in);
  in.Repeat([&] {
    const uint64_t time = in.cursor.Length();
    const std::string_view field = in.String(in.first);
    const std::string_view value = in.String(in.second);
    if (time > uint64_t{kMaxFieldExpiry}) in.cursor.Fail(kBadExpiry);
    if (!in.cursor.ok()) return;
    fields.Add(field, value, time == 0 ? kNever : first_expiry + static_cast<int64_t>(time) - 1);
  });
}

void DecodeMetadata(RdbDecoding& in) {
  const int64_t first_expiry = in.cursor.Number<int64_t>();
  if (first_expiry < 0 || first_expiry > kMaxFieldExpiry + 1) in.cursor.Fail("invalid expiry");
  DecodeTimed(in, first_expiry);
}

// Times are absolute, as if counted from 1, since 0 means none.
void DecodeMetadataOld(RdbDecoding& in) { DecodeTimed(in, 1); }

void DecodeOfValkey(RdbDecoding& in) {
  constexpr int64_t kNone = -1;
  Fields fields(in);
  in.Repeat([&] {
    const std::string_view field = in.String(in.first);
    const std::string_view value = in.String(in.second);
    const int64_t time = in.cursor.Number<int64_t>();
    if (time < kNone) in.cursor.Fail(kBadExpiry);
    if (!in.cursor.ok()) return;
    // Valkey's fields may live longer than our own files can say.
    fields.Add(field, value, time == kNone ? kNever : std::min(time, kMaxFieldExpiry));
  });
}

template <typename List>
void DecodeFieldPairs(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (!in.cursor.ok()) return;
  Fields fields(in);
  List list(bytes);
  RdbText field;
  RdbText value;
  while (in.cursor.ok() && list.Next(field)) {
    if (!list.Next(value)) return in.cursor.Fail("a field without a value");
    fields.Add(field.view(), value.view());
  }
  if (!list.complete()) in.cursor.Fail(kBadHash);
}

void DecodeTimedList(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (!in.cursor.ok()) return;
  Fields fields(in);
  ListpackReader list(bytes);
  RdbText field;
  RdbText value;
  RdbText time;
  while (in.cursor.ok() && list.Next(field)) {
    if (!list.Next(value) || !list.Next(time)) return in.cursor.Fail("a field without its expiry");
    const std::optional<int64_t> at = ParseCanonicalInt(time.view());
    if (!at || *at < 0 || *at > kMaxFieldExpiry) return in.cursor.Fail(kBadExpiry);
    fields.Add(field.view(), value.view(), *at == 0 ? kNever : *at);
  }
  if (!list.complete()) in.cursor.Fail(kBadHash);
}

void DecodeListpackEx(RdbDecoding& in) {
  in.cursor.Number<int64_t>();  // the first expiry, which the fields also have
  DecodeTimedList(in);
}

constexpr RdbLayout kHashLayouts[] = {
    {rdb::kHash, DecodeHash},
    {rdb::kHashZipmap, DecodeFieldPairs<ZipmapReader>},
    {rdb::kHashZiplist, DecodeFieldPairs<ZiplistReader>},
    {rdb::kHashListpack, DecodeFieldPairs<ListpackReader>},
    {rdb::kHashMetadataOld, DecodeMetadataOld, rdb::Dialect::kRedis},
    {rdb::kHashListpackExOld, DecodeTimedList, rdb::Dialect::kRedis},
    {rdb::kHashMetadata, DecodeMetadata, rdb::Dialect::kRedis},
    {rdb::kHashListpackEx, DecodeListpackEx, rdb::Dialect::kRedis},
    {rdb::kValkeyHash2, DecodeOfValkey, rdb::Dialect::kValkey},
};

}  // namespace

constinit const RdbCodec kHashCodec = {
    .type = ValueType::kHash, .encode = EncodeHash, .layouts = kHashLayouts};

}  // namespace cloakroom
