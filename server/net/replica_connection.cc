#include "server/net/replica_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/files/file_status.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/execution/admission.h"
#include "server/execution/command_table.h"
#include "server/info/client_line.h"
#include "server/net/replication_thread.h"
#include "server/persistence/persistence.h"
#include "server/roles/link_log.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

/// "[::1]:50123" without its port and brackets.
std::string IpOf(const Address& address) {
  std::string text = address.Text();
  text.resize(std::min(text.rfind(':'), text.size()));
  if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  return text;
}

/// A buffer for what replicas send: ACKs.
constexpr size_t kReceiveBytes = 16 * 1024;

}  // namespace

ReplicaConnection::ReplicaConnection(ReplicationThread& thread, NewReplica replica)
    : thread_(thread),
      stream_(std::move(replica.stream)),
      client_(std::move(replica.client)),
      request_(std::move(replica)),
      peer_(client_->replica_options, IpOf(client_->address)),
      input_(std::exchange(request_.unparsed, {})),
      spool_reader_(
          [&thread](std::function<void()> job) { thread.spools().PostToDisk(std::move(job)); },
          [post = thread.Poster()] { post([] {}); }) {}

ReplicaConnection::~ReplicaConnection() {
  if (file_ >= 0) close(file_);
}

std::string ReplicaConnection::Line() const {
  return ClientLine(*client_, thread_.server().clock().NowMs());
}

void ReplicaConnection::Begin() {
  if (!thread_.poller().Watch(*this, stream_->fd())) {
    LogWarning("Closing replica {}: epoll_ctl: {}", peer_.name(), std::strerror(errno));
    return Close();
  }
  const std::string line = Line();
  const std::string ip = IpOf(client_->address);
  const SyncRequest request = {.psync = request_.psync,
                               .id = request_.id,
                               .offset = request_.offset,
                               .failover = request_.failover,
                               .options = peer_.options(),
                               .peer_ip = ip,
                               .client = line};
  const SyncDecision decision = thread_.server().replication().Decide(request);
  switch (decision.kind) {
    case SyncDecision::Kind::kContinue:
      Handle(PeerGranted{
          .reply = decision.reply, .position = decision.position, .now_ms = thread_.now_ms()});
      break;
    case SyncDecision::Kind::kFull:
      Handle(PeerFull{.psync = request_.psync});
      break;
    default:
      // The role has changed since the event loop asked.
      if (!decision.error.empty()) text_ = absl::StrCat("-", decision.error, "\r\n");
      close_when_sent_ = true;
      return;
  }
  client_->replica = true;
  Parse();
}

void ReplicaConnection::set_sink(std::shared_ptr<FanOutSink> sink) {
  sink_ = std::move(sink);
  if (sink_ != nullptr) sink_->Join(id());
}

void ReplicaConnection::Handle(const PeerEvent& event) {
  if (!open_) return;
  for (PeerAction& action : peer_.On(event)) Perform(std::move(action));
}

void ReplicaConnection::Perform(PeerAction action) {
  using Kind = PeerAction::Kind;
  Replication& replication = thread_.server().replication();
  switch (action.kind) {
    case Kind::kMoveSocket:
      return;  // it has moved
    case Kind::kJoinGroup:
      return thread_.JoinGroup(*this);
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
      return OpenFile();
    case Kind::kOnline:
      replication.board().Join(id(), peer_.options().listening_port > 0 ? peer_.name() : "",
                               peer_.ack(), peer_.fack(), thread_.now_ms());
      return replication.CountReplicas();
    case Kind::kSendStream:
      stream_end_ = thread_.published();
      return;
    case Kind::kSendLater:
      return thread_.FeedAt(action.at_us);
    case Kind::kAcked:
      replication.board().Acked(id(), peer_.ack(), peer_.fack(), thread_.now_ms());
      return replication.CountReplicas();
    case Kind::kCountError:
      return thread_.CountError();
    case Kind::kLog:
      return LogLink(action.line);
    case Kind::kClose:
      return Close();
    case Kind::kCloseAfterWrite:
      close_when_sent_ = true;
      return;
  }
}

void ReplicaConnection::OpenFile() {
  const std::string path = thread_.server().config().Text("dbfilename");
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ >= 0) return;
  LogWarning("Can't open the RDB file for replica {}: {}", peer_.name(), std::strerror(errno));
  Close();
}

void ReplicaConnection::Close() {
  if (!std::exchange(open_, false)) return;
  if (sink_ != nullptr) sink_->Leave(id());
  thread_.server().replication().board().Leave(id());
  thread_.server().replication().CountReplicas();
  thread_.server().Disconnected(*client_, this);
  thread_.poller().Closing(*this);
  stream_->Close();
  thread_.NoteClosed();
}

void ReplicaConnection::Kill() {
  thread_.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Handle(PeerDismissed{});
  });
}

// ---- receiving

void ReplicaConnection::OnReady(const Poller::Ready& ready) {
  if (ready.readable || ready.hung_up) readable_ = true;
}

void ReplicaConnection::Receive() {
  std::array<char, kReceiveBytes> buffer;
  for (int i = 0; i < kMostReceives && open_ && readable_; ++i) {
    const std::optional<SocketStream::Received> received = stream_->Receive(buffer);
    if (!received) return Handle(PeerLost{});
    readable_ = received->bytes > 0;
    if (!readable_) return;
    client_->net_in += static_cast<int64_t>(received->bytes);
    input_.append(buffer.data(), received->bytes);
    Parse();
    if (input_.size() > kMaxUnparsed) {
      LogWarning("Closing replica {} that reached max query buffer length", peer_.name());
      return Close();
    }
  }
  thread_.ServeAgain();
}

void ReplicaConnection::Parse() {
  std::vector<std::string_view> words;
  RequestParser::Status status = RequestParser::Status::kRequest;
  while (open_ && status == RequestParser::Status::kRequest) {
    words.clear();
    status = parser_.Parse(std::span<char>(input_), words);
    if (status == RequestParser::Status::kRequest) Run(words);
  }
  if (status == RequestParser::Status::kError) {
    LogWarning("Closing replica {}: {}", peer_.name(), parser_.error());
    return Close();
  }
  input_.erase(0, parser_.TakeConsumed());
}

void ReplicaConnection::Run(const std::vector<std::string_view>& words) {
  client_->last_ms = thread_.server().clock().NowMs();
  const Command* const command = thread_.server().commands().Find(words);
  const std::string_view name = command == nullptr ? "" : command->row->name;
  const std::string line = Line();
  client_->last_command = command;
  // As in Redis, a replica that asks to be one is not answered.
  if (name == "psync" || name == "sync") return;
  PeerCommand stray = {.name = name, .client = line};
  if (name == "replconf" && words.size() % 2 == 1) {
    ReplicaOptions options = peer_.options();
    const Replconf replconf =
        ReadReplconf(std::span(words).subspan(1), /*is_replica=*/true, options);
    if (replconf.acked) return Handle(PeerAck{.ack = replconf, .now_ms = thread_.now_ms()});
    if (replconf.reply == Replconf::Reply::kNone) return;
    stray.error = replconf.error;
    return Handle(stray);
  }
  stray.keyspace =
      command != nullptr && (command->row->flags & (kReadonly | kWrite | kMayReplicate)) != 0;
  if (command == nullptr) stray.error = "unknown command";
  Handle(stray);
}

// ---- sending

void ReplicaConnection::Feed(int64_t published, bool at_once, int64_t now_us) {
  if (published > peer_.cursor() || at_once) {
    Handle(PeerPublished{.position = published, .at_once = at_once, .now_us = now_us});
  }
  CheckLimit();
}

void ReplicaConnection::Serve() {
  if (readable_) Receive();
  Sent sent = Sent::kSome;
  for (int i = 0; i < kMostSends && open_ && sent == Sent::kSome; ++i) {
    sent = SendText();
    if (sent == Sent::kNothing && close_when_sent_) return Close();
    if (sent == Sent::kNothing && sends_rdb_) sent = SendRdb();
    if (sent == Sent::kNothing && file_ >= 0) sent = SendFile();
    if (sent == Sent::kNothing && !sends_rdb_ && file_ < 0) sent = SendStream();
  }
  if (sent == Sent::kSome) thread_.ServeAgain();
  WatchRoom(sent == Sent::kBlocked);
}

ReplicaConnection::Sent ReplicaConnection::SendText() {
  if (text_.empty()) return Sent::kNothing;
  const std::string_view rest = std::string_view(text_).substr(text_sent_);
  const size_t sent = Send({&rest, 1});
  if (sent == 0) return Sent::kBlocked;
  text_sent_ += sent;
  if (text_sent_ == text_.size()) {
    text_.clear();
    text_sent_ = 0;
  }
  return Sent::kSome;
}

ReplicaConnection::Sent ReplicaConnection::SendRdb() {
  const FanOutSink::Next next = sink_->Peek(id());
  if (next.spool != nullptr) return SendSpooled(next.spool, next.place, INT64_MAX);
  if (next.bytes.empty()) {
    if (!sink_->Done(id())) return Sent::kNothing;
    sends_rdb_ = false;
    sink_->Leave(id());
    sink_.reset();
    spool_reader_.Forget();
    Handle(PeerRdbSent{.now_ms = thread_.now_ms()});
    return Sent::kSome;
  }
  const size_t sent = Send({&next.bytes, 1});
  if (sent == 0) {
    Handle(PeerBlocked{.now_ms = thread_.now_ms()});
    return Sent::kBlocked;
  }
  sink_->Advance(id(), sent);
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return Sent::kSome;
}

ReplicaConnection::Sent ReplicaConnection::SendSpooled(const std::shared_ptr<Spool>& spool,
                                                       int64_t place, int64_t end) {
  absl::StatusOr<std::string_view> bytes = spool_reader_.Peek(spool, place);
  if (!bytes.ok()) {
    LogWarning("Closing replica {}: {}", peer_.name(), MessageOf(bytes.status()));
    Close();
    return Sent::kNothing;
  }
  if (bytes->empty()) return Sent::kNothing;  // the disk thread wakes us
  *bytes = bytes->substr(0, static_cast<size_t>(end - place));
  const size_t sent = Send({&*bytes, 1});
  if (sent == 0) {
    if (sends_rdb_) Handle(PeerBlocked{.now_ms = thread_.now_ms()});
    return Sent::kBlocked;
  }
  if (sends_rdb_) sink_->Advance(id(), sent);
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return Sent::kSome;
}

ReplicaConnection::Sent ReplicaConnection::SendFile() {
  std::string buffer(FanOutSink::kBlockBytes, '\0');
  const ssize_t read = pread(file_, buffer.data(), buffer.size(), file_sent_);
  if (read <= 0) {
    close(std::exchange(file_, -1));
    if (read < 0) {
      Close();
    } else {
      Handle(PeerRdbSent{.now_ms = thread_.now_ms()});
    }
    return Sent::kSome;
  }
  const std::string_view bytes(buffer.data(), static_cast<size_t>(read));
  const size_t sent = Send({&bytes, 1});
  if (sent == 0) {
    Handle(PeerBlocked{.now_ms = thread_.now_ms()});
    return Sent::kBlocked;
  }
  file_sent_ += static_cast<int64_t>(sent);
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return Sent::kSome;
}

ReplicaConnection::Sent ReplicaConnection::SendStream() {
  const int64_t begin = peer_.cursor();
  if (!has_cursor_ || begin >= stream_end_) return Sent::kNothing;
  const std::shared_ptr<Spool> spool = thread_.spools().stream().SpoolAt(begin);
  if (spool != nullptr) return SendSpooled(spool, begin, stream_end_);
  spool_reader_.Forget();
  // As many chunks as one call takes.
  std::array<std::string_view, 16> spans;
  size_t count = 0;
  const int64_t most = begin + static_cast<int64_t>(spans.size() - 1) *
                                   static_cast<int64_t>(StreamChunks::kChunkBytes);
  thread_.server().replication().stream().Read(
      begin, std::min(stream_end_, most), [&](std::string_view piece) { spans[count++] = piece; });
  const size_t sent = Send(std::span(spans).first(count));
  if (sent == 0) return Sent::kBlocked;
  Handle(PeerTaken{.bytes = static_cast<int64_t>(sent)});
  return Sent::kSome;
}

size_t ReplicaConnection::Send(std::span<const std::string_view> spans) {
  const std::optional<size_t> sent = stream_->Send(spans);
  if (!sent) {
    Handle(PeerLost{});
    return 0;
  }
  client_->net_out += static_cast<int64_t>(*sent);
  thread_.server().replication().CountSent(static_cast<int64_t>(*sent));
  return *sent;
}

void ReplicaConnection::WatchRoom(bool room) {
  if (!open_ || thread_.poller().WatchRoom(*this, stream_->fd(), room)) return;
  LogWarning("Closing replica {}: epoll_ctl: {}", peer_.name(), std::strerror(errno));
  Close();
}

// ---- each second

void ReplicaConnection::Tick(int64_t now_ms) {
  Handle(
      PeerSecond{.now_ms = now_ms, .repl_timeout_s = thread_.server().settings().repl_timeout_s});
}

void ReplicaConnection::CheckLimit() {
  if (!open_ || !has_cursor_) return;
  const Config& settings = thread_.server().settings();
  const StreamSpool& spool = thread_.spools().stream();
  // What memory keeps for it.
  const int64_t waiting = thread_.published() - spool.InMemory(peer_.cursor());
  client_->output_bytes = waiting + static_cast<int64_t>(text_.size());
  client_->output_memory = client_->output_bytes + 0;
  // As in Redis, a replica may be as far behind as the backlog is long. With a spool memory keeps
  // little more than that.
  const StreamSpool::Memory memory = thread_.spools().memory();
  const int64_t allowed = spool.works() ? memory.bound() : memory.backlog;
  const OutputLimit& limit = settings.output_limit(ClientClass::kReplica);
  if (waiting <= allowed) return limit_watch_.Forget();
  if (!limit_watch_.Over(limit, waiting, thread_.server().clock())) return;
  const std::string behind = absl::StrCat("Replica ", peer_.name(), " is ",
                                          thread_.published() - peer_.cursor(), " bytes behind");
  if (spool.works()) {
    return DropAsTooSlow(
        absl::StrCat(behind, ", and memory keeps ", waiting,
                     " of them, since the disk of the spool is slower than the changes. Raise "
                     "client-output-buffer-limit replica, or find out what slows down the replica "
                     "or the disk."));
  }
  DropAsTooSlow(absl::StrCat(
      behind,
      ". Raise repl-spool-size, if the disk has room, or client-output-buffer-limit replica, or "
      "find out what slows it down."));
}

void ReplicaConnection::DropAsTooSlow(std::string_view detail) {
  const std::string line = Line();
  Handle(PeerOverLimit{.client = line, .detail = detail});
}

ReplicaFacts ReplicaConnection::Facts(size_t index, int64_t now_ms) const {
  return {.line = peer_.InfoLine(index, now_ms),
          .ip = std::string(peer_.ip()),
          .port = peer_.options().listening_port,
          .acked = peer_.ack(),
          .online = peer_.online()};
}

}  // namespace cloakroom
