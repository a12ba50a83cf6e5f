#include "server/execution/admission.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/config/config.h"
#include "server/context/errors.h"
#include "server/execution/command_table.h"
#include "server/metrics/latency_monitor.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

bool Permitted(Allowed allowed, const Client& client) {
  return allowed == Allowed::kYes || (allowed == Allowed::kLocal && client.local);
}

/// An error reply repeats at most this many bytes of what the client sent.
constexpr size_t kShownBytes = 128;

/// At most `room` bytes, up to the first zero byte: Redis prints C strings here.
std::string Excerpt(std::string_view text, size_t room) {
  return std::string(text.substr(0, std::min(room, text.find('\0'))));
}

bool FitsArity(const CommandRow& row, CommandArguments args) {
  const int argc = static_cast<int>(args.size());
  return row.arity >= 0 ? argc == row.arity : argc >= -row.arity;
}

std::string UpperName(std::string_view name) { return absl::AsciiStrToUpper(std::string(name)); }

}  // namespace

std::string Admission::UnknownCommand(CommandArguments args) const {
  if (args.size() > 1 && server_.commands().Find(args.first(1)) != nullptr) {
    return absl::StrCat("ERR unknown subcommand '", Excerpt(args[1], kShownBytes), "'. Try ",
                        UpperName(args[0]), " HELP.");
  }
  std::string text = absl::StrCat("ERR unknown command '", Excerpt(args[0], kShownBytes),
                                  "', with args beginning with: ");
  size_t room = kShownBytes;
  for (size_t i = 1; i < args.size() && room > 0; ++i) {
    std::string shown = Excerpt(args[i], room);
    absl::StrAppend(&text, "'", shown, "' ");
    room -= std::min(room, shown.size() + 3);
  }
  return text;
}

absl::Status Admission::Admit(const Client& client, const Request& request) const {
  if (request.command == nullptr) return Refused(UnknownCommand(request.args));
  const CommandRow& row = *request.command->row;
  if (row.run == nullptr || !FitsArity(row, request.args)) {
    return Refused(WrongArityOf(row.name));
  }
  if (row.has(kProtected) && !Permitted(server_.settings().enable_debug_command, client)) {
    return Refused(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
        "you can run it from a local connection, otherwise you need to set this option in the "
        "configuration file, and then restart the server.");
  }
  if (!client.authenticated && !row.has(kNoAuth)) return Refused(kNoAuthError);
  if (row.has(kNoMulti) && client.in_multi) {
    return Refused("ERR Command not allowed inside a transaction");
  }
  absl::Status room = AdmitForMemory(client, *request.command);
  if (!room.ok()) [[unlikely]]
    return room;
  WriteHealth& health = server_.persistence().write_health();
  if (health.refuses_writes()) [[unlikely]] {
    if (row.has(kRefusedWithWrites) || HasFlag(client, request, kWrite)) {
      return Refused(health.Refusal());
    }
  }
  if (server_.replication().refuses_any()) [[unlikely]] {
    if (absl::Status may = AdmitForRole(client, request); !may.ok()) return may;
  }
  return AdmitForSession(client, request);
}

absl::Status Admission::AdmitForRole(const Client& client, const Request& request) const {
  const Replication& replication = server_.replication();
  if (HasFlag(client, request, kWrite)) {
    if (replication.too_few_replicas()) return Refused(kTooFewReplicas);
    if (replication.read_only()) return Refused(kReadOnlyReplica);
  }
  if (replication.stale() && Lacks(client, request, kStale)) return Refused(kPrimaryDown);
  return absl::OkStatus();
}

absl::Status Admission::AdmitHeld(const Client& client, const Request& request) const {
  if (!server_.replication().read_only() || !HasFlag(client, request, kWrite)) [[likely]]
    return absl::OkStatus();
  return Refused(kReadOnlyReplica);
}

absl::Status Admission::AdmitForSession(const Client& client, const Request& request) const {
  const CommandRow& row = *request.command->row;
  if (client.resp == 2 && client.subscribed() && !row.has(kWhileSubscribed)) {
    return Refused(
        absl::StrCat("ERR Can't execute '", std::string(row.name),
                     "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                     "allowed in this context"));
  }
  using Phase = LoadProgress::Phase;
  const Phase phase = server_.persistence().loader().phase();
  if ((phase == Phase::kRefusing && Lacks(client, request, kLoading)) ||
      (phase == Phase::kBeside && HasFlag(client, request, kNoAsyncLoading))) {
    return Refused(kLoadingError);
  }
  if (client.monitor && (row.has(kWrite) || row.has(kReadonly) || row.has(kMayReplicate))) {
    return Refused("ERR Replica can't interact with the keyspace");
  }
  return absl::OkStatus();
}

absl::Status Admission::AdmitInScript(const ScriptTerms& terms, const Command* command,
                                      CommandArguments args) const {
  if (command == nullptr) return Refused("ERR Unknown Redis command called from script");
  const CommandRow& row = *command->row;
  if (command->container() || !FitsArity(row, args)) {
    return Refused("ERR Wrong number of args calling Redis command from script");
  }
  if (row.has(kNoScript)) return Refused("ERR This Redis command is not allowed from script");
  if (server_.replication().stale() && !row.has(kStale) && !terms.obeyed) {
    return Refused("ERR Can not execute the command on a stale replica");
  }
  if (terms.read_only && (row.has(kWrite) || row.has(kMayReplicate))) {
    return Refused("ERR Write commands are not allowed from read-only scripts.");
  }
  if (terms.obeyed) return absl::OkStatus();
  const Replication& replication = server_.replication();
  if (row.has(kWrite) && replication.read_only()) return Refused(kReadOnlyReplica);
  WriteHealth& health = server_.persistence().write_health();
  if (row.has(kWrite) && health.refuses_writes()) return Refused(health.Refusal());
  if (row.has(kWrite) && replication.too_few_replicas()) return Refused(kTooFewReplicas);
  if (row.has(kDenyOom) && terms.out_of_memory) return Refused(kOutOfMemory);
  return absl::OkStatus();
}

absl::Status Admission::AdmitFromPrimary(const Command* command, CommandArguments args) const {
  if (command == nullptr) return Refused(UnknownCommand(args));
  const CommandRow& row = *command->row;
  if (command->container() || !FitsArity(row, args)) return Refused(WrongArityOf(row.name));
  // As in AdmitFromLog.
  if (row.has(kNoScript) && command->group != CommandGroup::kScripting) {
    return Refused("ERR This command is not allowed from a primary");
  }
  return absl::OkStatus();
}

absl::Status Admission::AdmitFromLog(const Command* command, CommandArguments args) const {
  if (command == nullptr || command->container()) {
    return Refused(
        absl::StrCat("unknown command '", std::string(args[0].substr(0, kShownBytes)), "'"));
  }
  const CommandRow& row = *command->row;
  if (!FitsArity(row, args)) {
    return Refused(absl::StrCat("wrong number of arguments for '", std::string(row.name), "'"));
  }
  // Some commands (WATCH, SUBSCRIBE, SAVE, ...) need a connection, or would wait for the gates that
  // the replay holds. These are the commands that scripts may not call, except the script commands.
  if (row.has(kNoScript) && command->group != CommandGroup::kScripting) {
    return Refused(absl::StrCat("'", std::string(row.name), "' has no place in a log"));
  }
  return absl::OkStatus();
}

absl::Status Admission::AdmitForMemory(const Client& client, const Command& command) const {
  uint32_t flags = command.row->flags;
  // While memory is over its limit a transaction can only be ended, as in Redis.
  if (client.in_multi && !command.row->has(kEndsMulti)) flags |= kDenyOom;
  if (command.row->has(kRunsQueue)) {
    for (const QueuedCommand& queued : client.queue) flags |= queued.command->row->flags;
  }
  // Scripts (kMayReplicate) are admitted; their commands are checked one by one.
  if ((flags & (kDenyOom | kWrite | kMayReplicate)) == 0) return absl::OkStatus();
  thread_.out_of_memory = !MakeRoom();
  if (!thread_.out_of_memory || (flags & kDenyOom) == 0) return absl::OkStatus();
  return Refused(kOutOfMemory);
}

bool Admission::MakeRoom() const {
  const int64_t late_ms = server_.settings().latency_monitor_threshold_ms;
  if (late_ms == 0) [[likely]]
    return thread_.evictor.MakeRoom() != Evictor::Room::kNoRoom;
  const int64_t started_us = server_.clock().MonotonicUs();
  const Evictor::Room outcome = thread_.evictor.MakeRoom();
  const int64_t took_ms = (server_.clock().MonotonicUs() - started_us) / 1000;
  if (took_ms >= late_ms) {
    server_.latency().Add("eviction-cycle", server_.clock().NowMs() / 1000, took_ms);
  }
  return outcome != Evictor::Room::kNoRoom;
}

uint32_t Admission::FlagsOf(const Command& command, CommandArguments args) const {
  const CommandRow& row = *command.row;
  return row.flags_of == nullptr ? row.flags : row.flags_of(server_, args, row.flags);
}

bool Admission::HasFlag(const Client& client, const Request& request, uint32_t flags) const {
  return AnyOf(client, request, [&](uint32_t has) { return (has & flags) != 0; });
}

bool Admission::Lacks(const Client& client, const Request& request, uint32_t flag) const {
  return AnyOf(client, request, [&](uint32_t has) { return (has & flag) == 0; });
}

bool Admission::AnyOf(const Client& client, const Request& request,
                      absl::FunctionRef<bool(uint32_t)> holds) const {
  if (holds(FlagsOf(*request.command, request.args))) return true;
  if (!request.command->row->has(kRunsQueue)) return false;
  return std::any_of(client.queue.begin(), client.queue.end(), [&](const QueuedCommand& item) {
    const std::vector<std::string_view> args(item.args.begin(), item.args.end());
    return holds(FlagsOf(*item.command, args));
  });
}

bool Admission::RunsScript(const Client& client, const Request& request) const {
  const auto is_script = [](const Command& command) {
    return command.row->has(kInterpreter) && command.access == Access::kWhole;
  };
  if (is_script(*request.command)) return true;
  if (!request.command->row->has(kRunsQueue)) return false;
  return std::any_of(client.queue.begin(), client.queue.end(),
                     [&](const QueuedCommand& item) { return is_script(*item.command); });
}

}  // namespace cloakroom
