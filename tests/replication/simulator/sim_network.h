#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_NETWORK_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// Which end of a connection: the replica, which has connected, or the primary.
enum class SimEnd : uint8_t { kReplica, kPrimary };

inline SimEnd OtherEnd(SimEnd end) {
  return end == SimEnd::kReplica ? SimEnd::kPrimary : SimEnd::kReplica;
}

/// The connections between simulated servers. Bytes are under way until the scheduler delivers
/// them, as many at a time as it likes. So connections overtake each other, but the bytes of one
/// direction keep their order.
///
/// A connection can be cut, with both ends hearing of it, each in its time; or it falls silent:
/// then nothing arrives any more, and nobody is told. `CutAfter` cuts at an exact byte.
///
/// Not thread safe.
class SimNetwork {
 public:
  /// The most bytes under way in one direction: a socket takes no more.
  static constexpr size_t kWindow = 512;

  struct Connection {
    int replica = 0;  ///< numbers of servers
    int primary = 0;
    std::array<std::string, 2> under_way;  ///< to this end
    std::array<bool, 2> closed = {};       ///< by this end
    std::array<size_t, 2> delivered = {};  ///< bytes to this end so far
    bool cut = false;
    bool silent = false;
    int loads = 0;  ///< what the replica has told is true of this many loads of its data

    int server(SimEnd end) const { return end == SimEnd::kReplica ? replica : primary; }
  };

  int Connect(int replica, int primary);
  /// How many bytes the socket takes.
  size_t Send(int connection, SimEnd from, std::string_view bytes);
  void Close(int connection, SimEnd end);

  /// nullptr: there is none any more.
  Connection* Find(int connection);
  std::vector<int> All() const;

  /// The bytes that may be delivered to this end now.
  std::string_view Arrived(int connection, SimEnd to);
  /// That many of them were.
  void Delivered(int connection, SimEnd to, size_t bytes);
  /// Whether this end has yet to hear that the connection has ended, and may now: all bytes that
  /// the other end had sent before have come.
  bool HasEnded(int connection, SimEnd at);

  /// Cuts it: what is under way is lost.
  void Cut(int connection);
  void Silence(int connection);
  /// The server's process ends: the other ends hear of it. `silently`: its machine stops.
  void Drop(int server, bool silently);

  /// The connection with this number is cut once so many bytes have been delivered to the end; or
  /// falls silent.
  struct Plan {
    int connection = 0;
    SimEnd to = SimEnd::kReplica;
    size_t after = 0;
    bool silently = false;
  };
  void CutAfter(const Plan& plan) { plan_ = plan; }
  /// Whether that has yet to happen.
  bool planned() const { return plan_.has_value(); }

 private:
  void ObeyPlan(int connection);

  std::map<int, Connection> connections_;
  int next_ = 0;
  std::optional<Plan> plan_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_NETWORK_H_
