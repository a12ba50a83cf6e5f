#ifndef CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_
#define CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The bytes of one RDB on their way to several replicas, while it is made: each reads at its own
/// speed. What the slowest has not read is kept, up to a limit; then the maker waits for it.
///
/// Thread rule: Append() and End() for the thread that makes the RDB; all others for the thread
/// that sends.
class FanOutSink final : public ByteSink {
 public:
  static constexpr size_t kBlockBytes = 64 * 1024;
  static constexpr size_t kMaxKeptBytes = size_t{16} << 20;
  using Reader = uint64_t;

  /// `moved` is called when there is more to read, on the maker's thread; it must only post.
  /// `max_kept`: tests set it lower.
  explicit FanOutSink(std::function<void()> moved, size_t max_kept = kMaxKeptBytes)
      : moved_(std::move(moved)), max_kept_(max_kept) {}

  // ---- the maker's thread

  /// Waits while too much is kept. When all readers have left, or it was given up, drops the bytes.
  void Append(std::string_view bytes) override;
  /// kCancelled then.
  absl::Status status() const override;
  /// No more bytes come.
  void End();

  /// The RDB is not wanted any more: nobody waits for readers. Any thread.
  void GiveUp();

  // ---- the sender's thread

  /// A reader that begins at the first byte. REQUIRES: nothing has been read.
  void Join(Reader reader);
  void Leave(Reader reader);
  /// Some bytes at the reader's place, valid until it advances; empty: there are none yet, or it
  /// has read all.
  std::string_view Peek(Reader reader);
  void Advance(Reader reader, size_t bytes);
  /// Whether the reader has read everything, and the RDB has ended.
  bool Done(Reader reader) const;

 private:
  void PushBlock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Frees the blocks that all readers have read.
  void Free() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool abandoned() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return given_up_ || (joined_ && places_.empty());
  }

  const std::function<void()> moved_;
  const size_t max_kept_;
  std::string block_;  ///< the maker's: not yet full

  mutable Mutex mutex_;
  CondVar freed_;
  std::deque<std::string> blocks_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  ///< the place of the first block's first byte
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;    ///< the place behind the last block
  std::map<Reader, uint64_t> places_ ABSL_GUARDED_BY(mutex_);
  bool joined_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool given_up_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_
