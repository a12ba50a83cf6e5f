#ifndef CLOAKROOM_SERVER_PERSISTENCE_APPLIER_H_
#define CLOAKROOM_SERVER_PERSISTENCE_APPLIER_H_

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace cloakroom {

class Hold;

/// Applies the commands of an append-only log to the keyspace, in order. The room that executes
/// commands is above this one, so the server passes in a factory.
///
/// Thread rule: one thread, which has closed the gates of all databases.
class Applier {
 public:
  virtual ~Applier() = default;
  /// Runs one command and ignores its reply. It is an error if this server does not have the
  /// command.
  virtual absl::Status Run(std::span<const std::string_view> args) = 0;
};

/// `hold` closes the gates of all databases for as long as the applier lives.
using ApplierFactory = std::function<std::unique_ptr<Applier>(Hold& hold)>;

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_APPLIER_H_
