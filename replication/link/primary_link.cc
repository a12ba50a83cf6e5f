#include "replication/link/primary_link.h"

#include <utility>

#include "protocol/text.h"
#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

std::string Text(const absl::Status& status) { return std::string(status.message()); }

/// What Redis prints for errno 0, if the primary closed the socket in the handshake.
std::string_view OrSuccess(std::string_view error) { return error.empty() ? "Success" : error; }

}  // namespace

void PrimaryLink::set_progress(int64_t applied, std::optional<int64_t> synced_to_disk) {
  applied_ = applied;
  synced_to_disk_ = synced_to_disk;
}

PrimaryLinkActions PrimaryLink::Start(PrimaryAddress primary, std::optional<HistoryPoint> cached,
                                      bool failover, int64_t now_ms) {
  now_ms_ = now_ms;
  Leave();
  primary_ = std::move(primary);
  failover_ = failover;
  id_.reset();
  synced_to_disk_.reset();
  at_once_ = 0;
  if (cached) {
    id_ = cached->id;
    applied_ = cached->offset;
  }
  retry_ = Retry::kLater;
  Attempt();
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::Stop() {
  if (state_ == State::kOff) return {};
  Leave();
  ForgetHistory();
  state_ = State::kOff;
  primary_ = {};
  failover_ = false;
  down_since_ms_.reset();
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::Tick(int64_t now_ms) {
  now_ms_ = now_ms;
  switch (state_) {
    case State::kOff:
      break;
    case State::kConnect:
      if (now_ms_ - attempt_ms_ >= kRetryMs) Attempt();
      break;
    case State::kConnecting:
    case State::kPing:
    case State::kReplies:
    case State::kPsync:
      if (!TimedOut()) break;
      Warn("Timeout connecting to the MASTER...");
      RetryAfter(Retry::kAfterFailure);
      break;
    case State::kHeader:
    case State::kTransfer:
      if (TimedOut()) {
        Warn(
            "Timeout receiving bulk data from MASTER... If the problem persists try to set the "
            "'repl-timeout' parameter in redis.conf to a larger value.");
        RetryAfter(Retry::kAfterFailure);
      } else if (state_ == State::kTransfer && load_ != SyncLoad::kDisk) {
        SendNewline();
      }
      break;
    case State::kLoading:
      SendNewline();
      break;
    case State::kConnected:
      if (TimedOut()) {
        Warn("MASTER timeout: no data nor PING received...");
        RetryAfter(Retry::kAfterLoss);
      } else if (now_ms_ >= beat_ms_) {
        beat_ms_ = now_ms_ + kAckEveryMs;
        SendAck();
      }
      break;
  }
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::Resolved(uint64_t attempt, const absl::Status& result,
                                         int64_t now_ms) {
  if (state_ != State::kConnecting || attempt != attempt_ || socket_open_) return {};
  now_ms_ = now_ms;
  if (!result.ok()) {
    Warn("Unable to connect to MASTER: " + Text(result));
    RetryAfter(Retry::kLater);
    return TakeActions();
  }
  socket_open_ = true;
  Notice("MASTER <-> REPLICA sync started");
  Do(link_action::Connect{attempt_});
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::Connected(uint64_t attempt, const absl::Status& result,
                                          int64_t now_ms) {
  if (state_ != State::kConnecting || attempt != attempt_ || !socket_open_) return {};
  now_ms_ = now_ms;
  if (!result.ok()) {
    Warn("Error condition on socket for SYNC: " + Text(result));
    RetryAfter(Retry::kLater);
    return TakeActions();
  }
  last_io_ms_ = now_ms_;
  state_ = State::kPing;
  Notice("Non blocking connect for SYNC fired the event.");
  Send({"PING"});
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::ConnectionLost(std::string_view error, int64_t now_ms) {
  if (!socket_open_) return {};
  now_ms_ = now_ms;
  switch (state_) {
    case State::kOff:
    case State::kConnect:
      break;
    case State::kConnecting:
      Warn(Concat({"Error condition on socket for SYNC: ", OrSuccess(error)}));
      RetryAfter(Retry::kLater);
      break;
    case State::kPing:
    case State::kReplies:
    case State::kPsync:
      NoReply(OrSuccess(error));
      break;
    case State::kHeader:
      Warn(Concat({"I/O error reading bulk count from MASTER: ", OrSuccess(error)}));
      RetryAfter(Retry::kAfterFailure);
      break;
    case State::kTransfer:
      Warn(Concat({"I/O error trying to sync with MASTER: ",
                   error.empty() ? std::string_view("connection lost") : error}));
      RetryAfter(Retry::kAfterFailure);
      break;
    case State::kLoading:
      // The data is whole all the same, and what is missed since then may come with PSYNC.
      Close();
      break;
    case State::kConnected:
      RetryAfter(Retry::kAfterLoss);
      break;
  }
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::TransferReceived(size_t bytes, bool done, int64_t now_ms) {
  if (state_ != State::kTransfer) return {};
  now_ms_ = now_ms;
  last_io_ms_ = now_ms_;
  sync_read_ += static_cast<int64_t>(bytes);
  if (!done) return {};
  state_ = State::kLoading;
  if (load_ == SyncLoad::kDisk) {
    beat_ms_ = now_ms_ + kAckEveryMs;
    Notice("MASTER <-> REPLICA sync: Flushing old data");
    Notice("MASTER <-> REPLICA sync: Loading DB in memory");
  }
  Do(link_action::Load{});
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::TransferFailed(const absl::Status& error, int64_t now_ms) {
  // The last bytes are still on their way to the disk when the transfer is whole.
  if (state_ != State::kTransfer && state_ != State::kLoading) return {};
  now_ms_ = now_ms;
  Warn(
      "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA "
      "synchronization: " +
      Text(error));
  RetryAfter(Retry::kAfterFailure);
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::LoadDone(int64_t now_ms) {
  if (state_ != State::kLoading) return {};
  now_ms_ = now_ms;
  ForgetHistory();
  if (sync_point_) id_ = sync_point_->id;
  set_progress(sync_point_ ? sync_point_->offset : 0, std::nullopt);
  Notice("MASTER <-> REPLICA sync: Finished with success");
  Do(link_action::Synced{sync_point_});
  acks_ = sync_point_.has_value();
  EnterConnected();
  if (socket_open_) {
    SendAck();
  } else {
    RetryAfter(Retry::kAfterLoss);
  }
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::LoadFailed(const absl::Status& error, int64_t now_ms) {
  const bool loading =
      state_ == State::kLoading || (state_ == State::kTransfer && load_ != SyncLoad::kDisk);
  if (!loading) return {};
  now_ms_ = now_ms;
  Warn(Concat({"Failed trying to load the MASTER synchronization DB from ",
               load_ == SyncLoad::kDisk ? "disk: " : "socket: ", Text(error)}));
  // With spare databases the old data is still there.
  if (load_ != SyncLoad::kSwap) id_.reset();
  RetryAfter(Retry::kAfterFailure);
  return TakeActions();
}

void PrimaryLink::StreamReceived(int64_t now_ms) {
  if (state_ == State::kConnected) last_io_ms_ = now_ms;
}

PrimaryLinkActions PrimaryLink::StreamBroken(const absl::Status& error, int64_t now_ms) {
  if (state_ != State::kConnected) return {};
  now_ms_ = now_ms;
  Warn(Text(error));
  id_.reset();
  RetryAfter(Retry::kAfterLoss);
  return TakeActions();
}

PrimaryLinkActions PrimaryLink::AnswerGetAck() {
  if (state_ == State::kConnected) SendAck();
  return TakeActions();
}

PrimaryLink::BytesTo PrimaryLink::bytes_to() const {
  switch (state_) {
    case State::kOff:
    case State::kConnect:
    case State::kConnecting:
    case State::kLoading:
      return BytesTo::kNobody;
    case State::kPing:
    case State::kReplies:
    case State::kPsync:
    case State::kHeader:
      return BytesTo::kLink;
    case State::kTransfer:
      return BytesTo::kReceiver;
    case State::kConnected:
      return BytesTo::kStream;
  }
  return BytesTo::kNobody;
}

std::string_view PrimaryLink::role_state() const {
  switch (state_) {
    case State::kOff:
      return "none";
    case State::kConnect:
      return "connect";
    case State::kConnecting:
      return "connecting";
    case State::kPing:
    case State::kReplies:
    case State::kPsync:
      return "handshake";
    case State::kHeader:
    case State::kTransfer:
    case State::kLoading:
      return "sync";
    case State::kConnected:
      return "connected";
  }
  return "none";
}

PrimaryLinkInfo PrimaryLink::Info(int64_t now_ms) const {
  const auto seconds_since = [now_ms](int64_t then_ms) { return (now_ms - then_ms) / 1000; };
  PrimaryLinkInfo info;
  info.up = state_ == State::kConnected;
  if (info.up) info.last_io_seconds_ago = seconds_since(last_io_ms_);
  if (!info.up && down_since_ms_) info.down_since_seconds = seconds_since(*down_since_ms_);
  info.syncing = role_state() == "sync";
  if (!info.syncing) return info;
  info.sync_total_bytes = sync_total_;
  info.sync_read_bytes = sync_read_;
  info.sync_left_bytes = sync_total_ - sync_read_;
  if (sync_total_ != 0) {
    info.sync_percent = static_cast<double>(sync_read_) / static_cast<double>(sync_total_) * 100;
  }
  info.sync_last_io_seconds_ago = seconds_since(last_io_ms_);
  return info;
}

PrimaryLinkActions PrimaryLink::TakeActions() { return std::exchange(actions_, {}); }

void PrimaryLink::Send(std::initializer_list<std::string_view> arguments) {
  std::string bytes;
  AppendCommand(bytes, arguments);
  Do(link_action::Write{std::move(bytes)});
}

void PrimaryLink::Attempt() {
  const std::string address = Concat({primary_.host, ":", std::to_string(primary_.port)});
  switch (retry_) {
    case Retry::kLater:
      Notice("Connecting to MASTER " + address);
      break;
    case Retry::kAfterFailure:
      Notice("Reconnecting to MASTER " + address + " after failure");
      break;
    case Retry::kAfterLoss:
      Notice("Reconnecting to MASTER " + address);
      break;
  }
  retry_ = Retry::kLater;
  attempt_ms_ = last_io_ms_ = now_ms_;
  state_ = State::kConnecting;
  Do(link_action::Resolve{++attempt_, primary_.host, primary_.port});
}

/// Ends whatever is under way.
void PrimaryLink::Leave() {
  if (state_ == State::kConnected) {
    down_since_ms_ = now_ms_;
    Warn("Connection with master lost.");
    if (id_) Notice("Caching the disconnected master state.");
    Do(link_action::StreamEnded{});
  } else if (state_ == State::kTransfer || state_ == State::kLoading) {
    Do(link_action::Discard{});
  }
  Close();
  line_.Clear();
  replies_.clear();
}

void PrimaryLink::Close() {
  if (socket_open_) Do(link_action::Close{});
  socket_open_ = false;
}

void PrimaryLink::RetryAfter(Retry retry) {
  Leave();
  state_ = State::kConnect;
  retry_ = retry;
  if (now_ms_ - attempt_ms_ >= kRetryMs) {
    at_once_ = 0;
  } else if (retry != Retry::kAfterLoss || !id_ || at_once_ >= kMostAtOnce) {
    return;
  } else {
    ++at_once_;
  }
  if (retry != Retry::kLater) Attempt();
}

void PrimaryLink::ForgetHistory() {
  if (id_) Notice("Discarding previously cached master state.");
  id_.reset();
}

void PrimaryLink::EnterConnected() {
  state_ = State::kConnected;
  last_io_ms_ = now_ms_;
  down_since_ms_.reset();
  beat_ms_ = now_ms_ + kAckEveryMs;
}

void PrimaryLink::SendAck() {
  if (!acks_) return;
  const std::string applied = std::to_string(applied_);
  if (synced_to_disk_) {
    Send({"REPLCONF", "ACK", applied, "FACK", std::to_string(*synced_to_disk_)});
  } else {
    Send({"REPLCONF", "ACK", applied});
  }
}

/// Tells the primary once a second that we are alive, while a load keeps us from anything else.
void PrimaryLink::SendNewline() {
  if (now_ms_ < beat_ms_ || !socket_open_) return;
  beat_ms_ = now_ms_ + kAckEveryMs;
  Do(link_action::Write{"\n"});
}

}  // namespace cloakroom
