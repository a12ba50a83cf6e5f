// INFO, TIME, MONITOR, SHUTDOWN and LOLWUT.
#include <future>
#include <memory>
#include <string>

#include "absl/random/distributions.h"
#include "protocol/version.h"
#include "server/commands/families.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/info/info.h"
#include "server/metrics/monitor_feed.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"

namespace cloakroom {
namespace {

void InfoCommand(Call& call) {
  call.SeeEverything();
  call.reply().Verbatim("txt", Info(call.server(), call.args().subspan(1)));
}

void Time(Call& call) {
  int64_t now_us = call.server().clock().NowUs();
  call.reply().Array(2);
  call.reply().BulkInteger(now_us / 1'000'000);
  call.reply().BulkInteger(now_us % 1'000'000);
}

void Monitor(Call& call) {
  Client& client = call.client();
  if (call.mode() != CallMode::kTopLevel) {
    return call.Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  if (client.monitor) return;  // repeated: as in Redis, no reply at all
  if (auto link = client.link.lock()) call.server().monitors().Add(std::move(link));
  client.monitor = true;
  call.reply().Ok();
}

struct ShutdownOptions {
  bool save = false;
  bool nosave = false;
  bool now = false;
  bool force = false;
  bool abort = false;

  bool valid() const { return !(save && nosave) && !(abort && (save || nosave || now || force)); }
};

/// A snapshot would have to wait for a busy script.
bool AnyScriptIsBusy(Keyspace& keyspace) {
  for (int i = 0; i < keyspace.database_count(); ++i) {
    if (keyspace.db(i).gate().busy()) return true;
  }
  return false;
}

/// The client sees its connection close or, if the data could not be saved, an error.
void RequestShutdown(Call& call, const ShutdownOptions& options) {
  using Ending = ShutdownSave;
  const Ending ending = options.save     ? Ending::kSave
                        : options.nosave ? Ending::kNoSave
                                         : Ending::kDefault;
  call.StartLongWork([&server = call.server(), ending, options](LongWork& work) -> Task {
    bool refused = false;
    server.NoteAwaitingShutdown(1);
    co_await work.Until([&](LongWork::Resume resume) {
      server.RequestShutdown({.save = ending,
                              .force = options.force,
                              .now = options.now,
                              .answered = [&, resume](bool no) {
                                refused = no;
                                resume();
                              }});
    });
    server.NoteAwaitingShutdown(-1);
    if (refused) work.Error("ERR Errors trying to SHUTDOWN. Check logs.");
  });
}

void AbortShutdown(Call& call) {
  constexpr char kNone[] = "ERR No shutdown in progress.";
  if (!call.server().shutdown_requested()) return call.Error(kNone);
  call.StartLongWork([&server = call.server(), kNone](LongWork& work) -> Task {
    bool refused = false;
    co_await work.Until([&](LongWork::Resume resume) {
      server.RequestShutdown({.abort = true, .answered = [&, resume](bool no) {
                                refused = no;
                                resume();
                              }});
    });
    refused ? work.Error(kNone) : work.reply.Ok();
  });
}

void Shutdown(Call& call) {
  ShutdownOptions options;
  Arguments args(call, 1);
  while (args.More()) {
    if (args.Word("SAVE")) {
      options.save = true;
    } else if (args.Word("NOSAVE")) {
      options.nosave = true;
    } else if (args.Word("NOW")) {
      options.now = true;
    } else if (args.Word("FORCE")) {
      options.force = true;
    } else if (args.Word("ABORT")) {
      options.abort = true;
    } else {
      args.SyntaxError();
    }
  }
  if (!options.valid()) args.SyntaxError();
  if (!args.Finish()) return;
  if (options.abort) return AbortShutdown(call);
  // It may be aborted, or refused, while it waits for replicas.
  const bool waits = !options.now && call.server().replication().board().online() > 0 &&
                     !AnyScriptIsBusy(call.server().keyspace());
  if (!waits && options.nosave &&
      (options.force || !call.server().persistence().log_keeper().WaitsForFirstBase())) {
    // Nothing refuses it, so no worker waits for an answer: a busy script may hold everything.
    call.client().close_after_reply = true;
    return call.server().RequestShutdown(
        {.save = ShutdownSave::kNoSave, .force = true, .now = options.now});
  }
  if (AnyScriptIsBusy(call.server().keyspace())) {
    return call.Error(call.server().running_scripts().BusyReply());
  }
  RequestShutdown(call, options);
}

/// A rail of coats with some free hooks.
std::string CoatRail(absl::InsecureBitGen& random, int columns) {
  std::string rows[4];
  for (int i = 0; i < columns; ++i) {
    bool coat = absl::Bernoulli(random, 0.7);
    rows[0] += "==?===";
    rows[1] += coat ? " /^\\  " : "  |   ";
    rows[2] += coat ? "|[" + std::to_string(absl::Uniform(random, 0, 10)) + "]| " : "  J   ";
    rows[3] += coat ? "|___| " : "      ";
  }
  std::string picture;
  for (const std::string& row : rows) picture += row + "\n";
  return picture;
}

void Lolwut(Call& call) {
  constexpr int64_t kMostColumns = 40;
  size_t first = 1;
  if (call.argc() > 2 && call.Is(1, "VERSION")) {
    if (!call.Integer(2)) return;
    first = 3;
  }
  int64_t columns = 10;
  if (call.argc() > first) {
    auto asked = call.Integer(first);
    if (!asked) return;
    columns = std::clamp<int64_t>(*asked, 1, kMostColumns);
  }
  call.reply().Verbatim("txt", CoatRail(call.random(), static_cast<int>(columns)) +
                                   "\nYour coat is where you left it. Cloakroom " +
                                   kCloakroomVersion + ", Redis ver. " + kRedisVersion + "\n");
}

// Read as a table.
// clang-format off
constexpr CommandRow kServerCommands[] = {
    {.name = "info", .run = InfoCommand, .arity = -1, .flags = kLoading | kStale | kRandomOutput,
     .categories = kCatDangerous,
     .request_policy = "all_shards", .response_policy = "special",
     .since = "1.0.0", .complexity = "O(1)",
     .syntax = "[section [section ...]]",
     .summary = "Reports on the server: memory, clients, statistics and more."},
    {.name = "time", .run = Time, .arity = 1, .flags = kLoading | kStale | kFast | kRandomOutput,
     .since = "2.6.0", .complexity = "O(1)", .summary = "Returns the server's time."},
    {.name = "monitor", .run = Monitor, .arity = 1, .flags = kAdmin | kNoScript | kLoading | kStale,
     .since = "1.0.0", .complexity = "O(1)",
     .summary = "Shows every command that the server executes from now on."},
    {.name = "shutdown", .run = Shutdown, .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy, .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "[nosave_save: NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", .summary = "Ends the server."},
    {.name = "lolwut", .run = Lolwut, .arity = -1, .flags = kReadonly | kFast,
     .access = Access::kNone, .since = "5.0.0", .complexity = "O(1)",
     .syntax = "[VERSION version]", .summary = "Shows a picture and the version."},
};
// clang-format on

}  // namespace

CommandFamily ServerCommands() { return {CommandGroup::kServer, 0, kServerCommands}; }

}  // namespace cloakroom
