#include "tests/replication/simulator/sim_peer.h"

#include <algorithm>
#include <utility>

#include "protocol/text.h"
#include "replication/link/replconf.h"
#include "tests/replication/simulator/sim_server.h"

namespace cloakroom {

SimPeer::~SimPeer() {
  if (sink_ != nullptr) sink_->Leave(static_cast<uint64_t>(connection_));
}

void SimPeer::set_sink(std::shared_ptr<FanOutSink> sink) {
  sink_ = std::move(sink);
  if (sink_ != nullptr) sink_->Join(static_cast<uint64_t>(connection_));
}

void SimPeer::SendFile(const std::string& bytes) {
  file_ = bytes;
  Handle(PeerFileReady{.length = static_cast<int64_t>(bytes.size())});
}

// ---- receiving

void SimPeer::Receive(std::string_view bytes) {
  input_ += bytes;
  std::vector<std::string_view> words;
  RequestParser::Status status = RequestParser::Status::kRequest;
  while (open_ && status == RequestParser::Status::kRequest) {
    words.clear();
    status = parser_.Parse(std::span<char>(input_), words);
    if (status == RequestParser::Status::kRequest) Run(words);
  }
  input_.erase(0, parser_.TakeConsumed());
  if (status != RequestParser::Status::kError) return;
  server_.environment_.Fail("a replica's request is malformed");
  Close();
}

void SimPeer::Run(const std::vector<std::string_view>& words) {
  if (!peer_) return Answer(words);
  if (!EqualsIgnoreCase(words[0], "replconf")) return;
  const Replconf replconf = ReadReplconf(std::span(words).subspan(1), true, options_);
  if (replconf.acked) Handle(PeerAck{.ack = replconf, .now_ms = server_.environment_.now_ms()});
}

/// As a client that is no replica yet.
void SimPeer::Answer(const std::vector<std::string_view>& words) {
  if (EqualsIgnoreCase(words[0], "ping")) {
    text_ += server_.follower_.loading_in_place() ? "-LOADING wait\r\n" : "+PONG\r\n";
  } else if (EqualsIgnoreCase(words[0], "replconf")) {
    const Replconf replconf = ReadReplconf(std::span(words).subspan(1), false, options_);
    if (replconf.reply == Replconf::Reply::kOk) text_ += "+OK\r\n";
    if (replconf.reply == Replconf::Reply::kError) text_ += "-" + replconf.error + "\r\n";
  } else if (EqualsIgnoreCase(words[0], "psync") || EqualsIgnoreCase(words[0], "sync")) {
    Psync(words);
  }
}

void SimPeer::Psync(const std::vector<std::string_view>& words) {
  SyncRequest request;
  request.psync = words.size() >= 3;
  if (request.psync) {
    request.id = words[1];
    request.offset = words[2];
    request.failover = words.size() > 3;
  }
  request.options = options_;
  request.pending_output = !text_.empty();
  const std::string who = "server " + std::to_string(replica_);
  SyncDecision decision = server_.Decide(request, who);
  if (decision.kind == SyncDecision::Kind::kPromote) {
    server_.Promote();
    server_.CheckPromoted();
    request.failover = false;
    decision = server_.Decide(request, who);
  }
  switch (decision.kind) {
    case SyncDecision::Kind::kContinue:
      ++server_.environment_.granted;
      peer_.emplace(options_, SimServer::kHost);
      return Handle(PeerGranted{.reply = decision.reply,
                                .position = decision.position,
                                .now_ms = server_.environment_.now_ms()});
    case SyncDecision::Kind::kFull:
      ++server_.environment_.full_syncs;
      peer_.emplace(options_, SimServer::kHost);
      return Handle(PeerFull{.psync = request.psync});
    default:
      text_ += "-" + decision.error + "\r\n";
  }
}

void SimPeer::Handle(const PeerEvent& event) {
  if (!open_ || !peer_) return;
  for (const PeerAction& action : peer_->On(event)) Perform(action);
}

void SimPeer::NoteLost() {
  Handle(PeerLost{});
  Close();
}

void SimPeer::Perform(const PeerAction& action) {
  using Kind = PeerAction::Kind;
  const auto reader = static_cast<uint64_t>(connection_);
  switch (action.kind) {
    case Kind::kMoveSocket:
    case Kind::kCountError:
    case Kind::kLog:
      return;
    case Kind::kJoinGroup:
      return server_.JoinGroup(connection_);
    case Kind::kWrite:
      text_ += action.text;
      return;
    case Kind::kPinCursor:
      has_cursor_ = true;
      stream_end_ = action.position;
      return;
    case Kind::kSendRdb:
      sends_rdb_ = true;
      return;
    case Kind::kSendFile:
      sends_file_ = true;
      return;
    case Kind::kOnline:
      return server_.board_.Join(reader, peer_->name(), peer_->ack(), peer_->fack(),
                                 server_.environment_.now_ms());
    case Kind::kSendStream:
      stream_end_ = server_.stream_.Published();
      return;
    case Kind::kSendLater:
      return;  // it is asked again in every turn
    case Kind::kAcked:
      return server_.board_.Acked(reader, peer_->ack(), peer_->fack(),
                                  server_.environment_.now_ms());
    case Kind::kClose:
      return Close();
    case Kind::kCloseAfterWrite:
      close_when_sent_ = true;
      return;
  }
}

void SimPeer::Close() {
  if (!std::exchange(open_, false)) return;
  if (sink_ != nullptr) sink_->Leave(static_cast<uint64_t>(connection_));
  sink_.reset();
  server_.board_.Leave(static_cast<uint64_t>(connection_));
  server_.environment_.network.Close(connection_, SimEnd::kPrimary);
}

// ---- sending

void SimPeer::Serve() {
  while (open_) {
    if (SendText()) continue;
    if (!text_.empty()) return;
    if (close_when_sent_) return Close();
    const bool sent = sends_rdb_ ? SendRdb() : sends_file_ ? SendFileBytes() : SendStream();
    if (!sent) return;
  }
}

size_t SimPeer::Send(std::string_view bytes) {
  return server_.environment_.network.Send(connection_, SimEnd::kPrimary, bytes);
}

bool SimPeer::SendText() {
  const size_t sent = Send(text_);
  text_.erase(0, sent);
  return sent > 0;
}

bool SimPeer::SendRdb() {
  const auto reader = static_cast<uint64_t>(connection_);
  const std::string_view bytes = sink_->Peek(reader).bytes;
  if (bytes.empty()) {
    if (!sink_->Done(reader)) return false;
    sends_rdb_ = false;
    sink_->Leave(reader);
    sink_.reset();
    Handle(PeerRdbSent{.now_ms = server_.environment_.now_ms()});
    return true;
  }
  const size_t sent = Send(bytes);
  if (sent == 0) {
    Handle(PeerBlocked{.now_ms = server_.environment_.now_ms()});
    return false;
  }
  sink_->Advance(reader, sent);
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return true;
}

bool SimPeer::SendFileBytes() {
  if (file_->empty()) {
    sends_file_ = false;
    file_.reset();
    Handle(PeerRdbSent{.now_ms = server_.environment_.now_ms()});
    return true;
  }
  const size_t sent = Send(*file_);
  if (sent == 0) {
    Handle(PeerBlocked{.now_ms = server_.environment_.now_ms()});
    return false;
  }
  file_->erase(0, sent);
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return true;
}

bool SimPeer::SendStream() {
  if (!has_cursor_ || peer_->cursor() >= stream_end_) return false;
  int64_t sent = 0;
  server_.stream_.Read(peer_->cursor(), stream_end_,
                       [&](std::string_view piece) { sent += static_cast<int64_t>(Send(piece)); });
  if (sent == 0) return false;
  Handle(PeerTaken{.bytes = sent});
  return true;
}

}  // namespace cloakroom
