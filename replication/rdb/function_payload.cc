#include "replication/rdb/function_payload.h"

#include <cstdint>
#include <utility>

#include "replication/files/bytes.h"
#include "replication/files/crc64.h"
#include "replication/rdb/rdb_cursor.h"
#include "replication/rdb/rdb_encoder.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_string_buffer.h"

namespace cloakroom {
namespace {

bool HasSoundFooter(std::string_view payload) {
  if (payload.size() < rdb::kPayloadFooterSize) return false;
  const std::string_view summed = payload.substr(0, payload.size() - rdb::kChecksumSize);
  RdbCursor footer(payload.substr(payload.size() - rdb::kPayloadFooterSize));
  const auto version = footer.Number<uint16_t>();
  return version <= rdb::kNewestVersion && footer.Number<uint64_t>() == Crc64(0, summed);
}

}  // namespace

std::string FunctionPayload(const std::vector<std::string_view>& sources, bool compression) {
  StringSink sink;
  RdbOptions options;
  options.version = rdb::kFirstFunctions;
  options.compression = compression;
  RdbEncoder encoder(sink, options);
  for (const std::string_view source : sources) {
    encoder.Byte(rdb::kFunction);
    encoder.String(source);
  }
  encoder.Number(static_cast<uint16_t>(rdb::kFirstFunctions));
  encoder.Flush();
  encoder.Number(Crc64(0, sink.text()));
  encoder.Flush();
  return sink.Take();
}

absl::StatusOr<std::vector<std::string>> ReadFunctionPayload(std::string_view payload) {
  if (!HasSoundFooter(payload)) {
    return absl::DataLossError("DUMP payload version or checksum are wrong");
  }
  std::vector<std::string> sources;
  // As in Redis, a string whose length is wrong may reach into the footer.
  RdbCursor cursor(payload);
  while (cursor.position() + rdb::kPayloadFooterSize < payload.size()) {
    const uint8_t type = cursor.Byte();
    if (type == rdb::kFunctionOld) {
      return absl::DataLossError("Pre-release function format not supported.");
    }
    if (type != rdb::kFunction) return absl::DataLossError("given type is not a function");
    const RdbString source = cursor.String();
    absl::StatusOr<std::string> text =
        cursor.ok() ? Restored(source) : absl::StatusOr<std::string>(cursor.status());
    if (!text.ok()) return absl::DataLossError("Failed loading library payload");
    sources.push_back(*std::move(text));
  }
  return sources;
}

}  // namespace cloakroom
