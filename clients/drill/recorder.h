#ifndef CLOAKROOM_CLIENTS_DRILL_RECORDER_H_
#define CLOAKROOM_CLIENTS_DRILL_RECORDER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "clients/drill/ledger.h"
#include "clients/drill/mutex.h"

namespace cloakroom::drill {

/// What one server said of itself at one moment.
struct Sample {
  enum class Role : uint8_t { kNoAnswer, kPrimary, kReplica };
  int64_t at_ms = 0;
  size_t server = 0;  ///< its place in the topology's servers
  Role role = Role::kNoAnswer;
  int64_t offset = 0;
  bool link_up = false;
};

/// Something that happened: a Sentinel's message, or what the drill did.
struct Event {
  int64_t at_ms = 0;
  std::string source;
  std::string text;
};

/// All that a run saw. Times are milliseconds since its start.
struct Records {
  explicit Records(size_t clients) : ledger(clients), successes_ms(clients) {}

  Ledger ledger;
  std::vector<std::vector<int64_t>> successes_ms;         ///< of each client, ascending
  std::map<std::string, std::vector<int64_t>> errors_ms;  ///< by code
  std::vector<Sample> samples;
  std::vector<Event> events;
};

/// Where the threads of a run write what they see. Any thread may call it.
class Recorder {
 public:
  explicit Recorder(size_t clients) : records_(clients) {}

  /// Milliseconds since the recorder was made.
  int64_t NowMs() const;

  /// The client's session was read in a visit, or at the end.
  void Observe(size_t client, std::optional<uint64_t> number);
  void NoteUnread(size_t client);
  void Acknowledge(size_t client, uint64_t number);
  void Raise(size_t client, uint64_t number, Level level);
  void Success(size_t client);
  void Error(const std::string& code);
  void AddSample(Sample sample);
  void AddEvent(const std::string& source, const std::string& text);

  /// True if each client has had a success at that time or later.
  bool AllSucceededSince(int64_t at_ms) const;
  /// The code of which there were the most errors so far; "" if there were none.
  std::string CommonError() const;
  Ledger CopyLedger() const;
  Records Copy() const;

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable Mutex mutex_;
  Records records_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_RECORDER_H_
