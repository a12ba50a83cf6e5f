#include "bench/sale_day/full_sync.h"

#include <algorithm>
#include <memory>
#include <string>

#include "bench/sale_day/paced_writer.h"
#include "bench/sale_day/probe.h"
#include "bench/sale_day/process_tree.h"
#include "bench/sale_day/shapes.h"
#include "bench/sale_day/slow_replica.h"
#include "bench/sale_day/two_clients.h"
#include "bench/sale_day/wire.h"

namespace cloakroom::bench {

namespace {

constexpr int64_t kLookNs = 10'000'000;
constexpr int64_t kBetweenNs = 2 * kSecond;
constexpr int64_t kLeaveNs = 60 * kSecond;
constexpr int kReplicas = 2;

/// One full sync of both replicas.
struct Sync {
  int64_t fast_ns = 0;  // when the replica that is a server had the data; 0: never
  int64_t slow_ns = 0;
  int64_t began_ns = 0;
  int64_t snapshot_bytes = 0;
  int64_t dropped = 0;
};

class Primary {
 public:
  explicit Primary(const FullSyncOptions& options)
      : options_(options), wire_(options.port), replica_(options.replica_port) {}

  Wire& wire() { return wire_; }

  /// Attaches both replicas, waits until they have the data or it is clear that they do not get it,
  /// and takes them away.
  Sync SyncBoth();

 private:
  bool FastIsUp();
  void TakeAway(SlowReplica& slow);

  const FullSyncOptions& options_;
  Wire wire_;
  Wire replica_;
};

bool Primary::FastIsUp() {
  const std::string info = replica_.Ask({"INFO", "replication"}).text;
  return info.find("master_link_status:up") != std::string::npos;
}

Sync Primary::SyncBoth() {
  const int64_t syncs_before = wire_.Info("stats", "sync_full");
  Sync sync{.began_ns = NowNs()};
  SlowReplica slow(options_.port, options_.slow_bytes_per_s);
  replica_.Ask({"REPLICAOF", "127.0.0.1", std::to_string(options_.port)});
  const int64_t until_ns = sync.began_ns + options_.most_seconds * kSecond;
  while (NowNs() < until_ns && slow.drops() < SlowReplica::kMostDrops) {
    if (sync.fast_ns == 0 && FastIsUp()) sync.fast_ns = NowNs();
    sync.slow_ns = slow.snapshot_ns();
    if (sync.fast_ns != 0 && sync.slow_ns != 0) break;
    SleepNs(kLookNs);
  }
  sync.snapshot_bytes = slow.snapshot_bytes();
  sync.dropped = std::max(wire_.Info("stats", "sync_full") - syncs_before - kReplicas,
                          static_cast<int64_t>(slow.drops()));
  TakeAway(slow);
  return sync;
}

void Primary::TakeAway(SlowReplica& slow) {
  slow.Stop();
  replica_.Ask({"REPLICAOF", "NO", "ONE"});
  const int64_t start = NowNs();
  while (wire_.Info("replication", "connected_slaves") != 0 ||
         wire_.Info("persistence", "rdb_bgsave_in_progress") != 0) {
    if (NowNs() - start > kLeaveNs) Fail("the primary keeps replicas that have left");
    SleepNs(kLookNs);
  }
}

double SecondsFrom(int64_t start_ns, int64_t end_ns) {
  return static_cast<double>(end_ns - start_ns) / 1e9;
}

/// To read how much a process has stalls it, so latencies are measured another time. This comes
/// first: what an allocator keeps after a sync would hide what the next one needs.
int64_t MeasureSyncMemory(const FullSyncOptions& options, Primary& primary, Figures& figures) {
  PeakMemory quiet(options.server_pid);
  SleepNs(kBetweenNs);
  const auto before_bytes = static_cast<double>(quiet.Stop());
  PeakMemory meanwhile(options.server_pid);
  const Sync sync = primary.SyncBoth();
  const auto peak_bytes = static_cast<double>(meanwhile.Stop());
  figures["memory_before_bytes"] = before_bytes;
  figures["memory_peak_bytes"] = peak_bytes;
  figures["memory_ratio"] = peak_bytes / before_bytes;
  return sync.dropped;
}

}  // namespace

Figures MeasureFullSync(const FullSyncOptions& options) {
  Primary primary(options);
  const std::unique_ptr<Shape> shape = MakeShape("string");
  Fill(primary.wire(), *shape, options.items);
  PacedWriter changes(options.port, options.items, options.written_bytes_per_s);
  SleepNs(kBetweenNs);
  Figures figures;
  const int64_t dropped = MeasureSyncMemory(options, primary, figures);
  SleepNs(kBetweenNs);
  const TwoClients clients{.port = options.port, .items = options.items};
  Watched(clients, *shape, "quiet_", figures, [&] { SleepNs(options.quiet_seconds * kSecond); });
  Sync sync;
  Watched(clients, *shape, "", figures, [&] {
    const int64_t written_before = changes.written_bytes();
    sync = primary.SyncBoth();
    figures["written_mb_per_s"] = static_cast<double>(changes.written_bytes() - written_before) /
                                  1e6 / SecondsFrom(sync.began_ns, NowNs());
  });
  changes.Stop();
  figures["dropped"] = static_cast<double>(dropped + sync.dropped);
  if (sync.fast_ns != 0) figures["fast_seconds"] = SecondsFrom(sync.began_ns, sync.fast_ns);
  if (sync.fast_ns == 0 || sync.slow_ns == 0) return figures;
  AddRatiosToQuiet(figures);
  figures["snapshot_bytes"] = static_cast<double>(sync.snapshot_bytes);
  figures["seconds"] = SecondsFrom(sync.began_ns, std::max(sync.fast_ns, sync.slow_ns));
  return figures;
}

}  // namespace cloakroom::bench
