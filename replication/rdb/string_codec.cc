#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

void EncodeString(RdbEncoder& out, const EntryView& entry) {
  out.BeginRecord(rdb::kString, entry);
  out.String(StringView(entry.value).bytes());
}

void DecodeString(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (in.cursor.ok()) MutableString(in.slot).Assign(bytes);
}

constexpr RdbLayout kStringLayouts[] = {{rdb::kString, DecodeString}};

}  // namespace

constinit const RdbCodec kStringCodec = {
    .type = ValueType::kString, .encode = EncodeString, .layouts = kStringLayouts};

}  // namespace cloakroom
