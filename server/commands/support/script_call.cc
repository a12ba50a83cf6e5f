#include "server/commands/support/script_call.h"

#include <algorithm>

#include "server/metrics/monitor_feed.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"

namespace cloakroom {

std::optional<size_t> TakeKeyCount(Call& call, std::string_view not_a_number) {
  const auto count = call.Integer(2, not_a_number);
  if (!count) return std::nullopt;
  if (*count > static_cast<int64_t>(call.argc()) - 3) {
    call.Error("ERR Number of keys can't be greater than number of args");
    return std::nullopt;
  }
  if (*count < 0) {
    call.Error("ERR Number of keys can't be negative");
    return std::nullopt;
  }
  return static_cast<size_t>(*count);
}

uint32_t CommandFlagsOf(const ScriptFlags& script, uint32_t flags) {
  if (!script.declared) return flags;
  flags &= ~(kWrite | kMayReplicate | kStale);
  if (!script.no_writes) flags |= kWrite;
  if (script.allow_stale) flags |= kStale;
  return flags;
}

absl::Status MayRunScript(Call& call, const ScriptFlags& flags, bool read_only_command) {
  const Replication& replication = call.server().replication();
  const bool obeyed = call.client().primary;
  const bool may_write = flags.declared && !flags.no_writes;
  if (may_write && replication.read_only() && !obeyed) return Refused(kReadOnlyReplica);
  if (replication.stale() && !flags.allow_stale && !obeyed) {
    if (!flags.declared || call.mode() == CallMode::kTopLevel) return Refused(kPrimaryDown);
    return Refused(
        "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and "
        "'allow-stale' flag is not set on the script.");
  }
  if (!may_write) return absl::OkStatus();
  if (!flags.allow_oom && call.thread().out_of_memory) {
    if (call.mode() == CallMode::kTopLevel) return Refused(kOutOfMemory);
    return Refused(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > "
        "'maxmemory'");
  }
  if (!obeyed) {
    WriteHealth& health = call.server().persistence().write_health();
    if (health.refuses_writes()) return Refused(health.Refusal());
    if (replication.too_few_replicas()) return Refused(kTooFewReplicas);
  }
  if (read_only_command) {
    return Refused("ERR Can not execute a script with write flag using *_ro command.");
  }
  return absl::OkStatus();
}

bool HoldsAllThatItMayReach(Call& call, bool may_leave_database) {
  if (!call.hold().Closes(call.db())) return false;
  const auto all = call.server().keyspace().databases();
  return !may_leave_database || std::all_of(all.begin(), all.end(), [&](const Database* db) {
    return call.hold().Closes(*db);
  });
}

void TellMonitors(Call& call) {
  MonitorFeed& monitors = call.server().monitors();
  if (!monitors.active()) return;
  monitors.Tell(call.server().clock().NowUs(), call.client().db, MonitorName(call.client()),
                call.args(), call.thread().pusher());
}

void RunScript(Call& call, const CommandHost::Guest& guest, size_t key_count, ScriptRunner run) {
  CommandHost host(call, guest);
  std::string reply;
  run(host, call.args().subspan(3, key_count), call.args().subspan(3 + key_count), &reply);
  if (host.cut_off()) {
    // The script's changes so far, and the rest of a transaction around it, are not logged.
    if (ChangeBatch* changes = call.hold().changes()) changes->Abandon();
  }
  if (reply.starts_with('-')) {
    call.Error(std::string_view(reply).substr(1));
    if (host.passes_error_on()) call.NoteErrorIsCounted();
  } else {
    call.reply().Raw(reply);
  }
}

bool ComesFromLog(Call& call) {
  return call.thread().slot == call.server().keyspace().background_slot();
}

void ChangeScripts(Call& call, std::initializer_list<std::string_view> words,
                   absl::FunctionRef<void()> change) {
  if (ComesFromLog(call)) return change();
  call.server().persistence().journal().LogScripts(call.thread().holds, words, change);
}

void KillScripts(Call& call, RunningScript::Kind kind) {
  RunningScripts& running = call.server().running_scripts();
  switch (running.Kill(kind)) {
    case RunningScripts::KillResult::kKilled:
      return call.reply().Ok();
    case RunningScripts::KillResult::kNothingRuns:
      return call.Error("NOTBUSY No scripts in execution right now.");
    case RunningScripts::KillResult::kOtherKind:
      return call.Error(kind == RunningScript::Kind::kScript ? kBusyFunction : kBusyScript);
    case RunningScripts::KillResult::kFromPrimary:
      return call.Error(
          "UNKILLABLE The busy script was sent by a master instance in the context of replication "
          "and cannot be killed.");
    case RunningScripts::KillResult::kWrote:
      return call.Error(
          "UNKILLABLE Sorry the script already executed write commands against the dataset. You "
          "can either wait the script termination or kill the server in a hard way using the "
          "SHUTDOWN NOSAVE command.");
  }
}

}  // namespace cloakroom
