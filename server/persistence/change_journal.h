#ifndef CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
#define CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "replication/append_only_file.h"
#include "replication/command_stream.h"
#include "storage/change_log.h"

namespace cloakroom {

class Server;

/// The append-only log as the server has it: the keyspace's changes go in, in Redis' stream form,
/// and connections ask it when they may acknowledge.
///
/// Thread rule: any thread, except where a comment names one.
class ChangeJournal final : public ChangeLog, private AofObserver {
 public:
  ChangeJournal(Server& server, Files& files);

  void Append(const ChangeBatch& batch) override;
  int64_t buffered_bytes() const override { return file_.buffered_bytes(); }

  /// Changes are kept.
  bool on() const { return on_.load(std::memory_order_relaxed); }
  bool healthy() const { return !on() || file_.healthy(); }
  /// MISCONF and the disk's error, while it is not healthy.
  std::string Refusal() const;
  /// It has grown by auto-aof-rewrite-percentage.
  bool WantsRewrite() const;

  /// A client's request, or several, while they are executed: under `appendfsync always` what the
  /// thread appends meanwhile waits for Demand(), which whoever made this is to call, so that all
  /// clients of a round go to the disk together. They nest, each with changes of its own.
  class Request {
   public:
    Request() : outer_(std::exchange(current, this)) {}
    ~Request() { current = outer_; }
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    /// What must be durable before it is answered: the offset behind its changes; 0: nothing.
    int64_t offset() const { return offset_; }

   private:
    friend class ChangeJournal;
    static thread_local Request* current;  ///< the innermost of the thread
    Request* const outer_;
    int64_t offset_ = 0;
  };

  /// What comes before `offset` goes to the disk now.
  void Demand(int64_t offset) { file_.Demand(offset); }
  /// Everything, once changes are no longer kept.
  int64_t durable_offset() const {
    return on() ? file_.durable_offset() : std::numeric_limits<int64_t>::max();
  }
  bool AwaitDurable(int64_t offset, int64_t us) { return file_.AwaitDurable(offset, us); }
  bool WhenDurable(int64_t offset, std::function<void()> wake) {
    return file_.WhenDurable(offset, std::move(wake));
  }

  /// From here on changes are kept, beginning with the file that is current or prepared. REQUIRES:
  /// all gates are closed, or no command has run yet.
  void Attach();
  /// From here on they are not; commands under way are cut off.
  void Detach();
  /// What comes next goes to the file that a rewrite prepared. REQUIRES: all gates are closed.
  void Switch();

  AppendOnlyFile& file() { return file_; }
  AppendOnlyFile::Info info() const { return file_.info(); }

 private:
  void FollowSettings();
  void AofNotice(std::string_view text) override;
  void AofWarning(std::string_view text) override;
  void AofLatency(std::string_view event, int64_t us) override;

  Server& server_;
  std::atomic<bool> on_ = false;
  AppendOnlyFile file_;
  CommandStream stream_;  ///< guarded by the lock that AppendOnlyFile::AppendWith holds
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
