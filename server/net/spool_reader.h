#ifndef CLOAKROOM_SERVER_NET_SPOOL_READER_H_
#define CLOAKROOM_SERVER_NET_SPOOL_READER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/files/spool.h"

namespace cloakroom {

/// Reads spools for one replica, on a thread that may wait for the disk.
///
/// Thread rule: one thread.
class SpoolReader {
 public:
  static constexpr size_t kReadBytes = size_t{1} << 20;
  using Post = std::function<void(std::function<void()>)>;

  /// `on_disk_thread` posts a job to that thread; `done` is called there when bytes have been read,
  /// and must only post. Both may be called after this has gone.
  SpoolReader(Post on_disk_thread, std::function<void()> done)
      : on_disk_thread_(std::move(on_disk_thread)), done_(std::move(done)) {}

  /// The bytes of the spool from the place on, valid until the next call. Empty: they are being
  /// read. REQUIRES: before the end of the spool, which keeps them.
  absl::StatusOr<std::string_view> Peek(const std::shared_ptr<Spool>& spool, int64_t place);
  /// Gives its memory back. Nothing more is read from a spool for now.
  void Forget() { read_.reset(); }

 private:
  /// What a job reads, which may outlive this.
  struct Read {
    std::shared_ptr<Spool> spool;
    int64_t place = 0;
    std::string bytes;
    absl::Status status;
    std::atomic<bool> done = false;  ///< stored last
  };
  void Begin(const std::shared_ptr<Spool>& spool, int64_t place);

  const Post on_disk_thread_;
  const std::function<void()> done_;
  std::shared_ptr<Read> read_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_SPOOL_READER_H_
