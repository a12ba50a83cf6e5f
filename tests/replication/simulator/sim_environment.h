#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_ENVIRONMENT_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/text.h"
#include "replication/aof/aof_fsync.h"
#include "replication/link/primary_link_action.h"
#include "tests/replication/simulator/sim_ledger.h"
#include "tests/replication/simulator/sim_network.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/support/test_clock.h"

namespace cloakroom {

/// A mistake that a simulated server makes on purpose, to show that the simulation finds it.
enum class SimMistake : uint8_t {
  kNone,
  kGrantsBehindTail,      ///< PSYNC is granted one byte too far
  kGrantsBeforeBacklog,   ///< PSYNC is granted one byte too early
  kSecondIdTooLong,       ///< id2_limit is one too large
  kSecondIdTooShort,      ///< id2_limit is one too small
  kAcknowledgesReceived,  ///< ACK counts what is not applied yet
  kKeepsTornRecord,       ///< after a loss the stream goes on behind a torn record
  kPromotesUnderOldId,    ///< a promoted replica keeps its ID
  kRestartsUnderOldId,    ///< a primary that was restarted keeps its ID
  kSnapshotTooLate,       ///< the RDB has a change more than its offset says
  kKeepsReplicas,         ///< a full sync leaves the replica's own replicas connected
  kWaitCountsConnected,   ///< WAIT counts replicas that have acknowledged nothing
  kSyncedIsWritten,       ///< FACK counts what is written to the log, but not fsynced
  kSyncedWithoutBase,     ///< FACK counts a log that has no base yet
  kForgetsDatabase,       ///< a restarted primary that is demoted begins in database 0
  kPromotesLaggard,       ///< the least advanced replica takes a lost primary's place
  kFailsOverEarly,        ///< FAILOVER does not wait for the replica
  kNeverTimesOut,         ///< a replica waits for a silent primary for ever
};

/// A computer: what outlives the server's process.
struct SimMachine {
  int number = 0;
  // Settings.
  std::optional<int> primary;  ///< `replicaof`
  bool log = true;             ///< `appendonly`
  AofFsync fsync = AofFsync::kEverySec;
  bool by_file = false;  ///< `repl-diskless-sync no`
  SyncLoad load = SyncLoad::kDisk;
  int64_t backlog_size = 2000;

  FaultyFiles disk;
  bool broken_disk = false;
  /// The log was closed with an fsync that failed: the system shows bytes that the disk does not
  /// have, and no process that comes after this one can know.
  bool doubtful_log = false;
  int life = 0;   ///< how often the server was started
  int loads = 0;  ///< how often a full sync has replaced the data
};

/// A failover that was begun: what its target had then, it must have when it is promoted.
struct SimFailover {
  int target = 0;
  int life = 0;  ///< the target's, and its loads, as of then
  int loads = 0;
  HistoryPoint point;
};

/// What the servers of a simulation share.
struct SimEnvironment {
  static constexpr int64_t kTimeoutS = 4;  ///< `repl-timeout`

  explicit SimEnvironment(uint64_t seed) : random(seed) {}

  int64_t now_ms() const { return clock.MonotonicUs() / 1000; }
  void Fail(std::string text) {
    if (failure.empty()) failure = std::move(text);
    Trace({"FAILURE: ", failure});
  }
  void Trace(std::initializer_list<std::string_view> parts) {
    if (trace.size() >= kMostTraced) trace.erase(trace.begin(), trace.begin() + kMostTraced / 2);
    trace.push_back(Concat({std::to_string(now_ms()), " ", Concat(parts)}));
  }

  TestClock clock;
  SimNetwork network;
  /// A server connects to another one: the number of the connection, -1 if nobody is there.
  std::function<int(int replica, int primary)> connect;
  SimLedger ledger;
  std::mt19937_64 random;
  SimMistake mistake = SimMistake::kNone;
  std::optional<SimFailover> failover;  ///< the last one; none with FORCE
  std::string failure;                  ///< what was found to be wrong first
  std::vector<std::string> trace;
  // What has happened, so that a test sees that it tests something.
  int64_t granted = 0;
  int64_t full_syncs = 0;
  int64_t failed_loads = 0;

 private:
  static constexpr size_t kMostTraced = 400;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_ENVIRONMENT_H_
