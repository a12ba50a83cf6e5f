#ifndef CLOAKROOM_BENCH_SALE_DAY_PACED_WRITER_H_
#define CLOAKROOM_BENCH_SALE_DAY_PACED_WRITER_H_

#include <atomic>
#include <cstdint>
#include <thread>

namespace cloakroom::bench {

/// Changes items of the shape `string` at random, in pipelines, at a given number of bytes a second
/// as the server receives them; slower if the server is. On a thread and a connection of its own,
/// from construction until Stop.
class PacedWriter {
 public:
  PacedWriter(int port, int64_t items, int64_t bytes_per_s);
  ~PacedWriter();
  PacedWriter(const PacedWriter&) = delete;
  PacedWriter& operator=(const PacedWriter&) = delete;

  /// All bytes that were answered so far.
  int64_t written_bytes() const { return written_bytes_.load(); }

  /// Ends the thread.
  void Stop();

 private:
  void Run(int port, int64_t items, int64_t bytes_per_s);

  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> written_bytes_ = 0;
  std::thread thread_;
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_PACED_WRITER_H_
