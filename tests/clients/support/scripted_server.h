#ifndef CLOAKROOM_TESTS_CLIENTS_SUPPORT_SCRIPTED_SERVER_H_
#define CLOAKROOM_TESTS_CLIENTS_SUPPORT_SCRIPTED_SERVER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "clients/drill/address.h"
#include "clients/drill/mutex.h"

namespace cloakroom {

/// A server on 127.0.0.1 whose replies the test writes. Each request is one string, its words
/// separated by blanks; the reply is what goes over the wire. An empty reply closes the connection.
/// Requests that the script does not answer get "+OK".
class ScriptedServer {
 public:
  using Script = std::function<std::string(const std::string& request)>;
  static constexpr char kOk[] = "+OK\r\n";

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  drill::Address address() const { return {"127.0.0.1", port_}; }
  /// All requests so far, of all connections.
  std::vector<std::string> requests() const;
  /// How many of them begin like this.
  int64_t CountOf(const std::string& prefix) const;

  static std::string Bulk(const std::string& text);
  static std::string Array(const std::vector<std::string>& replies);

 private:
  void Serve();
  /// False: the connection is over.
  bool Answer(int socket, std::string* received);

  const Script script_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  // a byte here ends the thread
  uint16_t port_ = 0;
  mutable drill::Mutex mutex_;
  std::vector<std::string> requests_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_CLIENTS_SUPPORT_SCRIPTED_SERVER_H_
