#include "server/execution/interests.h"

#include <memory>
#include <utility>

#include "server/context/worker_pool.h"
#include "server/session/blocked_request.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// One key in whose stripe an interest is to be forgotten.
struct Interest {
  Database* db;
  std::string key;
  std::function<void(Stripe&, std::string_view key)> forget;
};
using Interests = std::vector<Interest>;

void ForgetHeld(const Interest& interest) {
  Stripe& stripe = interest.db->StripeOf(KeyHash::Of(interest.key));
  interest.forget(stripe, interest.key);
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
      ForgetHeld(left.back());
      left.pop_back();
    }
  }
};

void Forget(Server& server, GateSlot slot, Interests interests) {
  Interests left;
  for (Interest& interest : interests) {
    Hold hold(slot);
    if (left.empty() && hold.TryKey(*interest.db, KeyHash::Of(interest.key))) {
      ForgetHeld(interest);
    } else {
      // After one wait in vain, a worker does the rest.
      left.push_back(std::move(interest));
    }
  }
  if (!left.empty()) std::make_shared<LateForgetting>(server, std::move(left))->Post();
}

}  // namespace

void UnwatchAll(Server& server, GateSlot slot, Client& client) {
  if (client.watched.empty()) return;
  Interests interests;
  for (WatchedKey& watched : client.watched) {
    // The tables point to the watcher.
    interests.push_back({&server.keyspace().db(watched.db), std::move(watched.key),
                         [watcher = client.watcher](Stripe& stripe, std::string_view key) {
                           AssertHeld(stripe);
                           stripe.interests.Unwatch(key, watcher.get());
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
    interests.push_back(
        {&request->db(), request->keys()[i], [request, i](Stripe& stripe, std::string_view key) {
           AssertHeld(stripe);
           stripe.interests.Leave(key, &request->place(i));
         }});
  }
  Forget(server, slot, std::move(interests));
}

}  // namespace cloakroom
