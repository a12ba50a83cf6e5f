#ifndef CLOAKROOM_SERVER_EXECUTION_REQUEST_H_
#define CLOAKROOM_SERVER_EXECUTION_REQUEST_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "server/execution/command_table.h"
#include "server/execution/long_work.h"
#include "server/session/blocked_request.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// A request of a batch, looked up: what the executor needs besides the arguments.
struct Request {
  CommandArguments args;
  const Command* command = nullptr;  ///< null: unknown
  bool hashed = false;               ///< first_key is its first key
  std::string_view first_key;
  KeyHash first_hash;
  /// Set when it runs again after kPrepare: what was prepared, how often that was done, and when
  /// it first ran.
  LongWork::Prepared prepared;
  int preparations = 0;
  int64_t first_run_us = 0;
};

/// What became of a request. Everything but kDone is for the connection to wait for, and to come
/// back; it executes no other request of this client meanwhile.
struct Outcome {
  enum class Kind {
    kDone,      ///< the reply is written
    kGate,      ///< nothing was done: wait for `gate`, as `wish` says, and try again
    kSoon,      ///< nothing was done: try again in `soon`
    kPaused,    ///< nothing was done: try again at `until_ms`, or when the pause ends
    kLongWork,  ///< `work` writes the reply, on a worker thread
    kBlocked,   ///< it waits for its keys: `blocked` says when it is settled, and has its reply
    kPrepare,   ///< nothing was done: try again with what `work` prepares, on a worker thread
  };
  Kind kind = Kind::kDone;
  Gate* gate = nullptr;
  Gate::Wish wish = {};
  std::chrono::microseconds soon = Hold::kSoon;
  int64_t until_ms = 0;
  LongWork::Function work;
  std::shared_ptr<BlockedRequest> blocked;
  int64_t started_us = 0;  ///< kLongWork, kPrepare
  int64_t ran_us = 0;      ///< kBlocked: until it was parked
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_REQUEST_H_
