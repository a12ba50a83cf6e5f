#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_WORLD_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_WORLD_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/replication/simulator/sim_dice.h"
#include "tests/replication/simulator/sim_environment.h"
#include "tests/replication/simulator/sim_server.h"

namespace cloakroom {

/// Some machines with their servers, and a scheduler that decides what happens next: bytes arrive,
/// work is done, clients write, time passes, things break. At first server 0 is the primary, 1 and
/// 2 are its replicas, and each further one is a replica of server 1.
///
/// A step is a number, from which the scheduler draws all that it decides in it; so a run is its
/// seed and its steps, and goes on in the same way if some of them are left out.
///
/// After every step: who claims an offset has its data, PSYNC was granted to prefixes only, and to
/// all that can be told by their names, and nobody lacks a write that WAIT has counted it for.
///
/// Not thread safe.
class SimWorld {
 public:
  using Steps = std::vector<uint64_t>;
  struct Options {
    int servers = 4;
    SimMistake mistake = SimMistake::kNone;
    /// Else the machines' settings are drawn from the seed.
    std::function<void(SimMachine&)> settings;
  };

  SimWorld(uint64_t seed, const Options& options);
  ~SimWorld();

  static Steps StepsOf(uint64_t seed, int count);

  /// Does the steps, until something is wrong; then lets everything come to rest.
  void Run(const Steps& steps);
  void Step(uint64_t step);

  /// Faults end, somebody is the primary, and all follow. Everybody must have the same data soon.
  void Settle();
  /// Once everything has what it waits for, and a tenth of a second passes.
  void Turn();
  /// Turns until all have the same data, `most_ms` of simulated time at most.
  bool Converge(int64_t most_ms);

  bool Write(int server, SimDice& dice);
  /// Ends the process in order, and starts it again.
  void Restart(int server);
  /// Its log keeps so many bytes of what was not synced; it starts again.
  void LosePower(int server, size_t unsynced_kept);
  void Cut(int server);

  int size() const { return static_cast<int>(machines_.size()); }
  SimServer& server(int number) { return *servers_.at(static_cast<size_t>(number)); }
  SimEnvironment& environment() { return environment_; }
  /// What happened last, a line each.
  std::string TraceText() const;
  const std::string& failure() const { return environment_.failure; }
  int64_t acknowledged() const { return acknowledged_count_; }
  int64_t promotions() const { return promotions_; }
  int64_t failovers() const { return failovers_; }
  int64_t restarts() const { return restarts_; }

 private:
  enum class End : uint8_t { kGraceful, kKilled, kPowerLost };

  void DrawSettings(SimMachine& machine, SimDice& dice);
  SimMachine& machine(int number) { return *machines_[static_cast<size_t>(number)]; }
  bool Runs(int number) const {
    return servers_[static_cast<size_t>(number)] != nullptr &&
           !frozen_[static_cast<size_t>(number)];
  }
  std::vector<int> Running() const;

  // Steps.
  void Deliver(int connection, SimEnd to, size_t most);
  void DeliverSome(SimDice& dice);
  void DoSome(SimDice& dice);
  void WriteSome(SimDice& dice);
  void Probe(SimDice& dice);
  void Pass(int64_t ms);
  void DoAll();
  void Disturb(SimDice& dice);
  void DisturbNetwork(SimDice& dice);
  void DisturbMachine(SimDice& dice, int number);
  void DisturbRole(SimDice& dice, int number);
  void Start(int number);
  void StartSomehow(int number, SimDice& dice);
  void Heal(int number);
  void Stop(int number, End end, SimDice& dice);
  void EndProcess(int number, bool silently);
  void Failover(SimDice& dice, int number);
  void LosePrimary(SimDice& dice);
  void Repair();
  void MakeTopology();
  bool Converged();

  // Checks.
  void TakeAcknowledged();
  bool Has(const SimServer::Holder& holder) const;
  void CheckHolders(size_t latest);
  bool MustOutlive(const SimServer::Acknowledged& write, const std::vector<int>& replicas) const;

  SimEnvironment environment_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
  std::vector<std::unique_ptr<SimServer>> servers_;  // null: it does not run
  std::vector<bool> frozen_;
  std::deque<SimServer::Acknowledged> acknowledged_;
  int disturbance_ = 0;  // of 1000 steps, so many do harm
  int64_t writes_ = 0;
  int64_t acknowledged_count_ = 0;
  int64_t promotions_ = 0;
  int64_t failovers_ = 0;
  int64_t restarts_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_WORLD_H_
