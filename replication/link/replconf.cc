#include "replication/link/replconf.h"

#include <vector>

#include "protocol/numbers.h"
#include "protocol/split_arguments.h"
#include "protocol/text.h"
#include "replication/link/link_errors.h"
#include "replication/link/link_line.h"

namespace cloakroom {
namespace {

constexpr size_t kLongestAddress = 255;  // NET_HOST_STR_LEN - 1 of Redis

/// An option's error; "" is none.
using Error = std::string;

/// Numbers outside of int wrap, as they do in Redis, where INFO then shows them.
Error SetListeningPort(std::string_view value, ReplicaOptions& options) {
  const std::optional<int64_t> port = ParseInteger(value);
  if (!port) return kNoInteger;
  options.listening_port = static_cast<int32_t>(*port);
  return "";
}

Error SetIpAddress(std::string_view value, ReplicaOptions& options) {
  if (value.size() > kLongestAddress)
    return Concat({"ERR REPLCONF ip-address provided by replica instance is too long: ",
                   std::to_string(value.size()), " bytes"});
  options.ip_address = std::string(value);
  return "";
}

Error AddCapability(std::string_view value, ReplicaOptions& options) {
  if (EqualsIgnoreCase(value, "eof")) options.capa_eof = true;
  if (EqualsIgnoreCase(value, "psync2")) options.capa_psync2 = true;
  return "";
}

Error SetRdbOnly(std::string_view value, ReplicaOptions& options) {
  const std::optional<int64_t> rdb_only = ParseInteger(value);
  if (!rdb_only) return kNoInteger;
  if (*rdb_only != 0 && *rdb_only != 1)
    return "ERR value is out of range, value must between 0 and 1";
  options.rdb_only = *rdb_only == 1;
  return "";
}

/// A list of the parts that the RDB is to have, in one word. The empty list is for a replica that
/// only wants to know the offset.
Error SetRdbFilter(std::string_view value, ReplicaOptions& options) {
  std::string line(BeforeNul(value));
  std::vector<std::string_view> parts;
  if (!SplitArguments(line, parts)) return "ERR Missing rdb-filter-only values";
  options.exclude_data = options.exclude_functions = true;
  for (const std::string_view part : parts) {
    if (!EqualsIgnoreCase(part, "functions"))
      return Concat({"ERR Unsupported rdb-filter-only option: ", BeforeNul(part)});
    options.exclude_functions = false;
  }
  return "";
}

/// Three numbers below 256 with dots between; nullopt if it is not that.
std::optional<int32_t> ParseVersion(std::string_view text) {
  int32_t version = 0;
  for (int i = 0; i < 3; ++i) {
    const size_t end = i < 2 ? text.find('.') : text.size();
    if (end == text.npos) return std::nullopt;
    const std::optional<uint64_t> part = ParseUnsigned(text.substr(0, end));
    if (!part || *part > 255) return std::nullopt;
    version = version << 8 | static_cast<int32_t>(*part);
    text.remove_prefix(i < 2 ? end + 1 : end);
  }
  return version;
}

Error SetVersion(std::string_view value, ReplicaOptions& options) {
  const std::optional<int32_t> version = ParseVersion(value);
  if (!version) return Concat({"ERR Unrecognized version format: ", BeforeNul(value)});
  options.version = *version;
  return "";
}

struct Option {
  std::string_view name;
  Error (*set)(std::string_view value, ReplicaOptions& options);
};
constexpr Option kOptions[] = {
    {"listening-port", SetListeningPort},
    {"ip-address", SetIpAddress},
    {"capa", AddCapability},
    {"rdb-only", SetRdbOnly},
    {"rdb-filter-only", SetRdbFilter},
    {"version", SetVersion},
};

Error Set(std::string_view name, std::string_view value, ReplicaOptions& options) {
  for (const Option& option : kOptions)
    if (EqualsIgnoreCase(name, option.name)) return option.set(value, options);
  return Concat({"ERR Unrecognized REPLCONF option: ", BeforeNul(name)});
}

/// `words` begin with the ACK's offset. An ACK with a wrong number in it is no sign of life, as in
/// Redis; but the offset before a wrong FACK counts.
void ReadAck(std::span<const std::string_view> words, Replconf& result) {
  result.ack = ParseInteger(words[0]);
  if (!result.ack) return;
  if (words.size() > 2 && EqualsIgnoreCase(words[1], "fack")) {
    result.fack = ParseInteger(words[2]);
    if (!result.fack) return;
  }
  result.acked = true;
}

}  // namespace

Replconf ReadReplconf(std::span<const std::string_view> pairs, bool is_replica,
                      ReplicaOptions& options) {
  Replconf result;
  if (pairs.size() % 2 != 0) {
    result.reply = Replconf::Reply::kError;
    result.error = "ERR syntax error";
    return result;
  }
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const bool ack = EqualsIgnoreCase(pairs[i], "ack");
    if (ack || EqualsIgnoreCase(pairs[i], "getack")) {
      result.reply = Replconf::Reply::kNone;
      result.getack = !ack;
      if (ack && is_replica) ReadAck(pairs.subspan(i + 1), result);
      return result;
    }
    result.error = Set(pairs[i], pairs[i + 1], options);
    if (!result.error.empty()) {
      result.reply = Replconf::Reply::kError;
      return result;
    }
  }
  return result;
}

}  // namespace cloakroom
