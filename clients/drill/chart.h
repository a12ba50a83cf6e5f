#ifndef CLOAKROOM_CLIENTS_DRILL_CHART_H_
#define CLOAKROOM_CLIENTS_DRILL_CHART_H_

#include <string>
#include <string_view>

#include "clients/drill/report.h"

namespace cloakroom::drill {

/// A run as one SVG picture over its time: what happened, each server's role, how far the replicas
/// were behind, the errors by code, and a bar for each client. Pure.
std::string ChartSvg(const Report& report);

/// Text for HTML and SVG.
std::string Escape(std::string_view text);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_CHART_H_
