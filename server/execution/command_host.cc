#include "server/execution/command_host.h"

#include <array>

#include "protocol/reply_writer.h"
#include "server/execution/access.h"
#include "server/execution/executor.h"
#include "server/log/log.h"
#include "server/log/script_log.h"
#include "server/persistence/persistence.h"

namespace cloakroom {
namespace {

constexpr std::string_view kKilled = "ERR Script killed by user with SCRIPT KILL...";

}  // namespace

CommandHost::CommandHost(cloakroom::Call& call, const Guest& guest)
    : call_(call),
      guest_(guest),
      out_of_memory_(call.thread().out_of_memory),
      started_us_(call.server().clock().MonotonicUs()),
      running_(guest.kind, call.client().primary),
      client_(call.client().id, call.now_ms()) {
  // The script's own client: a SELECT inside it does not outlive it.
  client_.db = call.client().db;
  client_.address = call.client().address;
  client_.authenticated = true;
  client_.no_touch = call.client().no_touch;
  client_.tracking = call.client().tracking;
  call_.server().running_scripts().Add(&running_);
  call_.thread().in_script = true;
}

CommandHost::~CommandHost() {
  call_.thread().in_script = false;
  call_.server().running_scripts().Remove(&running_);
}

absl::Status CommandHost::Admit(const Command* command, std::span<const std::string_view> args) {
  const Admission::ScriptTerms terms = {
      .read_only = guest_.read_only,
      .out_of_memory = out_of_memory_ && !guest_.allow_oom && !running_.wrote(),
      .obeyed = call_.client().primary};
  absl::Status may = call_.executor().admission().AdmitInScript(terms, command, args);
  if (!may.ok()) return may;
  if (!Covers(call_.hold(), call_.server(), *command, args, client_.db)) {
    return Refused(kCannotSelect);
  }
  return may;
}

void CommandHost::Call(std::span<const std::string_view> args, int resp, std::string* reply) {
  ReplyWriter writer(output_, resp);
  const Command* command = call_.server().commands().Find(args);
  if (absl::Status may = Admit(command, args); !may.ok()) {
    call_.executor().NoteRefused(call_.client(), command, ReplyOf(may));
    writer.Error(ReplyOf(may));
  } else if (command->row->has(kWrite) && !running_.BeginToWrite()) {
    writer.Error(kKilled);
  } else {
    client_.resp = resp;
    call_.executor().RunNested(client_, {.args = args, .command = command}, writer, call_.now_ms(),
                               CallMode::kScript, call_.hold());
  }
  std::array<std::string_view, 16> spans;
  while (!output_.empty()) {
    size_t count = output_.Gather(spans);
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      reply->append(spans[i]);
      bytes += spans[i].size();
    }
    output_.Consume(bytes);
  }
  output_.Clear();
}

std::optional<bool> CommandHost::CommandAllowed(std::span<const std::string_view> args) {
  if (call_.server().commands().Find(args) == nullptr) return std::nullopt;
  return true;
}

void CommandHost::Log(int level, std::string_view message) { LogFromScript(level, message); }

bool CommandHost::ShouldStop() {
  Server& server = call_.server();
  int64_t threshold_ms = server.settings().busy_reply_threshold_ms;
  int64_t running_ms = (server.clock().MonotonicUs() - started_us_) / 1000;
  if (threshold_ms > 0 && running_ms >= threshold_ms) {
    if (!running_.busy()) BecomeBusy();
    if (call_.thread().serve_others) call_.thread().serve_others();
  }
  return running_.must_end();
}

void CommandHost::BecomeBusy() {
  call_.server().running_scripts().NoteBusy(&running_, guest_.name, call_.args(), started_us_);
  LogWarning(
      "Slow script detected: still in execution after {} milliseconds. You can try killing the "
      "script using the {} command. Script name is: {}.",
      call_.server().settings().busy_reply_threshold_ms.Get(),
      guest_.kind == RunningScript::Kind::kFunction ? "FUNCTION KILL" : "SCRIPT KILL", guest_.name);
  for (Gate* gate : call_.hold().closed_gates()) gate->SetBusy();
}

}  // namespace cloakroom
