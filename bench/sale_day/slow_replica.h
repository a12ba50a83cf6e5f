#ifndef CLOAKROOM_BENCH_SALE_DAY_SLOW_REPLICA_H_
#define CLOAKROOM_BENCH_SALE_DAY_SLOW_REPLICA_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace cloakroom::bench {

/// A replica that asks its primary for all data and reads at a limited speed, first the snapshot
/// and then the stream; it keeps nothing. When the primary drops it, it asks anew, like a real one,
/// but kMostDrops times at most. Runs on a thread of its own from construction until Stop.
class SlowReplica {
 public:
  static constexpr int kMostDrops = 3;

  SlowReplica(int port, int64_t bytes_per_s);
  ~SlowReplica();
  SlowReplica(const SlowReplica&) = delete;
  SlowReplica& operator=(const SlowReplica&) = delete;

  /// Monotonic nanoseconds at which it had a whole snapshot; 0 before that.
  int64_t snapshot_ns() const { return snapshot_ns_.load(); }
  int64_t snapshot_bytes() const { return snapshot_bytes_.load(); }
  int drops() const { return drops_.load(); }

  /// Closes the connection and ends the thread.
  void Stop();

 private:
  void Run();
  void Follow();
  void Greet();
  std::string ReadLine();
  bool ReadSnapshot(std::string_view mark);
  void ReadStream(int64_t offset);
  /// Waits as the speed demands, then receives into the buffer; 0 when the primary has closed.
  size_t Receive();
  void Acknowledge(int64_t offset);
  void Say(std::string_view bytes);

  const int port_;
  const int64_t bytes_per_s_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> snapshot_ns_ = 0;
  std::atomic<int64_t> snapshot_bytes_ = 0;
  std::atomic<int> drops_ = 0;
  // Of the thread.
  int fd_ = -1;
  int64_t due_ns_ = 0;  // when the next bytes may be read
  std::string buffer_;
  std::thread thread_;
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_SLOW_REPLICA_H_
