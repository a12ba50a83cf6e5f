#include "server/net/ending.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "replication/stream/change_stream.h"
#include "server/config/config.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "server/script/running_scripts.h"

namespace cloakroom {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

bool SavesNothing(const Server::ShutdownRequest& request) {
  return request.save == ShutdownSave::kNoSave;
}

}  // namespace

Ending::Ending(boost::asio::io_context& main_loop, Server& server)
    : main_loop_(main_loop), server_(server), again_(main_loop) {}

void Ending::EndScriptsFor(Server& server, Server::ShutdownRequest& request) {
  if (!SavesNothing(request)) return;
  if (!request.force && server.persistence().log_keeper().WaitsForFirstBase()) return;
  // A server whose scripts have been ended for good cannot go on.
  request.force = true;
  server.EndScripts();
}

void Ending::Request(Server::ShutdownRequest request) {
  if (ends_) {
    if (request.answered) request.answered(false);
    return;
  }
  LogNotice("User requested shutdown...");
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
  const ShutdownSave ending = saves ? waiting_.front().save : nosave->save;
  const bool force = saves ? waiting_.front().force : nosave->force;
  trying_ = true;
  const EndStep step =
      server_.persistence().PrepareToEnd(ending, force, [this] { main_loop_.poll(); });
  trying_ = false;
  if (step == EndStep::kNotYet) return TryAgain(/*hold_back=*/true);
  ends_ = step == EndStep::kDone;
  if (ends_) {
    const bool waits = std::none_of(waiting_.begin(), waiting_.end(),
                                    [](const auto& request) { return request.now; });
    const int64_t most_s = waits ? server_.settings().shutdown_timeout_s : 0;
    replicas_until_ = std::chrono::steady_clock::now() + std::chrono::seconds(most_s);
    AwaitReplicas();
  } else {
    server_.running_scripts().LetGoOn();
    server_.ForgetShutdown();
    told_ = false;
  }
  for (const Server::ShutdownRequest& request : std::exchange(waiting_, {})) {
    if (request.answered) request.answered(!ends_);
  }
}

void Ending::AwaitReplicas() {
  Replication& replication = server_.replication();
  const auto online = static_cast<int64_t>(replication.board().online());
  if (!last_offset_) last_offset_ = replication.last_offset();
  const int64_t in_sync = replication.board().CountAcked(*last_offset_);
  if (in_sync < online && std::chrono::steady_clock::now() < replicas_until_) {
    if (!std::exchange(told_of_replicas_, true)) {
      LogNotice("Waiting for replicas before shutting down.");
    }
    again_.expires_after(kLookAgain);
    again_.async_wait([this](boost::system::error_code error) {
      if (!error) AwaitReplicas();
    });
    return;
  }
  if (online > 0) LogNotice("{} of {} replicas are in sync when shutting down.", in_sync, online);
  main_loop_.stop();
}

}  // namespace cloakroom
