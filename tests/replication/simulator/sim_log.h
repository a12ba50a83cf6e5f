#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LOG_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LOG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "replication/aof/aof_backlog.h"
#include "replication/aof/append_only_file.h"
#include "tests/replication/simulator/sim_data.h"
#include "tests/replication/simulator/sim_environment.h"

namespace cloakroom {

/// A simulated server's append-only log: the real one, and what the server does with it, at its
/// start, after a full sync, and in a rewrite.
///
/// Not thread safe.
class SimLog {
 public:
  SimLog(SimEnvironment& environment, SimMachine& machine, ChangeStream& stream);

  /// Reads the log into `data`, then calls `take_up` with the place that it says it ends at.
  void Load(SimData& data, const std::function<void(const std::optional<AofPlace>&)>& take_up);
  /// Goes on with the log that was loaded, or begins one with this base.
  void Resume(const std::string& first_base);

  /// Nothing is appended any more: other data comes.
  void Suspend();
  /// A new log, or a new file of the log, begins with the next rewrite.
  void ScheduleRewrite() { scheduled_ = machine_.log; }

  /// Begins a scheduled rewrite; `base` gives the data of this instant.
  void BeginRewrite(const std::function<std::string()>& base);
  /// Ends the rewrite that was begun.
  void EndRewrite();
  bool rewriting() const { return base_.has_value(); }

  void Step() { file_.Step(); }
  bool on() const { return on_; }
  bool healthy() const { return !on_ || file_.healthy(); }
  /// Whether all is done that the log has to do by itself.
  bool idle() const { return !scheduled_ && !base_; }
  /// What a crash leaves, as the server tells others; nullopt: there is no log.
  std::optional<int64_t> SyncedPosition() const;
  AppendOnlyFile& file() { return file_; }

 private:
  void LoadFile(const std::string& path, bool last, SimData& data, AofBacklog& backlog);

  SimEnvironment& environment_;
  SimMachine& machine_;
  ChangeStream& stream_;
  AppendOnlyFile file_;
  bool on_ = false;
  bool scheduled_ = false;
  std::optional<std::string> base_;  // of the rewrite under way
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LOG_H_
