#include "server/net/ending.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "replication/stream/change_stream.h"
#include "server/config/config.h"
#include "server/context/pause.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "server/script/running_scripts.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};
constexpr int64_t kPauseMs = 24 * 3600 * 1000;

bool SavesNothing(const Server::ShutdownRequest& request) {
  return request.save == ShutdownSave::kNoSave;
}

/// A server whose scripts have been ended for good cannot go on.
void EndScriptsAtOnce(Server& server, Server::ShutdownRequest& request) {
  request.force = true;
  request.final = true;
  server.EndScripts();
}

bool MayWaitForReplicas(Server& server, const Server::ShutdownRequest& request) {
  return !request.now && !request.final && server.settings().shutdown_timeout_s > 0 &&
         server.replication().board().online() > 0;
}

/// The replicas that do not have everything up to the offset.
void LogLagging(Server& server, int64_t offset) {
  for (const ReplicaFacts& replica : server.replication().figures().replicas) {
    if (!replica.online || replica.acked >= offset) continue;
    const size_t lag = replica.line.rfind("lag=");
    LogWarning("Lagging replica {}:{} reported offset {} behind master, {}, state=online.",
               replica.ip, replica.port, offset - replica.acked,
               lag == std::string::npos ? "lag=0" : replica.line.substr(lag));
  }
}

}  // namespace

Ending::Ending(boost::asio::io_context& main_loop, Server& server, std::function<void()> begins)
    : main_loop_(main_loop), server_(server), begins_(std::move(begins)), again_(main_loop) {}

void Ending::EndScriptsFor(Server& server, Server::ShutdownRequest& request) {
  if (request.abort || !SavesNothing(request)) return;
  if (!request.force && server.persistence().log_keeper().WaitsForFirstBase()) return;
  // While the replicas catch up, the end may still be aborted.
  if (MayWaitForReplicas(server, request) && !server.running_scripts().AnyBusy()) return;
  EndScriptsAtOnce(server, request);
}

void Ending::Request(Server::ShutdownRequest request) {
  if (ends_ || request.abort) {
    const bool refused = request.abort && !Abort();
    if (request.answered) request.answered(refused);
    return;
  }
  LogNotice("User requested shutdown...");
  server_.NoteShutdown();
  EndScriptsFor(server_, request);
  // If another end is saving, it stops saving.
  if (trying_ && SavesNothing(request)) server_.persistence().work().ForgoSaving();
  waiting_.push_back(std::move(request));
  Try();
}

/// A signal gets no refusal, so its sender would not know to ask again.
bool Ending::AwaitsBase(const Server::ShutdownRequest& request) const {
  return !request.answered && !request.force &&
         server_.persistence().log_keeper().WaitsForFirstBase();
}

void Ending::TryAgain(bool hold_back) {
  server_.running_scripts().EndLasting(hold_back);
  if (server_.running_scripts().AnyWrote() && !std::exchange(told_, true)) {
    LogWarning(
        "The end waits for a script that has written already. Another SIGINT, or SHUTDOWN NOSAVE, "
        "ends the server at once, without saving.");
  }
  LookAgain();
}

void Ending::LookAgain() {
  again_.expires_after(kLookAgain);
  again_.async_wait([this](boost::system::error_code error) {
    if (!error) Try();
  });
}

void Ending::Try() {
  if (ends_ || trying_ || waiting_.empty()) return;
  using EndStep = Persistence::EndStep;
  const auto nosave = std::find_if(waiting_.begin(), waiting_.end(), SavesNothing);
  const bool saves = nosave == waiting_.end();
  // The log's first base waits for slow scripts as well; other scripts may begin until it is there.
  if (saves && AwaitsBase(waiting_.front())) return TryAgain(/*hold_back=*/false);
  if (saves && server_.running_scripts().AnyBusy()) return TryAgain(/*hold_back=*/true);
  if (!CaughtUp()) return LookAgain();
  const bool refusable = server_.persistence().log_keeper().WaitsForFirstBase();
  if (!saves && (nosave->force || !refusable)) EndScriptsAtOnce(server_, *nosave);
  const ShutdownSave ending = saves ? waiting_.front().save : nosave->save;
  const bool force = saves ? waiting_.front().force : nosave->force;
  trying_ = true;
  const EndStep step =
      server_.persistence().PrepareToEnd(ending, force, [this] { main_loop_.poll(); });
  trying_ = false;
  if (step == EndStep::kNotYet) return TryAgain(/*hold_back=*/true);
  if (step == EndStep::kRefused) {
    LogWarning("Errors trying to shut down the server. Check the logs for more information.");
    return GoOn();
  }
  ends_ = true;
  begins_();
  for (const Server::ShutdownRequest& request : waiting_) {
    if (request.now) replicas_until_ = std::chrono::steady_clock::now();
  }
  if (!replicas_until_) replicas_until_ = UntilTimeOut();
  AwaitReplicas();
  for (const Server::ShutdownRequest& request : std::exchange(waiting_, {})) {
    if (request.answered) request.answered(/*refused=*/false);
  }
}

std::chrono::steady_clock::time_point Ending::UntilTimeOut() const {
  return std::chrono::steady_clock::now() +
         std::chrono::seconds(server_.settings().shutdown_timeout_s);
}

// ---- replicas

bool Ending::CaughtUp() {
  const auto now = std::chrono::steady_clock::now();
  const bool waits = std::all_of(waiting_.begin(), waiting_.end(), [&](const auto& request) {
    return MayWaitForReplicas(server_, request);
  });
  if (!waits || (replicas_until_ && now >= *replicas_until_)) return true;
  Replication& replication = server_.replication();
  const int64_t offset = caught_up_at_.value_or(replication.last_offset());
  if (replication.board().CountAcked(offset) >= static_cast<int64_t>(replication.board().online()))
    return true;
  if (replicas_until_) return false;
  LogNotice("Waiting for replicas before shutting down.");
  told_of_replicas_ = true;
  replicas_until_ = UntilTimeOut();
  const int64_t until_ms =
      server_.clock().NowMs() + server_.settings().shutdown_timeout_s * int64_t{1000};
  server_.set_shutdown_until_ms(until_ms);
  // Long enough: whoever ends the wait ends the pause.
  server_.pause().Begin(until_ms + kPauseMs, /*all=*/false, Pause::By::kShutdown);
  caught_up_at_ = replication.last_offset();
  if (Replication::Transport* const transport = replication.transport()) transport->RequestAcks();
  return false;
}

bool Ending::Abort() {
  const bool final = std::any_of(waiting_.begin(), waiting_.end(),
                                 [](const auto& request) { return request.final; });
  if (ends_ || trying_ || final || waiting_.empty()) return false;
  again_.cancel();
  server_.persistence().GiveUpEnd();
  GoOn();
  LogNotice("Shutdown manually aborted.");
  return true;
}

void Ending::GoOn() {
  server_.pause().End(Pause::By::kShutdown);
  server_.running_scripts().LetGoOn();
  server_.set_shutdown_until_ms(0);
  server_.ForgetShutdown();
  told_ = told_of_replicas_ = false;
  replicas_until_.reset();
  caught_up_at_.reset();
  for (const Server::ShutdownRequest& request : std::exchange(waiting_, {})) {
    if (request.answered) request.answered(/*refused=*/true);
  }
}

void Ending::AwaitReplicas() {
  Replication& replication = server_.replication();
  const auto online = static_cast<int64_t>(replication.board().online());
  if (!last_offset_) last_offset_ = replication.last_offset();
  const int64_t in_sync = replication.board().CountAcked(*last_offset_);
  if (in_sync < online && std::chrono::steady_clock::now() < *replicas_until_) {
    if (!std::exchange(told_of_replicas_, true)) {
      LogNotice("Waiting for replicas before shutting down.");
    }
    again_.expires_after(kLookAgain);
    again_.async_wait([this](boost::system::error_code error) {
      if (!error) AwaitReplicas();
    });
    return;
  }
  if (in_sync < online) LogLagging(server_, *last_offset_);
  if (online > 0) LogNotice("{} of {} replicas are in sync when shutting down.", in_sync, online);
  main_loop_.stop();
}

}  // namespace cloakroom
