#ifndef CLOAKROOM_SERVER_SESSION_CLIENT_REGISTRY_H_
#define CLOAKROOM_SERVER_SESSION_CLIENT_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// All connected clients by id. Any thread.
class ClientRegistry {
 public:
  uint64_t NextId() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  /// All ids that were given so far are lower.
  uint64_t next_id() const { return next_id_.load(std::memory_order_relaxed); }

  void Add(std::shared_ptr<Client> client) {
    MutexLock lock(mutex_);
    uint64_t id = client->id;
    clients_.emplace(id, std::move(client));
    count_.store(clients_.size(), std::memory_order_relaxed);
  }
  void Remove(uint64_t id) {
    MutexLock lock(mutex_);
    clients_.erase(id);
    count_.store(clients_.size(), std::memory_order_relaxed);
  }
  std::shared_ptr<Client> Find(uint64_t id) const {
    MutexLock lock(mutex_);
    auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : found->second;
  }
  /// All clients at this moment, oldest first.
  std::vector<std::shared_ptr<Client>> All() const {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<Client>> all;
    all.reserve(clients_.size());
    for (const auto& [id, client] : clients_) all.push_back(client);
    return all;
  }
  size_t size() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> next_id_ = 1;
  std::atomic<size_t> count_ = 0;
  mutable Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Client>> clients_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_CLIENT_REGISTRY_H_
