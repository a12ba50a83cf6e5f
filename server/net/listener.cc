#include "server/net/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/net/bind_address.h"
#include "server/net/listen_errors.h"
#include "server/session/client_registry.h"

namespace cloakroom {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto kRetryAccept = std::chrono::milliseconds(100);
/// In a rush of new clients those who are there have their turn in between.
constexpr int kAcceptsPerTurn = 64;

constexpr std::string_view kTooMany = "-ERR max number of clients reached\r\n";
constexpr std::string_view kDenied =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no "
    "password is set for the default user. Set 'requirepass' in cloakroom.conf, or, where "
    "the network is trusted, 'protected-mode no', and connect again.\r\n";

std::string Show(const Tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", address, "]:", endpoint.port())
                                    : absl::StrCat(address, ":", endpoint.port());
}

Tcp::endpoint AsTcp(const asio::generic::stream_protocol::endpoint& endpoint) {
  Tcp::endpoint tcp;
  tcp.resize(endpoint.size());
  std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
  return tcp;
}

void SetKeepAlive(int fd, int seconds) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (seconds <= 0) return;
  // As Redis does: the first probe after the interval, then three more a third of it apart.
  int between = std::max(seconds / 3, 1);
  int probes = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof(between));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

}  // namespace

Listener::Listener(Server& server, LoopLoads& loads, std::vector<EventLoop*> loops)
    : server_(server), loads_(loads), loops_(std::move(loops)) {}

Listener::~Listener() { Close(); }

std::optional<std::string> Listener::Open() {
  MutexLock lock(mutex_);
  if (auto error = OpenTcp(ports_, /*probe=*/true)) return error;
  tcp_port_ = server_.settings().port;
  std::string path = server_.config().Text("unixsocket");
  if (!path.empty()) {
    if (auto error = OpenUnix(path, ports_)) return error;
  }
  if (ports_.empty()) return kNowhereError;
  server_.config().Subscribe({"bind", "port"}, [this] {
    const std::string refusal = Rebind();
    return refusal.empty() ? absl::OkStatus() : absl::UnavailableError(refusal);
  });
  return std::nullopt;
}

std::optional<std::string> Listener::OpenTcp(Ports& ports, bool probe) {
  if (server_.settings().port == 0) return std::nullopt;
  Ports opened;
  for (const BindAddress& address : BindAddresses(server_.config().Words("bind"))) {
    if (auto error = OpenAddress(address.name, opened, probe)) {
      if (!address.optional) return error;
      LogVerbose("{}", *error);
    }
  }
  if (opened.empty()) return kNoAddressError;
  ports.insert(ports.end(), opened.begin(), opened.end());
  return std::nullopt;
}

std::optional<std::string> Listener::OpenAddress(const std::string& address, Ports& ports,
                                                 bool probe) {
  const Config& settings = server_.settings();
  error_code error;
  const std::optional<asio::ip::address> ip = Resolved(address);
  if (!ip) return ResolveError(address);
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
  // ask once without.
  if (probe) {
    Acceptor alone(loops_.front()->context().get_executor());
    bind(alone, /*shared=*/false, 1);
  }
  Ports opened;
  for (size_t i = 0; i < loops_.size() && !error; ++i) {
    auto port = std::make_shared<Port>(
        Port{loops_[i], Acceptor(loops_[i]->context().get_executor()), false});
    bind(port->acceptor, /*shared=*/true, settings.tcp_backlog);
    opened.push_back(std::move(port));
  }
  if (!error) {
    ports.insert(ports.end(), opened.begin(), opened.end());
    return std::nullopt;
  }
  return TcpListenError(address, settings.port, error);
}

std::string Listener::Rebind() {
  MutexLock lock(mutex_);
  const int port = server_.settings().port;
  // On the same port we would only meet ourselves.
  const bool moves = port != tcp_port_;
  Ports opened;
  if (auto error = OpenTcp(opened, /*probe=*/moves)) {
    LogWarning("{}", *error);
    return moves ? "Unable to listen on this port. Check server logs."
                 : "Failed to bind to specified addresses.";
  }
  Ports left;
  for (const auto& old : ports_) {
    if (old->unix_socket) {
      left.push_back(old);
      continue;
    }
    asio::post(old->loop->context(), [old] {
      error_code ignored;
      old->acceptor.close(ignored);
    });
  }
  for (const auto& fresh : opened) Start(fresh);
  left.insert(left.end(), opened.begin(), opened.end());
  ports_ = std::move(left);
  tcp_port_ = port;
  return "";
}

std::optional<std::string> Listener::OpenUnix(const std::string& path, Ports& ports) {
  const Config& settings = server_.settings();
  EventLoop* loop = loops_.front();
  auto port = std::make_shared<Port>(Port{loop, Acceptor(loop->context().get_executor()), true});
  error_code error;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return UnixListenError(path, asio::error::name_too_long);
  }
  if (LookAtUnixPath(path) == UnixPath::kStale) {
    LogNotice("Removing {}, which a server that did not end properly has left", path);
    unlink(path.c_str());
  }
  Unix::endpoint endpoint(path);
  port->acceptor.open(endpoint.protocol(), error);
  if (!error) port->acceptor.bind(endpoint, error);
  if (!error) port->acceptor.listen(settings.tcp_backlog, error);
  int mode = settings.unixsocketperm;
  if (!error && mode != 0 && chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (error) {
    return UnixListenError(path, error);
  }
  unix_path_ = path;
  ports.push_back(std::move(port));
  return std::nullopt;
}

void Listener::Start() {
  MutexLock lock(mutex_);
  for (const auto& port : ports_) Start(port);
}

void Listener::Start(const std::shared_ptr<Port>& port) {
  asio::co_spawn(port->loop->context().get_executor(), Accept(port), asio::detached);
}

void Listener::Close() {
  MutexLock lock(mutex_);
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
  unix_path_.clear();
  // Their coroutines, and so the ports, end with the loops' contexts only.
  for (const auto& port : ports_) {
    error_code ignored;
    port->acceptor.close(ignored);
  }
  ports_.clear();
}

asio::awaitable<void, Connection::Executor> Listener::Accept(std::shared_ptr<Port> port) {
  bool failing = false;
  error_code error;
  auto use = asio::redirect_error(asio::use_awaitable_t<Connection::Executor>(), error);
  port->acceptor.native_non_blocking(true, error);
  while (port->acceptor.is_open()) {
    co_await port->acceptor.async_wait(Acceptor::wait_read, use);
    if (error == asio::error::operation_aborted) co_return;
    error = AcceptSome(*port);
    if (error) {
      // Out of file descriptors, as a rule: clients wait in the backlog until some are free.
      if (!failing) LogWarning("Accepting client connection: accept: {}", error.message());
      asio::basic_waitable_timer<std::chrono::steady_clock,
                                 asio::wait_traits<std::chrono::steady_clock>, Connection::Executor>
          pause(port->loop->context().get_executor(), kRetryAccept);
      co_await pause.async_wait(use);
      failing = true;
      continue;
    }
    failing = false;
  }
}

error_code Listener::AcceptSome(Port& port) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Protocol::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int fd =
        accept4(port.acceptor.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return {errno, boost::system::system_category()};
    }
    peer.resize(size);
    Socket socket(fd);
    std::shared_ptr<Client> client = NewClient(socket, peer, port.unix_socket);
    Welcome(*port.loop, std::move(socket), std::move(client));
  }
  return {};
}

bool Listener::Denied(const Client& client) {
  return server_.settings().protected_mode && !client.local &&
         server_.config().Text("requirepass").empty();
}

std::shared_ptr<Client> Listener::NewClient(const Socket& socket, const Protocol::endpoint& peer,
                                            bool unix_socket) {
  auto client = std::make_shared<Client>(server_.clients().NextId(), server_.clock().NowMs());
  client->fd = socket.fd();
  client->unix_socket = unix_socket;
  if (unix_socket) {
    client->address = client->local_address = absl::StrCat(unix_path_, ":0");
    client->local = true;
    return client;
  }
  const Tcp::endpoint remote = AsTcp(peer);
  client->address = Show(remote);
  client->local = remote.address().is_loopback();
  Protocol::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (getsockname(client->fd, local.data(), &size) == 0) {
    local.resize(size);
    client->local_address = Show(AsTcp(local));
  }
  SetKeepAlive(client->fd, server_.settings().tcp_keepalive_s);
  return client;
}

void Listener::Welcome(EventLoop& loop, Socket socket, std::shared_ptr<Client> client) {
  const auto most = static_cast<size_t>(server_.settings().maxclients.Get());
  const std::optional<size_t> chosen = loads_.Choose(loop.index(), most);
  ThreadStats& stats = loop.executor().thread().stats;
  stats.connections += 1;
  if (!chosen || Denied(*client)) {
    if (chosen) loads_.Leave(*chosen);
    stats.rejected_connections += 1;
    const std::string_view words = chosen ? kDenied : kTooMany;
    static_cast<void>(socket.Send({&words, 1}));
    return;
  }
  EventLoop& home = *loops_[*chosen];
  if (&home == &loop) return Admit(home, std::move(socket), std::move(client));
  asio::post(home.context(),
             [this, &home, socket = std::move(socket), client = std::move(client)]() mutable {
               Admit(home, std::move(socket), std::move(client));
             });
}

void Listener::Admit(EventLoop& loop, Socket socket, std::shared_ptr<Client> client) {
  client->authenticated = server_.config().Text("requirepass").empty();
  auto connection = std::make_shared<Connection>(loop, std::move(socket), client);
  client->link = connection;
  server_.clients().Add(std::move(client));
  connection->Start();
}

}  // namespace cloakroom
