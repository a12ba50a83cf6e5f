// EVAL, EVALSHA, their _RO forms, and SCRIPT. The Lua engine is in script/.
#include <optional>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/script_call.h"

namespace cloakroom {
namespace {

Access AccessOfScript(const ScriptPtr& script) {
  return script->may_leave_database ? Access::kAll : Access::kWhole;
}

Access AccessOfEval(Server& server, CommandArguments args) {
  if (ScriptPtr script = server.scripts().FindText(args[1])) return AccessOfScript(script);
  return MayLeaveDatabase(args[1]) ? Access::kAll : Access::kWhole;
}

Access AccessOfEvalSha(Server& server, CommandArguments args) {
  ScriptPtr script = server.scripts().Find(args[1]);
  // An earlier command of the transaction may load the script: then all gates must be closed.
  return script == nullptr ? Access::kEach : AccessOfScript(script);
}

uint32_t FlagsOfEval(Server& server, CommandArguments args, uint32_t flags) {
  if (const ScriptPtr script = server.scripts().FindText(args[1])) {
    return CommandFlagsOf(script->flags, flags);
  }
  if (!args[1].starts_with("#!")) return flags;
  const absl::StatusOr<ScriptPtr> script = MakeScript(args[1]);
  return script.ok() ? CommandFlagsOf((*script)->flags, flags) : flags;
}

uint32_t FlagsOfEvalSha(Server& server, CommandArguments args, uint32_t flags) {
  const ScriptPtr script = server.scripts().Find(args[1]);
  return script == nullptr ? flags : CommandFlagsOf(script->flags, flags);
}

void Run(Call& call, const ScriptPtr& script, size_t key_count, bool read_only) {
  if (absl::Status may = MayRunScript(call, script->flags, read_only); !may.ok()) {
    return call.Error(ReplyOf(may));
  }
  const CommandHost::Guest guest = {.kind = RunningScript::Kind::kScript,
                                    .name = script->sha,
                                    .read_only = read_only || script->flags.no_writes,
                                    .allow_oom = script->flags.allow_oom};
  RunScript(
      call, guest, key_count,
      [&](CommandHost& host, CommandArguments keys, CommandArguments args, std::string* reply) {
        call.thread().script_engine.Run(script, keys, args, &host, call.client().resp, reply);
      });
}

/// Hex digits of a SHA1.
constexpr size_t kShaLength = 40;

void Evaluate(Call& call, bool by_sha, bool read_only) {
  if (by_sha && call.arg(1).size() != kShaLength) return call.Error(kNoScriptError);
  const std::optional<size_t> key_count = TakeKeyCount(call);
  if (!key_count) return;
  // A slow script lets other clients of this thread run, but an interpreter runs only one script.
  if (call.thread().in_script) return call.Error(call.server().running_scripts().BusyReply());
  ScriptPtr script;
  if (by_sha) {
    script = call.server().scripts().Find(call.arg(1));
    // The script became known after this request had decided which gates to close.
    if (script != nullptr && !HoldsAllThatItMayReach(call, script->may_leave_database)) {
      return call.TryAgainSoon();
    }
  }
  TellMonitors(call);
  if (by_sha && script == nullptr) {
    call.SeeEverything();
    return call.Error(kNoScriptError);
  }
  if (!by_sha) {
    auto loaded = call.thread().script_engine.Load(call.arg(1), /*pin=*/false);
    if (!loaded.ok()) return call.Error(ReplyOf(loaded.status()));
    script = *std::move(loaded);
  }
  Run(call, script, *key_count, read_only);
}

void Eval(Call& call) { Evaluate(call, /*by_sha=*/false, /*read_only=*/false); }
void EvalRo(Call& call) { Evaluate(call, /*by_sha=*/false, /*read_only=*/true); }
void EvalSha(Call& call) { Evaluate(call, /*by_sha=*/true, /*read_only=*/false); }
void EvalShaRo(Call& call) { Evaluate(call, /*by_sha=*/true, /*read_only=*/true); }

void ScriptLoad(Call& call) {
  if (call.thread().in_script) return call.Error(call.server().running_scripts().BusyReply());
  const auto compiled = call.thread().script_engine.Compile(call.arg(2));
  if (!compiled.ok()) return call.Error(ReplyOf(compiled.status()));
  ChangeScripts(call, {"SCRIPT", "LOAD", call.arg(2)},
                [&] { call.server().scripts().Add(*compiled, /*pinned=*/true); });
  call.reply().Bulk((*compiled)->sha);
}

void ScriptExists(Call& call) {
  call.SeeEverything();
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().Integer(call.server().scripts().Find(call.arg(i)) == nullptr ? 0 : 1);
  }
}

void ScriptFlush(Call& call) {
  bool known =
      call.argc() == 2 || (call.argc() == 3 && (call.Is(2, "sync") || call.Is(2, "async")));
  if (!known) return call.Error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  std::vector<ScriptPtr> dropped;
  ChangeScripts(call, {"SCRIPT", "FLUSH"}, [&] { dropped = call.server().scripts().Flush(); });
  if (call.argc() == 3 && call.Is(2, "async")) {
    call.server().workers().Post([dropped = std::move(dropped)] {});
  }
  call.reply().Ok();
}

void ScriptKill(Call& call) { KillScripts(call, RunningScript::Kind::kScript); }

constexpr uint32_t kEvalFlags = kInterpreter | kNoScript | kStale | kSkipMonitor | kMayReplicate |
                                kNoMandatoryKeys | kMovableKeys;
constexpr uint32_t kEvalRoFlags =
    kInterpreter | kNoScript | kReadonly | kStale | kSkipMonitor | kNoMandatoryKeys | kMovableKeys;
constexpr char kEvalComplexity[] = "Depends on the script that is executed.";

// Read as a table.
// clang-format off
constexpr CommandRow kScriptingCommands[] = {
    {.name = "eval", .run = Eval, .arity = -3, .flags = kEvalFlags,
     .flags_of = FlagsOfEval,
     .keys = {CountedKeys(2, kRW | kAccess | kUpdate)
                  .Noted("A script may do anything with its keys")}, .access = Access::kWhole,
     .access_of = AccessOfEval, .since = "2.6.0", .complexity = kEvalComplexity,
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Executes a Lua script."},
    {.name = "eval_ro", .run = EvalRo, .arity = -3, .flags = kEvalRoFlags,
     .flags_of = FlagsOfEval,
     .keys = {CountedKeys(2, kRO | kAccess)
                  .Noted("A script may read its keys")},
     .access = Access::kWhole, .access_of = AccessOfEval,
     .since = "7.0.0", .complexity = kEvalComplexity,
     .syntax = "script numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Executes a Lua script that only reads."},
    {.name = "evalsha", .run = EvalSha, .arity = -3, .flags = kEvalFlags,
     .flags_of = FlagsOfEvalSha,
     .keys = {CountedKeys(2, kRW | kAccess | kUpdate)}, .access = Access::kWhole,
     .access_of = AccessOfEvalSha, .since = "2.6.0", .complexity = kEvalComplexity,
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Executes a Lua script that the server knows, by its SHA1."},
    {.name = "evalsha_ro", .run = EvalShaRo, .arity = -3, .flags = kEvalRoFlags,
     .flags_of = FlagsOfEvalSha,
     .keys = {CountedKeys(2, kRO | kAccess)}, .access = Access::kWhole,
     .access_of = AccessOfEvalSha, .since = "7.0.0", .complexity = kEvalComplexity,
     .syntax = "sha1 numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Executes a Lua script that only reads, by its SHA1."},
    {.name = "script", .arity = -2, .since = "2.6.0", .complexity = "Depends on subcommand.",
     .summary = "Manages the Lua scripts that the server knows."},
    {.name = "script|load", .run = ScriptLoad, .arity = 3,
     .flags = kInterpreter | kNoScript | kStale,
     .request_policy = "all_nodes", .response_policy = "all_succeeded", .since = "2.6.0",
     .complexity = "O(N) with N being the length in bytes of the script.",
     .syntax = "script", .summary = "Keeps a Lua script, to be run by EVALSHA."},
    {.name = "script|exists", .run = ScriptExists, .arity = -3, .flags = kNoScript,
     .request_policy = "all_shards", .response_policy = "agg_logical_and",
     .since = "2.6.0", .complexity = "O(N) with N being the number of scripts asked for.",
     .syntax = "sha1 [sha1 ...]", .summary = "Tells which scripts the server knows."},
    {.name = "script|flush", .run = ScriptFlush, .arity = -2, .flags = kNoScript,
     .request_policy = "all_nodes", .response_policy = "all_succeeded", .since = "2.6.0",
     .complexity = "O(N) with N being the number of scripts.",
     .syntax = "[ASYNC | SYNC]", .summary = "Forgets all Lua scripts."},
    {.name = "script|kill", .run = ScriptKill, .arity = 2, .flags = kNoScript | kAllowBusy,
     .request_policy = "all_shards", .response_policy = "one_succeeded",
     .since = "2.6.0", .complexity = "O(1)", .summary = "Ends a Lua script that runs too long."},
    {.name = "script|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "5.0.0",
     .complexity = "O(1)", .summary = "Explains the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily ScriptingCommands() {
  return {CommandGroup::kScripting, kCatScripting, kScriptingCommands};
}

}  // namespace cloakroom
