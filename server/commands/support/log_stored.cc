#include "server/commands/support/log_stored.h"

#include <string>
#include <string_view>

#include "replication/rdb/dump_payload.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/snapshot_writer.h"
#include "server/config/config.h"
#include "server/context/server.h"
#include "storage/base/integer_text.h"
#include "storage/keyspace/database.h"

namespace cloakroom {
namespace {

/// The first version of Redis, of two numbers, that the oldest replica is not.
std::string_view FirstUnknown(OldestReader oldest) {
  return oldest == OldestReader::kRedis5 ? "6.0" : "7.0";
}

}  // namespace

int PayloadVersion(const Server& server) {
  const Config& settings = server.settings();
  if (settings.rdb_version != 0) return settings.rdb_version;
  const bool old = settings.repl_oldest_replica != OldestReader::kRedis7;
  return old ? rdb::kOldestWritten : kPlainRdbVersion;
}

void LogStored(Call& call, WriteScope& to, const ValueView& value, int64_t expire_at_ms) {
  const OldestReader oldest = call.server().settings().repl_oldest_replica;
  const bool known = oldest == OldestReader::kRedis7 ||
                     call.command().row->since.substr(0, 3) < FirstUnknown(oldest);
  const std::string payload =
      known ? ""
            : DumpValue(value, {.version = PayloadVersion(call.server()), .now_ms = call.now_ms()});
  // Empty: all its items have expired.
  if (payload.empty()) return to.LogAs(call.db().index(), call.args());
  const IntegerText time(expire_at_ms == kNoExpiry ? 0 : expire_at_ms);
  const std::string_view words[] = {"RESTORE", to.key(), time.view(), payload, "ABSTTL", "REPLACE"};
  to.LogAs(to.db().index(), words);
}

}  // namespace cloakroom
