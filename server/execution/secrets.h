#ifndef CLOAKROOM_SERVER_EXECUTION_SECRETS_H_
#define CLOAKROOM_SERVER_EXECUTION_SECRETS_H_

#include <string_view>
#include <vector>

#include "server/execution/command.h"

namespace cloakroom {

/// The arguments of a command as monitors and the slowlog may show them, with "(redacted)" in place
/// of passwords. Valid as long as `args`. Pure.
std::vector<std::string_view> WithoutSecrets(const CommandRow& row, CommandArguments args);

// For CommandRow::hide_secrets. Pure; any number of arguments.

/// AUTH: all but the name of the command.
void HideAuthSecrets(std::vector<std::string_view>& arguments);
/// HELLO: the two behind AUTH.
void HideHelloSecrets(std::vector<std::string_view>& arguments);
/// MIGRATE: the one behind AUTH, the two behind AUTH2.
void HideMigrateSecrets(std::vector<std::string_view>& arguments);
/// CONFIG SET: the values of directives that are passwords.
void HideConfigSecrets(std::vector<std::string_view>& arguments);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_SECRETS_H_
