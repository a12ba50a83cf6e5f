#include "replication/link/replica_peer.h"

#include <algorithm>
#include <utility>

#include "protocol/text.h"

namespace cloakroom {
namespace {

/// As much of an error as Redis logs.
constexpr size_t kLoggedError = 4096;

}  // namespace

ReplicaPeer::ReplicaPeer(ReplicaOptions options, std::string peer_ip)
    : options_(std::move(options)), peer_ip_(std::move(peer_ip)) {}

std::vector<PeerAction> ReplicaPeer::On(const PeerEvent& event) {
  return std::visit([this](const auto& what) { return Handle(what); }, event);
}

PeerAction ReplicaPeer::Log(LinkLevel level, std::initializer_list<std::string_view> parts) const {
  return {.kind = Kind::kLog, .line = {level, Concat(parts)}};
}

/// The end of every replica, with the line that Redis logs then.
void ReplicaPeer::Leave(Actions& actions, Kind close) {
  actions.push_back(Log(LinkLevel::kWarning, {"Connection with replica ", name(), " lost."}));
  actions.push_back({.kind = close});
  state_ = State::kGone;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerGranted& granted) {
  if (state_ != State::kClient) return {};
  state_ = State::kOnline;
  cursor_ = granted.position;
  acked_at_ms_ = granted.now_ms;
  return {{.kind = Kind::kMoveSocket},
          {.kind = Kind::kWrite, .text = std::string(granted.reply)},
          {.kind = Kind::kPinCursor, .position = cursor_},
          {.kind = Kind::kOnline},
          {.kind = Kind::kSendStream}};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerFull& full) {
  if (state_ != State::kClient) return {};
  state_ = State::kWaiting;
  psync_ = full.psync;
  return {{.kind = Kind::kMoveSocket}, {.kind = Kind::kJoinGroup}};
}

bool ReplicaPeer::TimedOut(const PeerSecond& second) const {
  if (online()) return psync_ && LagS(second.now_ms) > second.repl_timeout_s;
  return sending_rdb() && blocked_since_ms_ &&
         (second.now_ms - *blocked_since_ms_) / 1000 > second.repl_timeout_s;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerSecond& second) {
  // The replica would take silence for a dead link.
  if (state_ == State::kWaiting || state_ == State::kFileWait)
    return {{.kind = Kind::kWrite, .text = "\n"}};
  if (!TimedOut(second)) return {};
  Actions actions = {
      Log(LinkLevel::kWarning, {"Disconnecting timedout replica (",
                                online() ? "streaming sync" : "full sync", "): ", name()})};
  Leave(actions, Kind::kClose);
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerSnapshotRefused&) {
  if (state_ != State::kWaiting) return {};
  // Redis takes it for a client again, so that it can have a reply.
  state_ = State::kGone;
  return {{.kind = Kind::kWrite, .text = "-ERR BGSAVE failed, replication can't continue\r\n"},
          {.kind = Kind::kCloseAfterWrite}};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerInstant& instant) {
  if (state_ != State::kWaiting) return {};
  cursor_ = instant.position;
  Actions actions = {{.kind = Kind::kPinCursor, .position = cursor_}};
  if (psync_)
    actions.push_back({.kind = Kind::kWrite,
                       .text = Concat({"+FULLRESYNC ", instant.id.text(), " ",
                                       std::to_string(instant.offset), "\r\n"})});
  state_ = instant.mark ? State::kStreaming : State::kFileWait;
  if (instant.mark) {
    mark_ = std::string(instant.mark->text());
    actions.push_back({.kind = Kind::kWrite, .text = Concat({"$EOF:", mark_, "\r\n"})});
    actions.push_back({.kind = Kind::kSendRdb});
  }
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerFileReady& file) {
  if (state_ != State::kFileWait) return {};
  state_ = State::kSendFile;
  return {{.kind = Kind::kWrite, .text = Concat({"$", std::to_string(file.length), "\r\n"})},
          {.kind = Kind::kSendFile}};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerSaveFailed&) {
  if (state_ != State::kFileWait && state_ != State::kStreaming) return {};
  Actions actions = {Log(LinkLevel::kWarning, {"SYNC failed. BGSAVE child returned an error"})};
  Leave(actions, Kind::kClose);
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerTaken& taken) {
  blocked_since_ms_.reset();
  if (state_ == State::kOnline) cursor_ += taken.bytes;
  return {};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerBlocked& blocked) {
  if (sending_rdb() && !blocked_since_ms_) blocked_since_ms_ = blocked.now_ms;
  return {};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerRdbSent& sent) {
  if (!sending_rdb()) return {};
  const bool by_file = state_ == State::kSendFile;
  Actions actions;
  if (!by_file) {
    actions.push_back({.kind = Kind::kWrite, .text = mark_});
    actions.push_back(Log(LinkLevel::kNotice,
                          {"Streamed RDB transfer with replica ", name(),
                           " succeeded (socket). Waiting for REPLCONF ACK from slave to enable "
                           "streaming"}));
  }
  if (options_.rdb_only) {
    actions.push_back(Log(LinkLevel::kNotice, {"RDB transfer completed, rdb only replica (", name(),
                                               ") should be disconnected asap"}));
    Leave(actions, Kind::kCloseAfterWrite);
    return actions;
  }
  actions.push_back({.kind = Kind::kOnline});
  actions.push_back(
      Log(LinkLevel::kNotice, {"Synchronization with replica ", name(), " succeeded"}));
  if (by_file) actions.push_back({.kind = Kind::kSendStream});
  state_ = by_file ? State::kOnline : State::kAwaitAck;
  acked_at_ms_ = sent.now_ms;
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerAck& event) {
  if (!is_replica()) return {};
  ack_ = std::max(ack_, event.ack.ack.value_or(0));
  fack_ = std::max(fack_, event.ack.fack.value_or(0));
  if (!event.ack.acked) return {};
  acked_at_ms_ = event.now_ms;
  if (!online()) return {};
  Actions actions = {{.kind = Kind::kAcked}};
  if (state_ == State::kAwaitAck) actions.push_back({.kind = Kind::kSendStream});
  state_ = State::kOnline;
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerPublished& published) {
  const int64_t bytes = published.position - cursor_;
  if (state_ != State::kOnline || bytes <= 0) return {};
  const bool gathering = gathering_since_us_.has_value();
  if (!gathering) gathering_since_us_ = published.now_us;
  const int64_t at_us = *gathering_since_us_ + kGatherUs;
  if (published.at_once || bytes >= kGatherBytes || published.now_us >= at_us) {
    gathering_since_us_.reset();
    return {{.kind = Kind::kSendStream}};
  }
  if (gathering) return {};
  return {{.kind = Kind::kSendLater, .at_us = at_us}};
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerCommand& command) {
  if (!is_replica()) return {};
  const std::string_view error =
      command.keyspace ? "Replica can't interact with the keyspace" : command.error;
  const std::string_view known = command.name.empty() ? "<unknown>" : command.name;
  Actions actions = {Log(LinkLevel::kWarning, {"Replica generated a reply to command '", known,
                                               "', disconnecting it: ", command.client})};
  if (!error.empty()) {
    actions.push_back(
        Log(LinkLevel::kWarning,
            {"== CRITICAL == This master is sending an error to its replica: '",
             error.substr(0, kLoggedError), "' after processing the command '", known, "'"}));
    actions.push_back({.kind = Kind::kCountError});
  }
  Leave(actions, Kind::kClose);
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerOverLimit& limit) {
  if (!is_replica()) return {};
  Actions actions = {
      Log(LinkLevel::kWarning, {"Client ", limit.client,
                                " scheduled to be closed ASAP for overcoming of output buffer "
                                "limits."})};
  if (!limit.detail.empty()) actions.push_back(Log(LinkLevel::kWarning, {limit.detail}));
  Leave(actions, Kind::kClose);
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerDismissed&) {
  if (!is_replica()) return {};
  Actions actions;
  Leave(actions, Kind::kClose);
  return actions;
}

ReplicaPeer::Actions ReplicaPeer::Handle(const PeerLost&) {
  if (state_ == State::kClient) {
    state_ = State::kGone;
    return {{.kind = Kind::kClose}};
  }
  return Handle(PeerDismissed());
}

std::string_view ReplicaPeer::state_name() const {
  switch (state_) {
    case State::kClient:
    case State::kGone:
      return "";
    case State::kWaiting:
    case State::kFileWait:
    case State::kStreaming:
      return "wait_bgsave";
    case State::kSendFile:
      return "send_bulk";
    case State::kAwaitAck:
    case State::kOnline:
      return "online";
  }
  return "";
}

int64_t ReplicaPeer::LagS(int64_t now_ms) const {
  return online() ? (now_ms - acked_at_ms_) / 1000 : 0;
}

std::string ReplicaPeer::InfoLine(size_t index, int64_t now_ms) const {
  return Concat({"slave", std::to_string(index), ":ip=", ip(),
                 ",port=", std::to_string(options_.listening_port), ",state=", state_name(),
                 ",offset=", std::to_string(ack_), ",lag=", std::to_string(LagS(now_ms))});
}

}  // namespace cloakroom
