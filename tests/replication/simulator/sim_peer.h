#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_PEER_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_PEER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "replication/link/fan_out_sink.h"
#include "replication/link/replica_peer.h"
#include "tests/replication/simulator/sim_network.h"

namespace cloakroom {

class SimServer;

/// The primary's end of a connection: a client that shakes hands, and after its PSYNC a
/// ReplicaPeer, which decides what is sent.
///
/// Not thread safe.
class SimPeer {
 public:
  SimPeer(SimServer& server, int connection, int replica, int life)
      : server_(server), connection_(connection), replica_(replica), life_(life) {}
  ~SimPeer();

  void Receive(std::string_view bytes);
  void Handle(const PeerEvent& event);
  void NoteLost();
  /// Sends what there is, as far as the socket takes it.
  void Serve();
  void set_sink(std::shared_ptr<FanOutSink> sink);
  /// The RDB's file is complete.
  void SendFile(const std::string& bytes);

  bool open() const { return open_; }
  bool is_replica() const { return peer_.has_value(); }
  /// REQUIRES: is_replica().
  const ReplicaPeer& peer() const { return *peer_; }
  bool can_read_mark() const { return options_.capa_eof; }
  int64_t pinned() const { return has_cursor_ ? peer_->cursor() : INT64_MAX; }
  int replica() const { return replica_; }
  /// The replica's process.
  int life() const { return life_; }

 private:
  void Run(const std::vector<std::string_view>& words);
  void Answer(const std::vector<std::string_view>& words);
  void Psync(const std::vector<std::string_view>& words);
  void Perform(const PeerAction& action);
  void Close();
  size_t Send(std::string_view bytes);
  /// Each sends something: false if there is nothing, or no room for it.
  bool SendText();
  bool SendRdb();
  bool SendFileBytes();
  bool SendStream();

  SimServer& server_;
  const int connection_;
  const int replica_;
  const int life_;
  ReplicaOptions options_;
  RequestParser parser_;
  std::string input_;
  std::optional<ReplicaPeer> peer_;
  bool open_ = true;
  bool close_when_sent_ = false;

  std::string text_;
  std::shared_ptr<FanOutSink> sink_;
  bool sends_rdb_ = false;
  std::optional<std::string> file_;  // what is left of it
  bool sends_file_ = false;
  bool has_cursor_ = false;
  int64_t stream_end_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_PEER_H_
