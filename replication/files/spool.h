#ifndef CLOAKROOM_REPLICATION_FILES_SPOOL_H_
#define CLOAKROOM_REPLICATION_FILES_SPOOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/files/files.h"

namespace cloakroom {

class Spool;

/// Makes spools, and bounds how much of the disk they take together: `limit` bytes, and never more
/// than what they leave free.
///
/// Thread rule: any thread.
class SpoolSpace : public std::enable_shared_from_this<SpoolSpace> {
 public:
  /// The spools lie in `directory`.
  SpoolSpace(Files& files, std::string directory, int64_t limit)
      : files_(files), directory_(std::move(directory)), limit_(limit) {}

  /// A spool whose first byte has this place.
  std::shared_ptr<Spool> Make(int64_t begin);

  /// 0: no spool takes anything.
  void set_limit(int64_t bytes) { limit_ = bytes; }
  bool off() const { return limit_.load() == 0; }
  /// Bytes on the disk.
  int64_t used() const { return used_.load(); }

 private:
  friend class Spool;
  absl::Status Take(int64_t bytes);
  void Give(int64_t bytes) { used_.fetch_sub(bytes); }

  Files& files_;
  const std::string directory_;
  std::atomic<int64_t> limit_;
  std::atomic<int64_t> used_ = 0;
};

/// A sequence of bytes that somebody needs and memory shall not keep, in a file without a name.
///
/// Thread rule: Append and Discard for one thread at a time, all others for any thread. Nobody may
/// read what was discarded.
class Spool {
 public:
  Spool(std::shared_ptr<SpoolSpace> space, int64_t begin)
      : space_(std::move(space)), origin_(begin), begin_(begin), end_(begin) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Adds bytes behind end(). Error: nothing was added; kResourceExhausted: there is no room for
  /// spools.
  absl::Status Append(std::string_view bytes);
  /// Reads from the place on, up to end(). REQUIRES: begin() <= place < end().
  absl::StatusOr<size_t> Read(int64_t place, std::span<char> into) const;
  /// Nobody reads what lies before the place any more. Gives it back to the disk, now or later.
  void Discard(int64_t place);

  int64_t begin() const { return begin_.load(); }
  int64_t end() const { return end_.load(); }

 private:
  /// What is given back at once, so that it is whole blocks of the file system.
  static constexpr int64_t kDiscardBytes = int64_t{4} << 20;

  const std::shared_ptr<SpoolSpace> space_;
  const int64_t origin_;               ///< the place of the file's first byte
  std::unique_ptr<ScratchFile> file_;  ///< made by the first Append
  std::atomic<int64_t> begin_;
  std::atomic<int64_t> end_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_SPOOL_H_
