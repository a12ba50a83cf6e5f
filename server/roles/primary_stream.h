#ifndef CLOAKROOM_SERVER_ROLES_PRIMARY_STREAM_H_
#define CLOAKROOM_SERVER_ROLES_PRIMARY_STREAM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "replication/link/record_reader.h"
#include "replication/stream/change_stream.h"
#include "server/roles/record_runner.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

class Server;

/// The stream of a replica's primary. Bytes are received straight into the memory behind our own
/// stream's tail. A thread of its own, the applier, finds the records there and runs them; with
/// each, the tail moves behind it. So our stream is always the primary's up to what has been
/// applied: our log, our own replicas and the backlog read it as they read a primary's changes.
///
///   ... applied | received, not yet applied | free ...
///               ^ the stream's tail
///
/// Whoever closes all gates sees data that is exactly that of the tail, for the tail moves while
/// the record's keys are still held.
///
/// Thread rule: Begin, Receive and End for the thread that owns the socket; others as they say.
class PrimaryStream {
 public:
  /// Bytes that may be received and not applied, unless one record needs more.
  static constexpr int64_t kMostAhead = int64_t{16} << 20;

  /// Told by the applier; each must only post.
  struct Callbacks {
    /// The primary wants an ACK of this position: what precedes the question.
    std::function<void(int64_t position)> asked_for_ack;
    /// There is room again, after a Receive() that had none.
    std::function<void()> room;
    /// The bytes are no stream of commands.
    std::function<void(absl::Status error)> broken;
  };

  PrimaryStream(Server& server, std::unique_ptr<RecordRunner> runner, Callbacks callbacks);
  /// Ends the applier.
  ~PrimaryStream();
  PrimaryStream(const PrimaryStream&) = delete;
  PrimaryStream& operator=(const PrimaryStream&) = delete;

  /// Bytes may come, which follow the tail.
  void Begin();
  /// Calls `receive` with room for bytes, which returns how many it put there; nullopt: none will
  /// come any more. Without calling it returns 0 if the applier is too far behind, or if End or
  /// Finish came.
  std::optional<size_t> Receive(absl::FunctionRef<std::optional<size_t>(std::span<char>)> receive);
  /// Where the bytes come from.
  void set_source(const Address& address);
  /// Drops what has not been applied. Any thread.
  void End();
  /// Applies all whole records that were received, and drops the rest. `hold` closes all gates. Any
  /// thread.
  void Finish(Hold& hold);

  /// The database that the stream has selected. REQUIRES: all gates are closed, or nothing is
  /// applied.
  int db();
  /// REQUIRES: as db().
  void set_db(int db);
  /// How many bytes were received and not applied. Any thread.
  int64_t behind() const;

 private:
  enum class Step { kApplied, kNothing, kBlocked, kHeldBack };
  /// Records that are applied before others may have the mutex.
  static constexpr int kTurn = 32;

  void Run();
  Step Apply(RecordRunner::Obstacle* obstacle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FindRecord() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteApplied() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellOfRoom();
  void Drop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_, socket_mutex_);
  bool HasBytes() const { return received_.load() > fed_.load(); }
  bool HeldBack() const;
  void Wake();

  Server& server_;
  ChangeStream& stream_;
  const Callbacks callbacks_;

  /// Held while bytes are received. Taken after mutex_.
  Mutex socket_mutex_;
  bool open_ ABSL_GUARDED_BY(socket_mutex_) = false;
  std::atomic<int64_t> received_ = 0;  ///< behind the last byte received
  std::atomic<int64_t> fed_ = 0;       ///< behind the last byte that the reader knows
  std::atomic<bool> starved_ = true;   ///< the reader needs more for its next record
  std::atomic<bool> wants_room_ = false;

  /// Held while a record is looked for or runs.
  Mutex mutex_;
  const std::unique_ptr<RecordRunner> runner_ ABSL_GUARDED_BY(mutex_);
  std::optional<RecordReader> reader_ ABSL_GUARDED_BY(mutex_);
  bool has_record_ ABSL_GUARDED_BY(mutex_) = false;

  Mutex bell_;
  CondVar rung_;
  bool stopped_ ABSL_GUARDED_BY(bell_) = false;
  std::atomic<bool> asleep_ = false;
  std::thread applier_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_PRIMARY_STREAM_H_
