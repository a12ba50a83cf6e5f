#ifndef CLOAKROOM_CLIENTS_DRILL_REPORT_H_
#define CLOAKROOM_CLIENTS_DRILL_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clients/drill/address.h"
#include "clients/drill/figures.h"
#include "clients/drill/options.h"
#include "clients/drill/recorder.h"

namespace cloakroom::drill {

/// All that a run has to tell. A plain value; the functions below are pure.
struct Report {
  std::string run;
  std::string name;  ///< of the topology: the master's, or the primary's address
  How how = How::kGraceful;
  int64_t started_s = 0;  ///< since 1970
  int64_t rate = 0;
  std::vector<Level> levels;     ///< that were asked for, in turn by client
  std::vector<Address> servers;  ///< the first primary first
  std::string found_by;          ///< how the clients found the primary

  int64_t act_ms = 0;                   ///< since the run's start, as all times
  int64_t end_ms = 0;                   ///< of the visits
  std::optional<Address> next_primary;  ///< after the act; nullopt: nobody was primary
  std::optional<int64_t> switched_ms;   ///< when another server was first named as primary
  bool happened = false;                ///< what was to happen to the primary
  std::vector<Outage> outages;          ///< of each client
  Ledger::Totals totals;
  Records records{0};
  std::vector<std::string> notes;  ///< what did not go as planned
  std::vector<std::string> state;  ///< the topology at the end, a line for each server
};

/// The figures of all clients together.
struct OutageFigures {
  int64_t p50_ms = 0;
  int64_t p95_ms = 0;
  int64_t max_ms = 0;
  int64_t back = 0;  ///< clients that came back
};
OutageFigures FiguresOf(const std::vector<Outage>& outages);

/// What was to happen did, all clients came back, all sessions were read at the end, and no write
/// that WAIT or WAITAOF acknowledged was lost.
bool Passed(const Report& report);

/// What a person reads on the terminal.
std::string SummaryText(const Report& report);
std::string ReportJson(const Report& report);
/// One page without links to anything outside of it.
std::string ReportHtml(const Report& report);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_REPORT_H_
