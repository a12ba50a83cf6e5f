#ifndef CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
#define CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "replication/aof/append_only_file.h"
#include "replication/stream/change_stream.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"
#include "storage/changes/change_log.h"

namespace cloakroom {

class Server;

/// Takes the keyspace's changes into the stream that the append-only log and the replicas read, as
/// Redis' commands. Connections ask it when they may acknowledge.
///
/// Thread rule: any thread, except where a comment names one.
class ChangeJournal final : public ChangeLog, private AofObserver {
 public:
  ChangeJournal(Server& server, Files& files);

  ChangePlace Reserve(const ChangeBatch& batch, SeenOffset* writer, GateSlot slot) override;
  void Complete(const ChangeBatch& batch, const ChangePlace& place) override {
    if (place.begin != place.end) file_.Complete(batch, place);
  }
  int64_t buffered_bytes() const override;

  /// Whether changes are logged.
  bool on() const { return on_.load(std::memory_order_relaxed); }
  bool healthy() const { return !on() || file_.healthy(); }
  /// Changes before this offset survive a crash. nullopt: none does, since there is no log, or it
  /// waits for its first base.
  std::optional<int64_t> synced() const {
    if (!on() || file_.state() != AppendOnlyFile::State::kOn) return std::nullopt;
    return file_.synced_offset();
  }
  /// While the log is not healthy: MISCONF and the disk's error.
  std::string Refusal() const;
  /// Whether the log has grown by auto-aof-rewrite-percentage.
  bool WantsRewrite() const;

  /// Surrounds the execution of one or more requests of a client. Under `appendfsync always`, what
  /// the thread appends meanwhile waits for Demand(), which the owner of the scope must call, so
  /// that the changes of all clients of a round go to the disk together. Scopes nest; each counts
  /// only its own.
  ///
  /// Thread rule: that of `holds`, the context of all holds under which the requests execute.
  class Scope {
   public:
    /// `client`: who gets the replies; null: nobody. `durable_from`: the offset that its earlier
    /// replies still wait for.
    Scope(ChangeJournal& journal, HoldContext& holds, const ClientLink* client = nullptr,
          int64_t durable_from = 0)
        : journal_(journal),
          holds_(holds),
          client_(client),
          seen_{durable_from},
          outer_(std::exchange(holds.seen, &seen_)) {}
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// The log must be durable up to this offset before the reply is sent: it covers what the
    /// request changed, and what it saw of others' changes. 0: nothing.
    int64_t offset() const { return seen_.offset; }
    /// Pushes what the request tells another client: a message that it publishes, or a line to a
    /// monitor. Under `appendfsync always` the client must not hear it before it is durable. The
    /// offset is known only after the execution, so the push carries the request's PushOffset. A
    /// push to the request's own client needs none: that connection holds all its output.
    void Push(const std::shared_ptr<ClientLink>& link, Pushed pushed);
    /// Call it after the execution: pushes may go once the log is durable up to offset().
    void End();

   private:
    ChangeJournal& journal_;
    HoldContext& holds_;
    const ClientLink* const client_;
    SeenOffset seen_;
    SeenOffset* const outer_;
    std::shared_ptr<PushOffset> push_offset_;                     ///< of the pushes
    absl::flat_hash_set<std::shared_ptr<ClientLink>> receivers_;  ///< of the pushes
  };

  /// For a request whose reply may show any change made so far, without a hold: INFO, SLOWLOG.
  /// While the disk fails they do not wait, since they report the failure.
  void SeeEverything(HoldContext& holds);

  // ChangeLog.
  int64_t appended() const override { return file_.appended_offset(); }

  /// Calls `change`, which changes the set of known scripts, and logs the command that repeats it.
  /// The log has these changes in the order in which they were made. The change is either in a
  /// snapshot that begins meanwhile, or in the log behind it. Only others who change scripts have
  /// to wait.
  void LogScripts(HoldContext& holds, std::initializer_list<std::string_view> words,
                  absl::FunctionRef<void()> change);

  /// Sends everything before `offset` to the disk now.
  void Demand(int64_t offset) { file_.Demand(offset); }
  /// The largest offset there is, once changes are no longer logged.
  int64_t durable_offset() const {
    return on() ? file_.durable_offset() : std::numeric_limits<int64_t>::max();
  }
  /// Waits until `offset` is durable, `us` at most, but not while the disk refuses bytes. Returns
  /// whether it is.
  bool AwaitDurable(int64_t offset, int64_t us) { return file_.AwaitDurable(offset, us); }
  /// True: it is durable already, or never will be since the log has ended; drops `wake`. False:
  /// `wake` will be called once, by the log's thread or when the log is closed, and must only post.
  bool WhenDurable(int64_t offset, std::function<void()> wake) {
    return file_.WhenDurable(offset, std::move(wake));
  }

  /// From now on changes are logged, into the current or prepared file. REQUIRES: all gates are
  /// closed, or no command has run yet.
  void Attach();
  /// From now on they are not; the log may end within the changes of commands under way.
  void Detach();
  /// Continues the log in the file that a rewrite prepared. REQUIRES: all gates are closed.
  void Switch();

  /// Whether changes go into the stream for replicas, with or without a log. REQUIRES: as Attach.
  void set_replicated(bool replicated);
  bool replicated() const { return replicated_.load(std::memory_order_relaxed); }
  /// Whether the stream follows a primary's instead of the keyspace's changes. REQUIRES: as Attach.
  void set_following(bool following);
  /// From now on nothing is appended. REQUIRES: as Attach.
  void set_sealed(bool sealed);
  bool following() const { return following_.load(std::memory_order_relaxed); }
  /// The primary's bytes up to `end` have been applied; see AofPending::Extend. REQUIRES:
  /// following().
  void Extend(int64_t end, int db, std::optional<std::string> instead) {
    file_.Extend(end, db, std::move(instead));
  }
  /// Appends a command for replicas only; nothing while the stream follows a primary's.
  void Replicate(std::initializer_list<std::string_view> words);

  AppendOnlyFile& file() { return file_; }
  const AppendOnlyFile& file() const { return file_; }
  AppendOnlyFile::Info info() const { return file_.info(); }

 private:
  void FollowSettings();
  /// Whether the stream takes the keyspace's changes.
  bool feeds() const { return (on() || replicated()) && !following() && !sealed_; }
  void SetReadersWait();
  void FeedChanges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(append_mutex_);
  void AofNotice(std::string_view text) override;
  void AofWarning(std::string_view text) override;
  void AofLatency(std::string_view event, int64_t us) override;

  Server& server_;
  std::atomic<bool> on_ = false;
  std::atomic<bool> replicated_ = false;
  std::atomic<bool> following_ = false;
  std::atomic<bool> sealed_ = false;
  ChangeStream& stream_;
  AppendOnlyFile file_;
  Mutex scripts_mutex_;  ///< changes of known scripts, and their log, in one order
  /// Held to append without a hold, and to change who appends.
  Mutex append_mutex_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
