// CONFIG: reads and changes settings while the server runs.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/config/config_store.h"
#include "server/execution/call.h"
#include "server/execution/secrets.h"
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

/// Replies OK, or the error, whose message is the reply.
void ReplyStatus(const absl::Status& status, LongWork& work) {
  status.ok() ? work.reply.Ok() : work.Error(ReplyOf(status));
}

/// Runs on a worker: a subscriber may open files or listen on a port.
void ConfigSet(Call& call) {
  if (call.argc() % 2 != 0) return call.SyntaxError();
  std::vector<std::string> words(call.args().begin() + 2, call.args().end());
  call.StartLongWork(
      [&config = call.server().config(), words = std::move(words),
       caller = ConfigCaller{call.client().local, call.server().persistence().loader().phase() !=
                                                      LoadProgress::Phase::kNone}](LongWork& work) {
        std::vector<std::string_view> views(words.begin(), words.end());
        ReplyStatus(config.Set(views, caller), work);
      });
}

void ConfigRewrite(Call& call) {
  call.StartLongWork(
      [&config = call.server().config()](LongWork& work) { ReplyStatus(config.Rewrite(), work); });
}

void ConfigResetStat(Call& call) {
  ResetStats(call.server());
  call.reply().Ok();
}

constexpr uint32_t kConfig = kAdmin | kNoScript | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kConfigCommands[] = {
    {.name = "config", .arity = -2, .since = "2.0.0", .complexity = "Depends on subcommand.",
     .summary = "About the server's settings."},
    {.name = "config|get", .run = ConfigGet, .arity = -3, .flags = kConfig, .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .syntax = "parameter [parameter: parameter ...]",
     .summary = "Returns the settings whose names match glob patterns."},
    {.name = "config|set", .run = ConfigSet, .arity = -4, .flags = kConfig,
     .hide_secrets = HideConfigSecrets, .request_policy = "all_nodes", .response_policy = "all_succeeded",
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .syntax = "parameter value [parameter_value: parameter value ...]",
     .summary = "Changes settings, all or none."},
    {.name = "config|rewrite", .run = ConfigRewrite, .arity = 2, .flags = kConfig, .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Writes the settings as they are into the configuration file."},
    {.name = "config|resetstat", .run = ConfigResetStat, .arity = 2, .flags = kConfig,
     .since = "2.0.0", .complexity = "O(1)",
     .summary = "Sets the counters that INFO shows back to zero."},
    {.name = "config|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "5.0.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily ConfigCommands() { return {CommandGroup::kServer, 0, kConfigCommands}; }

}  // namespace cloakroom
