#include "server/tracking/tracking_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "server/config/config.h"
#include "server/session/client.h"
#include "server/session/client_registry.h"
#include "server/tracking/invalidation.h"
#include "storage/base/text_hash.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// Returns whether the id is new.
template <typename Ids>
bool Insert(Ids& ids, uint64_t id) {
  const auto at = std::ranges::lower_bound(ids, id);
  if (at != ids.end() && *at == id) return false;
  ids.insert(at, id);
  return true;
}

template <typename Ids>
void Erase(Ids& ids, uint64_t id) {
  const auto at = std::ranges::lower_bound(ids, id);
  if (at != ids.end() && *at == id) ids.erase(at);
}

}  // namespace

TrackingTable::TrackingTable(Server& server) : server_(server) {
  server.keyspace().feed().Add(*this);
}

TrackingTable::~TrackingTable() { server_.keyspace().feed().Remove(*this); }

TrackingTable::Shard& TrackingTable::ShardOf(std::string_view key) {
  return shards_[HashText(key) % kShards];
}

void TrackingTable::Enable(Client& client, const Options& options) {
  MutexLock lock(mutex_);
  ClientTracking& tracking = client.tracking;
  if (!tracking.on && ++clients_ == 1) server_.keyspace().feed().SetWants(*this, kEvents);
  tracking.on = true;
  tracking.redirect_broken = false;
  tracking.bcast = options.bcast;
  tracking.optin = options.optin;
  tracking.optout = options.optout;
  tracking.noloop = options.noloop;
  tracking.redirect = options.redirect;
  if (!options.bcast) return;
  for (const std::string& prefix : options.prefixes) {
    if (!Insert(listeners_[prefix], client.id)) continue;
    tracking.prefixes.insert(std::ranges::lower_bound(tracking.prefixes, prefix), prefix);
  }
  broadcasts_ = true;
}

void TrackingTable::Disable(Client& client) {
  ClientTracking& tracking = client.tracking;
  if (!tracking.on) return;
  MutexLock lock(mutex_);
  for (const std::string& prefix : std::exchange(tracking.prefixes, {})) {
    const auto found = listeners_.find(prefix);
    Erase(found->second, client.id);
    if (found->second.empty()) listeners_.erase(found);
  }
  broadcasts_ = !listeners_.empty();
  tracking.on = false;
  tracking.redirect_broken = false;
  tracking.bcast = false;
  tracking.optin = false;
  tracking.optout = false;
  tracking.noloop = false;
  tracking.redirect = 0;
  tracking.caching = ClientTracking::Caching::kUnsaid;
  if (--clients_ == 0) server_.keyspace().feed().SetWants(*this, kNothing);
}

void TrackingTable::Remember(const Client& client, int db, std::span<const std::string_view> keys,
                             Hold& hold) {
  ChangeBatch* const changes = hold.changes();
  if (changes != nullptr && changes->has_events()) {
    for (const std::string_view key : keys) {
      changes->AddEvent({.db = db, .name = {}, .key = key, .modified = false});
    }
    return;
  }
  for (const std::string_view key : keys) Remember(client.id, key);
  MakeRoom();
}

void TrackingTable::Remember(uint64_t client, std::string_view key) {
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  const auto [readers, is_new] = shard.readers.try_emplace(key);
  if (is_new) keys_.fetch_add(1, std::memory_order_relaxed);
  if (Insert(readers->second, client)) items_.fetch_add(1, std::memory_order_relaxed);
}

void TrackingTable::MakeRoom() {
  const auto most = static_cast<size_t>(server_.settings().tracking_table_max_keys.Get());
  if (most == 0) return;
  // Ends when all shards are empty: another thread may empty the table meanwhile.
  size_t victims = 0;
  for (size_t empty = 0;
       keys_.load(std::memory_order_relaxed) > most && empty < kShards && victims < kMostVictims;) {
    Shard& shard = shards_[next_victim_.fetch_add(1, std::memory_order_relaxed) % kShards];
    MutexLock lock(shard.mutex);
    empty = shard.readers.empty() ? empty + 1 : 0;
    if (shard.readers.empty()) continue;
    const std::string victim = shard.readers.begin()->first;
    // Under the lock: whoever changes the key now finds nobody to tell, but hands this on.
    relay_.Add({Invalidate(shard, victim, /*origin=*/0)});
    ++victims;
  }
}

void TrackingTable::Trim() {
  MakeRoom();
  AfterHold();
}

void TrackingTable::Take(const ChangeBatch& batch, const ChangeOrigin& origin) {
  Invalidations invalidations;
  batch.ForEach([&](const Change& change) {
    if (change.kind == ChangeKind::kFlushDatabase || change.kind == ChangeKind::kFlushAll ||
        change.kind == ChangeKind::kSwapDatabases) {
      invalidations.push_back(InvalidateAll());
    }
  });
  bool remembers = false;
  batch.ForEachEvent([&](const ChangeBatch::Event& event) {
    if (event.is_read()) {
      Remember(origin.client, event.key);
      remembers = true;
    }
    if (!event.modified) return;
    Shard& shard = ShardOf(event.key);
    MutexLock lock(shard.mutex);
    // Time makes no client's change.
    const uint64_t by = event.name == "expired" ? 0 : origin.client;
    Invalidation invalidation = Invalidate(shard, event.key, by);
    if (invalidation.readers.empty() && invalidation.broadcast.empty()) return;
    invalidations.push_back(std::move(invalidation));
  });
  if (!invalidations.empty()) relay_.Add(std::move(invalidations));
  if (remembers) MakeRoom();
}

TrackingTable::Invalidation TrackingTable::Invalidate(Shard& shard, std::string_view key,
                                                      uint64_t origin) {
  Invalidation invalidation{
      .key = std::string(key), .readers = {}, .broadcast = ListenersTo(key), .origin = origin};
  if (const auto found = shard.readers.find(key); found != shard.readers.end()) {
    invalidation.readers = std::move(found->second);
    shard.readers.erase(found);
    keys_.fetch_sub(1, std::memory_order_relaxed);
    items_.fetch_sub(invalidation.readers.size(), std::memory_order_relaxed);
  }
  return invalidation;
}

TrackingTable::Invalidation TrackingTable::InvalidateAll() {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    keys_.fetch_sub(shard.readers.size(), std::memory_order_relaxed);
    for (const auto& [key, readers] : shard.readers) {
      items_.fetch_sub(readers.size(), std::memory_order_relaxed);
    }
    shard.readers.clear();
  }
  return {};
}

TrackingTable::Readers TrackingTable::ListenersTo(std::string_view key) const {
  Readers all;
  if (!broadcasts_.load(std::memory_order_relaxed)) return all;
  MutexLock lock(mutex_);
  for (const auto& [prefix, listeners] : listeners_) {
    if (!key.starts_with(prefix)) continue;
    for (const uint64_t id : listeners) Insert(all, id);
  }
  return all;
}

size_t TrackingTable::prefixes() const {
  MutexLock lock(mutex_);
  return listeners_.size();
}

/// The messages of a chunk: those of clients in BCAST mode name all keys of the chunk at once.
class TrackingTable::Outbox {
 public:
  explicit Outbox(const ClientRegistry& clients) : clients_(clients), messages_(clients) {}
  ~Outbox() {
    WriteBroadcasts();
    messages_.Send();
  }

  void Add(const Invalidation& invalidation) {
    if (!invalidation.key) return TellAll();
    const std::string_view key = *invalidation.key;
    for (const uint64_t id : invalidation.readers) {
      if (const auto client = Find(id, invalidation.origin)) {
        messages_.Tell(*client, std::span(&key, 1));
      }
    }
    for (const uint64_t id : invalidation.broadcast) {
      if (Find(id, invalidation.origin) == nullptr) continue;
      broadcasts_[id].insert(key);
    }
  }

 private:
  /// Null: it is gone, does not track any more, or does not want to hear of its own change.
  std::shared_ptr<Client> Find(uint64_t id, uint64_t origin) {
    std::shared_ptr<Client> client = clients_.Find(id);
    if (client == nullptr || !client->tracking.on) return nullptr;
    return client->tracking.noloop && id == origin ? nullptr : client;
  }

  void TellAll() {
    WriteBroadcasts();
    for (const auto& client : clients_.All()) {
      if (client->tracking.on) messages_.Tell(*client, std::nullopt);
    }
  }

  void WriteBroadcasts() {
    for (const auto& [id, keys] : broadcasts_) {
      if (const auto client = clients_.Find(id)) {
        messages_.Tell(*client, std::vector<std::string_view>(keys.begin(), keys.end()));
      }
    }
    broadcasts_.clear();
  }

  const ClientRegistry& clients_;
  InvalidationMessages messages_;
  std::map<uint64_t, std::set<std::string_view>> broadcasts_;  ///< keys, by the client's id
};

void TrackingTable::AfterHold() {
  relay_.HandOn([this](std::vector<Invalidations>& chunk) {
    Outbox outbox(server_.clients());
    for (const Invalidations& invalidations : chunk) {
      for (const Invalidation& invalidation : invalidations) outbox.Add(invalidation);
    }
  });
}

}  // namespace cloakroom
