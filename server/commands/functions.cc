// FCALL, FCALL_RO, and FUNCTION. Their Lua engine is in script/.
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "protocol/glob.h"
#include "protocol/text.h"
#include "replication/rdb/function_payload.h"
#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/script_call.h"
#include "server/config/config.h"
#include "server/persistence/library_load.h"
#include "server/script/function_registry.h"

namespace cloakroom {
namespace {

/// Changes of the registry close all gates: no function runs meanwhile, and a transaction sees the
/// same functions from its beginning to its end.
Access AccessOfFunction(Server& server, CommandArguments args) {
  const auto found = server.functions().Find(args[1]);
  // An earlier command of the transaction may load it: then all gates must be closed.
  if (!found) return Access::kEach;
  return found->library->may_leave_database ? Access::kAll : Access::kWhole;
}

uint32_t FlagsOfFunction(Server& server, CommandArguments args, uint32_t flags) {
  const auto found = server.functions().Find(args[1]);
  return found ? CommandFlagsOf(found->function->flags, flags) : flags;
}

void CallFunction(Call& call, bool read_only) {
  const auto found = call.server().functions().Find(call.arg(1));
  // The library was loaded or replaced after this request had decided which gates to close.
  if (found && call.mode() == CallMode::kTopLevel &&
      !HoldsAllThatItMayReach(call, found->library->may_leave_database)) {
    return call.TryAgainSoon();
  }
  TellMonitors(call);
  if (!found) {
    call.SeeEverything();
    return call.Error("ERR Function not found");
  }
  const std::optional<size_t> key_count = TakeKeyCount(call, "ERR Bad number of keys provided");
  if (!key_count) return;
  const ScriptFlags& flags = found->function->flags;
  if (absl::Status may = MayRunScript(call, flags, read_only); !may.ok()) {
    return call.Error(ReplyOf(may));
  }
  const CommandHost::Guest guest = {.kind = RunningScript::Kind::kFunction,
                                    .name = found->function->name,
                                    .read_only = read_only || flags.no_writes,
                                    .allow_oom = flags.allow_oom};
  RunScript(
      call, guest, *key_count,
      [&](CommandHost& host, CommandArguments keys, CommandArguments args, std::string* reply) {
        call.thread().function_engine.Run(*found, keys, args, &host, call.client().resp, reply);
      });
}

void FCall(Call& call) { CallFunction(call, /*read_only=*/false); }
void FCallRo(Call& call) { CallFunction(call, /*read_only=*/true); }

// ---- FUNCTION LOAD and others that change the libraries

/// Changes the registry, which counts as a change of the data.
void ChangeLibraries(Call& call, std::initializer_list<std::string_view> words,
                     absl::FunctionRef<void()> change) {
  ChangeScripts(call, words, change);
  call.server().keyspace().counters().flush_changes.fetch_add(1, std::memory_order_relaxed);
}

/// Runs a library that is to be added to a registry.
absl::StatusOr<LibraryPtr> RunLibrary(Call& call, std::string_view source,
                                      const FunctionRegistry& registry, bool replace) {
  absl::StatusOr<std::shared_ptr<FunctionLibrary>> parsed = ParseLibrary(source);
  if (!parsed.ok()) return parsed.status();
  // Redis says so before it says what else is wrong.
  if (absl::Status room = registry.CheckName((*parsed)->name, replace); !room.ok()) return room;
  return call.thread().function_engine.Load(
      *std::move(parsed), ComesFromLog(call) ? FileLoadTerms() : ClientLoadTerms(call.server()));
}

void FunctionLoad(Call& call) {
  bool replace = false;
  for (size_t i = 2; i + 1 < call.argc(); ++i) {
    if (!call.Is(i, "REPLACE")) {
      return call.Error(Concat({"ERR Unknown option given: ", call.arg(i)}));
    }
    replace = true;
  }
  FunctionRegistry& registry = call.server().functions();
  const std::string_view source = call.arg(call.argc() - 1);
  absl::StatusOr<LibraryPtr> library = RunLibrary(call, source, registry, replace);
  if (!library.ok()) return call.Error(ReplyOf(library.status()));
  if (absl::Status may = registry.Check(**library, replace); !may.ok()) {
    return call.Error(ReplyOf(may));
  }
  const auto add = [&] { (void)registry.Add(*library, replace); };
  if (replace) {
    ChangeLibraries(call, {"FUNCTION", "LOAD", "REPLACE", source}, add);
  } else {
    ChangeLibraries(call, {"FUNCTION", "LOAD", source}, add);
  }
  call.reply().Bulk((*library)->name);
}

void FunctionDelete(Call& call) {
  FunctionRegistry& registry = call.server().functions();
  if (!registry.HasLibrary(call.arg(2))) return call.Error("ERR Library not found");
  ChangeLibraries(call, {"FUNCTION", "DELETE", call.arg(2)}, [&] { registry.Delete(call.arg(2)); });
  call.reply().Ok();
}

void FunctionFlush(Call& call) {
  if (call.argc() > 3) return SubcommandError(call);
  if (call.argc() == 3 && !call.Is(2, "sync") && !call.Is(2, "async")) {
    return call.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  std::vector<LibraryPtr> dropped;
  ChangeLibraries(call, {"FUNCTION", "FLUSH"},
                  [&] { dropped = call.server().functions().Flush(); });
  if (call.argc() == 3 && call.Is(2, "async")) {
    call.server().workers().Post([dropped = std::move(dropped)] {});
  }
  call.reply().Ok();
}

enum class RestorePolicy : uint8_t { kAppend, kFlush, kReplace };

std::optional<RestorePolicy> RestorePolicyOf(Call& call) {
  if (call.argc() == 3 || call.Is(3, "APPEND")) return RestorePolicy::kAppend;
  if (call.Is(3, "FLUSH")) return RestorePolicy::kFlush;
  if (call.Is(3, "REPLACE")) return RestorePolicy::kReplace;
  return std::nullopt;
}

/// Runs all libraries of a payload. Errors in it come before clashes with what the server has.
absl::StatusOr<std::vector<LibraryPtr>> RunPayload(Call& call, std::string_view payload) {
  absl::StatusOr<std::vector<std::string>> sources = ReadFunctionPayload(payload);
  if (!sources.ok()) return Refused(Concat({"ERR ", ReplyOf(sources.status())}));
  FunctionRegistry read;
  std::vector<LibraryPtr> libraries;
  for (const std::string& source : *sources) {
    absl::StatusOr<LibraryPtr> library = RunLibrary(call, source, read, /*replace=*/false);
    if (!library.ok()) return library.status();
    if (absl::Status added = read.Add(*library, /*replace=*/false); !added.ok()) return added;
    libraries.push_back(*std::move(library));
  }
  return libraries;
}

void FunctionRestore(Call& call) {
  if (call.argc() > 4) return SubcommandError(call);
  const std::optional<RestorePolicy> policy = RestorePolicyOf(call);
  if (!policy) {
    return call.Error(
        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  }
  absl::StatusOr<std::vector<LibraryPtr>> libraries = RunPayload(call, call.arg(2));
  if (!libraries.ok()) return call.Error(ReplyOf(libraries.status()));
  FunctionRegistry& registry = call.server().functions();
  const bool flush = *policy == RestorePolicy::kFlush;
  const bool replace = *policy == RestorePolicy::kReplace;
  absl::Status may = flush ? absl::OkStatus() : registry.CheckAll(*libraries, replace);
  if (!may.ok()) return call.Error(ReplyOf(may));
  const std::string_view word = flush ? "FLUSH" : replace ? "REPLACE" : "APPEND";
  ChangeLibraries(call, {"FUNCTION", "RESTORE", call.arg(2), word}, [&] {
    if (flush) registry.Flush();
    (void)registry.AddAll(*libraries, replace);
  });
  call.reply().Ok();
}

// ---- Those that only read

void ReplyLibrary(ReplyWriter& reply, const FunctionLibrary& library, bool with_code) {
  reply.Map(with_code ? 4 : 3);
  reply.Bulk("library_name");
  reply.Bulk(library.name);
  reply.Bulk("engine");
  reply.Bulk(kFunctionEngineName);
  reply.Bulk("functions");
  reply.Array(library.functions.size());
  for (const FunctionInfo& function : library.functions) {
    reply.Map(3);
    reply.Bulk("name");
    reply.Bulk(function.name);
    reply.Bulk("description");
    function.description ? reply.Bulk(*function.description) : reply.Null();
    reply.Bulk("flags");
    const std::vector<std::string_view> flags = FlagNames(function.flags);
    reply.Set(flags.size());
    for (const std::string_view flag : flags) reply.Simple(flag);
  }
  if (!with_code) return;
  reply.Bulk("library_code");
  reply.Bulk(library.source);
}

void FunctionList(Call& call) {
  bool with_code = false;
  std::optional<std::string_view> pattern;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (!with_code && call.Is(i, "WITHCODE")) {
      with_code = true;
    } else if (!pattern && call.Is(i, "LIBRARYNAME")) {
      if (++i == call.argc()) return call.Error("ERR library name argument was not given");
      pattern = call.arg(i);
    } else {
      return call.Error(Concat({"ERR Unknown argument ", call.arg(i)}));
    }
  }
  call.SeeEverything();
  std::vector<LibraryPtr> libraries = call.server().functions().Libraries();
  if (pattern) {
    std::erase_if(libraries, [&](const LibraryPtr& library) {
      return !GlobMatch(*pattern, library->name, /*ignore_case=*/true);
    });
  }
  call.reply().Array(libraries.size());
  for (const LibraryPtr& library : libraries) ReplyLibrary(call.reply(), *library, with_code);
}

void FunctionDump(Call& call) {
  call.SeeEverything();
  const std::vector<LibraryPtr> libraries = call.server().functions().Libraries();
  std::vector<std::string_view> sources;
  sources.reserve(libraries.size());
  for (const LibraryPtr& library : libraries) sources.push_back(library->source);
  call.reply().Bulk(FunctionPayload(sources, call.server().settings().rdbcompression));
}

void ReplyBusyFunction(Call& call, const BusyFunction& function) {
  ReplyWriter& reply = call.reply();
  reply.Map(3);
  reply.Bulk("name");
  reply.Bulk(function.name);
  reply.Bulk("command");
  reply.Array(function.command.size());
  for (const std::string& word : function.command) reply.Bulk(word);
  reply.Bulk("duration_ms");
  reply.Integer((call.server().clock().MonotonicUs() - function.started_us) / 1000);
}

void FunctionStats(Call& call) {
  RunningScripts& running = call.server().running_scripts();
  const std::optional<BusyFunction> function = running.Busy();
  if (!function && running.AnyBusy()) return call.Error(kBusyScript);
  call.SeeEverything();
  const FunctionRegistry::Totals totals = call.server().functions().totals();
  ReplyWriter& reply = call.reply();
  reply.Map(2);
  reply.Bulk("running_script");
  function ? ReplyBusyFunction(call, *function) : reply.Null();
  reply.Bulk("engines");
  reply.Map(1);
  reply.Bulk(kFunctionEngineName);
  reply.Map(2);
  reply.Bulk("libraries_count");
  reply.Integer(static_cast<int64_t>(totals.libraries));
  reply.Bulk("functions_count");
  reply.Integer(static_cast<int64_t>(totals.functions));
}

void FunctionKill(Call& call) { KillScripts(call, RunningScript::Kind::kFunction); }

constexpr uint32_t kFCallFlags = kInterpreter | kNoScript | kStale | kSkipMonitor | kMayReplicate |
                                 kNoMandatoryKeys | kMovableKeys;
constexpr uint32_t kFCallRoFlags =
    kInterpreter | kNoScript | kReadonly | kStale | kSkipMonitor | kNoMandatoryKeys | kMovableKeys;

// Read as a table.
// clang-format off
constexpr CommandRow kFunctionCommands[] = {
    {.name = "fcall", .run = FCall, .arity = -3, .flags = kFCallFlags,
     .flags_of = FlagsOfFunction,
     .keys = {CountedKeys(2, kRW | kAccess | kUpdate)
                  .Noted("A function may do anything with its keys")}, .access = Access::kWhole,
     .access_of = AccessOfFunction, .since = "7.0.0",
     .complexity = "Depends on the function that is executed.",
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Calls a function of a library."},
    {.name = "fcall_ro", .run = FCallRo, .arity = -3, .flags = kFCallRoFlags,
     .flags_of = FlagsOfFunction,
     .keys = {CountedKeys(2, kRO | kAccess)
                  .Noted("A function may read its keys")}, .access = Access::kWhole,
     .access_of = AccessOfFunction, .since = "7.0.0",
     .complexity = "Depends on the function that is executed.",
     .syntax = "function numkeys [key [key ...]] [arg [arg ...]]",
     .summary = "Calls a function of a library that only reads."},
    {.name = "function", .arity = -2, .since = "7.0.0", .complexity = "Depends on subcommand.",
     .summary = "Manages the libraries of functions."},
    {.name = "function|load", .run = FunctionLoad, .arity = -3,
     .flags = kInterpreter | kWrite | kDenyOom | kNoScript, .access = Access::kAll,
     .request_policy = "all_shards", .response_policy = "all_succeeded",
     .since = "7.0.0", .complexity = "O(1), and what the library does while it is loaded.",
     .syntax = "[REPLACE] function-code", .summary = "Adds a library."},
    {.name = "function|delete", .run = FunctionDelete, .arity = 3, .flags = kWrite | kNoScript,
     .access = Access::kAll,
     .request_policy = "all_shards", .response_policy = "all_succeeded",
     .since = "7.0.0", .complexity = "O(1)",
     .syntax = "library-name", .summary = "Removes a library and its functions."},
    {.name = "function|flush", .run = FunctionFlush, .arity = -2, .flags = kWrite | kNoScript,
     .access = Access::kAll,
     .request_policy = "all_shards", .response_policy = "all_succeeded", .since = "7.0.0",
     .complexity = "O(N) with N being the number of functions.",
     .syntax = "[ASYNC | SYNC]", .summary = "Removes all libraries."},
    {.name = "function|restore", .run = FunctionRestore, .arity = -3,
     .flags = kInterpreter | kWrite | kDenyOom | kNoScript, .access = Access::kAll,
     .request_policy = "all_shards", .response_policy = "all_succeeded",
     .since = "7.0.0", .complexity = "O(N) with N being the number of functions in the payload.",
     .syntax = "serialized-value [policy: FLUSH | APPEND | REPLACE]",
     .summary = "Adds the libraries of a payload."},
    {.name = "function|dump", .run = FunctionDump, .arity = 2, .flags = kNoScript,
     .since = "7.0.0", .complexity = "O(N) with N being the number of functions.",
     .summary = "Returns all libraries as one payload."},
    {.name = "function|list", .run = FunctionList, .arity = -2, .flags = kNoScript | kUnordered,
     .since = "7.0.0", .complexity = "O(N) with N being the number of functions.",
     .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
     .summary = "Describes the libraries and their functions."},
    {.name = "function|stats", .run = FunctionStats, .arity = 2,
     .flags = kNoScript | kAllowBusy | kRandomOutput,
     .request_policy = "all_shards", .response_policy = "special",
     .since = "7.0.0", .complexity = "O(1)",
     .summary = "Tells which function runs, and how many there are."},
    {.name = "function|kill", .run = FunctionKill, .arity = 2, .flags = kNoScript | kAllowBusy,
     .request_policy = "all_shards", .response_policy = "one_succeeded",
     .since = "7.0.0", .complexity = "O(1)", .summary = "Ends a function that runs too long."},
    {.name = "function|help", .run = Help, .arity = 2, .flags = kLoading | kStale,
     .since = "7.0.0", .complexity = "O(1)", .summary = "Explains the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily FunctionCommands() {
  return {CommandGroup::kScripting, kCatScripting, kFunctionCommands};
}

}  // namespace cloakroom
