#include "tests/clients/support/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "protocol/request_parser.h"

namespace cloakroom {

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener_, 16);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  if (pipe(wake_) == 0) thread_ = std::thread([this] { Serve(); });
}

ScriptedServer::~ScriptedServer() {
  close(wake_[1]);
  thread_.join();
  close(wake_[0]);
  close(listener_);
}

std::vector<std::string> ScriptedServer::requests() const {
  const drill::MutexLock lock(mutex_);
  return requests_;
}

int64_t ScriptedServer::CountOf(const std::string& prefix) const {
  const std::vector<std::string> all = requests();
  return std::count_if(all.begin(), all.end(),
                       [&](const std::string& one) { return one.starts_with(prefix); });
}

std::string ScriptedServer::Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string ScriptedServer::Array(const std::vector<std::string>& replies) {
  std::string array = "*" + std::to_string(replies.size()) + "\r\n";
  for (const std::string& reply : replies) array += reply;
  return array;
}

void ScriptedServer::Serve() {
  std::map<int, std::string> connections;  // and what each has received
  for (;;) {
    std::vector<pollfd> wanted = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [socket, received] : connections) wanted.push_back({socket, POLLIN, 0});
    poll(wanted.data(), wanted.size(), -1);
    if (wanted[0].revents != 0) break;
    for (size_t i = 2; i < wanted.size(); ++i) {
      if (wanted[i].revents == 0) continue;
      const int socket = wanted[i].fd;
      if (Answer(socket, &connections[socket])) continue;
      close(socket);
      connections.erase(socket);
    }
    if (wanted[1].revents != 0) connections[accept(listener_, nullptr, nullptr)];
  }
  for (const auto& [socket, received] : connections) close(socket);
}

bool ScriptedServer::Answer(int socket, std::string* received) {
  std::array<char, 16 * 1024> bytes;
  const ssize_t n = recv(socket, bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  received->append(bytes.data(), static_cast<size_t>(n));
  std::string replies;
  RequestParser parser;
  RequestParser::Arguments words;
  while (parser.Parse(*received, words) == RequestParser::Status::kRequest) {
    std::string request;
    for (std::string_view word : std::exchange(words, {})) {
      if (!request.empty()) request += ' ';
      request += word;
    }
    {
      const drill::MutexLock lock(mutex_);
      requests_.push_back(request);
    }
    const std::string reply = script_(request);
    if (reply.empty()) return false;
    replies += reply;
  }
  // In one packet, or TCP would wait for the acknowledgement of the one before.
  send(socket, replies.data(), replies.size(), MSG_NOSIGNAL);
  received->erase(0, parser.TakeConsumed());
  return true;
}

}  // namespace cloakroom
