#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_SCRIPTED_PEER_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_SCRIPTED_PEER_H_

#include <functional>
#include <string>
#include <thread>

namespace cloakroom {

/// Another server in a test: accepts one connection, sends all its replies at once, and keeps what
/// it receives until the other end closes.
class ScriptedPeer {
 public:
  /// `before_replying`: called on the peer's thread once something has come.
  explicit ScriptedPeer(std::string replies, std::function<void()> before_replying = nullptr);
  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;

  /// Where it listens, on 127.0.0.1.
  const std::string& port() const { return port_; }
  /// Waits until the other end has closed.
  std::string Received();

 private:
  void Serve(const std::string& replies, const std::function<void()>& before_replying);
  bool Receive(int connection);

  int listener_ = -1;
  std::string port_;
  std::string received_;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_SCRIPTED_PEER_H_
