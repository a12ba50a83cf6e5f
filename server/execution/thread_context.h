#ifndef CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_
#define CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/random/random.h"
#include "server/metrics/stats.h"
#include "server/persistence/change_journal.h"
#include "server/script/function_engine.h"
#include "server/script/script_engine.h"
#include "storage/changes/change_log.h"
#include "storage/gate/gate.h"
#include "storage/upkeep/evictor.h"

namespace cloakroom {

/// What each event-loop thread has for itself. Only that thread touches it, except `stats`, which
/// others read.
struct ThreadContext {
  ThreadContext(GateSlot gate_slot, Keyspace& keyspace, int commands, ScriptCache& scripts,
                FunctionRegistry& functions)
      : slot(gate_slot),
        stats(commands),
        evictor(keyspace, gate_slot),
        script_engine(&scripts),
        function_engine(&functions) {}

  const GateSlot slot;
  ThreadStats stats;
  /// The context of the holds that commands have.
  HoldContext holds;
  /// Clients of this thread whose request is blocked; those of them with a time limit.
  Relaxed<int64_t> blocked_clients = 0;
  Relaxed<int64_t> blocked_with_time_limit = 0;
  /// The scope of what is being executed; null where there is no client, as while a log is loaded.
  ChangeJournal::Scope* journal_scope = nullptr;
  Evictor evictor;
  ScriptEngine script_engine;
  FunctionEngine function_engine;
  absl::InsecureBitGen random;
  /// Serves the loop's other connections for a moment, during a slow script. Set by the loop.
  std::function<void()> serve_others;
  /// The Pusher for what the current request tells other clients.
  auto pusher() {
    return [this](const std::shared_ptr<ClientLink>& link, Pushed pushed) {
      journal_scope != nullptr ? journal_scope->Push(link, std::move(pushed))
                               : link->Push(std::move(pushed));
    };
  }

  /// Memory is over the limit and nothing can be evicted for the current request: a script's
  /// commands that need memory are refused. Unlike Evictor::OverLimit(), other threads cannot
  /// change it at any moment.
  bool out_of_memory = false;
  /// A script or function runs on this thread now: requests that are served meanwhile must not
  /// start another.
  bool in_script = false;
  /// When the server log was last told that HTTP came instead of requests, monotonic; 0: never.
  int64_t told_of_http_us = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_
