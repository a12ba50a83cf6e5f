#include "server/net/primary_connection.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "server/config/config_store.h"
#include "server/net/replication_thread.h"
#include "server/persistence/persistence.h"
#include "server/roles/link_log.h"
#include "server/script/function_registry.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

PrimaryConnection::PrimaryConnection(ReplicationThread& thread) : thread_(thread) {}

PrimaryConnection::~PrimaryConnection() {
  Unregister();
  CloseSocket();
}

int64_t PrimaryConnection::now_ms() const { return thread_.now_ms(); }

// ---- what the owner asks for

void PrimaryConnection::Follow(Replication::Following following) {
  turn_ = following.turn;
  link_.set_settings(Settings());
  // First: of the old link nothing may be reported under the new turn.
  Do(link_.Stop());
  Do(link_.Start(std::move(following.primary), following.cached, following.failover, now_ms()));
}

void PrimaryConnection::Unfollow() { Do(link_.Stop()); }

void PrimaryConnection::Tick() {
  std::erase_if(retired_, [](const auto& load) { return load->over(); });
  if (!following()) return;
  // The end of the server does not wait for the primary's bytes. It may be refused: then the link
  // goes on.
  if (thread_.server().shutdown_requested()) {
    if (receiver_) Lost("the server is about to end");
    return;
  }
  // A transfer that waits for room goes on as well: the fault is our own.
  if (receiver_ && load_->pipe().room() == 0) Do(link_.TransferReceived(0, false, now_ms()));
  link_.set_settings(Settings());
  UpdateProgress();
  // While we do not read, the primary's silence says nothing.
  if (link_.state() == PrimaryLink::State::kConnected && readable_) link_.StreamReceived(now_ms());
  Do(link_.Tick(now_ms()));
  if (link_.state() == PrimaryLink::State::kConnected &&
      thread_.server().replication().WantsFullSync(now_ms())) {
    StreamBroken(
        absl::DataLossError("This replica has skipped commands of its primary, or they have "
                            "failed: its data is not the "
                            "primary's. It asks for a full sync."));
  }
  PublishFacts();
}

void PrimaryConnection::TryAgain() { thread_.ServeAgain(); }

void PrimaryConnection::AnswerAck(int64_t position) {
  if (link_.state() != PrimaryLink::State::kConnected) return;
  link_.set_progress(thread_.server().replication().OffsetAt(position), Synced(position));
  Do(link_.AnswerGetAck());
}

void PrimaryConnection::StreamBroken(const absl::Status& error) {
  Do(link_.StreamBroken(error, now_ms()));
}

void PrimaryConnection::Kill() {
  thread_.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Lost("");
  });
}

void PrimaryConnection::OnReady(const Poller::Ready& ready) {
  if (ready.readable || ready.hung_up) readable_ = true;
  if (ready.writable || ready.hung_up) writable_ = true;
}

void PrimaryConnection::Serve() {
  if (socket_ == nullptr) return;
  if (connecting_) {
    if (writable_) CheckConnected();
    return;
  }
  Receive();
  Send();
}

// ---- the link's actions

void PrimaryConnection::Do(PrimaryLinkActions actions) {
  if (actions.empty()) return;
  // First: who gets an ACK may ask at once how the link is.
  PublishFacts();
  for (const PrimaryLinkAction& action : actions) {
    std::visit([this](const auto& one) { Do(one); }, action);
  }
}

void PrimaryConnection::Do(const LinkLine& line) { LogLink(line); }

void PrimaryConnection::Do(const link_action::Resolve& action) {
  attempt_ = action.attempt;
  lookup_.Begin(action.host, action.port,
                [post = thread_.Poster(), weak = weak_from_this(),
                 attempt = action.attempt](const NameLookup::Result& result) {
                  post([weak, attempt, result] {
                    if (const auto self = weak.lock()) self->NoteResolved(attempt, result);
                  });
                });
}

void PrimaryConnection::NoteResolved(uint64_t attempt, const NameLookup::Result& result) {
  if (attempt_ != attempt) return;
  targets_.assign(result.targets.rbegin(), result.targets.rend());
  Do(link_.Resolved(attempt, result.status, now_ms()));
}

void PrimaryConnection::Do(const link_action::Connect&) { TryNextTarget(); }

void PrimaryConnection::Do(const link_action::Write& action) {
  output_ += action.bytes;
  Send();
}

void PrimaryConnection::Do(const link_action::Close&) { CloseSocket(); }

void PrimaryConnection::Do(const link_action::OpenReceiver& action) {
  Retire();
  load_status_.reset();
  load_awaited_ = false;
  const uint64_t number = ++load_number_;
  const auto report = [&thread = thread_, weak = weak_from_this()](auto act) {
    thread.Post([weak, act] {
      if (const auto self = weak.lock()) act(*self);
    });
  };
  load_ = std::make_unique<FullSyncLoad>(
      thread_.server(),
      FullSyncLoad::Plan{.turn = turn_,
                         .point = link_.sync_point(),
                         .size = action.size.has_mark ? -1 : action.size.length,
                         .load = action.load,
                         .number = number},
      FullSyncLoad::Callbacks{
          .room = [report] { report([](PrimaryConnection& self) { self.TryAgain(); }); },
          .not_received =
              [report, number](const absl::Status& status) {
                report([number, status](PrimaryConnection& self) {
                  if (self.load_number_ != number || self.load_ == nullptr) return;
                  self.Do(self.link_.TransferFailed(status, self.now_ms()));
                });
              },
          .ended =
              [report, number](const absl::Status& status) {
                report(
                    [number, status](PrimaryConnection& self) { self.NoteLoad(number, status); });
              }});
  receiver_.emplace(action.size, load_->pipe());
}

void PrimaryConnection::Do(const link_action::Load&) {
  receiver_.reset();
  load_awaited_ = true;
  load_->pipe().Finish();
  ReportLoad();
}

void PrimaryConnection::Do(const link_action::Discard&) { Retire(); }

void PrimaryConnection::Do(const link_action::Synced&) {
  Retire();
  if (thread_.server().replication().BeginStream(turn_)) Register();
}

void PrimaryConnection::Do(const link_action::Continue& action) {
  Replication& replication = thread_.server().replication();
  if (replication.Continue(turn_, action.id) && replication.BeginStream(turn_)) Register();
}

void PrimaryConnection::Do(const link_action::StreamEnded&) {
  Unregister();
  // After a change of the role the stream is no longer ours to end.
  if (thread_.server().replication().IsTurn(turn_)) {
    thread_.server().replication().primary_stream().End();
  }
  UpdateProgress();
}

void PrimaryConnection::Do(const link_action::FailoverAnswered& action) {
  if (thread_.server().replication().IsTurn(turn_)) {
    thread_.server().replication().FailoverAnswered(action.accepted);
  }
}

// ---- full syncs

void PrimaryConnection::NoteLoad(uint64_t load, const absl::Status& status) {
  if (load != load_number_ || load_ == nullptr) return;
  load_status_ = status;
  ReportLoad();
}

/// A load may end before the last bytes of the transfer have come.
void PrimaryConnection::ReportLoad() {
  if (!load_status_ || (load_status_->ok() && !load_awaited_)) return;
  const absl::Status status = *std::exchange(load_status_, std::nullopt);
  Do(status.ok() ? link_.LoadDone(now_ms()) : link_.LoadFailed(status, now_ms()));
}

void PrimaryConnection::Retire() {
  receiver_.reset();
  if (load_ == nullptr) return;
  load_->GiveUp();
  retired_.push_back(std::move(load_));
}

// ---- the socket

void PrimaryConnection::TryNextTarget() {
  int error = EHOSTUNREACH;
  while (!targets_.empty()) {
    const NameLookup::Target target = targets_.back();
    targets_.pop_back();
    const int fd = socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    const auto* const address = reinterpret_cast<const sockaddr*>(&target.address);
    if (connect(fd, address, target.size) != 0 && errno != EINPROGRESS) {
      error = errno;
      close(fd);
      continue;
    }
    socket_ = std::make_unique<PlainStream>(fd);
    connecting_ = true;
    readable_ = writable_ = false;
    if (thread_.poller().Watch(*this, fd) && thread_.poller().WatchRoom(*this, fd, true)) return;
    error = errno;
    CloseTried();
  }
  Do(link_.Connected(attempt_, absl::UnavailableError(std::strerror(error)), now_ms()));
}

void PrimaryConnection::CheckConnected() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    const bool more = !targets_.empty();
    if (more) {
      CloseTried();
      return TryNextTarget();
    }
    return Do(link_.Connected(attempt_, absl::UnavailableError(std::strerror(error)), now_ms()));
  }
  connecting_ = false;
  thread_.poller().WatchRoom(*this, socket_->fd(), false);
  readable_ = true;
  Do(link_.Connected(attempt_, absl::OkStatus(), now_ms()));
}

void PrimaryConnection::CloseTried() {
  if (socket_ == nullptr) return;
  thread_.poller().Closing(*this);
  socket_->Close();
  socket_.reset();
  connecting_ = readable_ = writable_ = false;
}

void PrimaryConnection::CloseSocket() {
  CloseTried();
  targets_.clear();
  output_.clear();
  sent_ = 0;
  input_.clear();
  used_ = 0;
}

void PrimaryConnection::Lost(std::string_view error) {
  UpdateProgress();
  Do(link_.ConnectionLost(error, now_ms()));
}

// ---- receiving

void PrimaryConnection::Receive() {
  for (int i = 0; i < kMostReceives; ++i) {
    if (!UseInput() || socket_ == nullptr || !readable_) return;
    if (link_.bytes_to() == PrimaryLink::BytesTo::kNobody) return;
    std::optional<size_t> bytes;
    errno = 0;  // which says nothing when the primary has closed
    if (link_.bytes_to() == PrimaryLink::BytesTo::kStream) {
      bytes = ReceiveStream();
    } else {
      std::array<char, kReceiveBytes> buffer;
      const std::optional<SocketStream::Received> received = socket_->Receive(buffer);
      if (received) bytes = received->bytes;
      if (received) input_.assign(buffer.data(), received->bytes);
      readable_ = bytes.value_or(0) > 0;
    }
    if (!bytes) return Lost(errno == 0 ? "" : std::strerror(errno));
    if (*bytes == 0) return;
    thread_.server().replication().CountReceived(static_cast<int64_t>(*bytes));
    if (client_ != nullptr) {
      client_->net_in += static_cast<int64_t>(*bytes);
      client_->last_ms = thread_.server().clock().NowMs();
    }
  }
  thread_.ServeAgain();
}

/// Straight into the memory of our own stream.
std::optional<size_t> PrimaryConnection::ReceiveStream() {
  const auto bytes = thread_.server().replication().primary_stream().Receive(
      [this](std::span<char> room) -> std::optional<size_t> {
        const std::optional<SocketStream::Received> received = socket_->Receive(room);
        readable_ = received && received->bytes > 0;
        return received ? std::optional(received->bytes) : std::nullopt;
      });
  if (bytes && *bytes > 0) link_.StreamReceived(now_ms());
  return bytes;
}

bool PrimaryConnection::UseInput() {
  while (used_ < input_.size()) {
    std::string_view rest = std::string_view(input_).substr(used_);
    switch (link_.bytes_to()) {
      case PrimaryLink::BytesTo::kNobody:
        return false;
      case PrimaryLink::BytesTo::kLink: {
        const size_t before = rest.size();
        // How a full sync is loaded depends on what is here now.
        link_.set_settings(Settings());
        PrimaryLinkActions actions = link_.Receive(rest, now_ms());
        used_ += before - rest.size();
        Do(std::move(actions));
        break;
      }
      case PrimaryLink::BytesTo::kReceiver: {
        const size_t room = load_->pipe().room();
        if (room == 0) return false;
        const size_t taken = receiver_->Receive(rest.substr(0, room));
        used_ += taken;
        Do(link_.TransferReceived(taken, receiver_->done(), now_ms()));
        break;
      }
      case PrimaryLink::BytesTo::kStream: {
        const auto taken = thread_.server().replication().primary_stream().Receive(
            [&](std::span<char> room) -> std::optional<size_t> {
              return rest.copy(room.data(), room.size());
            });
        if (!taken || *taken == 0) return false;
        used_ += *taken;
        link_.StreamReceived(now_ms());
        break;
      }
    }
  }
  input_.clear();
  used_ = 0;
  return true;
}

// ---- sending

void PrimaryConnection::Send() {
  while (socket_ != nullptr && !connecting_ && sent_ < output_.size()) {
    const std::string_view rest = std::string_view(output_).substr(sent_);
    const std::optional<size_t> sent = socket_->Send({&rest, 1});
    if (!sent) return;  // receiving will show it
    if (*sent == 0) {
      thread_.poller().WatchRoom(*this, socket_->fd(), true);
      return;
    }
    sent_ += *sent;
    if (client_ != nullptr) client_->net_out += static_cast<int64_t>(*sent);
  }
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
}

// ---- settings and facts

SyncLoad PrimaryConnection::LoadMode() const {
  Server& server = thread_.server();
  const DisklessLoad mode = server.settings().repl_diskless_load;
  if (mode == DisklessLoad::kDisabled) return SyncLoad::kDisk;
  if (mode == DisklessLoad::kSwapDb) return SyncLoad::kSwap;
  const auto databases = server.keyspace().databases();
  const bool empty = std::all_of(databases.begin(), databases.end(),
                                 [](const Database* db) { return db->size() == 0; });
  return empty && server.functions().Libraries().empty() ? SyncLoad::kInPlace : SyncLoad::kDisk;
}

PrimaryLinkSettings PrimaryConnection::Settings() const {
  Server& server = thread_.server();
  const Config& settings = server.settings();
  const int64_t announced = settings.replica_announce_port;
  return {.user = server.config().Text("masteruser"),
          .password = server.config().Text("masterauth"),
          .announced_ip = server.config().Text("replica-announce-ip"),
          .announced_port = announced != 0 ? static_cast<int>(announced) : settings.port.Get(),
          .timeout_ms = settings.repl_timeout_s * 1000,
          .load = LoadMode()};
}

void PrimaryConnection::UpdateProgress() {
  Server& server = thread_.server();
  const int64_t tail = server.stream().tail();
  link_.set_progress(server.replication().OffsetAt(tail), Synced(tail));
}

/// What is on the disk, for a primary that knows FACK.
std::optional<int64_t> PrimaryConnection::Synced(int64_t position) const {
  const std::optional<int64_t> synced = thread_.server().persistence().journal().synced();
  if (!synced) return std::nullopt;
  return thread_.server().replication().OffsetAt(std::min(position, *synced));
}

void PrimaryConnection::PublishFacts() {
  if (!thread_.server().replication().IsTurn(turn_)) return;
  thread_.server().replication().SetLink(
      {.info = link_.Info(now_ms()), .role_state = std::string(link_.role_state())});
}

void PrimaryConnection::Register() {
  Server& server = thread_.server();
  const int64_t now = server.clock().NowMs();
  client_ = std::make_shared<Client>(server.clients().NextId(), now);
  client_->primary = true;
  client_->authenticated = true;
  client_->link = weak_from_this();
  if (socket_ != nullptr) {
    client_->fd = socket_->fd();
    sockaddr_storage address;
    socklen_t size = sizeof(address);
    auto* const bytes = reinterpret_cast<sockaddr*>(&address);
    if (getpeername(socket_->fd(), bytes, &size) == 0) client_->address = Address(bytes, size);
    size = sizeof(address);
    if (getsockname(socket_->fd(), bytes, &size) == 0) {
      client_->local_address = Address(bytes, size);
    }
  }
  server.replication().primary_stream().set_source(client_->address);
  server.clients().Add(client_);
}

void PrimaryConnection::Unregister() {
  if (client_ == nullptr) return;
  thread_.server().clients().Remove(client_->id);
  client_.reset();
}

}  // namespace cloakroom
