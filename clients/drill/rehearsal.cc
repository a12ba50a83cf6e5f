#include "clients/drill/rehearsal.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/drill/act.h"
#include "clients/drill/ask.h"
#include "clients/drill/ledger_file.h"
#include "clients/drill/plan_text.h"
#include "clients/drill/primary_finder.h"
#include "clients/drill/recorder.h"
#include "clients/drill/report.h"
#include "clients/drill/safety.h"
#include "clients/drill/signal.h"
#include "clients/drill/survey.h"
#include "clients/drill/visit_load.h"
#include "clients/drill/watchers.h"
#include "clients/drill/way_back.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPassed = 0;
constexpr int kNotPassed = 1;
constexpr int kNothingDone = 2;
constexpr int kInterrupted = 130;

constexpr milliseconds kSettleEvery{50};
/// A client that had a success in the last seconds of the visits is back: the pause between two
/// visits is a second at most.
constexpr int64_t kBackMs = 3000;
/// How long after the end of a freeze or a cut a failover may still begin.
constexpr int64_t kLateSwitchMs = 5000;
/// How long to wait for a primary that removes the keys.
constexpr int64_t kCleanUpMs = 5000;
constexpr milliseconds kRetryEvery{200};

std::string MakeRunName() {
  const time_t now = std::time(nullptr);
  tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  const size_t length = std::strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &parts);
  return Concat({std::string_view(text, length), "-", std::to_string(getpid())});
}

class Rehearsal {
 public:
  Rehearsal(const Where& where, const RunOptions& options, const Signal& interrupt);

  int Run();

 private:
  absl::Status Prepare();
  absl::Status DemandSafety(const Topology& topology);
  void Visit();
  absl::Status WarmUp();
  void Strike();
  void AwaitSettled(Act& act);
  bool IsSettled() const;
  bool ExpectsSwitch() const;
  void CleanUp();
  void GoBack();
  void Finish();
  absl::Status WriteFiles() const;

  /// Prints it, with the time, and adds it to the time line.
  void Say(const std::string& text);
  void Note(const std::string& text);
  std::string Prefix() const;

  const Where& where_;
  const RunOptions& options_;
  const Signal& interrupt_;
  Recorder recorder_;
  VisitPlan plan_;
  ActContext context_;
  PrimaryFinder finder_{{}};
  LedgerFile ledger_file_;
  Report report_;
  bool acted_ = false;
  std::optional<int64_t> released_ms_;  // when the act was ended
};

Rehearsal::Rehearsal(const Where& where, const RunOptions& options, const Signal& interrupt)
    : where_(where),
      options_(options),
      interrupt_(interrupt),
      recorder_(static_cast<size_t>(options.clients)) {
  report_.run = MakeRunName();
  report_.name = where.name();
  report_.how = options.how;
  report_.started_s = std::time(nullptr);
  report_.rate = options.rate;
}

void Rehearsal::Say(const std::string& text) {
  std::printf("%7.1f s  %s\n", static_cast<double>(recorder_.NowMs()) / 1000, text.c_str());
  std::fflush(stdout);
  recorder_.AddEvent("drill", text);
}

void Rehearsal::Note(const std::string& text) {
  Say(text);
  report_.notes.push_back(text);
}

std::string Rehearsal::Prefix() const {
  return options_.report.empty() ? "drill-" + report_.run : options_.report;
}

absl::Status Rehearsal::DemandSafety(const Topology& topology) {
  if (absl::Status status = DemandReplica(topology); !status.ok()) return status;
  if (absl::Status status = CanAct(context_); !status.ok()) return status;
  if (!options_.live) return DemandNoOthers(context_, Looks::kAny);
  if (absl::Status status = DemandGreen(topology); !status.ok()) return status;
  return DemandFreshReplica(context_);
}

absl::Status Rehearsal::Prepare() {
  // Only --live needs the rate of writes, which check looks at.
  const absl::StatusOr<Topology> topology =
      options_.live ? Survey(where_, [&] { interrupt_.WaitFor(seconds(1)); }) : Survey(where_);
  if (!topology.ok()) return topology.status();
  report_.servers = topology->servers();
  plan_ = {.finder = {.where = where_,
                      .servers = report_.servers,
                      .at = options_.at,
                      .timeout_ms = options_.timeout_ms},
           .run = report_.run,
           .database = options_.database,
           .clients = options_.clients,
           .rate = options_.rate};
  report_.found_by = FoundByText(where_, options_);
  context_ = {.where = where_,
              .primary = report_.servers.front(),
              .replicas = {report_.servers.begin() + 1, report_.servers.end()},
              .options = options_,
              .interrupt = &interrupt_,
              .say = [this](const std::string& text) { Say(text); }};
  finder_ = PrimaryFinder({.where = where_, .servers = report_.servers, .timeout_ms = 500});
  std::fputs(PlanText(where_, options_, *topology, report_.run).c_str(), stdout);
  if (options_.i_mean != where_.name()) {
    return absl::FailedPreconditionError(
        Concat({options_.i_mean.empty() ? "" : "--i-mean names another topology; ",
                "to do this, say --i-mean ", where_.name()}));
  }
  if (absl::Status status = DemandSafety(*topology); !status.ok()) return status;
  absl::StatusOr<std::vector<Level>> levels = LevelsOf(context_.primary, where_.login);
  if (!levels.ok()) return levels.status();
  report_.levels = *std::move(levels);
  if (report_.levels.size() < kLevels) {
    Note(
        "the primary offers no WAITAOF, which needs Redis 7.2 or Cloakroom, and appendonly yes: "
        "half of the clients use WAIT 1");
  }
  return ledger_file_.Create(Prefix() + ".ledger", "cloakroom-drill run " + report_.run);
}

absl::Status Rehearsal::WarmUp() {
  Say(Concat({std::to_string(options_.clients), " clients visit their sessions"}));
  if (interrupt_.WaitFor(seconds(options_.before_s))) return absl::CancelledError("interrupted");
  if (!recorder_.AllSucceededSince(0)) {
    return absl::FailedPreconditionError(
        Concat({"not all clients could visit their sessions in ", std::to_string(options_.before_s),
                " s; most errors: ", recorder_.CommonError()}));
  }
  if (options_.live) {
    if (absl::Status status = DemandFreshReplica(context_); !status.ok()) return status;
  } else if (absl::Status status = DemandNoOthers(context_, Looks::kLast2); !status.ok()) {
    return status;
  }
  return ledger_file_.Append(recorder_.CopyLedger());
}

bool Rehearsal::ExpectsSwitch() const {
  if (options_.how == How::kGraceful || options_.how == How::kSentinel) return true;
  return options_.how == How::kKill && options_.heal_command.empty();
}

bool Rehearsal::IsSettled() const {
  if (HoldSeconds(options_) > 0 && !released_ms_) return false;
  int64_t from_ms = std::max(report_.act_ms, released_ms_.value_or(0));
  if (report_.switched_ms)
    from_ms = std::max(from_ms, *report_.switched_ms);
  else if (ExpectsSwitch())
    return false;
  else if (where_.has_sentinels())
    from_ms += kLateSwitchMs;
  return recorder_.AllSucceededSince(from_ms);
}

void Rehearsal::AwaitSettled(Act& act) {
  const int64_t release_ms = report_.act_ms + HoldSeconds(options_) * 1000;
  const int64_t limit_ms = release_ms + options_.limit_s * 1000;
  do {
    if (!released_ms_ && recorder_.NowMs() >= release_ms) {
      if (absl::Status status = act.End(); !status.ok()) Note(TextOf(status));
      released_ms_ = recorder_.NowMs();
    }
    const absl::StatusOr<Address> primary = finder_.Find();
    if (!report_.switched_ms && primary.ok() && *primary != context_.primary) {
      report_.switched_ms = recorder_.NowMs();
      Say(Concat({ToText(*primary), " is the primary"}));
    }
    if (IsSettled()) {
      Say("all clients are back");
      interrupt_.WaitFor(seconds(options_.after_s));
      return;
    }
  } while (recorder_.NowMs() < limit_ms && !interrupt_.WaitFor(kSettleEvery));
  if (!interrupt_.raised()) Note("not all clients came back in time");
}

void Rehearsal::Strike() {
  acted_ = true;
  report_.act_ms = recorder_.NowMs();
  Say(ActText(options_));
  const std::unique_ptr<Act> act = MakeAct(context_);
  const absl::Status status = act->Begin();
  report_.happened = status.ok();
  if (status.ok())
    AwaitSettled(*act);
  else
    Note(Concat({"it did not happen as it should: ", TextOf(status)}));
  if (absl::Status end = act->End(); !end.ok()) Note(TextOf(end));
  if (ExpectsSwitch() && !report_.switched_ms) report_.happened = false;
  if (status.ok() && ExpectsSwitch() && !report_.switched_ms) {
    Note("no other server became the primary");
  }
}

void Rehearsal::Visit() {
  const Watchers watchers(where_, report_.servers, recorder_);
  VisitLoad load(plan_, report_.levels, recorder_);
  const absl::Status ready = WarmUp();
  if (ready.ok())
    Strike();
  else
    Note(Concat({"nothing was done to the primary: ", TextOf(ready)}));
  load.Stop();
  report_.end_ms = recorder_.NowMs();
  if (!acted_) return;
  if (const absl::StatusOr<Address> primary = finder_.Find(); primary.ok()) {
    report_.next_primary = *primary;
  }
  if (absl::Status status = ReadBack(plan_, recorder_); !status.ok()) {
    Note(Concat({"the sessions could not be read back: ", TextOf(status)}));
  }
}

void Rehearsal::CleanUp() {
  // After an interrupt the roles may be changing, or the primary may still sleep.
  const int64_t released_ms = acted_ ? report_.act_ms + HoldSeconds(options_) * 1000 : 0;
  const int64_t limit_ms = std::max(recorder_.NowMs(), released_ms) + kCleanUpMs;
  absl::Status status = RemoveKeys(plan_);
  if (!status.ok()) Say("waits for a primary, to remove the keys");
  while (!status.ok() && recorder_.NowMs() < limit_ms) {
    std::this_thread::sleep_for(kRetryEvery);
    status = RemoveKeys(plan_);
  }
  if (!status.ok()) {
    Note(Concat({"the keys drill:", report_.run,
                 ":* could not be removed, and expire within the "
                 "hour: ",
                 TextOf(status)}));
  }
}

void Rehearsal::GoBack() {
  if (!report_.next_primary || *report_.next_primary == context_.primary) return;
  const absl::Status status = BringBack(context_, *report_.next_primary);
  if (!status.ok()) Note(TextOf(status));
}

absl::Status Rehearsal::WriteFiles() const {
  for (const auto& [suffix, text] :
       {std::pair{".json", ReportJson(report_)}, {".html", ReportHtml(report_)}}) {
    const std::string path = Prefix() + suffix;
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) return absl::UnavailableError(Concat({path, ": cannot write"}));
  }
  return absl::OkStatus();
}

void Rehearsal::Finish() {
  std::vector<Server> servers;
  std::vector<Sentinel> sentinels;
  servers.reserve(report_.servers.size());
  sentinels.reserve(where_.sentinels.size());
  for (const Address& one : report_.servers) servers.push_back(AskServer(one, where_.login));
  for (const Address& one : where_.sentinels) sentinels.push_back(AskSentinel(one, where_));
  report_.state = StateTexts(servers, sentinels);
  report_.records = recorder_.Copy();
  report_.totals = report_.records.ledger.Sum();
  for (const std::vector<int64_t>& successes : report_.records.successes_ms) {
    report_.outages.push_back(
        OutageOf(successes, report_.act_ms, report_.end_ms - kBackMs, report_.end_ms));
  }
  absl::Status status = ledger_file_.Append(report_.records.ledger);
  if (status.ok()) status = ledger_file_.AppendLosses(report_.records.ledger);
  if (!status.ok()) Note(TextOf(status));
  if (absl::Status written = WriteFiles(); !written.ok()) Note(TextOf(written));
}

int Rehearsal::Run() {
  if (absl::Status status = Prepare(); !status.ok()) {
    std::fprintf(stderr, "cloakroom-drill: nothing was done: %s\n", TextOf(status).c_str());
    return absl::IsCancelled(status) ? kInterrupted : kNothingDone;
  }
  Visit();
  CleanUp();
  if (!acted_) {
    std::remove((Prefix() + ".ledger").c_str());
    return interrupt_.raised() ? kInterrupted : kNothingDone;
  }
  if (options_.back && !interrupt_.raised()) GoBack();
  Finish();
  std::fputs(SummaryText(report_).c_str(), stdout);
  std::printf("files      %s.html, .json, .ledger\n", Prefix().c_str());
  if (interrupt_.raised()) return kInterrupted;
  return Passed(report_) ? kPassed : kNotPassed;
}

/// Each write whose level is waited for keeps its connection: some thousand with the highest rate.
void AllowManyConnections() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int Rehearse(const Where& where, const RunOptions& options) {
  AllowManyConnections();
  Signal interrupt;
  const InterruptWatch watch(interrupt);
  return Rehearsal(where, options, interrupt).Run();
}

}  // namespace cloakroom::drill
