#include "replication/rdb/rdb_decoder.h"

#include "absl/strings/str_cat.h"
#include "replication/rdb/listpack.h"
#include "replication/rdb/ziplist.h"
#include "replication/rdb/zipmap.h"

namespace cloakroom {
namespace {

constexpr std::string_view kBadLzf = "Invalid LZF compressed string";
/// Redis keeps 48 bits of milliseconds for a field.
constexpr int64_t kMaxFieldExpiry = (int64_t{1} << 48) - 1;

template <typename Int>
int64_t IntAt(std::string_view bytes, size_t index) {
  return LoadUnaligned<Int>(bytes.data() + index * sizeof(Int));
}

}  // namespace

struct RdbDecoder::Row {
  uint8_t type;
  Function function;
};

RdbDecoder::Function RdbDecoder::Find(uint8_t type, rdb::Dialect dialect) {
  constexpr Row kRows[] = {
      {rdb::kString, &RdbDecoder::String},
      {rdb::kHash, &RdbDecoder::Hash},
      {rdb::kHashZipmap, &RdbDecoder::HashZipmap},
      {rdb::kHashZiplist, &RdbDecoder::HashZiplist},
      {rdb::kHashListpack, &RdbDecoder::HashListpack},
      {rdb::kSet, &RdbDecoder::Set},
      {rdb::kSetIntset, &RdbDecoder::SetIntset},
      {rdb::kSetListpack, &RdbDecoder::SetListpack},
  };
  constexpr Row kOfRedis[] = {
      {rdb::kHashMetadataOld, &RdbDecoder::HashMetadataOld},
      {rdb::kHashListpackExOld, &RdbDecoder::HashListpackExOld},
      {rdb::kHashMetadata, &RdbDecoder::HashMetadata},
      {rdb::kHashListpackEx, &RdbDecoder::HashListpackEx},
  };
  for (const Row& row : kRows) {
    if (row.type == type) return row.function;
  }
  if (dialect == rdb::Dialect::kValkey) {
    return type == rdb::kValkeyHash2 ? &RdbDecoder::ValkeyHash2 : nullptr;
  }
  for (const Row& row : kOfRedis) {
    if (row.type == type) return row.function;
  }
  return nullptr;
}

bool RdbDecoder::Knows(uint8_t type, rdb::Dialect dialect) {
  return Find(type, dialect) != nullptr;
}

std::optional<std::string> RdbDecoder::Decode(uint8_t type, rdb::Dialect dialect,
                                              std::string_view value, RdbValueVisitor& visitor) {
  const Function function = Find(type, dialect);
  if (function == nullptr) {
    const std::string_view name = rdb::TypeName(type);
    return absl::StrCat("a value of type ", type, " (", absl::string_view(name.data(), name.size()),
                        "), which this version of Cloakroom does not have");
  }
  Job job{RdbCursor(value), visitor};
  (this->*function)(job);
  if (job.cursor.missing() > 0) return "the value ends too early";
  if (!job.cursor.ok()) return job.cursor.error();
  if (!job.cursor.at_end()) return "bytes behind the value";
  return std::nullopt;
}

std::optional<std::string_view> RdbDecoder::Read(Job& job, RdbStringBuffer& buffer) {
  const RdbString string = job.cursor.String();
  if (!job.cursor.ok()) return std::nullopt;
  const std::optional<std::string_view> bytes = buffer.Restore(string);
  if (!bytes) job.cursor.Fail(kBadLzf);
  return bytes;
}

void RdbDecoder::Field(Job& job, std::string_view field, std::string_view value,
                       int64_t expires_at_ms) {
  if (!job.visitor.OnField(field, value, expires_at_ms)) job.cursor.Fail("duplicate hash field");
}

void RdbDecoder::Member(Job& job, std::string_view member) {
  if (!job.visitor.OnMember(member)) job.cursor.Fail("duplicate set member");
}

void RdbDecoder::String(Job& job) {
  if (auto bytes = Read(job, first_)) job.visitor.OnString(*bytes);
}

void RdbDecoder::Hash(Job& job) {
  uint64_t left = job.cursor.Length();
  for (; left > 0 && job.cursor.ok(); --left) {
    const auto field = Read(job, first_);
    const auto value = Read(job, second_);
    if (field && value) Field(job, *field, *value, kNoFieldExpiry);
  }
}

void RdbDecoder::HashMetadata(Job& job) {
  const int64_t first_expiry = job.cursor.Number<int64_t>();
  if (first_expiry < 0 || first_expiry > kMaxFieldExpiry + 1) job.cursor.Fail("invalid expiry");
  TimedFields(job, first_expiry);
}

// Times as they are: as if counted from 1, for 0 stands for none.
void RdbDecoder::HashMetadataOld(Job& job) { TimedFields(job, 1); }

void RdbDecoder::TimedFields(Job& job, int64_t first_expiry) {
  uint64_t left = job.cursor.Length();
  for (; left > 0 && job.cursor.ok(); --left) {
    const uint64_t time = job.cursor.Length();
    const auto field = Read(job, first_);
    const auto value = Read(job, second_);
    if (time > uint64_t{kMaxFieldExpiry}) job.cursor.Fail("invalid expiry of a field");
    const int64_t expires_at_ms =
        time == 0 ? kNoFieldExpiry : first_expiry + static_cast<int64_t>(time) - 1;
    if (field && value && job.cursor.ok()) Field(job, *field, *value, expires_at_ms);
  }
}

void RdbDecoder::ValkeyHash2(Job& job) {
  constexpr int64_t kNever = -1;
  uint64_t left = job.cursor.Length();
  for (; left > 0 && job.cursor.ok(); --left) {
    const auto field = Read(job, first_);
    const auto value = Read(job, second_);
    const int64_t time = job.cursor.Number<int64_t>();
    if (time < kNever) job.cursor.Fail("invalid expiry of a field");
    if (!field || !value || !job.cursor.ok()) return;
    Field(job, *field, *value, time == kNever ? kNoFieldExpiry : time);
  }
}

template <typename List>
void RdbDecoder::Pairs(Job& job) {
  const auto bytes = Read(job, first_);
  if (!bytes) return;
  List list(*bytes);
  RdbText field;
  RdbText value;
  while (job.cursor.ok() && list.Next(field)) {
    if (!list.Next(value)) return job.cursor.Fail("a field without a value");
    Field(job, field.view(), value.view(), kNoFieldExpiry);
  }
  if (!job.cursor.ok()) return;
  if (!list.complete()) return job.cursor.Fail("Hash integrity check failed");
}

void RdbDecoder::HashZipmap(Job& job) { Pairs<ZipmapReader>(job); }
void RdbDecoder::HashZiplist(Job& job) { Pairs<ZiplistReader>(job); }
void RdbDecoder::HashListpack(Job& job) { Pairs<ListpackReader>(job); }

void RdbDecoder::HashListpackEx(Job& job) {
  job.cursor.Number<int64_t>();  // The first expiry, which the fields say as well.
  TimedListpack(job);
}

void RdbDecoder::HashListpackExOld(Job& job) { TimedListpack(job); }

void RdbDecoder::TimedListpack(Job& job) {
  const auto bytes = Read(job, first_);
  if (!bytes) return;
  ListpackReader list(*bytes);
  RdbText field;
  RdbText value;
  RdbText time;
  while (job.cursor.ok() && list.Next(field)) {
    if (!list.Next(value) || !list.Next(time)) return job.cursor.Fail("a field without its expiry");
    const std::optional<int64_t> at = ParseCanonicalInt(time.view());
    if (!at || *at < 0 || *at > kMaxFieldExpiry) {
      return job.cursor.Fail("invalid expiry of a field");
    }
    Field(job, field.view(), value.view(), *at == 0 ? kNoFieldExpiry : *at);
  }
  if (!job.cursor.ok()) return;
  if (!list.complete()) return job.cursor.Fail("Hash integrity check failed");
}

void RdbDecoder::Set(Job& job) {
  uint64_t left = job.cursor.Length();
  for (; left > 0 && job.cursor.ok(); --left) {
    if (const auto member = Read(job, first_)) Member(job, *member);
  }
}

// An int set is its width in bytes and its count, four bytes each, and the integers, ascending.
void RdbDecoder::SetIntset(Job& job) {
  const auto bytes = Read(job, first_);
  if (!bytes) return;
  RdbCursor head(*bytes);
  const uint32_t width = head.Number<uint32_t>();
  const uint64_t count = head.Number<uint32_t>();
  const bool right_width = width == 2 || width == 4 || width == 8;
  if (!head.ok() || !right_width || count == 0 ||
      bytes->size() - head.position() != count * width) {
    return job.cursor.Fail("Intset integrity check failed.");
  }
  const std::string_view integers = head.Take(count * width);
  int64_t last = 0;
  for (size_t i = 0; i < count && job.cursor.ok(); ++i) {
    const int64_t integer = width == 2   ? IntAt<int16_t>(integers, i)
                            : width == 4 ? IntAt<int32_t>(integers, i)
                                         : IntAt<int64_t>(integers, i);
    if (i > 0 && integer <= last) return job.cursor.Fail("Intset integrity check failed.");
    last = integer;
    Member(job, IntegerText(integer).view());
  }
}

void RdbDecoder::SetListpack(Job& job) {
  const auto bytes = Read(job, first_);
  if (!bytes) return;
  ListpackReader list(*bytes);
  RdbText member;
  while (job.cursor.ok() && list.Next(member)) Member(job, member.view());
  if (!job.cursor.ok()) return;
  if (!list.complete()) return job.cursor.Fail("Set listpack integrity check failed.");
}

}  // namespace cloakroom
