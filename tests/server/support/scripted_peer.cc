#include "tests/server/support/scripted_peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace cloakroom {

ScriptedPeer::ScriptedPeer(std::string replies, std::function<void()> before_replying) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener_, 1), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = std::to_string(ntohs(address.sin_port));
  thread_ = std::thread(
      [this, replies = std::move(replies), before_replying = std::move(before_replying)] {
        Serve(replies, before_replying);
      });
}

ScriptedPeer::~ScriptedPeer() {
  // Ends the wait for a connection that never came.
  shutdown(listener_, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  close(listener_);
}

bool ScriptedPeer::Receive(int connection) {
  char buffer[4096];
  const ssize_t size = recv(connection, buffer, sizeof(buffer), 0);
  if (size > 0) received_.append(buffer, static_cast<size_t>(size));
  return size > 0;
}

void ScriptedPeer::Serve(const std::string& replies, const std::function<void()>& before_replying) {
  const int connection = accept(listener_, nullptr, nullptr);
  if (connection < 0) return;
  if (before_replying && Receive(connection)) before_replying();
  std::string_view left = replies;
  while (!left.empty()) {
    const ssize_t sent = send(connection, left.data(), left.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    left.remove_prefix(static_cast<size_t>(sent));
  }
  while (Receive(connection)) {
  }
  close(connection);
}

std::string ScriptedPeer::Received() {
  if (thread_.joinable()) thread_.join();
  return received_;
}

}  // namespace cloakroom
