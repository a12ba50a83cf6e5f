#ifndef CLOAKROOM_CLIENTS_DRILL_PLAN_TEXT_H_
#define CLOAKROOM_CLIENTS_DRILL_PLAN_TEXT_H_

#include <string>
#include <vector>

#include "clients/drill/options.h"
#include "clients/drill/topology.h"

namespace cloakroom::drill {

// What a run says of itself. Pure.

/// What it will do, before it does it.
std::string PlanText(const Where& where, const RunOptions& options, const Topology& topology,
                     const std::string& run);
/// What happens to the primary.
std::string ActText(const RunOptions& options);
/// How the clients find the primary: "the Sentinels".
std::string FoundByText(const Where& where, const RunOptions& options);
/// The state of the topology: a line for each server and each Sentinel.
std::vector<std::string> StateTexts(const std::vector<Server>& servers,
                                    const std::vector<Sentinel>& sentinels);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_PLAN_TEXT_H_
