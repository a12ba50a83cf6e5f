#ifndef CLOAKROOM_SERVER_METRICS_SLOWLOG_H_
#define CLOAKROOM_SERVER_METRICS_SLOWLOG_H_

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The last commands that took longer than slowlog-log-slower-than. Any thread.
class SlowLog {
 public:
  /// How many arguments of a command are kept, and how many bytes of each; as in Redis.
  static constexpr size_t kMaxArguments = 32;
  static constexpr size_t kMaxArgumentBytes = 128;

  struct Record {
    int64_t id = 0;
    int64_t unix_seconds = 0;
    int64_t duration_us = 0;
    std::vector<std::string> args;
    std::string address;
    std::string client_name;
  };

  /// Keeps at most `limit` records (slowlog-max-len), the newest.
  void Add(std::span<const std::string_view> args, int64_t unix_seconds, int64_t duration_us,
           std::string address, std::string client_name, size_t limit);
  /// Newest first.
  std::vector<Record> Newest(size_t count) const;
  size_t size() const;
  void Reset();

 private:
  mutable Mutex mutex_;
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Record> records_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_SLOWLOG_H_
