#include "server/net/ending.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/log/log.h"

namespace cloakroom {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

bool SavesNothing(const Server::ShutdownRequest& request) {
  return request.ending == Persistence::Ending::kNoSave;
}

}  // namespace

Ending::Ending(boost::asio::io_context& main_loop, Server& server)
    : main_loop_(main_loop), server_(server), again_(main_loop) {}

void Ending::EndScriptsFor(Server& server, Server::ShutdownRequest& request) {
  if (!SavesNothing(request)) return;
  if (!request.force && server.persistence().WaitsForFirstBase()) return;
  // A server without scripts cannot go on.
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
  waiting_.push_back(std::move(request));
  Try();
}

/// Whoever asked by a signal hears of no refusal, and would have to ask again.
bool Ending::AwaitsBase(const Server::ShutdownRequest& request) const {
  return !request.answered && !request.force && server_.persistence().WaitsForFirstBase();
}

void Ending::Try() {
  if (ends_ || waiting_.empty()) return;
  auto chosen = std::find_if(waiting_.begin(), waiting_.end(), SavesNothing);
  if (chosen == waiting_.end()) {
    if (server_.running_scripts().AnyBusy() || AwaitsBase(waiting_.front())) {
      again_.expires_after(kLookAgain);
      again_.async_wait([this](boost::system::error_code error) {
        if (!error) Try();
      });
      return;
    }
    chosen = waiting_.begin();
  }
  ends_ = server_.persistence().PrepareToEnd(chosen->ending, chosen->force);
  if (ends_) main_loop_.stop();
  for (const Server::ShutdownRequest& request : std::exchange(waiting_, {})) {
    if (request.answered) request.answered(!ends_);
  }
}

}  // namespace cloakroom
