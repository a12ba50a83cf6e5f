#ifndef CLOAKROOM_SERVER_SESSION_CLIENT_MEMORY_H_
#define CLOAKROOM_SERVER_SESSION_CLIENT_MEMORY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/session/client.h"
#include "server/session/client_registry.h"

namespace cloakroom {

/// An estimate of the memory that the connection itself uses, in bytes.
int64_t MemoryOf(const Client& client);
/// The same with the values that its replies refer to: CLIENT LIST's tot-mem.
int64_t TotalMemoryOf(const Client& client);

/// What maxmemory-clients limits: the sum of tot-mem over all clients and subscribers. Replicas,
/// the primary, and clients with CLIENT NO-EVICT on do not count.
///
/// Thread rule: any thread. A client's part of the sum may be a moment old: its own thread brings
/// it up to date.
class ClientMemory {
 public:
  explicit ClientMemory(const ClientRegistry& clients) : clients_(clients) {}

  /// The limit in bytes. 0: there is none, and nothing is counted.
  void set_limit(int64_t bytes) { limit_ = bytes; }

  /// Call it when the buffers of a client have changed.
  void Note(Client& client) {
    if (limit_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      Count(client);
  }
  /// The client is gone.
  void Forget(Client& client) { Set(client, 0); }

  /// Whether clients must be closed.
  bool over() const {
    const int64_t limit = limit_.load(std::memory_order_relaxed);
    return limit != 0 && sum_.load(std::memory_order_relaxed) > limit;
  }
  /// The clients that must be closed, the largest first, so that the others are within the limit.
  /// These no longer count; the caller closes them.
  std::vector<std::shared_ptr<Client>> TakeLargest();
  /// INFO's evicted_clients.
  int64_t evicted() const { return evicted_.load(std::memory_order_relaxed); }
  void ResetCounters() { evicted_ = 0; }

 private:
  int64_t Count(Client& client);
  void Set(Client& client, int64_t bytes) {
    sum_.fetch_add(bytes - client.counted_memory.exchange(bytes), std::memory_order_relaxed);
  }

  const ClientRegistry& clients_;
  std::atomic<int64_t> limit_ = 0;
  std::atomic<int64_t> sum_ = 0;
  std::atomic<int64_t> evicted_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_CLIENT_MEMORY_H_
