#include "server/session/client_memory.h"

#include <algorithm>
#include <utility>

namespace cloakroom {
namespace {

/// The size of an idle connection's objects and of its share of the event loop.
constexpr int64_t kIdleBytes = 2048;

bool MayBeEvicted(const Client& client) {
  return !client.no_evict && !client.replica && !client.primary && !client.killed;
}

}  // namespace

int64_t MemoryOf(const Client& client) {
  return kIdleBytes + client.query_capacity + client.output_memory + client.pushed_bytes +
         client.args_bytes + client.queued_bytes;
}

int64_t TotalMemoryOf(const Client& client) {
  return MemoryOf(client) + std::max<int64_t>(client.output_bytes - client.output_memory, 0);
}

int64_t ClientMemory::Count(Client& client) {
  const int64_t bytes = MayBeEvicted(client) ? TotalMemoryOf(client) : 0;
  Set(client, bytes);
  return bytes;
}

std::vector<std::shared_ptr<Client>> ClientMemory::TakeLargest() {
  std::vector<std::pair<int64_t, std::shared_ptr<Client>>> all;
  for (std::shared_ptr<Client>& client : clients_.All()) {
    const int64_t bytes = Count(*client);
    if (bytes > 0) all.emplace_back(bytes, std::move(client));
  }
  std::ranges::sort(all, std::greater<>(), [](const auto& one) { return one.first; });
  std::vector<std::shared_ptr<Client>> taken;
  for (auto& [bytes, client] : all) {
    if (!over()) break;
    // Two threads may want it.
    if (client->killed.exchange(true)) continue;
    Set(*client, 0);
    evicted_.fetch_add(1, std::memory_order_relaxed);
    taken.push_back(std::move(client));
  }
  return taken;
}

}  // namespace cloakroom
