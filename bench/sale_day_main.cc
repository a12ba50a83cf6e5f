// The load of a sale day against one server on 127.0.0.1; bench/run.py calls it and reads the one
// JSON object that it prints.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "bench/sale_day/full_sync.h"
#include "bench/sale_day/load.h"
#include "bench/sale_day/memory.h"
#include "bench/sale_day/persistence.h"
#include "bench/sale_day/replica_lag.h"
#include "bench/sale_day/sessions.h"
#include "bench/sale_day/stall.h"

namespace cloakroom::bench {

namespace {

constexpr char kUsage[] =
    "sale_day command --port P --name "
    "set|get|hset|hget|hmget|sadd|incr|eval|lpush|zadd|zrange|zrank|\n"
    "                 xadd|xreadgroup [--pipeline N]\n"
    "sale_day visit   --port P [--reconnect 1] [--native 1]\n"
    "sale_day sessions --port P --name waits|locks|waiters [--rounds N] [--native 0]\n"
    "sale_day memory  --port P --name string|session|cache|tag|bigtag|list|biglist|zset|bigzset|\n"
    "                 stream --items N\n"
    "sale_day stall   --port P --name quiet|expire|keys|flushall|grow --items N\n"
    "sale_day idle    --port P --pid PID --connections N\n"
    "sale_day persistence --port P --pid PID --name string|session|set\n"
    "                 --action BGSAVE|BGREWRITEAOF --items N [--seconds S] [--times N]\n"
    "sale_day replication --port P --name records --items N\n"
    "sale_day replication --port P --name lag --replica-port P [--pipeline N]\n"
    "sale_day replication --port P --name wait\n"
    "sale_day replication --port P --name full-sync --replica-port P --pid PID --items N\n"
    "                 [--seconds S]\n"
    "command and visit also take --pid PID (whose CPU is counted), --connections N, --seconds S.\n";

class Arguments {
 public:
  Arguments(int argc, char** argv) {
    if (argc < 2 || argc % 2 != 0) Usage();
    for (int i = 2; i < argc; i += 2) {
      const std::string name = argv[i];
      if (!name.starts_with("--")) Usage();
      values_[name.substr(2)] = argv[i + 1];
    }
  }

  int Number(const std::string& name, int otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::atoi(found->second.c_str());
  }

  std::string Text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) Usage();
    return found->second;
  }

  [[noreturn]] static void Usage() {
    std::fputs(kUsage, stderr);
    std::exit(2);
  }

 private:
  std::map<std::string, std::string> values_;
};

Figures MeasureSessions(const LoadOptions& load, const Arguments& arguments) {
  const std::string name = arguments.Text("name");
  if (name == "waits")
    return MeasureSessionWaits(load.port, arguments.Number("rounds", 1),
                               arguments.Number("native", 1) != 0);
  if (name == "locks") return MeasureBesideLocks(load);
  if (name == "waiters") return MeasureWaiters(load.port, load.server_pid, load.connections);
  Arguments::Usage();
}

Figures MeasureReplication(const LoadOptions& load, const Arguments& arguments) {
  const std::string name = arguments.Text("name");
  const int items = arguments.Number("items", 2'000'000);
  const int replica_port = arguments.Number("replica-port", 0);
  if (name == "records") return WriteRecords(load.port, items);
  if (name == "lag") return MeasureLag(load, replica_port);
  if (name == "wait") return MeasureWait(load);
  if (name == "full-sync") {
    return MeasureFullSync({.port = load.port,
                            .server_pid = load.server_pid,
                            .replica_port = replica_port,
                            .items = items,
                            .quiet_seconds = load.seconds});
  }
  Arguments::Usage();
}

Figures Run(const std::string& mode, const Arguments& arguments) {
  LoadOptions load;
  load.port = arguments.Number("port", load.port);
  load.server_pid = arguments.Number("pid", 0);
  load.connections = arguments.Number("connections", load.connections);
  load.seconds = arguments.Number("seconds", load.seconds);
  load.pipeline = arguments.Number("pipeline", load.pipeline);
  load.reconnect = arguments.Number("reconnect", 0) != 0;
  const int items = arguments.Number("items", 1'000'000);
  if (mode == "command") return RunCommand(load, arguments.Text("name"));
  if (mode == "visit") return RunSessionVisits(load, arguments.Number("native", 0) != 0);
  if (mode == "sessions") return MeasureSessions(load, arguments);
  if (mode == "replication") return MeasureReplication(load, arguments);
  if (mode == "memory") return MeasureMemory(load.port, arguments.Text("name"), items);
  if (mode == "stall") {
    return MeasureStall({.port = load.port, .items = items}, arguments.Text("name"));
  }
  if (mode == "persistence") {
    const PersistenceOptions options = {.port = load.port,
                                        .server_pid = load.server_pid,
                                        .items = items,
                                        .quiet_seconds = arguments.Number("seconds", 5),
                                        .times = arguments.Number("times", 1)};
    return MeasurePersistence(options, arguments.Text("name"), arguments.Text("action"));
  }
  if (mode == "idle") return MeasureIdle(load.port, load.server_pid, load.connections);
  Arguments::Usage();
}

}  // namespace

}  // namespace cloakroom::bench

int main(int argc, char** argv) {
  const cloakroom::bench::Arguments arguments(argc, argv);
  cloakroom::bench::Print(cloakroom::bench::Run(argv[1], arguments));
}
