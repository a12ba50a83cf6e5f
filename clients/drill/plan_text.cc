#include "clients/drill/plan_text.h"

#include <algorithm>

#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

bool IsNamed(const Address& address, const std::vector<Sentinel>& sentinels) {
  return std::any_of(sentinels.begin(), sentinels.end(), [&](const Sentinel& sentinel) {
    return sentinel.answers() && sentinel.primary.address == address;
  });
}

std::string StateText(const Server& server, const std::vector<Sentinel>& sentinels) {
  const std::string address = ToText(server.address);
  if (!server.answers()) return server.error;
  if (server.is_primary && !sentinels.empty() && !IsNamed(server.address, sentinels)) {
    return Concat({address,
                   " is a primary that no Sentinel names: they tell it within half a "
                   "minute whom to follow"});
  }
  if (server.is_primary) return Concat({address, " is a primary"});
  return Concat({address, " is a replica of ", ToText(server.primary), ", link ",
                 server.link_up ? "up" : "down"});
}

}  // namespace

std::string ActText(const RunOptions& options) {
  const std::string seconds = std::to_string(options.hold_s) + " s";
  const std::string healed =
      options.heal_command.empty() ? "" : Concat({", and the heal-command runs after ", seconds});
  switch (options.how) {
    case How::kGraceful:
      return "the primary hands over to a replica, without a loss";
    case How::kSentinel:
      return "SENTINEL FAILOVER";
    case How::kFreeze:
      return Concat({"the primary answers nobody for ", seconds});
    case How::kCut:
      return Concat({"the cut-command runs", healed});
    case How::kKill:
      return Concat({options.kill_command.empty() ? "the primary ends without saving"
                                                  : "the kill-command runs",
                     healed});
  }
  return "";
}

std::string FoundByText(const Where& where, const RunOptions& options) {
  if (options.at) return Concat({"the fixed address ", ToText(*options.at)});
  return where.has_sentinels() ? "the Sentinels" : "asking all servers for their role";
}

std::string PlanText(const Where& where, const RunOptions& options, const Topology& topology,
                     const std::string& run) {
  const std::string primary = ToText(topology.primary.address);
  std::string replicas;
  for (const Server& replica : topology.replicas) {
    replicas += Concat({replicas.empty() ? "" : ", ", ToText(replica.address)});
  }
  std::string text =
      Concat({"primary ", primary, ", replicas ", replicas.empty() ? "none" : replicas, "\n"});
  text += Concat({"clients ", std::to_string(options.clients), ", each ",
                  std::to_string(options.rate), " visits a second to drill:", run,
                  ":N in database ", std::to_string(options.database),
                  ", which find the primary by ", FoundByText(where, options), "\n"});
  text += Concat({"1. ", std::to_string(options.before_s), " s of visits\n"});
  text += Concat({"2. ", ActText(options), "\n"});
  text += Concat({"3. visits until all clients are back, at most ", std::to_string(options.limit_s),
                  " s, and ", std::to_string(options.after_s), " s more\n"});
  text += "4. all sessions are read back, then removed\n";
  if (options.back) text += Concat({"5. ", primary, " becomes the primary again\n"});
  return text;
}

std::vector<std::string> StateTexts(const std::vector<Server>& servers,
                                    const std::vector<Sentinel>& sentinels) {
  std::vector<std::string> texts;
  texts.reserve(servers.size() + sentinels.size());
  for (const Server& server : servers) texts.push_back(StateText(server, sentinels));
  for (const Sentinel& sentinel : sentinels) {
    texts.push_back(sentinel.answers() ? Concat({"Sentinel ", ToText(sentinel.address), " names ",
                                                 ToText(sentinel.primary.address), " as primary"})
                                       : sentinel.error);
  }
  return texts;
}

}  // namespace cloakroom::drill
