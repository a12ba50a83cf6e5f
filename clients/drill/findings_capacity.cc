#include <algorithm>
#include <limits>

#include "clients/drill/amounts.h"
#include "clients/drill/findings.h"
#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();
/// What a full sync is assumed to move, on a network of 1 Gb/s that others use too.
constexpr double kFullSyncBytesPerS = 25.0 * 1024 * 1024;
constexpr double kShortestFullSyncS = 10;

struct OutputLimit {
  double hard = 0;
  double soft = 0;
  double soft_s = 0;
};

/// The part of "normal 0 0 0 slave 268435456 67108864 60 pubsub …" that is about replicas.
std::optional<OutputLimit> ReplicaLimit(const std::string& setting) {
  std::vector<std::string> words;
  for (std::string_view rest = setting; !rest.empty();) {
    const size_t end = rest.find(' ');
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  for (size_t i = 0; i + 3 < words.size(); i += 4) {
    if (words[i] != "slave" && words[i] != "replica") continue;
    const auto number = [&](size_t at) {
      return static_cast<double>(ParseInteger(words[at]).value_or(0));
    };
    return OutputLimit{number(i + 1), number(i + 2), number(i + 3)};
  }
  return std::nullopt;
}

std::string RateText(const Topology& topology) {
  return Concat({BytesText(topology.write_bytes_per_s), "/s, measured over ",
                 SecondsText(topology.measured_s)});
}

/// The next size of which an operator would think: a power of two in MB.
std::string SizeFor(double bytes) {
  double mb = 1;
  while (mb * 1024 * 1024 < bytes) mb *= 2;
  return std::to_string(static_cast<int64_t>(mb)) + "mb";
}

void JudgeBacklog(const Topology& topology, const Wanted& wanted, std::vector<Finding>* findings) {
  const std::optional<double> away_s = AwaySeconds(topology);
  if (!away_s) {
    findings->push_back({Verdict::kWarning, "backlog", "the rate of writes could not be measured",
                         "check again when the primary stays the same meanwhile"});
    return;
  }
  const std::string backlog = BytesText(static_cast<double>(topology.primary.backlog_bytes));
  const std::string text = Concat({"a replica may be away ", SecondsText(*away_s), ": backlog ",
                                   backlog, ", writes ", RateText(topology)});
  if (*away_s >= static_cast<double>(wanted.away_s)) {
    findings->push_back({Verdict::kOk, "backlog", text, ""});
    return;
  }
  const double bytes = topology.write_bytes_per_s * static_cast<double>(wanted.away_s);
  findings->push_back({Verdict::kWarning, "backlog", text,
                       Concat({"for ", SecondsText(static_cast<double>(wanted.away_s)),
                               " without a full sync: repl-backlog-size ", SizeFor(bytes)})});
}

void JudgeOutputLimit(const Topology& topology, std::vector<Finding>* findings) {
  const std::optional<double> allowed_s = FullSyncSeconds(topology);
  if (!allowed_s) return;
  const double memory = static_cast<double>(topology.primary.memory_bytes);
  const double needed_s = std::max(memory / kFullSyncBytesPerS, kShortestFullSyncS);
  const std::string text =
      Concat({"a full sync may take ", SecondsText(*allowed_s), "; ", BytesText(memory),
              " need about ", SecondsText(needed_s), " at ", BytesText(kFullSyncBytesPerS), "/s"});
  if (*allowed_s >= needed_s) {
    findings->push_back({Verdict::kOk, "limit", text, ""});
    return;
  }
  const double bytes = topology.write_bytes_per_s * needed_s * 2;
  const std::string limit =
      Concat({"client-output-buffer-limit replica ", SizeFor(bytes), " ", SizeFor(bytes), " 60"});
  findings->push_back({Verdict::kWarning, "limit", text,
                       Concat({"the primary drops the replica, and it begins again: ", limit})});
}

void JudgeTimeouts(const Topology& topology, std::vector<Finding>* findings) {
  std::vector<const Server*> all = {&topology.primary};
  for (const Server& replica : topology.replicas) all.push_back(&replica);
  for (const Server* server : all) {
    const int64_t timeout_s = NumberOr(server->settings, "repl-timeout", 0);
    const int64_t ping_s = NumberOr(server->settings, "repl-ping-replica-period", 0);
    if (timeout_s == 0 || timeout_s >= 2 * ping_s) continue;
    findings->push_back(
        {timeout_s <= ping_s ? Verdict::kFailed : Verdict::kWarning, "time-outs",
         Concat({ToText(server->address), ": repl-timeout is ", std::to_string(timeout_s),
                 " s, repl-ping-replica-period ", std::to_string(ping_s), " s"}),
         "a quiet link counts as lost: repl-timeout is to be several times the period"});
  }
}

void JudgeMinReplicas(const Topology& topology, std::vector<Finding>* findings) {
  const int64_t wanted = NumberOr(topology.primary.settings, "min-replicas-to-write", 0);
  const auto there = static_cast<int64_t>(topology.primary.replicas.size());
  const std::string text = Concat({"min-replicas-to-write is ", std::to_string(wanted), ", with ",
                                   CountText(there, "replica"), " attached"});
  if (wanted > there) {
    findings->push_back({Verdict::kFailed, "min-replicas",
                         Concat({text, ": the primary refuses all writes"}),
                         "attach more replicas, or lower min-replicas-to-write"});
  } else if (wanted > 0 && wanted == there) {
    findings->push_back({Verdict::kWarning, "min-replicas",
                         Concat({text, ": the loss of one stops all writes"}),
                         "one replica more, or lower min-replicas-to-write"});
  } else if (wanted == 0 && there > 1) {
    findings->push_back({Verdict::kWarning, "min-replicas",
                         Concat({text,
                                 ": a primary that is cut off still acknowledges writes, "
                                 "which are lost"}),
                         "min-replicas-to-write 1 on all servers"});
  }
}

}  // namespace

std::optional<double> AwaySeconds(const Topology& topology) {
  if (topology.measured_s <= 0) return std::nullopt;
  if (topology.write_bytes_per_s <= 0) return kForever;
  return static_cast<double>(topology.primary.backlog_bytes) / topology.write_bytes_per_s;
}

std::optional<double> FullSyncSeconds(const Topology& topology) {
  const Fields& settings = topology.primary.settings;
  const std::optional<OutputLimit> limit =
      ReplicaLimit(FieldOr(settings, "client-output-buffer-limit", ""));
  if (!limit || topology.measured_s <= 0) return std::nullopt;
  const double rate = topology.write_bytes_per_s;
  if (rate <= 0) return kForever;
  double allowed_s = kForever;
  if (limit->hard > 0) allowed_s = limit->hard / rate;
  if (limit->soft > 0) allowed_s = std::min(allowed_s, limit->soft / rate + limit->soft_s);
  // Cloakroom counts a replica's bytes only once its spool on the disk is full.
  return allowed_s + static_cast<double>(NumberOr(settings, "repl-spool-size", 0)) / rate;
}

void JudgeCapacity(const Topology& topology, const Wanted& wanted, std::vector<Finding>* findings) {
  JudgeBacklog(topology, wanted, findings);
  JudgeOutputLimit(topology, findings);
  JudgeTimeouts(topology, findings);
  JudgeMinReplicas(topology, findings);
}

}  // namespace cloakroom::drill
