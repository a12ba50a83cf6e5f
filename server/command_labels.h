#ifndef CLOAKROOM_SERVER_COMMAND_LABELS_H_
#define CLOAKROOM_SERVER_COMMAND_LABELS_H_

#include <string_view>
#include <vector>

#include "server/command_table.h"

namespace cloakroom {

// The words by which COMMAND, and later ACL, say what a row says in bits. All in Redis' order.

std::vector<std::string_view> FlagNames(const Command& command);
/// Without "@".
std::vector<std::string_view> CategoryNames(const Command& command);
std::vector<std::string_view> Tips(const Command& command);
std::vector<std::string_view> KeyFlagNames(uint16_t flags);
std::string_view GroupName(CommandGroup group);
/// Whether there is an ACL category of this name, in any case.
bool IsCategory(std::string_view name);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMAND_LABELS_H_
