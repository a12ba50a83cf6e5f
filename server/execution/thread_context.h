#ifndef CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_
#define CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/random/random.h"
#include "server/metrics/stats.h"
#include "server/persistence/change_journal.h"
#include "server/script/script_engine.h"
#include "storage/changes/change_log.h"
#include "storage/gate/gate.h"
#include "storage/upkeep/evictor.h"

namespace cloakroom {

/// What each event-loop thread has for itself. Only that thread touches it, but for `stats`, which
/// others read.
struct ThreadContext {
  ThreadContext(GateSlot gate_slot, Keyspace& keyspace, int commands, ScriptCache& scripts)
      : slot(gate_slot), stats(commands), evictor(keyspace, gate_slot), script_engine(&scripts) {}

  const GateSlot slot;
  ThreadStats stats;
  /// Of the holds that commands have.
  HoldContext holds;
  /// Clients of this thread whose request waits for keys; of them those with a time limit.
  Relaxed<int64_t> blocked_clients = 0;
  Relaxed<int64_t> blocked_with_time_limit = 0;
  /// What is being executed; null where nobody is answered, as while a log is loaded.
  ChangeJournal::Scope* journal_scope = nullptr;
  Evictor evictor;
  ScriptEngine script_engine;
  absl::InsecureBitGen random;
  /// Serves the loop's other connections for a moment: for scripts that take long. Set by the loop.
  std::function<void()> serve_others;
  /// A Pusher for what the request that is being executed tells other clients.
  auto pusher() {
    return [this](const std::shared_ptr<ClientLink>& link, Pushed pushed) {
      journal_scope != nullptr ? journal_scope->Push(link, std::move(pushed))
                               : link->Push(std::move(pushed));
    };
  }

  /// No room was found, and nothing to evict, for what runs now: a script's commands that need
  /// memory are refused. Not Evictor::OverLimit(), which others may bring about at any moment.
  bool out_of_memory = false;
  /// A script runs on this thread right now: what its count hook lets through must not start
  /// another.
  bool in_script = false;
  /// When the log was last told of HTTP that came for requests, monotonic; 0: never.
  int64_t told_of_http_us = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_THREAD_CONTEXT_H_
