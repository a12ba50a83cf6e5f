#ifndef CLOAKROOM_SERVER_NET_PRIMARY_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_PRIMARY_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "replication/link/primary_link.h"
#include "replication/link/sync_receiver.h"
#include "server/net/name_lookup.h"
#include "server/net/plain_stream.h"
#include "server/net/poller.h"
#include "server/roles/full_sync_load.h"
#include "server/roles/replication.h"
#include "server/session/client.h"

namespace cloakroom {

class ReplicationThread;

/// The connection to our primary: moves bytes between its socket and a PrimaryLink, which decides,
/// and brings the stream to the applier.
///
/// Thread rule: the replication thread; ClientLink's functions from any thread.
class PrimaryConnection final : public ClientLink,
                                public Poller::Watcher,
                                public std::enable_shared_from_this<PrimaryConnection> {
 public:
  explicit PrimaryConnection(ReplicationThread& thread);
  ~PrimaryConnection() override;

  /// Connects to another primary.
  void Follow(Replication::Following following);
  void Unfollow();
  bool following() const { return link_.state() != PrimaryLink::State::kOff; }

  /// Receives what has come, and sends what there is to send.
  void Serve();
  /// Ten times a second.
  void Tick();
  /// Someone who had no room for bytes has some now.
  void TryAgain();
  void AnswerAck(int64_t position);
  void StreamBroken(const absl::Status& error);

  // ClientLink. Nothing is pushed to a primary.
  void Push(Pushed) override {}
  void Kill() override;

 private:
  /// How often one call receives before others have their turn.
  static constexpr int kMostReceives = 32;
  static constexpr size_t kReceiveBytes = 64 * 1024;

  void OnReady(const Poller::Ready& ready) override;
  void Do(PrimaryLinkActions actions);
  void Do(const link_action::Resolve& action);
  void Do(const link_action::Connect& action);
  void Do(const link_action::Write& action);
  void Do(const link_action::Close& action);
  void Do(const link_action::OpenReceiver& action);
  void Do(const link_action::Load& action);
  void Do(const link_action::Discard& action);
  void Do(const link_action::Synced& action);
  void Do(const link_action::Continue& action);
  void Do(const link_action::StreamEnded& action);
  void Do(const link_action::FailoverAnswered& action);
  void Do(const LinkLine& line);

  void NoteResolved(uint64_t attempt, const NameLookup::Result& result);
  /// Tries the next addresses, until one can be waited for.
  void TryNextTarget();
  void CheckConnected();
  void CloseTried();
  void CloseSocket();
  void Lost(std::string_view error);

  void Receive();
  /// Uses what was received; false: some of it must wait.
  bool UseInput();
  std::optional<size_t> ReceiveStream();
  void Send();

  PrimaryLinkSettings Settings() const;
  SyncLoad LoadMode() const;
  void UpdateProgress();
  std::optional<int64_t> Synced(int64_t position) const;
  void PublishFacts();
  void Register();
  void Unregister();
  void NoteLoad(uint64_t load, const absl::Status& status);
  void ReportLoad();
  void Retire();
  int64_t now_ms() const;

  ReplicationThread& thread_;
  PrimaryLink link_;
  Replication::Turn turn_ = 0;
  std::shared_ptr<Client> client_;  ///< while the stream flows

  NameLookup lookup_;
  std::unique_ptr<PlainStream> socket_;
  std::vector<NameLookup::Target> targets_;  ///< the addresses not tried yet, the last one first
  uint64_t attempt_ = 0;
  bool connecting_ = false;
  bool readable_ = false;
  bool writable_ = false;
  std::string output_;
  size_t sent_ = 0;
  std::string input_;  ///< received and not used
  size_t used_ = 0;

  std::optional<SyncReceiver> receiver_;
  std::unique_ptr<FullSyncLoad> load_;
  std::vector<std::unique_ptr<FullSyncLoad>> retired_;  ///< which are about to end
  uint64_t load_number_ = 0;
  std::optional<absl::Status> load_status_;
  bool load_awaited_ = false;  ///< the transfer is whole
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_PRIMARY_CONNECTION_H_
