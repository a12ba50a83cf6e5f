#ifndef CLOAKROOM_SERVER_ROLES_RECORD_RUNNER_H_
#define CLOAKROOM_SERVER_ROLES_RECORD_RUNNER_H_

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "replication/link/record_reader.h"
#include "server/session/address.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Executes the records of a primary's stream. The room that executes commands is above this one,
/// so the server passes in a factory.
///
/// Commands run as the primary's: nothing expires for them, nothing refuses them, and their effects
/// go into no log. What fails is told to the server log.
///
/// Thread rule: one thread at a time.
class RecordRunner {
 public:
  /// Why a record cannot run now. `gate`: null if something is occupied that will soon be free.
  struct Obstacle {
    Gate* gate = nullptr;
    Gate::Wish wish = {};
  };

  virtual ~RecordRunner() = default;
  /// Records are about to run, for some milliseconds at most: reads the clock for them, and has the
  /// processor fetch what the first commands in `ahead` will need (RecordReader::ahead).
  virtual void BeginTurn(std::span<char> ahead) = 0;
  /// Runs all commands of the record together. Calls `applied` while everything that they touch is
  /// still held, at least a pass through the gate of a database. False: nothing ran, see
  /// `obstacle`; try again or GiveUp(). REQUIRES: a turn has begun.
  virtual bool TryRun(const RecordReader& record, absl::FunctionRef<void()> applied,
                      Obstacle* obstacle) = 0;
  virtual void GiveUp() = 0;
  /// Runs them under a hold that closes all gates.
  virtual void RunUnder(const RecordReader& record, Hold& hold) = 0;

  /// Whether this command of the last record was refused: it is no command, or none for a stream.
  virtual bool refused(size_t command) const = 0;
  /// What a log says in place of this command of the last record: a time in place of an expiry
  /// that counts from now. Null: the same. Valid until the next record runs.
  virtual const std::vector<std::string>* reworded(size_t command) const = 0;

  /// Whose commands they are, for MONITOR and the slow log.
  virtual void set_source(const Address& address) = 0;
  /// The database that the stream has selected.
  virtual int db() const = 0;
  virtual void set_db(int db) = 0;
};

using RecordRunnerFactory = std::function<std::unique_ptr<RecordRunner>()>;

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_RECORD_RUNNER_H_
