#ifndef CLOAKROOM_SERVER_SESSION_CLIENT_H_
#define CLOAKROOM_SERVER_SESSION_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "protocol/shared_bytes.h"
#include "replication/link/replica_options.h"
#include "server/session/address.h"
#include "server/session/client_tracking.h"
#include "storage/base/mutex.h"
#include "storage/base/relaxed.h"
#include "storage/base/string_map.h"
#include "storage/changes/interest.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

class BlockedRequest;
class OpenRequest;
class SocketStream;
struct Command;

/// One subscription of a client. Messages on their way refer to it. The client's own thread ends
/// it.
struct Subscription {
  std::atomic<bool> active = true;
};

/// The offset up to which the log must be durable before one request's pushes may be sent. Known
/// after the request has been executed.
struct PushOffset {
  static constexpr int64_t kUnknown = -1;
  std::atomic<int64_t> durable_from = kUnknown;
};

/// Bytes on their way to a client that answer none of its requests: a message, a line to a monitor.
struct Pushed {
  SharedBytes bytes;
  /// A message's; otherwise null.
  std::shared_ptr<const Subscription> subscription;
  /// Null: may be sent at once.
  std::shared_ptr<const PushOffset> offset;

  /// Asked on the client's thread. A message whose subscription has ended is dropped: after the
  /// reply to UNSUBSCRIBE, the client would take it for a reply.
  bool wanted() const { return subscription == nullptr || subscription->active; }
  int64_t durable_from() const {
    return offset == nullptr ? 0 : offset->durable_from.load(std::memory_order_acquire);
  }
};

/// A client's connection, as other parts of the server see it. Thread rule: any thread.
class ClientLink {
 public:
  virtual ~ClientLink() = default;
  /// Sends `pushed` after all earlier pushes, unless it is no longer wanted by then.
  virtual void Push(Pushed pushed) = 0;
  /// Call it when the offsets of earlier pushes may have become known.
  virtual void OffsetsAreKnown() {}
  /// Closes the connection soon; replies under way may be lost.
  virtual void Kill() = 0;
};

/// Brings a push to its receiver: see ChangeJournal::Scope::Push.
using Pusher = absl::FunctionRef<void(const std::shared_ptr<ClientLink>&, Pushed)>;
/// A Pusher that pushes at once.
inline void PushAtOnce(const std::shared_ptr<ClientLink>& link, Pushed pushed) {
  link->Push(std::move(pushed));
}

/// One request that is queued in MULTI for EXEC.
struct QueuedCommand {
  const Command* command;
  std::vector<std::string> args;
};

/// A key that a client watches.
struct WatchedKey {
  int db;
  std::string key;
};

/// A native session whose lock a client was given. It may have lost it since.
struct HeldSession {
  int db;
  std::string key;
  int64_t fence;
};

enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkip };

/// All that the server knows about one connected client.
///
/// Thread rule: the plain members belong to its connection's thread. Members that other threads may
/// read (CLIENT LIST, INFO) are Relaxed or guarded by `mutex`; only the owner writes them, except
/// `killed` and `no_evict`.
struct Client {
  Client(uint64_t client_id, int64_t now_ms) : id(client_id), created_ms(now_ms), last_ms(now_ms) {}

  const uint64_t id;
  const int64_t created_ms;
  /// Set once when the connection opens.
  Address address;
  Address local_address;
  int fd = -1;
  bool unix_socket = false;
  bool local = false;  ///< from this machine: loopback or a unix socket
  std::weak_ptr<ClientLink> link;

  // The session.
  Relaxed<int> db = 0;
  Relaxed<int> resp = 2;
  bool authenticated = false;
  ReplyMode reply_mode = ReplyMode::kOn;
  bool close_after_reply = false;
  bool changed_role = false;  ///< of this server, by REPLICAOF or FAILOVER
  /// Set with close_after_reply by a command that takes the socket away: who gets it, and the bytes
  /// behind the request.
  std::function<void(std::unique_ptr<SocketStream>, std::string)> hand_over;
  Relaxed<bool> no_touch = false;
  Relaxed<bool> no_evict = false;
  Relaxed<bool> monitor = false;

  // MULTI and WATCH.
  bool in_multi = false;
  bool multi_failed = false;  ///< a request was refused while queueing: EXEC answers EXECABORT
  std::vector<QueuedCommand> queue;
  Relaxed<int64_t> queued_bytes = 0;
  std::vector<WatchedKey> watched;
  /// Replaced when the client stops watching, so that late changes reach only the old one.
  std::shared_ptr<Watcher> watcher = std::make_shared<Watcher>();

  // Native sessions.
  uint64_t session_party = 0;  ///< its name for the locks; 0: it has none yet
  std::vector<HeldSession> held_sessions;
  /// Its SESSION.OPEN that waits. Null: none.
  std::shared_ptr<OpenRequest> open_request;

  // Subscriptions; the registry (pubsub/) maps channels to clients.
  StringSet channels;
  StringSet patterns;
  StringSet shard_channels;
  bool subscribed() const {
    return !channels.empty() || !patterns.empty() || !shard_channels.empty();
  }
  /// The same for other threads, which may see it a moment late.
  bool listens() const {
    return subscription_count > 0 || pattern_count > 0 || shard_subscription_count > 0;
  }

  ClientTracking tracking;

  // Replication.
  /// It stands for our primary, or for the log: nothing refuses its commands.
  Relaxed<bool> primary = false;
  ReplicaOptions replica_options;
  Relaxed<bool> replica = false;
  int64_t write_position = 0;  ///< of the stream of changes: behind what the client last changed

  // For CLIENT LIST and INFO.
  Relaxed<int64_t> last_ms;
  Relaxed<const Command*> last_command = nullptr;
  Relaxed<int> subscription_count = 0;
  Relaxed<int> pattern_count = 0;
  Relaxed<int> shard_subscription_count = 0;
  Relaxed<int> multi_count = -1;  ///< queued commands; -1 outside MULTI
  Relaxed<int> watch_count = 0;
  Relaxed<int64_t> query_bytes = 0;
  Relaxed<int64_t> query_capacity = 0;
  Relaxed<int64_t> args_bytes = 0;
  Relaxed<int64_t> output_bytes = 0;   ///< waiting for the socket
  Relaxed<int64_t> output_memory = 0;  ///< the part of it that the connection owns
  Relaxed<int64_t> pushed_bytes = 0;   ///< on their way from other threads, see PushQueue
  Relaxed<int64_t> net_in = 0;
  Relaxed<int64_t> net_out = 0;
  Relaxed<int64_t> commands = 0;
  std::atomic<int64_t> counted_memory = 0;  ///< its part of ClientMemory's sum
  Relaxed<bool> blocked = false;  ///< its request waits: for keys, a gate, a pause or a worker
  std::atomic<bool> killed = false;

  mutable Mutex mutex;
  std::string name ABSL_GUARDED_BY(mutex);
  /// Set while a request is blocked. For CLIENT UNBLOCK.
  std::shared_ptr<BlockedRequest> blocked_request ABSL_GUARDED_BY(mutex);
  std::string lib_name ABSL_GUARDED_BY(mutex);
  std::string lib_version ABSL_GUARDED_BY(mutex);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_CLIENT_H_
