// What goes wrong in a simulated world, and what administrators do to it.

#include <algorithm>
#include <array>

#include "protocol/text.h"
#include "tests/replication/simulator/sim_world.h"

namespace cloakroom {

void SimWorld::Disturb(SimDice& dice) {
  const int number = dice.Below(size());
  const int kind = dice.Below(10);
  if (kind < 3) {
    DisturbNetwork(dice);
  } else if (kind < 6) {
    DisturbMachine(dice, number);
  } else if (kind < 8) {
    DisturbRole(dice, number);
  } else if (kind < 9) {
    environment_.Trace({"the servers are put in order"});
    MakeTopology();
  } else {
    LosePrimary(dice);
  }
}

void SimWorld::DisturbNetwork(SimDice& dice) {
  const std::vector<int> all = environment_.network.All();
  if (all.empty()) return;
  const int connection = all[static_cast<size_t>(dice.Below(static_cast<int>(all.size())))];
  const bool silently = dice.OneIn(4);
  environment_.Trace({silently ? "silence of " : "cut of ", std::to_string(connection)});
  silently ? environment_.network.Silence(connection) : environment_.network.Cut(connection);
}

void SimWorld::DisturbMachine(SimDice& dice, int number) {
  const size_t at = static_cast<size_t>(number);
  if (servers_[at] == nullptr) return StartSomehow(number, dice);
  if (frozen_[at]) {
    frozen_[at] = false;
    return environment_.Trace({std::to_string(number), " goes on"});
  }
  switch (dice.Below(9)) {
    case 0:
      Stop(number, End::kGraceful, dice);
      return StartSomehow(number, dice);
    case 1:
      return Stop(number, End::kKilled, dice);
    case 2:
      return Stop(number, End::kPowerLost, dice);
    case 3:
      Stop(number, dice.OneIn(2) ? End::kKilled : End::kPowerLost, dice);
      return StartSomehow(number, dice);
    case 4:
      frozen_[at] = true;
      return environment_.Trace({std::to_string(number), " freezes"});
    case 5:
    case 6:
      return server(number).log().ScheduleRewrite();
    case 7:
      environment_.Trace({"the disk of ", std::to_string(number), " fails"});
      machine(number).broken_disk = true;
      return machine(number).disk.FailFrom(
          1, dice.OneIn(2) ? FaultyFiles::Call::kSync : FaultyFiles::Call::kAny);
    default:
      return Heal(number);
  }
}

void SimWorld::Heal(int number) {
  machine(number).broken_disk = false;
  machine(number).disk.Heal();
}

void SimWorld::DisturbRole(SimDice& dice, int number) {
  if (!Runs(number)) return;
  switch (dice.Below(6)) {
    case 0:
      environment_.Trace({std::to_string(number), " is promoted"});
      return server(number).Promote();
    case 1:
    case 2: {
      const int primary = dice.Below(size());
      environment_.Trace({std::to_string(number), " is to follow ", std::to_string(primary)});
      return server(number).Follow(primary);
    }
    case 3:
    case 4:
      return Failover(dice, number);
    default: {
      FailoverRequest abort;
      abort.abort = true;
      return server(number).StartFailover(abort);
    }
  }
}

void SimWorld::Failover(SimDice& dice, int number) {
  if (server(number).is_replica()) return;
  FailoverRequest request;
  if (dice.OneIn(2)) request.timeout_ms = 1000 + dice.Below(5000);
  if (dice.OneIn(2)) {
    request.target = FailoverTarget{SimServer::kHost, SimServer::PortOf(dice.Below(size()))};
    request.force = request.timeout_ms > 0 && dice.OneIn(2);
  }
  environment_.Trace({std::to_string(number), " fails over"});
  server(number).StartFailover(request);
  if (server(number).failing_over()) ++failovers_;
}

/// What REPLICAOF has said since the last start need not be in the configuration.
void SimWorld::StartSomehow(int number, SimDice& dice) {
  if (dice.OneIn(4)) machine(number).primary.reset();
  Start(number);
}

void SimWorld::Start(int number) {
  environment_.Trace({std::to_string(number), " starts"});
  servers_[static_cast<size_t>(number)] =
      std::make_unique<SimServer>(environment_, machine(number));
  ++restarts_;
}

void SimWorld::Stop(int number, End end, SimDice& dice) {
  const size_t at = static_cast<size_t>(number);
  FaultyFiles& disk = machine(number).disk;
  if (machine(number).broken_disk || machine(number).doubtful_log || !servers_[at]->log().healthy())
    end = End::kPowerLost;
  const bool silently = end == End::kPowerLost && dice.OneIn(2);
  environment_.Trace({std::to_string(number), end == End::kGraceful ? " ends"
                                              : end == End::kKilled ? " is killed"
                                                                    : " loses power"});
  if (end == End::kGraceful) {
    (void)servers_[at]->log().file().Close();
  } else if (end == End::kKilled) {
    disk.Kill();
  } else {
    // The log is torn at any byte behind what was synced.
    disk.Crash(static_cast<size_t>(dice.Below(300)),
               dice.OneIn(2) ? FaultyFiles::Names::kSynced : FaultyFiles::Names::kAll);
  }
  EndProcess(number, silently);
}

void SimWorld::EndProcess(int number, bool silently) {
  const size_t at = static_cast<size_t>(number);
  FaultyFiles& disk = machine(number).disk;
  environment_.network.Drop(number, silently);
  // A process that is gone writes nothing any more.
  disk.FailFrom(1);
  servers_[at].reset();
  Heal(number);
  machine(number).doubtful_log = false;
  frozen_[at] = false;
}

void SimWorld::Restart(int number) {
  SimDice dice(1);
  Stop(number, End::kGraceful, dice);
  Start(number);
}

void SimWorld::LosePower(int number, size_t unsynced_kept) {
  machine(number).disk.Crash(unsynced_kept, FaultyFiles::Names::kAll);
  EndProcess(number, /*silently=*/false);
  Start(number);
}

void SimWorld::Cut(int number) {
  for (const int connection : environment_.network.All()) {
    if (environment_.network.Find(connection)->replica == number)
      environment_.network.Cut(connection);
  }
}

/// The primary is gone, and its most advanced replica takes its place: no write may be missing that
/// one of its replicas was counted for.
void SimWorld::LosePrimary(SimDice& dice) {
  const int number = dice.Below(size());
  if (!Runs(number) || server(number).is_replica()) return;
  const ReplicationId id = server(number).history().id1();
  std::vector<int> replicas;
  for (const int other : Running()) {
    if (machine(other).primary == number && server(other).history().id1() == id &&
        !server(other).data_lost())
      replicas.push_back(other);
  }
  if (replicas.empty()) return;
  Stop(number, dice.OneIn(2) ? End::kKilled : End::kPowerLost, dice);
  const auto less = [this](int a, int b) { return server(a).offset() < server(b).offset(); };
  const bool laggard = environment_.mistake == SimMistake::kPromotesLaggard;
  const int best = laggard ? *std::min_element(replicas.begin(), replicas.end(), less)
                           : *std::max_element(replicas.begin(), replicas.end(), less);
  environment_.Trace({std::to_string(best), " takes the place of ", std::to_string(number)});
  // What must be there is known before, since a promotion may not change it.
  std::vector<int64_t> owed;
  for (const SimServer::Acknowledged& write : acknowledged_) {
    if (MustOutlive(write, replicas)) owed.push_back(write.write);
  }
  server(best).Promote();
  ++promotions_;
  for (const int64_t write : owed) {
    if (server(best).data().Has(write)) continue;
    environment_.Fail(Concat({"write ", std::to_string(write), " did not outlive its primary"}));
  }
  for (const int other : replicas) {
    if (other != best && !dice.OneIn(4)) server(other).Follow(best);
  }
  if (!dice.OneIn(3)) machine(number).primary = best;
}

}  // namespace cloakroom
