#include "tests/replication/simulator/sim_network.h"

#include <algorithm>

namespace cloakroom {
namespace {

size_t At(SimEnd end) { return static_cast<size_t>(end); }

}  // namespace

int SimNetwork::Connect(int replica, int primary) {
  connections_[next_] = {.replica = replica, .primary = primary};
  ObeyPlan(next_);
  return next_++;
}

SimNetwork::Connection* SimNetwork::Find(int connection) {
  const auto found = connections_.find(connection);
  return found == connections_.end() ? nullptr : &found->second;
}

std::vector<int> SimNetwork::All() const {
  std::vector<int> all;
  for (const auto& [number, connection] : connections_) all.push_back(number);
  return all;
}

size_t SimNetwork::Send(int connection, SimEnd from, std::string_view bytes) {
  Connection* const found = Find(connection);
  if (found == nullptr || found->closed[At(from)]) return 0;
  const SimEnd to = OtherEnd(from);
  // A socket takes bytes until it knows that nobody will get them.
  if (found->cut || found->closed[At(to)]) return bytes.size();
  std::string& under_way = found->under_way[At(to)];
  const size_t taken = std::min(bytes.size(), kWindow - under_way.size());
  under_way += bytes.substr(0, taken);
  return taken;
}

void SimNetwork::Close(int connection, SimEnd end) {
  Connection* const found = Find(connection);
  if (found == nullptr) return;
  found->closed[At(end)] = true;
  found->under_way[At(end)].clear();
  if (found->closed[At(OtherEnd(end))]) connections_.erase(connection);
}

std::string_view SimNetwork::Arrived(int connection, SimEnd to) {
  const Connection* const found = Find(connection);
  if (found == nullptr || found->silent || found->closed[At(to)]) return "";
  std::string_view bytes = found->under_way[At(to)];
  if (plan_ && plan_->connection == connection && plan_->to == to) {
    bytes = bytes.substr(0, plan_->after - found->delivered[At(to)]);
  }
  return bytes;
}

void SimNetwork::Delivered(int connection, SimEnd to, size_t bytes) {
  Connection* const found = Find(connection);
  if (found == nullptr) return;
  found->delivered[At(to)] += bytes;
  // It may have been cut or closed by what the bytes said.
  std::string& under_way = found->under_way[At(to)];
  under_way.erase(0, std::min(bytes, under_way.size()));
  ObeyPlan(connection);
}

void SimNetwork::ObeyPlan(int connection) {
  if (!plan_ || plan_->connection != connection) return;
  if (Find(connection)->delivered[At(plan_->to)] < plan_->after) return;
  plan_->silently ? Silence(connection) : Cut(connection);
  plan_.reset();
}

bool SimNetwork::HasEnded(int connection, SimEnd at) {
  const Connection* const found = Find(connection);
  if (found == nullptr || found->silent || found->closed[At(at)]) return false;
  return found->cut || (found->closed[At(OtherEnd(at))] && found->under_way[At(at)].empty());
}

void SimNetwork::Cut(int connection) {
  Connection* const found = Find(connection);
  if (found == nullptr) return;
  found->cut = true;
  for (std::string& under_way : found->under_way) under_way.clear();
}

void SimNetwork::Silence(int connection) {
  if (Connection* const found = Find(connection)) found->silent = true;
}

void SimNetwork::Drop(int server, bool silently) {
  for (const int number : All()) {
    const Connection connection = *Find(number);
    for (const SimEnd end : {SimEnd::kReplica, SimEnd::kPrimary}) {
      if (connection.server(end) != server) continue;
      if (silently) {
        Silence(number);
      } else {
        Cut(number);
      }
      Close(number, end);
    }
  }
}

}  // namespace cloakroom
