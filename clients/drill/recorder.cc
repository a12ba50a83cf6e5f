#include "clients/drill/recorder.h"

#include <algorithm>

namespace cloakroom::drill {
namespace {

/// A Sentinel that flaps must not fill the memory.
constexpr size_t kMaxEvents = 10'000;

}  // namespace

int64_t Recorder::NowMs() const {
  const auto since = std::chrono::steady_clock::now() - start_;
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

void Recorder::Observe(size_t client, std::optional<uint64_t> number) {
  const MutexLock lock(mutex_);
  records_.ledger.Observe(client, number);
}

void Recorder::NoteUnread(size_t client) {
  const MutexLock lock(mutex_);
  records_.ledger.NoteUnread(client);
}

void Recorder::Acknowledge(size_t client, uint64_t number) {
  const MutexLock lock(mutex_);
  records_.ledger.Acknowledge(client, number, NowMs());
}

void Recorder::Raise(size_t client, uint64_t number, Level level) {
  const MutexLock lock(mutex_);
  records_.ledger.Raise(client, number, level, NowMs());
}

void Recorder::Success(size_t client) {
  const MutexLock lock(mutex_);
  records_.successes_ms[client].push_back(NowMs());
}

void Recorder::Error(const std::string& code) {
  const MutexLock lock(mutex_);
  records_.errors_ms[code].push_back(NowMs());
}

void Recorder::AddSample(Sample sample) {
  const MutexLock lock(mutex_);
  sample.at_ms = NowMs();
  records_.samples.push_back(sample);
}

void Recorder::AddEvent(const std::string& source, const std::string& text) {
  const MutexLock lock(mutex_);
  if (records_.events.size() < kMaxEvents) records_.events.push_back({NowMs(), source, text});
}

bool Recorder::AllSucceededSince(int64_t at_ms) const {
  const MutexLock lock(mutex_);
  return std::all_of(records_.successes_ms.begin(), records_.successes_ms.end(),
                     [&](const std::vector<int64_t>& successes) {
                       return !successes.empty() && successes.back() >= at_ms;
                     });
}

std::string Recorder::CommonError() const {
  const MutexLock lock(mutex_);
  const auto most = std::max_element(
      records_.errors_ms.begin(), records_.errors_ms.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return most == records_.errors_ms.end() ? "" : most->first;
}

Ledger Recorder::CopyLedger() const {
  const MutexLock lock(mutex_);
  return records_.ledger;
}

Records Recorder::Copy() const {
  const MutexLock lock(mutex_);
  return records_;
}

}  // namespace cloakroom::drill
