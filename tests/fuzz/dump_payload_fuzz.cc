// Feeds bytes from outside to RESTORE's decoder, with a right footer behind them: the first byte is
// the version. What it accepts must survive another DUMP.

#include <cstdint>
#include <string>

#include "replication/files/crc64.h"
#include "replication/rdb/dump_payload.h"
#include "replication/rdb/rdb_decoder.h"
#include "tests/fuzz/pieces.h"

namespace {

std::string WithFooter(std::string bytes, uint8_t version) {
  bytes.push_back(static_cast<char>(version));
  bytes.push_back('\0');
  const uint64_t sum = cloakroom::Crc64(0, bytes);
  return bytes.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string payload =
      WithFooter(std::string(reinterpret_cast<const char*>(data) + 1, size - 1), data[0]);
  const auto read = cloakroom::ReadDumpPayload(payload);
  if (!read.ok()) return 0;
  cloakroom::RdbDecoder decoder{cloakroom::EncodingLimits{}};
  if (!decoder.Decode(read->type, read->dialect, read->value).ok()) return 0;
  if (!decoder.value().exists()) return 0;
  const std::string dumped = cloakroom::DumpValue(decoder.value().view(), {});
  if (dumped.empty()) return 0;  // all items expired in 1970
  const auto again = cloakroom::ReadDumpPayload(dumped);
  cloakroom::fuzz::Check(again.ok());
  cloakroom::RdbDecoder other{cloakroom::EncodingLimits{}};
  cloakroom::fuzz::Check(other.Decode(again->type, again->dialect, again->value).ok());
  return 0;
}
