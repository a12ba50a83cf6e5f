#ifndef CLOAKROOM_CLIENTS_DRILL_CHECK_H_
#define CLOAKROOM_CLIENTS_DRILL_CHECK_H_

#include <span>
#include <string>

#include "clients/drill/findings.h"
#include "clients/drill/options.h"

namespace cloakroom::drill {

/// What `cloakroom-drill check` does: looks at the topology for some seconds and prints what it
/// found. Returns the exit status, which plug-ins of monitoring systems have as well: 0 all is ok,
/// 1 there are warnings, 2 something failed, 3 nobody could say.
int Check(const Where& where, const CheckOptions& options);

// What it prints. Pure.

/// A line for each finding, its advice below it, and a line that sums up.
std::string FindingsText(std::span<const Finding> findings);
/// One JSON object.
std::string FindingsJson(const Where& where, const Topology& topology,
                         std::span<const Finding> findings);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_CHECK_H_
