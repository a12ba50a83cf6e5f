#include "server/execution/interests.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/context/worker_pool.h"
#include "server/session/blocked_request.h"
#include "server/sessions/native_sessions.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/key_guard.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// One key in whose stripe an interest is to be forgotten.
struct Interest {
  Database* db;
  std::string key;
  std::function<void(const GuardedKey&)> forget;
};
using Interests = std::vector<Interest>;

void ForgetHeld(Hold& hold, const Interest& interest) {
  const Keyspace& keyspace = interest.db->keyspace();
  interest.forget(
      {hold, *interest.db, interest.key, KeyHash::Of(interest.key), keyspace.clock().NowMs()});
}

InterestTable& InterestsOf(const GuardedKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The key's hold has the stripe.
  return key.db.StripeOf(key.hash).interests;
}

/// Forgets the rest on a worker, when a gate was closed. It keeps no worker while it waits.
struct LateForgetting : std::enable_shared_from_this<LateForgetting> {
  Server& server;
  Interests left;

  LateForgetting(Server& its_server, Interests interests)
      : server(its_server), left(std::move(interests)) {}

  void Post() {
    server.workers().Post([self = shared_from_this()] { self->Run(); });
  }
  void Run() {
    while (!left.empty()) {
      Hold hold(server.keyspace().background_slot());
      if (!hold.TryKey(*left.back().db, KeyHash::Of(left.back().key))) {
        if (hold.refused() == nullptr) return Post();
        return hold.refused()->WhenOpen({}, [self = shared_from_this()] { self->Post(); });
      }
      ForgetHeld(hold, left.back());
      left.pop_back();
    }
  }
};

/// Returns how many it could not forget at once.
size_t Forget(Server& server, GateSlot slot, Interests interests) {
  Interests left;
  for (Interest& interest : interests) {
    Hold hold(slot);
    if (left.empty() && hold.TryKey(*interest.db, KeyHash::Of(interest.key))) {
      ForgetHeld(hold, interest);
    } else {
      // After one wait in vain, a worker does the rest.
      left.push_back(std::move(interest));
    }
  }
  const size_t late = left.size();
  if (late > 0) std::make_shared<LateForgetting>(server, std::move(left))->Post();
  return late;
}

}  // namespace

void UnwatchAll(Server& server, GateSlot slot, Client& client) {
  if (client.watched.empty()) return;
  Interests interests;
  for (WatchedKey& watched : client.watched) {
    // The tables point to the watcher.
    interests.push_back({&server.keyspace().db(watched.db), std::move(watched.key),
                         [watcher = client.watcher](const GuardedKey& key) {
                           InterestsOf(key).Unwatch(key.key, watcher.get());
                         }});
  }
  client.watched.clear();
  client.watch_count = 0;
  client.watcher = std::make_shared<Watcher>();
  Forget(server, slot, std::move(interests));
}

void LeaveQueues(Server& server, GateSlot slot, std::shared_ptr<BlockedRequest> request) {
  Interests interests;
  for (size_t i = 0; i < request->keys().size(); ++i) {
    // The tables point to its places.
    interests.push_back({&request->db(), request->keys()[i], [request, i](const GuardedKey& key) {
                           InterestsOf(key).Leave(key.key, &request->place(i));
                         }});
  }
  Forget(server, slot, std::move(interests));
}

size_t GiveBackSessions(Server& server, GateSlot slot, Client& client) {
  LeaveSessionQueue(server, slot, client);
  if (client.held_sessions.empty()) return 0;
  auto dropped = std::make_shared<std::atomic<size_t>>(0);
  Interests interests;
  for (HeldSession& held : client.held_sessions) {
    interests.push_back(
        {&server.keyspace().db(held.db), std::move(held.key),
         [&sessions = server.sessions(), party = client.session_party,
          dropped](const GuardedKey& key) { *dropped += sessions.Drop(key, party) ? 1 : 0; }});
  }
  client.held_sessions.clear();
  client.session_party = 0;
  // Those behind a closed gate soon follow.
  const size_t late = Forget(server, slot, std::move(interests));
  return *dropped + late;
}

void LeaveSessionQueue(Server& server, GateSlot slot, Client& client) {
  if (client.open_request == nullptr) return;
  const std::shared_ptr<OpenRequest> open = std::exchange(client.open_request, nullptr);
  Interests interests;
  interests.push_back({&server.keyspace().db(open->db), open->key,
                       [&sessions = server.sessions(), open](const GuardedKey& key) {
                         sessions.Leave(key, *open);
                       }});
  Forget(server, slot, std::move(interests));
}

}  // namespace cloakroom
