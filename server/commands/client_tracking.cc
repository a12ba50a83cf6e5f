// CLIENT TRACKING and its kin: the server tells a client which of the keys that it caches have
// changed.
#include <algorithm>
#include <string>
#include <vector>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/session/client_registry.h"
#include "server/tracking/tracking_table.h"

namespace cloakroom {
namespace {

using Options = TrackingTable::Options;

constexpr std::string_view kSwitchBcast =
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
    "re-enabling it with a different mode.";
constexpr std::string_view kSwitchOpt =
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
    "re-enabling it with a different mode.";

uint64_t TakeRedirect(Arguments& args, uint64_t earlier) {
  if (earlier != 0) args.Fail("ERR A client can only redirect to a single other client");
  const auto id = static_cast<uint64_t>(args.Integer());
  if (args.ok() && args.call().server().clients().Find(id) == nullptr) {
    args.Fail("ERR The client ID you want redirect to does not exist");
  }
  return id;
}

void TakeOption(Arguments& args, Options* options) {
  if (args.Word("REDIRECT", 1)) {
    options->redirect = TakeRedirect(args, options->redirect);
  } else if (args.Word("BCAST")) {
    options->bcast = true;
  } else if (args.Word("OPTIN")) {
    options->optin = true;
  } else if (args.Word("OPTOUT")) {
    options->optout = true;
  } else if (args.Word("NOLOOP")) {
    options->noloop = true;
  } else if (args.Word("PREFIX", 1)) {
    options->prefixes.emplace_back(args.String());
  } else {
    args.SyntaxError();
  }
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

/// The error of prefixes that overlap; empty if none do.
std::string Collision(const std::vector<std::string>& prefixes, const ClientTracking& tracking) {
  constexpr std::string_view kEnd = "'. Prefixes for a single client must not overlap.";
  for (size_t i = 0; i < prefixes.size(); ++i) {
    for (const std::string& other : tracking.prefixes) {
      if (!Overlap(prefixes[i], other)) continue;
      return Concat(
          {"ERR Prefix '", prefixes[i], "' overlaps with an existing prefix '", other, kEnd});
    }
    for (size_t j = i + 1; j < prefixes.size(); ++j) {
      if (!Overlap(prefixes[i], prefixes[j])) continue;
      return Concat({"ERR Prefix '", prefixes[i], "' overlaps with another provided prefix '",
                     prefixes[j], kEnd});
    }
  }
  return {};
}

/// The error of options that do not go together, or not with what is on already; empty if none.
std::string Conflict(const Options& options, const ClientTracking& tracking) {
  if (!options.bcast && !options.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (tracking.on && tracking.bcast != options.bcast) return std::string(kSwitchBcast);
  if (options.bcast && (options.optin || options.optout)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (options.optin && options.optout) {
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  }
  if ((options.optin && tracking.optout) || (options.optout && tracking.optin)) {
    return std::string(kSwitchOpt);
  }
  return options.bcast ? Collision(options.prefixes, tracking) : std::string();
}

void ClientTrackingCommand(Call& call) {
  Arguments args(call, 3);
  Options options;
  while (args.More()) TakeOption(args, &options);
  if (!args.Finish()) return;
  Client& client = call.client();
  if (call.Is(2, "ON")) {
    const std::string conflict = Conflict(options, client.tracking);
    if (!conflict.empty()) return call.Error(conflict);
    if (options.prefixes.empty()) options.prefixes.emplace_back();
    call.server().tracking().Enable(client, options);
  } else if (call.Is(2, "OFF")) {
    call.server().tracking().Disable(client);
  } else {
    return call.SyntaxError();
  }
  call.reply().Ok();
}

void ClientCaching(Call& call) {
  ClientTracking& tracking = call.client().tracking;
  if (!tracking.on) {
    return call.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  if (call.Is(2, "YES")) {
    if (!tracking.optin) {
      return call.Error(
          "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
    tracking.caching = ClientTracking::Caching::kYes;
  } else if (call.Is(2, "NO")) {
    if (!tracking.optout) {
      return call.Error(
          "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
    tracking.caching = ClientTracking::Caching::kNo;
  } else {
    return call.SyntaxError();
  }
  call.reply().Ok();
}

int64_t RedirectOf(const ClientTracking& tracking) {
  return tracking.on ? static_cast<int64_t>(tracking.redirect) : -1;
}

void ClientGetRedir(Call& call) { call.reply().Integer(RedirectOf(call.client().tracking)); }

std::vector<std::string_view> FlagsOf(const ClientTracking& tracking) {
  using Caching = ClientTracking::Caching;
  std::vector<std::string_view> flags = {tracking.on ? "on" : "off"};
  if (tracking.bcast) flags.emplace_back("bcast");
  if (tracking.optin) flags.emplace_back("optin");
  if (tracking.optin && tracking.caching == Caching::kYes) flags.emplace_back("caching-yes");
  if (tracking.optout) flags.emplace_back("optout");
  if (tracking.optout && tracking.caching == Caching::kNo) flags.emplace_back("caching-no");
  if (tracking.noloop) flags.emplace_back("noloop");
  if (tracking.redirect_broken) flags.emplace_back("broken_redirect");
  return flags;
}

void ClientTrackingInfo(Call& call) {
  const ClientTracking& tracking = call.client().tracking;
  ReplyWriter& reply = call.reply();
  reply.Map(3);
  reply.Bulk("flags");
  const std::vector<std::string_view> flags = FlagsOf(tracking);
  reply.Set(flags.size());
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("redirect");
  reply.Integer(RedirectOf(tracking));
  reply.Bulk("prefixes");
  reply.Array(tracking.prefixes.size());
  for (const std::string& prefix : tracking.prefixes) reply.Bulk(std::string_view(prefix));
}

constexpr uint32_t kTrackingFlags = kNoScript | kLoading | kStale | kKeepsCaching;

// Read as a table.
// clang-format off
constexpr CommandRow kClientTrackingCommands[] = {
    {.name = "client|tracking", .run = ClientTrackingCommand, .arity = -3, .flags = kTrackingFlags,
     .since = "6.0.0",
     .complexity = "O(1). Some options may introduce additional complexity.",
     .syntax = "<status: ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] "
               "[BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
     .summary = "Chooses whether the server reports changes of keys that this connection caches."},
    {.name = "client|caching", .run = ClientCaching, .arity = 3, .flags = kTrackingFlags, .since = "6.0.0",
     .complexity = "O(1)", .syntax = "<mode: YES | NO>",
     .summary = "Chooses whether the keys of the next command are tracked."},
    {.name = "client|getredir", .run = ClientGetRedir, .arity = 2, .flags = kTrackingFlags,
     .since = "6.0.0", .complexity = "O(1)",
     .summary = "Returns the connection to which reports of changed keys go instead."},
    {.name = "client|trackinginfo", .run = ClientTrackingInfo, .arity = 2, .flags = kTrackingFlags,
     .since = "6.2.0", .complexity = "O(1)",
     .summary = "Describes how this connection tracks keys."},
};
// clang-format on

}  // namespace

CommandFamily ClientTrackingCommands() {
  return {CommandGroup::kConnection, kCatConnection, kClientTrackingCommands};
}

}  // namespace cloakroom
