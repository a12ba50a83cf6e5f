#include "replication/rdb/rdb_codec.h"

#include <array>
#include <cstddef>

namespace cloakroom {
namespace {

constexpr const RdbCodec* kCodecs[kValueTypes] = {
    &kStringCodec, &kHashCodec, &kSetCodec, &kListCodec, &kZsetCodec, &kStreamCodec,
};

/// Indexed by the byte, since every record is looked up.
using LayoutTable = std::array<FoundRdbLayout, rdb::kLastType + 1>;

LayoutTable LayoutTableOf(rdb::Dialect dialect) {
  LayoutTable table;
  for (const RdbCodec* codec : kCodecs) {
    if (codec == nullptr) continue;
    for (const RdbLayout& layout : codec->layouts) {
      if (layout.only.value_or(dialect) == dialect) table[layout.type] = {codec, &layout};
    }
  }
  return table;
}

}  // namespace

std::string_view RdbDecoding::String(RdbStringBuffer& buffer) {
  const RdbString string = cursor.String();
  if (!cursor.ok()) return {};
  const absl::StatusOr<std::string_view> bytes = buffer.Restore(string);
  if (bytes.ok()) [[likely]]
    return *bytes;
  cursor.Fail(kInvalidLzf);
  return {};
}

const RdbCodec& RdbCodecOf(ValueType type) { return *kCodecs[static_cast<size_t>(type)]; }

FoundRdbLayout FindRdbLayout(uint8_t type, rdb::Dialect dialect) {
  static const LayoutTable kOfRedis = LayoutTableOf(rdb::Dialect::kRedis);
  static const LayoutTable kOfValkey = LayoutTableOf(rdb::Dialect::kValkey);
  if (type > rdb::kLastType) return {};
  return (dialect == rdb::Dialect::kValkey ? kOfValkey : kOfRedis)[type];
}

}  // namespace cloakroom
