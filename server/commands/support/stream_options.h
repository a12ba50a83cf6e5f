#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_OPTIONS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "server/execution/arguments.h"
#include "storage/values/mutable_stream.h"

namespace cloakroom {

/// The options before the ID of XADD, and those of XTRIM.
struct StreamOptions {
  std::optional<StreamTrim> trim;
  bool no_create = false;  ///< NOMKSTREAM

  // Of XADD's ID.
  bool automatic_id = false;   ///< "*"
  bool automatic_seq = false;  ///< "ms-*"
  StreamId id;
};

/// Takes XADD's options and the ID, in Redis' order of checks. `args` is at the first of them.
StreamOptions TakeAddOptions(Arguments& args);
/// Takes XTRIM's options.
StreamOptions TakeTrimOptions(Arguments& args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_OPTIONS_H_
