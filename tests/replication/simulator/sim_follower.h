#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_FOLLOWER_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_FOLLOWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "replication/files/bytes.h"
#include "replication/link/primary_link.h"
#include "replication/link/record_reader.h"
#include "replication/link/sync_receiver.h"
#include "tests/replication/simulator/sim_environment.h"

namespace cloakroom {

class SimServer;

/// The replica's end of its link: a PrimaryLink with what it asks for, and the primary's stream,
/// which is received into the server's own and applied from there.
///
/// Not thread safe.
class SimFollower {
 public:
  explicit SimFollower(SimServer& server) : server_(server) {}

  // ---- the role

  void Follow(int primary, const std::optional<HistoryPoint>& cached, bool failover);
  void Unfollow() { Do(link_.Stop()); }
  /// Executes what has been received whole, and drops the rest.
  void FinishStream();
  void EndStream();
  /// A load in place of the data cannot be finished any more.
  void GiveUpLoadInPlace();

  // ---- the network

  size_t Receive(std::string_view bytes);
  void NoteEnded();
  int connection() const { return connection_; }

  // ---- time and work

  void Tick();
  /// Whatever the link waits for happens: a name is found, a connection made, data loaded. If
  /// `fails`, then not.
  void Step(bool fails);
  void Send();
  /// Executes so many records at most. Returns whether there may be more.
  bool Apply(int most);

  bool up() const { return link_.state() == PrimaryLink::State::kConnected; }
  /// The old data is gone, and the new one is not there yet.
  bool loading_in_place() const {
    return load_ && load_->mode == SyncLoad::kInPlace && !load_->result;
  }
  PrimaryLink::State state() const { return link_.state(); }

 private:
  /// A full sync.
  struct Load {
    SyncLoad mode = SyncLoad::kDisk;
    StringSink received;
    bool whole = false;
    std::optional<absl::Status> result;  ///< not reported yet
  };

  void Do(const PrimaryLinkActions& actions);
  void Do(const LinkLine& line);
  void Do(const link_action::Resolve& action) { resolving_ = action.attempt; }
  void Do(const link_action::Connect& action) { connecting_ = action.attempt; }
  void Do(const link_action::Write& action);
  void Do(const link_action::Close&);
  void Do(const link_action::OpenReceiver& action);
  void Do(const link_action::Load&);
  void Do(const link_action::Discard&);
  void Do(const link_action::Synced&) { BeginStream(); }
  void Do(const link_action::Continue& action);
  void Do(const link_action::StreamEnded&);
  void Do(const link_action::FailoverAnswered& action);

  SyncLoad LoadMode() const;
  void Connect(bool fails);
  absl::Status FinishLoad(bool fails);
  void UpdateProgress();
  std::optional<int64_t> SyncedOffset(int64_t position) const;
  void BeginStream();
  void DropStream();
  size_t ReceiveStream(std::string_view bytes);
  bool FindRecord();
  void RunRecord();

  SimServer& server_;
  PrimaryLink link_;
  std::optional<uint64_t> resolving_;
  std::optional<uint64_t> connecting_;
  int target_ = 0;
  int connection_ = -1;
  std::string output_;

  std::optional<SyncReceiver> receiver_;
  std::optional<Load> load_;

  bool stream_open_ = false;
  std::optional<RecordReader> reader_;
  bool has_record_ = false;
  int64_t received_ = 0;
  int64_t fed_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_FOLLOWER_H_
