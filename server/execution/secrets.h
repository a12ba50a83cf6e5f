#ifndef CLOAKROOM_SERVER_EXECUTION_SECRETS_H_
#define CLOAKROOM_SERVER_EXECUTION_SECRETS_H_

#include <string_view>
#include <vector>

#include "server/execution/command.h"

namespace cloakroom {

/// The arguments of a command as monitors and the slowlog may show them, with "(redacted)" in place
/// of passwords. Valid as long as `args`. Pure.
std::vector<std::string_view> WithoutSecrets(const CommandRow& row, CommandArguments args);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_SECRETS_H_
