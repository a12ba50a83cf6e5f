// INFO's section about native sessions. The first figures are those of the last second.
#include "server/info/info.h"
#include "server/sessions/native_sessions.h"

namespace cloakroom {
namespace {

int64_t P99(const SharedHistogram& histogram) {
  const Durations durations = histogram.Read();
  return durations.total == 0 ? 0 : durations.PercentileUs(99);
}

}  // namespace

void AppendSessions(Server& server, InfoText& text) {
  const SessionGauges& now = server.sessions().gauges();
  const SessionStats& stats = server.sessions().stats();
  text.Section("Sessions");
  text.Line("session_locks_held", now.held.load());
  text.Line("session_locks_published", now.published.load());
  text.Line("session_waiters", now.waiters.load());
  text.Line("session_longest_wait_ms", now.longest_wait_ms.load());
  text.Line("session_opens", stats.opens.Get());
  text.Line("session_opens_waited", stats.opens_waited.Get());
  text.Line("session_reads", stats.reads.Get());
  text.Line("session_commits", stats.commits.Get());
  text.Line("session_commits_unchanged", stats.commits_unchanged.Get());
  text.Line("session_commits_late", stats.commits_late.Get());
  text.Line("session_commits_repeated", stats.commits_repeated.Get());
  text.Line("session_fenced", stats.fenced.Get());
  text.Line("session_breaks", stats.breaks.Get());
  text.Line("session_revoked", stats.revoked.Get());
  text.Line("session_freed_by_disconnect", stats.freed_by_disconnect.Get());
  text.Line("session_timeouts", stats.timeouts.Get());
  text.Line("session_refused_limit", stats.refused_limit.Get());
  text.Line("session_plain_turns", stats.plain_turns.Get());
  text.Line("session_wait_usec", stats.waits.total_us());
  text.Line("session_hold_usec", stats.holds.total_us());
  text.Line("session_wait_p99_usec", P99(stats.waits));
  text.Line("session_hold_p99_usec", P99(stats.holds));
  text.Line("session_lock_bytes", now.bytes.load());
}

}  // namespace cloakroom
