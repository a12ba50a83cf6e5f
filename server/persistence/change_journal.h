#ifndef CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
#define CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "replication/append_only_file.h"
#include "replication/command_stream.h"
#include "storage/change_log.h"

namespace cloakroom {

class Server;

/// The append-only log as the server has it: the keyspace's changes go in, in Redis' stream form,
/// and connections ask it when they may acknowledge.
///
/// Thread rule: any thread, except where a comment names one.
class ChangeJournal final : public ChangeLog {
 public:
  ChangeJournal(Server& server, Files& files);

  void Append(const ChangeBatch& batch) override;

  /// The log of changes is kept. (appendonly, unless it is just being switched.)
  bool on() const { return on_.load(std::memory_order_relaxed); }
  bool healthy() const { return !on() || file_.healthy(); }
  /// MISCONF and the disk's error, while it is not healthy.
  std::string Refusal() const;
  /// It has grown by auto-aof-rewrite-percentage.
  bool WantsRewrite() const;

  /// The offset behind what this thread has appended since it last asked and must not acknowledge
  /// before it is durable; 0: nothing.
  int64_t TakeUnacknowledged();
  int64_t durable_offset() const { return file_.durable_offset(); }
  void WhenDurable(int64_t offset, std::function<void()> wake) {
    file_.WhenDurable(offset, std::move(wake));
  }

  /// From here on changes are kept. REQUIRES: all gates are closed, or no command has run yet; the
  /// file runs.
  void Attach();
  /// From here on they are not. REQUIRES: all gates are closed.
  void Detach();
  /// What comes next goes to the file that the rewrite prepared. REQUIRES: all gates are closed.
  void Switch();

  AppendOnlyFile& file() { return file_; }
  AppendOnlyFile::Figures figures() const { return file_.figures(); }

 private:
  void FollowSettings();

  Server& server_;
  std::atomic<bool> on_ = false;
  AppendOnlyFile file_;
  CommandStream stream_;           ///< guarded by the lock that AppendOnlyFile::Append holds
  int64_t last_annotation_s_ = 0;  ///< likewise
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
