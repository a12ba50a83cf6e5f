#include <cstdint>
#include <optional>
#include <string>

#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_encoder.h"
#include "replication/rdb/stream_listpack.h"
#include "storage/base/unaligned.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {
namespace {

// A stream is its nodes (first ID, listpack), how many entries it has, and its last ID; in its
// second form also the first ID, the greatest deleted one, and how many entries were ever added;
// then its groups. A group is a name, the last ID that was delivered, in the second form also how
// many entries were read; its pending entries (ID, time, deliveries); its consumers. A consumer is
// a name, when it was last seen, in the third form also when it was active, and the IDs of its
// pending entries. Where an ID is bytes, it has its high bytes first.

constexpr size_t kIdSize = 16;
/// The first versions of the format with the second and the third form.
constexpr int kFirstWithCounts = 10;
constexpr int kFirstWithActiveTimes = 11;

std::string IdBytes(const StreamId& id) {
  std::string bytes(kIdSize, '\0');
  StoreUnaligned(StoreUnaligned(bytes.data(), __builtin_bswap64(id.ms)), __builtin_bswap64(id.seq));
  return bytes;
}

StreamId IdOf(std::string_view bytes) {
  return {__builtin_bswap64(LoadUnaligned<uint64_t>(bytes.data())),
          __builtin_bswap64(LoadUnaligned<uint64_t>(bytes.data() + sizeof(uint64_t)))};
}

void EncodeId(RdbEncoder& out, const StreamId& id) {
  out.Length(id.ms);
  out.Length(id.seq);
}

void EncodeGroup(RdbEncoder& out, std::string_view name, const StreamGroup& group) {
  const int version = out.options().version;
  out.String(name);
  EncodeId(out, group.last_id);
  if (version >= kFirstWithCounts) out.Length(static_cast<uint64_t>(group.entries_read));
  out.Length(group.pending().size());
  group.pending().ForEachFrom(kFirstStreamId, [&](const PendingEntry& entry) {
    out.Raw(IdBytes(entry.id));
    out.Number(entry.delivered_ms);
    out.Length(static_cast<uint64_t>(entry.deliveries));
    return true;
  });
  out.Length(group.consumers().size());
  for (const auto& [consumer_name, consumer] : group.consumers()) {
    out.String(consumer_name);
    out.Number(consumer.seen_ms);
    if (version >= kFirstWithActiveTimes) out.Number(consumer.active_ms);
    out.Length(consumer.pending.size());
    consumer.pending.ForEachFrom(kFirstStreamId, [&](const StreamId& id) {
      out.Raw(IdBytes(id));
      return true;
    });
  }
}

void EncodeStream(RdbEncoder& out, const EntryView& entry) {
  const int version = out.options().version;
  const Stream stream(entry.value);
  out.BeginRecord(version >= kFirstWithActiveTimes ? rdb::kStream3
                  : version >= kFirstWithCounts    ? rdb::kStream2
                                                   : rdb::kStream,
                  entry);
  size_t leaves = 0;
  stream.ForEachLeaf([&](const StreamLeaf& /*leaf*/, size_t /*items*/) { ++leaves; });
  out.Length(leaves);
  stream.ForEachLeaf([&](const StreamLeaf& leaf, size_t items) {
    out.String(IdBytes(leaf.first()));
    out.String(StreamListpackOf(leaf, items));
  });
  out.Length(stream.size());
  EncodeId(out, stream.last_id());
  if (version >= kFirstWithCounts) {
    EncodeId(out, stream.first_entry());
    EncodeId(out, stream.max_deleted());
    out.Length(stream.entries_added());
  }
  out.Length(stream.group_count());
  if (stream.groups() == nullptr) return;
  for (const auto& [name, group] : stream.groups()->by_name) EncodeGroup(out, name, group);
}

/// Builds a stream in its slot. `form` counts the forms of the type: 1 to 3.
class StreamDecoder {
 public:
  StreamDecoder(RdbDecoding& in, int form) : in_(in), form_(form), stream_(in.slot, in.limits) {}

  void Decode() {
    stream_.Create();
    in_.Repeat([&] { DecodeNode(); });
    DecodeHead();
    in_.Repeat([&] { DecodeGroup(); });
  }

 private:
  bool ok() const { return in_.cursor.ok(); }
  void Fail(std::string_view error) { in_.cursor.Fail(error); }

  StreamId TakeLengths() {
    const uint64_t ms = in_.cursor.Length();
    return {ms, in_.cursor.Length()};
  }
  StreamId TakeBytes() {
    const std::string_view bytes = in_.cursor.Take(kIdSize);
    return ok() ? IdOf(bytes) : StreamId();
  }

  void DecodeNode() {
    const std::string_view key = in_.String(in_.first);
    const std::string_view listpack = in_.String(in_.second);
    if (!ok()) return;
    if (key.size() != kIdSize) {
      return Fail("Stream node key entry is not the size of a stream ID");
    }
    const StreamId first = IdOf(key);
    if (!stream_.view().empty() && first <= last_entry_) return Fail("Stream nodes out of order");
    const absl::StatusOr<DecodedStreamLeaf> leaf = DecodeStreamListpack(first, listpack);
    if (!leaf.ok()) return Fail("Stream listpack integrity check failed.");
    // A node of which all entries were erased says nothing.
    if (leaf->items == 0) return;
    last_entry_ = leaf->last;
    stream_.AppendLeaf(leaf->bytes, leaf->items);
  }

  void DecodeHead() {
    const uint64_t size = in_.cursor.Length();
    const StreamId last_id = TakeLengths();
    StreamId max_deleted;
    uint64_t entries_added = size;
    if (form_ >= 2) {
      TakeLengths();  // the first ID, which the nodes also have
      max_deleted = TakeLengths();
      entries_added = in_.cursor.Length();
    }
    if (!ok()) return;
    if (size != stream_.view().size()) return Fail("Stream length inconsistent with its nodes");
    if (last_id < last_entry_) return Fail("Stream with an entry behind its last ID");
    stream_.SetHead(last_id, max_deleted, entries_added);
  }

  void DecodeGroup() {
    const std::string name(in_.String(in_.first));
    const StreamId last_id = TakeLengths();
    int64_t entries_read = StreamGroup::kUnknownRead;
    if (form_ >= 2) {
      entries_read = static_cast<int64_t>(in_.cursor.Length());
    } else if (ok()) {
      entries_read = stream_.view().CountUpTo(last_id).value_or(entries_read);
    }
    if (!ok()) return;
    if (!stream_.CreateGroup(name, last_id, entries_read)) {
      return Fail("Duplicated consumer group name loaded from stream");
    }
    MutableStreamGroup group(stream_, name);
    PendingEntries announced;
    in_.Repeat([&] { DecodePending(announced); });
    in_.Repeat([&] { DecodeConsumer(group, announced); });
    if (ok() && group.view().pending().size() != announced.size()) {
      Fail("Stream pending entry without a consumer");
    }
  }

  void DecodePending(PendingEntries& announced) {
    PendingEntry entry{.id = TakeBytes()};
    entry.delivered_ms = in_.cursor.Number<int64_t>();
    entry.deliveries = static_cast<int64_t>(in_.cursor.Length());
    if (!ok()) return;
    if (announced.Find(entry.id)) {
      return Fail("Duplicated global PEL entry loading stream consumer group");
    }
    announced.Put(entry);
  }

  void DecodeConsumer(MutableStreamGroup& group, const PendingEntries& announced) {
    const std::string name(in_.String(in_.first));
    const int64_t seen_ms = in_.cursor.Number<int64_t>();
    const int64_t active_ms = form_ >= 3 ? in_.cursor.Number<int64_t>() : seen_ms;
    if (!ok()) return;
    if (group.Find(name) != nullptr) return Fail("Duplicate stream consumer detected");
    group.CreateConsumer(name, seen_ms);
    group.SetTimes(name, seen_ms, active_ms);
    in_.Repeat([&] {
      const StreamId id = TakeBytes();
      if (!ok()) return;
      const std::optional<PendingEntry> entry = announced.Find(id);
      if (!entry) return Fail("Consumer entry not found in group global PEL");
      if (group.view().pending().Find(id)) {
        return Fail("Duplicated consumer PEL entry loading a stream consumer group");
      }
      group.Claim(name, {&id, 1}, entry->delivered_ms, entry->deliveries);
    });
  }

  RdbDecoding& in_;
  const int form_;
  MutableStream stream_;
  StreamId last_entry_;
};

template <int kForm>
void DecodeStream(RdbDecoding& in) {
  StreamDecoder(in, kForm).Decode();
}

constexpr RdbLayout kStreamLayouts[] = {
    {rdb::kStream, DecodeStream<1>},
    {rdb::kStream2, DecodeStream<2>},
    {rdb::kStream3, DecodeStream<3>},
};

}  // namespace

constinit const RdbCodec kStreamCodec = {
    .type = ValueType::kStream, .encode = EncodeStream, .layouts = kStreamLayouts};

}  // namespace cloakroom
