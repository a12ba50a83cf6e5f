// What PrimaryLink does with a primary's replies, from PING to the beginning of the stream.

#include <utility>

#include "protocol/text.h"
#include "replication/link/primary_link.h"
#include "replication/link/sync_replies.h"
#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

/// Redis goes on: AUTH comes next.
bool AsksForAuth(std::string_view line) {
  return line.starts_with("-NOAUTH") || line.starts_with("-NOPERM") ||
         line.starts_with("-ERR operation not permitted");
}

}  // namespace

PrimaryLinkActions PrimaryLink::Receive(std::string_view& bytes, int64_t now_ms) {
  now_ms_ = now_ms;
  while (!bytes.empty() && bytes_to() == BytesTo::kLink) {
    last_io_ms_ = now_ms_;
    const ReplyLine::Status status = line_.Take(bytes);
    if (status == ReplyLine::Status::kNeedMore) break;
    if (status == ReplyLine::Status::kLine) {
      OnLine(line_.text());
    } else if (state_ == State::kHeader) {
      Warn("I/O error reading bulk count from MASTER: the line is too long");
      RetryAfter(Retry::kAfterFailure);
    } else {
      NoReply("the line is too long");
    }
  }
  return TakeActions();
}

void PrimaryLink::OnLine(std::string_view line) {
  switch (state_) {
    case State::kPing:
      return OnPingReply(line);
    case State::kReplies:
      return OnHandshakeReply(line);
    case State::kPsync:
      return OnPsyncReply(line);
    default:
      return OnHeader(line);
  }
}

/// The handshake ended without a reply that we can read.
void PrimaryLink::NoReply(std::string_view error) {
  Warn(Concat({"Failed to read response from the server: ", error}));
  if (state_ == State::kPsync) {
    Warn("Master did not reply to PSYNC, will try later");
    if (std::exchange(failover_, false)) Do(link_action::FailoverAnswered{false});
  } else {
    Warn("Master did not respond to command during SYNC handshake");
  }
  RetryAfter(Retry::kLater);
}

void PrimaryLink::OnPingReply(std::string_view line) {
  if (!line.starts_with('+') && !AsksForAuth(line)) {
    Warn(Concat({"Error reply to PING from master: '", line, "'"}));
    return RetryAfter(Retry::kLater);
  }
  Notice("Master replied to PING, replication can continue...");
  SendHandshake();
}

/// All in one write: one round trip instead of four.
void PrimaryLink::SendHandshake() {
  std::string bytes;
  const auto append = [&bytes](std::initializer_list<std::string_view> arguments) {
    AppendCommand(bytes, arguments);
  };
  // The last reply first.
  replies_ = {Reply::kCapa};
  if (!settings_.announced_ip.empty()) replies_.push_back(Reply::kIp);
  replies_.push_back(Reply::kPort);
  if (!settings_.password.empty()) {
    replies_.push_back(Reply::kAuth);
    if (settings_.user.empty()) {
      append({"AUTH", settings_.password});
    } else {
      append({"AUTH", settings_.user, settings_.password});
    }
  }
  append({"REPLCONF", "listening-port", std::to_string(settings_.announced_port)});
  if (!settings_.announced_ip.empty()) append({"REPLCONF", "ip-address", settings_.announced_ip});
  append({"REPLCONF", "capa", "eof", "capa", "psync2"});
  Do(link_action::Write{std::move(bytes)});
  state_ = State::kReplies;
}

void PrimaryLink::OnHandshakeReply(std::string_view line) {
  const Reply reply = replies_.back();
  replies_.pop_back();
  const bool refused = line.starts_with('-');
  if (refused && reply == Reply::kAuth) {
    Warn(Concat({"Unable to AUTH to MASTER: ", line}));
    return RetryAfter(Retry::kLater);
  }
  if (refused) {
    const std::string_view option = reply == Reply::kPort ? "listening-port"
                                    : reply == Reply::kIp ? "ip-address"
                                                          : "capa";
    Notice(Concat({"(Non critical) Master does not understand REPLCONF ", option, ": ", line}));
  }
  if (replies_.empty()) SendPsync();
}

void PrimaryLink::SendPsync() {
  std::string id = "?";
  std::string offset = "-1";
  if (id_) {
    id = id_->text();
    offset = std::to_string(applied_ + 1);
    Notice(Concat({"Trying a partial resynchronization (request ", id, ":", offset, ")."}));
  } else {
    Notice("Partial resynchronization not possible (no cached master)");
  }
  if (failover_) {
    Send({"PSYNC", id, offset, "FAILOVER"});
  } else {
    Send({"PSYNC", id, offset});
  }
  state_ = State::kPsync;
}

void PrimaryLink::OnPsyncReply(std::string_view line) {
  if (line.empty()) return;  // the primary is alive, and not ready yet
  const PsyncAnswer answer = ReadPsyncAnswer(line);
  if (std::exchange(failover_, false)) {
    const bool accepted = answer == PsyncAnswer::kFullSync || answer == PsyncAnswer::kContinue;
    Do(link_action::FailoverAnswered{accepted});
  }
  switch (answer) {
    case PsyncAnswer::kFullSync:
      return FullSync(line);
    case PsyncAnswer::kContinue:
      return Continue(line);
    case PsyncAnswer::kLater:
      Notice(Concat({"Master is currently unable to PSYNC but should be in the future: ", line}));
      return RetryAfter(Retry::kLater);
    case PsyncAnswer::kUnsupported:
      return FallBackToSync(line);
  }
}

/// Where Redis would go on with a history of zeros, we try anew: such a sync could not be resumed.
void PrimaryLink::FullSync(std::string_view line) {
  sync_point_ = ReadFullSync(line);
  if (!sync_point_) {
    Warn("Master replied with wrong +FULLRESYNC syntax.");
    return RetryAfter(Retry::kLater);
  }
  Notice(Concat({"Full resync from master: ", sync_point_->id.text(), ":",
                 std::to_string(sync_point_->offset)}));
  AwaitHeader();
}

void PrimaryLink::Continue(std::string_view line) {
  if (!id_) {
    // We asked for a full sync; redis-server 7.0.15 crashes here.
    Warn(Concat({"Unexpected reply to PSYNC from master: ", line}));
    return RetryAfter(Retry::kLater);
  }
  Notice("Successful partial resynchronization with master.");
  const std::optional<ReplicationId> id = ReadContinue(line);
  const bool changed = id && !id_->Is(id->text());
  if (changed) {
    id_ = id;
    Warn(Concat({"Master replication ID changed to ", id_->text()}));
  }
  Notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
  Do(link_action::Continue{*id_, changed});
  acks_ = true;
  EnterConnected();
}

/// A primary of Redis 2.6, or one that cannot now: without a history.
void PrimaryLink::FallBackToSync(std::string_view line) {
  if (line.starts_with("-ERR")) {
    Notice(Concat({"Master does not support PSYNC or is in error state (reply: ", line, ")"}));
  } else {
    Warn(Concat({"Unexpected reply to PSYNC from master: ", line}));
  }
  Notice("Retrying with SYNC...");
  sync_point_.reset();
  Do(link_action::Write{"SYNC\r\n"});
  AwaitHeader();
}

void PrimaryLink::AwaitHeader() {
  state_ = State::kHeader;
  sync_total_ = -1;
  sync_read_ = 0;
}

void PrimaryLink::OnHeader(std::string_view line) {
  if (line.empty()) return;  // the primary still makes the snapshot
  if (const std::optional<SyncSize> size = ReadSyncSize(line)) return OpenReceiver(*size);
  if (line.starts_with('-')) {
    Warn(Concat({"MASTER aborted replication with an error: ", line.substr(1)}));
  } else {
    Warn(Concat({"Bad protocol from MASTER, the first byte is not '$' (we received '", line,
                 "'), are you sure the host and port are right?"}));
  }
  RetryAfter(Retry::kAfterFailure);
}

void PrimaryLink::OpenReceiver(const SyncSize& size) {
  load_ = settings_.load;
  state_ = State::kTransfer;
  sync_total_ = size.has_mark ? 0 : size.length;
  beat_ms_ = now_ms_ + kAckEveryMs;
  const std::string_view target = load_ == SyncLoad::kDisk ? "to disk" : "to parser";
  if (size.has_mark) {
    Notice(
        Concat({"MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF ", target}));
  } else {
    Notice(Concat({"MASTER <-> REPLICA sync: receiving ", std::to_string(size.length),
                   " bytes from master ", target}));
  }
  if (load_ == SyncLoad::kInPlace) {
    ForgetHistory();
    Notice("MASTER <-> REPLICA sync: Flushing old data");
  }
  if (load_ != SyncLoad::kDisk) Notice("MASTER <-> REPLICA sync: Loading DB in memory");
  Do(link_action::OpenReceiver{size, load_});
}

}  // namespace cloakroom
