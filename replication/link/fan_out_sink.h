#ifndef CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_
#define CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/files/spool.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The bytes of one RDB on their way to several replicas, while it is made: each reads at its own
/// speed. What the slowest has not read is kept, up to a limit in memory, and beyond that in a
/// spool, so the maker does not wait for replicas. Only if the spool takes no more, it does.
///
/// Thread rule: Append() and End() for the thread that makes the RDB; all others for the thread
/// that sends.
class FanOutSink final : public ByteSink {
 public:
  static constexpr size_t kBlockBytes = 64 * 1024;
  static constexpr size_t kMaxKeptBytes = size_t{16} << 20;
  using Reader = uint64_t;

  /// `moved` is called when there is more to read, on the maker's thread; it must only post.
  /// `space`: null: no spool. `max_kept`: in memory; tests set it lower.
  explicit FanOutSink(std::function<void()> moved, std::shared_ptr<SpoolSpace> space = nullptr,
                      size_t max_kept = kMaxKeptBytes)
      : moved_(std::move(moved)), space_(std::move(space)), max_kept_(max_kept) {}

  // ---- the maker's thread

  /// When all readers have left, or it was given up, drops the bytes.
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
  /// What comes next for a reader. Empty: there is nothing yet, or it has read all.
  struct Next {
    std::string_view bytes;        ///< in memory, valid until the reader advances
    std::shared_ptr<Spool> spool;  ///< or they are there
    int64_t place = 0;             ///< where, in the spool
  };
  Next Peek(Reader reader);
  void Advance(Reader reader, size_t bytes);
  /// Whether the reader has read everything, and the RDB has ended.
  bool Done(Reader reader) const;
  /// While the maker waits for readers: the one that has read least.
  std::optional<Reader> HoldsUp() const;

 private:
  using Block = std::shared_ptr<const std::string>;
  struct Place {
    int64_t position = 0;
    Block block;  ///< in which its next bytes lie
  };

  void PushBlock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Spools the oldest blocks, or waits, until the rest may be kept in memory.
  void MakeRoom();
  bool TooMuch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !abandoned() && end_ - first_ > static_cast<int64_t>(max_kept_);
  }
  /// The spool that the block at first_ goes to; null: there is none.
  std::shared_ptr<Spool> SpoolForOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Least() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Frees the blocks that all readers have read.
  void Free() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PopOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool abandoned() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return given_up_ || (joined_ && places_.empty());
  }

  const std::function<void()> moved_;
  const std::shared_ptr<SpoolSpace> space_;
  const size_t max_kept_;
  std::string block_;  ///< the maker's: not yet full

  mutable Mutex mutex_;
  CondVar freed_;
  std::deque<Block> blocks_ ABSL_GUARDED_BY(mutex_);
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  ///< the position of the first block's first byte
  int64_t end_ ABSL_GUARDED_BY(mutex_) = 0;    ///< the position behind the last block
  /// Holds what readers need before first_, if they need any.
  std::shared_ptr<Spool> spool_ ABSL_GUARDED_BY(mutex_);
  std::map<Reader, Place> places_ ABSL_GUARDED_BY(mutex_);
  bool joined_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool given_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;  ///< the maker
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_FAN_OUT_SINK_H_
