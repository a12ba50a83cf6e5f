#ifndef CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_
#define CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "replication/files/files.h"
#include "server/context/server.h"
#include "server/persistence/applier.h"
#include "server/persistence/background_work.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/loader.h"
#include "server/persistence/log_keeper.h"
#include "server/persistence/save_thread.h"
#include "server/persistence/saver.h"
#include "server/persistence/write_health.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

class HistoryPlaces;

/// Brings the data to the disk and back. It owns the parts that do so, and does what takes several
/// of them: cron's turn and the end of the process. Other callers use the part that they need.
///
/// Thread rule: any thread, except where a comment names one.
class Persistence {
 public:
  Persistence(Server& server, Files& files, ApplierFactory appliers);
  ~Persistence();
  Persistence(const Persistence&) = delete;
  Persistence& operator=(const Persistence&) = delete;

  Files& files() { return files_; }
  BackgroundWork& work() { return work_; }
  WriteHealth& write_health() { return write_health_; }
  Saver& saver() { return saver_; }
  LogKeeper& log_keeper() { return log_keeper_; }
  Loader& loader() { return loader_; }
  ChangeJournal& journal() { return journal_; }
  /// Null: the data has no place in a history. Set before the first command.
  HistoryPlaces* places() { return places_; }
  void set_places(HistoryPlaces* places) { places_ = places; }

  /// Begins what is due. The cron thread calls it `hz` times a second.
  void Tick();

  enum class EndStep : uint8_t {
    kDone,     ///< from now on only durable changes are acknowledged
    kRefused,  ///< saving failed; the server continues as before
    kNotYet,   ///< something is still running: call it again soon
  };
  /// Gives up background work, saves if asked to or if save points are set, and ends the log; from
  /// then on all gates are closed. Waits neither for the save thread nor for a script. Only the
  /// save itself takes long; `meanwhile` is called now and then during it. On the main thread.
  EndStep PrepareToEnd(
      ShutdownSave ending, bool force, absl::FunctionRef<void()> meanwhile = [] {});
  /// After kNotYet: the server does not end after all. On the same thread.
  void GiveUpEnd();
  /// Opens the gates after PrepareToEnd, on the same thread, when no event loop runs any more.
  void OpenGates() { last_hold_.reset(); }

 private:
  absl::Status FollowDirectory();
  bool TryCloseGates();

  Server& server_;
  Files& files_;
  HistoryPlaces* places_ = nullptr;
  ChangeJournal journal_;
  BackgroundWork work_;
  WriteHealth write_health_;
  Saver saver_;
  LogKeeper log_keeper_;
  Loader loader_;
  // The main thread's: how far PrepareToEnd has come.
  std::optional<BackgroundWork::TakeOver> last_turn_;
  std::unique_ptr<Hold> last_hold_;
  SaveThread thread_;  ///< last: its jobs use all of the above
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_PERSISTENCE_H_
