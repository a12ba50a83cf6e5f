#include <set>

#include "clients/drill/amounts.h"
#include "clients/drill/findings.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

/// With two, the loss of one machine leaves no majority.
constexpr int64_t kFewestSentinels = 3;
constexpr int64_t kNervousDownAfterMs = 1000;
constexpr int64_t kPatientDownAfterMs = 30'000;

void JudgeAnswers(const Topology& topology, std::vector<Finding>* findings) {
  for (const Sentinel& sentinel : topology.sentinels) {
    if (sentinel.answers()) continue;
    findings->push_back({Verdict::kFailed, "sentinel", sentinel.error,
                         "start it, or let it watch the primary: sentinel monitor"});
  }
}

void JudgeNumber(const Topology& topology, std::vector<Finding>* findings) {
  for (const Sentinel& sentinel : topology.sentinels) {
    if (!sentinel.answers()) continue;
    const int64_t all = sentinel.other_sentinels + 1;
    if (all < kFewestSentinels) {
      findings->push_back({Verdict::kWarning, "sentinel",
                           Concat({ToText(sentinel.address), ": knows of ",
                                   CountText(all, "Sentinel"), " with itself"}),
                           "run three on three machines: the loss of one must leave a majority"});
    } else {
      findings->push_back(
          {Verdict::kOk, "sentinel",
           Concat({ToText(sentinel.address), ": knows of ", std::to_string(all), " Sentinels, ",
                   std::to_string(sentinel.quorum), " must agree that the primary is down"}),
           ""});
    }
  }
}

void JudgeQuorum(const Topology& topology, std::vector<Finding>* findings) {
  for (const Sentinel& sentinel : topology.sentinels) {
    if (!sentinel.answers()) continue;
    const std::string text = Concat({ToText(sentinel.address), ": ", sentinel.quorum_text});
    if (sentinel.has_quorum)
      findings->push_back({Verdict::kOk, "quorum", text, ""});
    else
      findings->push_back({Verdict::kFailed, "quorum", text,
                           "start the Sentinels that are missing, or remove those that are gone: "
                           "SENTINEL RESET on the others"});
  }
}

void JudgeAgreement(const Topology& topology, std::vector<Finding>* findings) {
  std::set<Address> named;
  std::string text;
  for (const Sentinel& sentinel : topology.sentinels) {
    if (!sentinel.answers()) continue;
    named.insert(sentinel.primary.address);
    text += Concat({text.empty() ? "" : ", ", ToText(sentinel.address), " says ",
                    ToText(sentinel.primary.address)});
  }
  if (named.size() < 2) return;
  findings->push_back({Verdict::kFailed, "agreement",
                       Concat({"the Sentinels name different primaries: ", text}),
                       "wait for the end of a failover that is under way; else compare their "
                       "lines 'sentinel monitor' and the network between them"});
}

void JudgeWatched(const Sentinel& sentinel, std::vector<Finding>* findings) {
  std::vector<const Watched*> down;
  if (sentinel.primary.is_down()) down.push_back(&sentinel.primary);
  for (const Watched& replica : sentinel.replicas) {
    if (replica.is_down()) down.push_back(&replica);
  }
  for (const Watched* one : down) {
    const bool primary = one == &sentinel.primary;
    findings->push_back({primary ? Verdict::kFailed : Verdict::kWarning, "down",
                         Concat({ToText(sentinel.address), ": sees ", ToText(one->address),
                                 primary ? ", the primary, as down" : ", a replica, as down"}),
                         "start it, or look at the network between the two; a replica that is gone "
                         "for good is forgotten after SENTINEL RESET"});
  }
}

void JudgePatience(const Topology& topology, std::vector<Finding>* findings) {
  std::set<int64_t> times_ms;
  for (const Sentinel& sentinel : topology.sentinels) {
    if (sentinel.answers()) times_ms.insert(sentinel.down_after_ms);
  }
  if (times_ms.empty()) return;
  const std::string longest = SecondsText(static_cast<double>(*times_ms.rbegin()) / 1000);
  if (times_ms.size() > 1) {
    findings->push_back({Verdict::kWarning, "time-outs",
                         "the Sentinels have different down-after-milliseconds",
                         "set the same on all: SENTINEL SET … down-after-milliseconds"});
  } else if (*times_ms.begin() < kNervousDownAfterMs) {
    findings->push_back({Verdict::kWarning, "time-outs",
                         Concat({"a primary that is silent for ", longest, " counts as down"}),
                         "give it a second or more, or a busy moment starts a failover: "
                         "down-after-milliseconds"});
  } else if (*times_ms.begin() > kPatientDownAfterMs) {
    findings->push_back({Verdict::kWarning, "time-outs",
                         Concat({"the shop waits ", longest, " before a failover begins"}),
                         "5000 is usual: down-after-milliseconds"});
  } else {
    findings->push_back(
        {Verdict::kOk, "time-outs",
         Concat({"a failover begins ", longest, " after the primary's last answer"}), ""});
  }
}

}  // namespace

void JudgeSentinels(const Topology& topology, std::vector<Finding>* findings) {
  JudgeAnswers(topology, findings);
  JudgeNumber(topology, findings);
  JudgeQuorum(topology, findings);
  JudgeAgreement(topology, findings);
  for (const Sentinel& sentinel : topology.sentinels) {
    if (sentinel.answers()) JudgeWatched(sentinel, findings);
  }
  JudgePatience(topology, findings);
}

}  // namespace cloakroom::drill
