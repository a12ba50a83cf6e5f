#include "tests/replication/simulator/sim_world.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr int64_t kTickMs = 100;
/// How long the slowest recovery takes: two time-outs in a chain, and some attempts to connect.
constexpr int64_t kMostSettlingMs = 40'000;
constexpr size_t kRemembered = 64;  // writes that were acknowledged

}  // namespace

SimWorld::SimWorld(uint64_t seed, const Options& options) : environment_(seed) {
  environment_.mistake = options.mistake;
  environment_.connect = [this](int replica, int primary) {
    SimServer* const its_server = servers_[static_cast<size_t>(primary)].get();
    if (its_server == nullptr) return -1;
    const int connection = environment_.network.Connect(replica, primary);
    its_server->Accept(connection, replica, machine(replica).life);
    return connection;
  };
  SimDice dice(seed);
  disturbance_ = std::array{15, 40, 80}.at(static_cast<size_t>(dice.Below(3)));
  for (int number = 0; number < options.servers; ++number) {
    machines_.push_back(std::make_unique<SimMachine>());
    machine(number).number = number;
    if (number > 0) machine(number).primary = number < 3 ? 0 : 1;
    if (options.settings) {
      options.settings(machine(number));
    } else {
      DrawSettings(machine(number), dice);
    }
    servers_.emplace_back();
    frozen_.push_back(false);
  }
  for (int number = 0; number < size(); ++number) Start(number);
}

SimWorld::~SimWorld() {
  // Their logs' ends are of no interest.
  for (int number = 0; number < size(); ++number) {
    machine(number).disk.FailFrom(1);
    servers_[static_cast<size_t>(number)].reset();
  }
}

void SimWorld::DrawSettings(SimMachine& machine, SimDice& dice) {
  machine.log = !dice.OneIn(5);
  machine.fsync = std::array{AofFsync::kAlways, AofFsync::kEverySec, AofFsync::kNo}.at(
      static_cast<size_t>(dice.Below(3)));
  machine.by_file = dice.OneIn(2);
  machine.load = std::array{SyncLoad::kDisk, SyncLoad::kInPlace, SyncLoad::kSwap}.at(
      static_cast<size_t>(dice.Below(3)));
  machine.backlog_size = std::array{60, 500, 3000, 100'000}.at(static_cast<size_t>(dice.Below(4)));
}

std::vector<int> SimWorld::Running() const {
  std::vector<int> running;
  for (int number = 0; number < size(); ++number) {
    if (Runs(number)) running.push_back(number);
  }
  return running;
}

SimWorld::Steps SimWorld::StepsOf(uint64_t seed, int count) {
  SimDice dice(~seed);
  Steps steps(static_cast<size_t>(count));
  std::generate(steps.begin(), steps.end(), [&] { return dice.Next(); });
  return steps;
}

std::string SimWorld::TraceText() const {
  constexpr size_t kShown = 60;
  std::string text;
  const std::vector<std::string>& trace = environment_.trace;
  for (size_t i = trace.size() - std::min(trace.size(), kShown); i < trace.size(); ++i)
    text += trace[i] + "\n";
  return text;
}

void SimWorld::Run(const Steps& steps) {
  for (const uint64_t step : steps) {
    Step(step);
    if (!failure().empty()) return;
  }
  Settle();
}

void SimWorld::Step(uint64_t step) {
  SimDice dice(step);
  const int kind = dice.Below(1000);
  if (kind < disturbance_) {
    Disturb(dice);
  } else if (kind < 380) {
    DeliverSome(dice);
  } else if (kind < 680) {
    DoSome(dice);
  } else if (kind < 760) {
    WriteSome(dice);
  } else if (kind < 880) {
    Pass(dice.OneIn(20) ? 5000 : kTickMs * (1 + dice.Below(4)));
  } else if (kind < 950) {
    DoAll();
  } else if (kind < 965) {
    for (int i = 0; i < 12; ++i) Turn();
  } else {
    Probe(dice);
  }
  TakeAcknowledged();
  CheckHolders(8);
}

// ---- steps without harm

void SimWorld::Deliver(int connection, SimEnd to, size_t most) {
  const SimNetwork::Connection* const found = environment_.network.Find(connection);
  if (found == nullptr || !Runs(found->server(to))) return;
  SimServer& its_server = server(found->server(to));
  if (environment_.network.HasEnded(connection, to)) return its_server.NoteEnded(connection, to);
  const std::string bytes(environment_.network.Arrived(connection, to).substr(0, most));
  if (bytes.empty()) return;
  const size_t taken = its_server.Receive(connection, to, bytes);
  environment_.network.Delivered(connection, to, taken);
}

void SimWorld::DeliverSome(SimDice& dice) {
  const std::vector<int> all = environment_.network.All();
  if (all.empty()) return;
  const int connection = all[static_cast<size_t>(dice.Below(static_cast<int>(all.size())))];
  const SimEnd to = dice.OneIn(2) ? SimEnd::kReplica : SimEnd::kPrimary;
  const int most = dice.OneIn(3) ? 1 + dice.Below(20) : 10'000;
  Deliver(connection, to, static_cast<size_t>(most));
}

void SimWorld::DoSome(SimDice& dice) {
  const int number = dice.Below(size());
  if (!Runs(number)) return;
  for (int i = 0; i < 3; ++i) {
    const auto work = static_cast<SimServer::Work>(dice.Below(SimServer::kWorks));
    server(number).Do(work, dice.Below(30), 1 + dice.Below(3));
  }
}

bool SimWorld::Write(int number, SimDice& dice) {
  return server(number).Write(++writes_, dice.OneIn(3));
}

void SimWorld::WriteSome(SimDice& dice) {
  int number = dice.Below(size());
  for (int i = 1; i < size() && (!Runs(number) || server(number).is_replica()); ++i)
    number = (number + 1) % size();
  if (!Runs(number)) return;
  for (int i = dice.Below(3); i >= 0; --i) Write(number, dice);
  if (dice.OneIn(4)) server(number).Publish();
  if (!dice.OneIn(3)) server(number).Wait(writes_, dice.OneIn(2), dice.OneIn(4));
}

void SimWorld::Probe(SimDice& dice) {
  const std::vector<int> running = Running();
  if (running.empty()) return;
  const auto any = [&]() -> SimServer& {
    return server(running[static_cast<size_t>(dice.Below(static_cast<int>(running.size())))]);
  };
  SimServer& asked = any();
  const SimServer& other = any();
  for (int i = 0; i < 6; ++i) {
    const ReplicationId id = dice.OneIn(2) ? other.history().id1() : other.history().id2();
    const std::array<int64_t, 4> places = {asked.offset(), asked.id2_limit(), asked.first_byte(),
                                           other.offset()};
    const int64_t place = places.at(static_cast<size_t>(dice.Below(4)));
    const std::string offset = std::to_string(place + dice.Below(5) - 2);
    SyncRequest request;
    request.id = id.text();
    request.offset = offset;
    request.options.capa_psync2 = request.options.capa_eof = true;
    (void)asked.Decide(request, "a probe");
  }
}

void SimWorld::Pass(int64_t ms) {
  for (; ms > 0; ms -= kTickMs) {
    environment_.clock.AdvanceMs(kTickMs);
    for (const int number : Running()) server(number).Tick();
  }
}

void SimWorld::DoAll() {
  using Work = SimServer::Work;
  for (const int number : Running()) {
    for (int work = 0; work < SimServer::kWorks; ++work) {
      server(number).Do(static_cast<Work>(work), /*chance=*/1, /*most_records=*/1000);
    }
  }
  for (const int connection : environment_.network.All()) {
    Deliver(connection, SimEnd::kReplica, SimNetwork::kWindow);
    Deliver(connection, SimEnd::kPrimary, SimNetwork::kWindow);
  }
}

// ---- coming to rest

void SimWorld::Turn() {
  for (int i = 0; i < 4; ++i) DoAll();
  Pass(kTickMs);
  TakeAcknowledged();
}

bool SimWorld::Converge(int64_t most_ms) {
  for (int64_t passed_ms = 0; passed_ms <= most_ms; passed_ms += kTickMs) {
    Turn();
    if (!failure().empty()) return false;
    if (Converged()) return true;
  }
  return false;
}

void SimWorld::Repair() {
  FailoverRequest abort;
  abort.abort = true;
  for (int number = 0; number < size(); ++number) {
    frozen_[static_cast<size_t>(number)] = false;
    Heal(number);
    if (!Runs(number)) Start(number);
    server(number).StartFailover(abort);
  }
}

/// The first one of the running servers that is a primary stays it; the next one is its replica,
/// and those behind that are its replicas or the primary's.
void SimWorld::MakeTopology() {
  std::vector<int> order = Running();
  if (order.empty()) return;
  const auto primary = std::find_if(order.begin(), order.end(),
                                    [this](int number) { return !server(number).is_replica(); });
  if (primary == order.end()) {
    server(order.front()).Promote();
  } else {
    std::rotate(order.begin(), primary, order.end());
  }
  for (size_t i = 1; i < order.size(); ++i) {
    const int wanted = i == 3 ? order[1] : order[0];
    if (machine(order[i]).primary != wanted) server(order[i]).Follow(wanted);
  }
}

bool SimWorld::Converged() {
  const SimServer& first = server(0);
  for (const auto& its_server : servers_) {
    if (its_server->data_lost() || (its_server->is_replica() && !its_server->link_up()))
      return false;
    if (its_server->point() != first.point()) return false;
  }
  for (const auto& its_server : servers_) {
    if (its_server->data().digest() != first.data().digest())
      environment_.Fail("at the same offset the data differs: " + its_server->Text());
  }
  return true;
}

void SimWorld::Settle() {
  if (!failure().empty()) return;
  Repair();
  // A PSYNC with FAILOVER may still be under way, although the failover was given up.
  for (int i = 0; i < 2; ++i) Turn();
  MakeTopology();
  CheckHolders(kRemembered);
  if (Converge(kMostSettlingMs)) {
    // And it works again.
    SimDice dice(7);
    const auto primary = std::find_if(servers_.begin(), servers_.end(),
                                      [](const auto& one) { return !one->is_replica(); });
    if (!Write(static_cast<int>(primary - servers_.begin()), dice))
      environment_.Fail("the primary refuses writes: " + (*primary)->Text());
    if (Converge(kMostSettlingMs)) return CheckHolders(kRemembered);
  }
  std::string text = "it does not come to rest:";
  for (const auto& its_server : servers_) text += "\n  " + its_server->Text();
  environment_.Fail(std::move(text));
}

// ---- checks

void SimWorld::TakeAcknowledged() {
  for (const auto& its_server : servers_) {
    if (its_server == nullptr) continue;
    for (SimServer::Acknowledged& write : its_server->TakeAcknowledged()) {
      ++acknowledged_count_;
      acknowledged_.push_back(std::move(write));
      if (acknowledged_.size() > kRemembered) acknowledged_.pop_front();
    }
  }
}

/// Whether the promise still holds for it: its process lives, or it is on the disk, and no full
/// sync has given it other data.
bool SimWorld::Has(const SimServer::Holder& holder) const {
  const SimMachine& its_machine = *machines_[static_cast<size_t>(holder.server)];
  if (servers_[static_cast<size_t>(holder.server)] == nullptr) return false;
  if (its_machine.loads != holder.loads) return false;
  return holder.life == SimServer::kOnDisk || its_machine.life == holder.life;
}

void SimWorld::CheckHolders(size_t latest) {
  const size_t begin = acknowledged_.size() - std::min(latest, acknowledged_.size());
  for (size_t i = begin; i < acknowledged_.size(); ++i) {
    for (const SimServer::Holder& holder : acknowledged_[i].holders) {
      if (!Has(holder) || server(holder.server).data().Has(acknowledged_[i].write)) continue;
      environment_.Fail(
          Concat({"write ", std::to_string(acknowledged_[i].write),
                  holder.life == SimServer::kOnDisk ? " was on the disk, and is lost: "
                                                    : " was acknowledged, and is lost: ",
                  server(holder.server).Text()}));
    }
  }
}

bool SimWorld::MustOutlive(const SimServer::Acknowledged& write,
                           const std::vector<int>& replicas) const {
  return std::any_of(write.holders.begin(), write.holders.end(), [&](const auto& holder) {
    return Has(holder) &&
           std::find(replicas.begin(), replicas.end(), holder.server) != replicas.end();
  });
}

}  // namespace cloakroom
