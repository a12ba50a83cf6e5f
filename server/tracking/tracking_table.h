#ifndef CLOAKROOM_SERVER_TRACKING_TRACKING_TABLE_H_
#define CLOAKROOM_SERVER_TRACKING_TRACKING_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/inlined_vector.h"
#include "server/context/relay.h"
#include "server/context/server.h"
#include "storage/base/mutex.h"
#include "storage/base/string_map.h"
#include "storage/changes/change_feed.h"

namespace cloakroom {

class Hold;

/// Which clients cache which keys (CLIENT TRACKING), and who must be told that a key has changed.
///
/// By default the table remembers the keys that a client has read, by name alone, whatever the
/// database, as Redis does. The first change of such a key tells the client and forgets it. A read
/// is remembered while its stripe is held, and a change looks the key up while its stripe is held:
/// no change comes between a read and its place in the table. A client in BCAST mode is told of
/// every change of a key with one of its prefixes: one message names all keys that were changed
/// under one hold, by a command or a transaction.
///
/// Holds at most `tracking-table-max-keys` keys: for one more it tells the clients of another key
/// to forget that. When the setting is lowered, cron trims the table. While no client tracks,
/// nothing is paid.
///
/// Thread rule: any thread, except where a comment names one.
class TrackingTable final : public ChangeConsumer {
 public:
  /// The server must outlive it.
  explicit TrackingTable(Server& server);
  ~TrackingTable() override;

  /// What CLIENT TRACKING ON asks for.
  struct Options {
    bool bcast = false;
    bool optin = false;
    bool optout = false;
    bool noloop = false;
    uint64_t redirect = 0;
    std::vector<std::string> prefixes;  ///< those that are new
  };
  /// Turns tracking on, or changes its options. On the client's thread.
  void Enable(Client& client, const Options& options);
  /// On the client's thread, too. The keys that it has read are forgotten when they change.
  void Disable(Client& client);

  /// Remembers that the client has read these keys, in the database `db`. On the client's thread,
  /// while `hold` has their stripes. Call AfterHold when it has ended. If something was changed
  /// under the hold already, the reads go into its batch, for their order counts: a change makes
  /// the client forget what it has read before, not what it reads afterwards.
  void Remember(const Client& client, int db, std::span<const std::string_view> keys, Hold& hold);

  void Take(const ChangeBatch& batch, const ChangeOrigin& origin) override;
  void AfterHold() override;

  /// Tells all clients that track to forget everything: for data that was replaced as a whole,
  /// which is no change. Call AfterHold when the gates open. REQUIRES: all gates are closed.
  void ForgetAll() { relay_.Add({InvalidateAll()}); }
  /// For cron: `tracking-table-max-keys` may have been lowered. A very large table takes several
  /// calls.
  void Trim();

  // For INFO.
  size_t clients() const { return clients_; }
  size_t keys() const { return keys_; }
  /// Pairs of a key and a client.
  size_t items() const { return items_; }
  size_t prefixes() const;

 private:
  /// Sorted ids of clients.
  using Readers = absl::InlinedVector<uint64_t, 2>;
  struct Shard {
    Mutex mutex;
    StringMap<Readers> readers ABSL_GUARDED_BY(mutex);
  };
  /// What a change entails: these clients forget the key.
  struct Invalidation {
    std::optional<std::string> key;  ///< nullopt: all keys, and all clients that track
    Readers readers;
    Readers broadcast;
    uint64_t origin = 0;  ///< the client that made the change
  };
  /// What the changes of one hold entail, in their order.
  using Invalidations = std::vector<Invalidation>;
  class Outbox;
  static constexpr size_t kShards = 64;
  /// The most keys that one call gives up to make room: a client may be waiting for its reply.
  static constexpr size_t kMostVictims = 10'000;

  Shard& ShardOf(std::string_view key);
  void Remember(uint64_t client, std::string_view key);
  /// The clients that must be told of a change of the key; the table forgets them.
  Invalidation Invalidate(Shard& shard, std::string_view key, uint64_t origin)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);
  Invalidation InvalidateAll();
  /// The clients that want to hear of a key by its prefix.
  Readers ListenersTo(std::string_view key) const;
  /// Gives up keys while the table has too many.
  void MakeRoom();

  Server& server_;
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> clients_ = 0;
  std::atomic<size_t> keys_ = 0;
  std::atomic<size_t> items_ = 0;
  std::atomic<size_t> next_victim_ = 0;  ///< the shard that gives up a key next

  mutable Mutex mutex_;  ///< also orders the changes of clients_
  std::map<std::string, Readers> listeners_ ABSL_GUARDED_BY(mutex_);  ///< by prefix
  std::atomic<bool> broadcasts_ = false;                              ///< there are listeners

  Relay<Invalidations> relay_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_TRACKING_TRACKING_TABLE_H_
