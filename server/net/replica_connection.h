#ifndef CLOAKROOM_SERVER_NET_REPLICA_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_REPLICA_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "replication/link/fan_out_sink.h"
#include "replication/link/replica_peer.h"
#include "server/net/output_limit_watch.h"
#include "server/net/poller.h"
#include "server/net/spool_reader.h"
#include "server/roles/replication.h"
#include "server/session/client.h"
#include "server/session/socket_stream.h"

namespace cloakroom {

class ReplicationThread;

/// The connection of one replica: moves bytes between its socket and a ReplicaPeer, which decides.
///
/// What it sends, in this order: texts; the RDB, from the sink of a full sync or from a file; the
/// stream of changes, straight from its memory.
///
/// Thread rule: the replication thread; ClientLink's functions from any thread.
class ReplicaConnection final : public ClientLink,
                                public Poller::Watcher,
                                public std::enable_shared_from_this<ReplicaConnection> {
 public:
  ReplicaConnection(ReplicationThread& thread, NewReplica replica);
  ~ReplicaConnection() override;

  /// Answers its PSYNC or SYNC.
  void Begin();
  void Handle(const PeerEvent& event);
  /// Receives what has come, and sends what there is to send, as far as the socket takes it.
  void Serve();
  /// Tells the peer how far the stream has been published.
  void Feed(int64_t published, bool at_once, int64_t now_us);
  /// A second has passed.
  void Tick(int64_t now_ms);
  void Close();

  bool open() const { return open_; }
  const ReplicaPeer& peer() const { return peer_; }
  uint64_t id() const { return client_->id; }
  bool can_read_mark() const { return peer_.options().capa_eof; }
  /// Where its RDB will come from; null: from a file.
  void set_sink(std::shared_ptr<FanOutSink> sink);
  /// Closes it, because it reads too slowly; `detail` says what to do.
  void DropAsTooSlow(std::string_view detail);
  /// The position from which it needs the stream; INT64_MAX: none yet.
  int64_t pinned() const { return has_cursor_ ? peer_.cursor() : INT64_MAX; }
  ReplicaFacts Facts(size_t index, int64_t now_ms) const;

  // ClientLink. Nothing is pushed to a replica.
  void Push(Pushed) override {}
  void Kill() override;

 private:
  /// How often one call sends, or receives, before others have their turn.
  static constexpr int kMostSends = 32;
  static constexpr int kMostReceives = 16;
  /// A replica that sends more than this without a whole request is closed.
  static constexpr size_t kMaxUnparsed = 1024 * 1024;

  void OnReady(const Poller::Ready& ready) override;
  void Receive();
  void Parse();
  void Run(const std::vector<std::string_view>& words);
  void Perform(PeerAction action);
  void OpenFile();
  void CheckLimit();

  enum class Sent : uint8_t { kSome, kNothing, kBlocked };
  Sent SendText();
  Sent SendRdb();
  Sent SendFile();
  Sent SendStream();
  Sent SendSpooled(const std::shared_ptr<Spool>& spool, int64_t place, int64_t end);
  /// How many bytes the socket took; 0: none now. Closes the connection if it is broken.
  size_t Send(std::span<const std::string_view> spans);
  void WatchRoom(bool room);
  std::string Line() const;

  ReplicationThread& thread_;
  const std::unique_ptr<SocketStream> stream_;
  const std::shared_ptr<Client> client_;
  NewReplica request_;  ///< without the two above
  ReplicaPeer peer_;
  RequestParser parser_;
  std::string input_;
  bool open_ = true;
  bool close_when_sent_ = false;
  bool has_cursor_ = false;
  bool readable_ = false;  ///< there may be something to receive

  std::string text_;
  size_t text_sent_ = 0;
  std::shared_ptr<FanOutSink> sink_;
  SpoolReader spool_reader_;
  bool sends_rdb_ = false;
  int file_ = -1;
  int64_t file_sent_ = 0;
  int64_t stream_end_ = 0;  ///< it may send the stream up to here
  OutputLimitWatch limit_watch_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_REPLICA_CONNECTION_H_
