#include <cstdint>

#include "replication/rdb/listpack.h"
#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "replication/rdb/ziplist.h"
#include "storage/values/list.h"

namespace cloakroom {
namespace {

// The containers of a quicklist's nodes from version 10 on: one element as it is, or a listpack.
constexpr uint64_t kPlainNode = 1;
constexpr uint64_t kPackedNode = 2;

constexpr std::string_view kBadZiplist = "Ziplist integrity check failed.";
constexpr std::string_view kBadListpack = "Listpack integrity check failed.";

// The form that every version of Redis reads.
void EncodeList(RdbEncoder& out, const EntryView& entry) {
  const List list(entry.value);
  out.BeginRecord(rdb::kList, entry);
  out.Length(list.size());
  list.ForEach(0, list.size(), [&](std::string_view element) { out.String(element); });
}

/// A list being decoded. Its encoding follows from what it holds in the end.
class Elements {
 public:
  explicit Elements(RdbDecoding& in) : in_(in), list_(in.slot, in.limits) {}
  ~Elements() { list_.SettleEncoding(); }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  void Add(std::string_view element) { list_.Push(ListEnd::kBack, element); }

  template <typename Reader>
  void AddAll(std::string_view bytes, std::string_view error) {
    Reader reader(bytes);
    RdbText element;
    while (in_.cursor.ok() && reader.Next(element)) Add(element.view());
    if (!reader.complete()) in_.cursor.Fail(error);
  }

 private:
  RdbDecoding& in_;
  MutableList list_;
};

void DecodeList(RdbDecoding& in) {
  Elements elements(in);
  in.Repeat([&] {
    const std::string_view element = in.String(in.first);
    if (in.cursor.ok()) elements.Add(element);
  });
}

void DecodeZiplist(RdbDecoding& in) {
  const std::string_view bytes = in.String(in.first);
  if (in.cursor.ok()) Elements(in).AddAll<ZiplistReader>(bytes, kBadZiplist);
}

void DecodeQuicklist(RdbDecoding& in) {
  Elements elements(in);
  in.Repeat([&] {
    const std::string_view bytes = in.String(in.first);
    if (in.cursor.ok()) elements.AddAll<ZiplistReader>(bytes, kBadZiplist);
  });
}

void DecodeQuicklist2(RdbDecoding& in) {
  Elements elements(in);
  in.Repeat([&] {
    const uint64_t container = in.cursor.Length();
    const std::string_view bytes = in.String(in.first);
    if (!in.cursor.ok()) return;
    if (container == kPlainNode) {
      elements.Add(bytes);
    } else if (container == kPackedNode) {
      elements.AddAll<ListpackReader>(bytes, kBadListpack);
    } else {
      in.cursor.Fail("Quicklist integrity check failed.");
    }
  });
}

constexpr RdbLayout kListLayouts[] = {
    {rdb::kList, DecodeList},
    {rdb::kListZiplist, DecodeZiplist},
    {rdb::kQuicklist, DecodeQuicklist},
    {rdb::kQuicklist2, DecodeQuicklist2},
};

}  // namespace

constinit const RdbCodec kListCodec = {
    .type = ValueType::kList, .encode = EncodeList, .layouts = kListLayouts};

}  // namespace cloakroom
