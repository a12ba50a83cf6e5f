#ifndef CLOAKROOM_SERVER_ROLES_SYNC_PIPE_H_
#define CLOAKROOM_SERVER_ROLES_SYNC_PIPE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "replication/files/bytes.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Carries the bytes of a full sync from the thread that receives them, which must not wait, to the
/// one that loads them.
///
/// Thread rule: Append, room and Finish for one thread, Read for another; GiveUp for any.
class SyncPipe final : public ByteSink, public ByteSource {
 public:
  /// It holds this much, and what one Append adds beyond that.
  static constexpr size_t kMostBytes = size_t{4} << 20;

  /// `drained` is called on the reader's thread when there is room again after there was none.
  explicit SyncPipe(std::function<void()> drained) : drained_(std::move(drained)) {}

  /// How many bytes may be appended now.
  size_t room();
  void Append(std::string_view bytes) override;
  /// No more bytes follow.
  void Finish();

  /// Waits for bytes. 0: they are over, or the sync was given up.
  size_t Read(std::span<char> into) override;

  /// Ends reading at once.
  void GiveUp();
  bool given_up();

 private:
  const std::function<void()> drained_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> pieces_ ABSL_GUARDED_BY(mutex_);
  size_t first_read_ ABSL_GUARDED_BY(mutex_) = 0;  ///< bytes of the first piece that are gone
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool full_ ABSL_GUARDED_BY(mutex_) = false;  ///< the writer waits for room
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool given_up_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_SYNC_PIPE_H_
