#include "replication/rdb/dump_payload.h"

#include <optional>

#include "replication/files/bytes.h"
#include "replication/files/crc64.h"
#include "replication/rdb/rdb_encoder.h"
#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

/// The newest that redis-server 7.0 reads.
constexpr int kUsualVersion = 10;

template <typename T>
void Append(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

/// Nullopt: this version cannot hold the value.
std::optional<std::string> DumpAs(int version, const ValueView& value, const DumpOptions& options) {
  StringSink sink;
  RdbEncoder encoder(
      sink, {.version = version, .compression = options.compression, .now_ms = options.now_ms});
  encoder.Value(value);
  encoder.Flush();
  if (!encoder.status().ok()) return std::nullopt;
  std::string payload = sink.Take();
  if (payload.empty()) return payload;
  Append(payload, static_cast<uint16_t>(version));
  Append(payload, Crc64(0, payload));
  return payload;
}

absl::Status WrongFrame() {
  return absl::DataLossError("DUMP payload version or checksum are wrong");
}

}  // namespace

std::string DumpValue(const ValueView& value, const DumpOptions& options) {
  const int version = options.version == 0 ? kUsualVersion : options.version;
  std::optional<std::string> payload = DumpAs(version, value, options);
  if (!payload) payload = DumpAs(rdb::kNewestVersion, value, options);
  return payload.value_or("");
}

absl::StatusOr<DumpPayload> ReadDumpPayload(std::string_view payload) {
  if (payload.size() < rdb::kPayloadFooterSize) return WrongFrame();
  const std::string_view summed = payload.substr(0, payload.size() - rdb::kChecksumSize);
  const std::string_view content = summed.substr(0, summed.size() - rdb::kPayloadVersionSize);
  const int version = LoadUnaligned<uint16_t>(content.data() + content.size());
  const bool valkey = version == rdb::kValkeyVersion;
  if (version > rdb::kNewestVersion && !valkey) return WrongFrame();
  if (LoadUnaligned<uint64_t>(summed.data() + summed.size()) != Crc64(0, summed)) {
    return WrongFrame();
  }
  DumpPayload read{.version = version};
  if (valkey) read.dialect = rdb::Dialect::kValkey;
  // Nothing but a footer is right as far as it goes; there is no type 255.
  read.type = content.empty() ? UINT8_MAX : static_cast<uint8_t>(content[0]);
  read.value = content.empty() ? content : content.substr(1);
  return read;
}

}  // namespace cloakroom
