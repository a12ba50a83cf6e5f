#include "server/net/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <latch>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/config/config_store.h"
#include "server/context/errors.h"
#include "server/log/log.h"
#include "server/net/bind_address.h"
#include "server/net/connection.h"
#include "server/net/listen_errors.h"
#include "server/net/plain_stream.h"
#include "server/session/client_registry.h"

namespace cloakroom {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto kRetryAccept = std::chrono::milliseconds(100);
/// In a rush of new clients, the connected ones have their turn in between.
constexpr int kAcceptsPerTurn = 64;

constexpr std::string_view kTooMany = "-ERR max number of clients reached\r\n";
constexpr std::string_view kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no "
    "password is set for the default user. Set 'requirepass' in cloakroom.conf, or, where "
    "the network is trusted, 'protected-mode no', and connect again.\r\n";

/// Sets the options that connections to a TCP port inherit. Keepalive as in Redis: the first probe
/// after the interval, then three more, a third of the interval apart.
void SetTcpOptions(int fd, int keepalive_s) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const int probed = keepalive_s > 0 ? 1 : 0;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &probed, sizeof(probed));
  if (keepalive_s <= 0) return;
  const int between = std::max(keepalive_s / 3, 1);
  const int probes = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_s, sizeof(keepalive_s));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof(between));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/// The address that a socket is bound to.
Address LocalAddress(int fd) {
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  auto* const address = reinterpret_cast<sockaddr*>(&local);
  return getsockname(fd, address, &size) == 0 ? Address(address, size) : Address();
}

/// Whether a socket is bound to all addresses of the machine.
bool IsBoundToAny(int fd) {
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return true;
  Tcp::endpoint endpoint;
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &local, size);
  return endpoint.address().is_unspecified();
}

}  // namespace

Listener::Listener(Server& server, LoopLoads& loads, std::vector<EventLoop*> loops)
    : server_(server), loads_(loads), loops_(std::move(loops)) {}

Listener::~Listener() { Close(); }

Listener::Port::Port(Listener& listener, EventLoop& loop, int fd, bool unix_socket)
    : listener_(listener),
      loop_(loop),
      fd_(fd),
      unix_socket_(unix_socket),
      again_(loop.timers(), [this] { Watch(); }) {
  if (!unix_socket && !IsBoundToAny(fd)) local_ = LocalAddress(fd);
}

void Listener::Port::Watch() {
  if (fd_ >= 0 && !loop_.poller().WatchListening(*this, fd_)) {
    again_.Set(std::chrono::steady_clock::now() + kRetryAccept);
  }
}

void Listener::Port::Close() {
  if (fd_ < 0) return;
  again_.Cancel();
  loop_.poller().Closing(*this);
  close(std::exchange(fd_, -1));
}

// Behind the round under way: a client in it that hangs up makes room for one that waits here.
void Listener::Port::OnReady(const Poller::Ready& /*ready*/) {
  loop_.Post([self = shared_from_this()] { self->Accept(); });
}

void Listener::Port::Accept() {
  if (fd_ < 0) return;
  const int error = listener_.AcceptSome(*this);
  if (error != 0) {
    // Usually out of file descriptors: clients wait in the backlog until some are free.
    if (!failing_) LogWarning("Accepting client connection: accept: {}", std::strerror(error));
    loop_.poller().Forget(*this, fd_);
    again_.Set(std::chrono::steady_clock::now() + kRetryAccept);
  }
  failing_ = error != 0;
}

absl::Status Listener::Open() {
  MutexLock lock(mutex_);
  if (absl::Status opened = OpenTcp(ports_, /*probe=*/true); !opened.ok()) return opened;
  tcp_port_ = server_.settings().port;
  std::string path = server_.config().Text("unixsocket");
  if (!path.empty()) {
    if (absl::Status opened = OpenUnix(path, ports_); !opened.ok()) return opened;
  }
  if (ports_.empty()) return absl::FailedPreconditionError(kNowhereError);
  server_.config().Subscribe({"bind", "port"}, [this] { return Rebind(); });
  server_.config().Subscribe({"tcp-keepalive"}, [this] {
    SetKeepAlive();
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

absl::Status Listener::OpenTcp(Ports& ports, bool probe) {
  if (server_.settings().port == 0) return absl::OkStatus();
  Ports opened;
  for (const BindAddress& address : BindAddresses(server_.config().Words("bind"))) {
    absl::Status listening = OpenAddress(address.name, opened, probe);
    if (listening.ok()) continue;
    if (!address.optional) return listening;
    LogVerbose("{}", ReplyOf(listening));
  }
  if (opened.empty()) return absl::UnavailableError(kNoAddressError);
  ports.insert(ports.end(), opened.begin(), opened.end());
  return absl::OkStatus();
}

absl::Status Listener::OpenAddress(const std::string& address, Ports& ports, bool probe) {
  const Config& settings = server_.settings();
  error_code error;
  const std::optional<asio::ip::address> ip = Resolved(address);
  if (!ip) return absl::UnavailableError(ResolveError(address));
  Tcp::endpoint endpoint(*ip, static_cast<uint16_t>(settings.port.Get()));
  auto bind = [&](Acceptor& acceptor, bool shared, int backlog) {
    acceptor.open(endpoint.protocol(), error);
    if (!error && ip->is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && shared) acceptor.set_option(ReusePort(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(backlog, error);
  };
  // With SO_REUSEPORT alone, two servers of the same user would silently share their clients. So
  // try once without it.
  if (probe) {
    Acceptor alone(opening_.io());
    bind(alone, /*shared=*/false, 1);
  }
  Ports opened;
  for (size_t i = 0; i < loops_.size() && !error; ++i) {
    Acceptor acceptor(opening_.io());
    bind(acceptor, /*shared=*/true, settings.tcp_backlog);
    if (!error) acceptor.native_non_blocking(true, error);
    if (error) break;
    SetTcpOptions(acceptor.native_handle(), settings.tcp_keepalive_s);
    opened.push_back(std::make_shared<Port>(*this, *loops_[i], acceptor.release(), false));
  }
  if (!error) {
    ports.insert(ports.end(), opened.begin(), opened.end());
    return absl::OkStatus();
  }
  return absl::UnavailableError(TcpListenError(address, settings.port, error));
}

absl::Status Listener::Rebind() {
  MutexLock lock(mutex_);
  if (stopped_) return absl::OkStatus();
  const int port = server_.settings().port;
  // On the same port the probe would only find ourselves.
  const bool moves = port != tcp_port_;
  Ports opened;
  if (absl::Status listening = OpenTcp(opened, /*probe=*/moves); !listening.ok()) {
    LogWarning("{}", ReplyOf(listening));
    return absl::UnavailableError(moves ? "Unable to listen on this port. Check server logs."
                                        : "Failed to bind to specified addresses.");
  }
  Ports left;
  for (const auto& old : ports_) {
    if (old->unix_socket()) {
      left.push_back(old);
      continue;
    }
    old->loop().Post([old] { old->Close(); });
  }
  for (const auto& fresh : opened) Start(fresh);
  left.insert(left.end(), opened.begin(), opened.end());
  ports_ = std::move(left);
  tcp_port_ = port;
  return absl::OkStatus();
}

absl::Status Listener::OpenUnix(const std::string& path, Ports& ports) {
  const Config& settings = server_.settings();
  Acceptor acceptor(opening_.io());
  error_code error;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::UnavailableError(UnixListenError(path, asio::error::name_too_long));
  }
  if (LookAtUnixPath(path) == UnixPath::kStale) {
    LogNotice("Removing {}, which a server that did not end properly has left", path);
    unlink(path.c_str());
  }
  Unix::endpoint endpoint(path);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(settings.tcp_backlog, error);
  if (!error) acceptor.native_non_blocking(true, error);
  int mode = settings.unixsocketperm;
  if (!error && mode != 0 && chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (error) {
    return absl::UnavailableError(UnixListenError(path, error));
  }
  unix_path_ = path;
  ports.push_back(std::make_shared<Port>(*this, *loops_.front(), acceptor.release(), true));
  return absl::OkStatus();
}

void Listener::Start() {
  MutexLock lock(mutex_);
  for (const auto& port : ports_) Start(port);
}

void Listener::Start(const std::shared_ptr<Port>& port) {
  port->loop().Post([port] { port->Watch(); });
}

void Listener::SetKeepAlive() {
  MutexLock lock(mutex_);
  for (const auto& port : ports_) {
    if (!port->unix_socket()) SetTcpOptions(port->fd(), server_.settings().tcp_keepalive_s);
  }
}

void Listener::StopAccepting() {
  // Without the mutex, for which a loop with a CONFIG SET may wait.
  const Ports ports = [this] {
    MutexLock lock(mutex_);
    stopped_ = true;
    return ports_;
  }();
  std::latch closed(static_cast<ptrdiff_t>(ports.size()));
  for (const auto& port : ports) {
    port->loop().Post([&closed, port] {
      port->Close();
      closed.count_down();
    });
  }
  closed.wait();
}

void Listener::Close() {
  MutexLock lock(mutex_);
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
  unix_path_.clear();
  ports_.clear();
}

int Listener::AcceptSome(Port& port) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    const int fd = accept4(port.fd(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : errno;
    }
    auto stream = std::make_unique<PlainStream>(fd);
    std::shared_ptr<Client> client = NewClient(port, fd, Address(address, size));
    Welcome(port.loop(), std::move(stream), std::move(client));
  }
  return 0;
}

bool Listener::Denied(const Client& client) {
  return server_.settings().protected_mode && !client.local &&
         server_.config().Text("requirepass").empty();
}

std::shared_ptr<Client> Listener::NewClient(const Port& port, int fd, const Address& peer) {
  auto client = std::make_shared<Client>(server_.clients().NextId(), server_.clock().NowMs());
  client->fd = fd;
  client->unix_socket = port.unix_socket();
  if (port.unix_socket()) {
    client->address = client->local_address = absl::StrCat(unix_path_, ":0");
    client->local = true;
    return client;
  }
  client->address = peer;
  client->local = peer.loopback();
  client->local_address = port.local().empty() ? LocalAddress(fd) : port.local();
  return client;
}

void Listener::Welcome(EventLoop& loop, std::unique_ptr<SocketStream> stream,
                       std::shared_ptr<Client> client) {
  const auto most = static_cast<size_t>(server_.settings().maxclients.Get());
  const std::optional<size_t> chosen = loads_.Choose(loop.index(), most);
  ThreadStats& stats = loop.executor().thread().stats;
  stats.connections += 1;
  if (!chosen || Denied(*client)) {
    if (chosen) loads_.Leave(*chosen);
    stats.rejected_connections += 1;
    const std::string_view words = chosen ? kDenied : kTooMany;
    static_cast<void>(stream->Send({&words, 1}));
    return;
  }
  EventLoop& home = *loops_[*chosen];
  if (&home == &loop) return Admit(home, std::move(stream), std::move(client));
  home.Post([this, &home, stream = std::move(stream), client = std::move(client)]() mutable {
    Admit(home, std::move(stream), std::move(client));
  });
}

void Listener::Admit(EventLoop& loop, std::unique_ptr<SocketStream> stream,
                     std::shared_ptr<Client> client) {
  client->authenticated = server_.config().Text("requirepass").empty();
  auto connection = std::make_shared<Connection>(loop, std::move(stream), client);
  client->link = connection;
  server_.clients().Add(std::move(client));
  connection->Start();
}

}  // namespace cloakroom
