// CONFIG: the settings while the server runs.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/config/config_store.h"
#include "server/execution/call.h"
#include "server/info/totals.h"
#include "server/persistence/persistence.h"

namespace cloakroom {
namespace {

absl::Span<const std::string_view> From(CommandArguments args, size_t first) {
  return absl::Span<const std::string_view>(args.data(), args.size()).subspan(first);
}

void ConfigGet(Call& call) {
  auto found = call.server().config().Get(From(call.args(), 2));
  call.reply().Map(found.size());
  for (const auto& [name, value] : found) {
    call.reply().Bulk(name);
    call.reply().Bulk(value);
  }
}

/// In a worker: a subscriber may open files or listen to a port.
void ConfigSet(Call& call) {
  if (call.argc() % 2 != 0) return call.SyntaxError();
  std::vector<std::string> words(call.args().begin() + 2, call.args().end());
  call.Offload([&config = call.server().config(), words = std::move(words),
                caller = ConfigCaller{call.client().local, call.server().persistence().loading()}](
                   LongWork& work) {
    std::vector<std::string_view> views(words.begin(), words.end());
    std::optional<std::string> error = config.Set(views, caller);
    error ? work.Error(*error) : work.reply.Ok();
  });
}

void ConfigRewrite(Call& call) {
  call.Offload([&config = call.server().config()](LongWork& work) {
    std::optional<std::string> error = config.Rewrite();
    error ? work.Error(*error) : work.reply.Ok();
  });
}

void ConfigResetStat(Call& call) {
  ResetStats(call.server());
  call.reply().Ok();
}

constexpr uint32_t kConfig = kAdmin | kNoScript | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kConfigCommands[] = {
    { "config", nullptr, -2, 0, {}, "2.0.0", "Depends on subcommand.", "",
     "About the server's settings."},
    { "config|get", ConfigGet, -3, kConfig, {}, "2.0.0",
     "O(N) when N is the number of configuration parameters provided", "parameter [parameter ...]",
     "Returns the settings whose names match glob patterns."},
    { "config|set", ConfigSet, -4, kConfig, {}, "2.0.0",
     "O(N) when N is the number of configuration parameters provided",
     "parameter value [parameter value ...]", "Changes settings, all or none."},
    { "config|rewrite", ConfigRewrite, 2, kConfig, {}, "2.8.0", "O(1)", "",
     "Writes the settings as they are into the configuration file."},
    { "config|resetstat", ConfigResetStat, 2, kConfig, {}, "2.0.0", "O(1)", "",
     "Sets the counters that INFO shows back to zero."},
    { "config|help", Help, 2, kLoading | kStale, {}, "5.0.0", "O(1)", "", "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily ConfigCommands() { return {CommandGroup::kServer, 0, kConfigCommands}; }

}  // namespace cloakroom
