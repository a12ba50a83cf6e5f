#include "server/net/name_lookup.h"

#include <netdb.h>

#include <cstring>
#include <thread>
#include <utility>

namespace cloakroom {

NameLookup::Result NameLookup::Find(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  Result result;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      code != 0) {
    result.status = absl::UnavailableError(gai_strerror(code));
    return result;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Target target{.address = {}, .size = one->ai_addrlen};
    std::memcpy(&target.address, one->ai_addr, one->ai_addrlen);
    result.targets.push_back(target);
  }
  freeaddrinfo(found);
  return result;
}

void NameLookup::Begin(std::string host, int port, Found found) {
  if (const Result literal = Find(host, port, AI_NUMERICHOST); literal.status.ok()) {
    return found(literal);
  }
  MutexLock lock(state_->mutex);
  state_->next = Job{std::move(host), port, std::move(found)};
  if (std::exchange(state_->busy, true)) return;
  // Detached, since the end of the server cannot wait for a resolver.
  std::thread([state = state_] { Run(state); }).detach();
}

void NameLookup::Run(const std::shared_ptr<State>& state) {
  for (;;) {
    std::optional<Job> job;
    {
      MutexLock lock(state->mutex);
      job = std::exchange(state->next, std::nullopt);
      state->busy = job.has_value();
    }
    if (!job) return;
    job->found(Find(job->host, job->port, 0));
  }
}

}  // namespace cloakroom
