#ifndef CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
#define CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "replication/aof/append_only_file.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"
#include "storage/changes/change_log.h"

namespace cloakroom {

class Server;

/// The append-only log as the server has it: the keyspace's changes go in, in Redis' stream form,
/// and connections ask it when they may acknowledge.
///
/// Thread rule: any thread, except where a comment names one.
class ChangeJournal final : public ChangeLog, private AofObserver {
 public:
  ChangeJournal(Server& server, Files& files);

  int64_t Append(const ChangeBatch& batch, SeenOffset* writer) override;
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
  /// clients of a round go to the disk together. They nest, each with what it did itself.
  ///
  /// Thread rule: that of `holds`, the context of all holds under which it is executed.
  class Scope {
   public:
    /// `client`: who is answered, null for nobody. `durable_from`: what its earlier replies still
    /// wait for.
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

    /// What must be durable before it is answered: the offset behind what it changed and what it
    /// has seen of others' changes; 0: nothing.
    int64_t offset() const { return seen_.offset; }
    /// Pushes what the request tells another client: a message that it publishes, a line to a
    /// monitor. The client hears nothing that is not durable: where that matters the push has the
    /// request's ticket, since what it changes is in the log only when it has been executed. What a
    /// request tells its own client needs none: that connection holds all that it sends.
    void Push(const std::shared_ptr<ClientLink>& link, Pushed pushed);
    /// It has been executed: what it pushed may go, once the log is durable up to offset().
    void End();

   private:
    ChangeJournal& journal_;
    HoldContext& holds_;
    const ClientLink* const client_;
    SeenOffset seen_;
    SeenOffset* const outer_;
    std::shared_ptr<PushOffset> ticket_;                          ///< of what it pushed
    absl::flat_hash_set<std::shared_ptr<ClientLink>> receivers_;  ///< of it
  };

  /// What a request answers may show anything that was changed by now, and nobody holds: INFO,
  /// SLOWLOG. While the disk refuses what is written they do not wait, since it is they who tell of
  /// it.
  void SeeEverything(HoldContext& holds);

  // ChangeLog.
  int64_t appended() const override { return file_.appended_offset(); }

  /// Calls `change`, which changes the set of known scripts, and logs the command that repeats it:
  /// of all who do so the order is the same in the log. A snapshot that begins meanwhile has what
  /// was changed, or else the log behind it does. Keeps others who change scripts waiting only.
  void LogScripts(HoldContext& holds, std::initializer_list<std::string_view> words,
                  absl::FunctionRef<void()> change);

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
  const AppendOnlyFile& file() const { return file_; }
  AppendOnlyFile::Info info() const { return file_.info(); }

 private:
  void FollowSettings();
  void AofNotice(std::string_view text) override;
  void AofWarning(std::string_view text) override;
  void AofLatency(std::string_view event, int64_t us) override;

  Server& server_;
  std::atomic<bool> on_ = false;
  AppendOnlyFile file_;
  Mutex scripts_mutex_;  ///< guards an order: of the known scripts' changes, and of their log's
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_CHANGE_JOURNAL_H_
