#ifndef CLOAKROOM_BENCH_SALE_DAY_WIRE_H_
#define CLOAKROOM_BENCH_SALE_DAY_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "clients/request.h"
#include "clients/resp_client.h"

namespace cloakroom::bench {

/// Opens a TCP connection to 127.0.0.1. Source addresses rotate over 127.0.0.2…, so that many short
/// connections do not run out of ports. Ends the program with a message when it fails.
int Connect(int port, bool non_blocking);

/// A thread's connection for commands that prepare or observe a run. If a connection or a command
/// fails, the program ends with a message.
class Wire {
 public:
  explicit Wire(int port) : client_(Connect(port, false)) {}

  void Send(std::string_view bytes);
  /// Waits for `replies` replies, none of which may be an error.
  void Await(size_t replies);
  /// Sends one request and returns its reply, which must not be an error.
  ReplyValue Ask(std::initializer_list<std::string_view> args);
  /// The number after `field:` in INFO's `section`.
  int64_t Info(std::string_view section, std::string_view field);
  int64_t DbSize() { return Ask({"DBSIZE"}).integer; }

 private:
  RespClient client_;
};

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_WIRE_H_
