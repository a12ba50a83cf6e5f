#ifndef CLOAKROOM_CLIENTS_DRILL_LEDGER_H_
#define CLOAKROOM_CLIENTS_DRILL_LEDGER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom::drill {

/// What a write was acknowledged by.
enum class Level : uint8_t {
  kPlain,    ///< the primary's reply
  kWait,     ///< WAIT 1: one replica has it
  kWaitAof,  ///< WAITAOF 1 1: it is on the primary's disk and on a replica's
};
inline constexpr size_t kLevels = 3;
std::string_view ToText(Level level);

/// Every write that a server acknowledged, and whether somebody later saw that it was gone.
///
/// Each client has one session, which only it writes. It numbers its writes 1, 2, 3 … and stores
/// the number in the session, also when a write fails, so a number is used once. Whoever reads the
/// session and finds number n knows that every later write that was acknowledged is lost.
///
/// Not thread safe: see Recorder.
class Ledger {
 public:
  struct Entry {
    uint64_t number = 0;
    int64_t at_ms = 0;  ///< when its level was reached
    Level level = Level::kPlain;
    bool lost = false;
  };

  struct Totals {
    std::array<int64_t, kLevels> acknowledged = {};
    std::array<int64_t, kLevels> lost = {};
    int64_t sessions = 0;         ///< with a write that was acknowledged
    int64_t sessions_lost = 0;    ///< that were not there at all
    int64_t sessions_older = 0;   ///< that were there, older than acknowledged
    int64_t sessions_unread = 0;  ///< of which nobody knows at the end
  };

  explicit Ledger(size_t clients) : clients_(clients) {}

  /// The primary has acknowledged the write. REQUIRES: `number` is higher than that of the client's
  /// acknowledged writes before.
  void Acknowledge(size_t client, uint64_t number, int64_t at_ms);
  /// And then WAIT or WAITAOF has.
  void Raise(size_t client, uint64_t number, Level level, int64_t at_ms);
  /// The client's session was read: it has this write's number, or is not there.
  void Observe(size_t client, std::optional<uint64_t> number);
  /// The client's session could not be read at the end.
  void NoteUnread(size_t client) { clients_[client].unread = true; }

  size_t clients() const { return clients_.size(); }
  const std::vector<Entry>& entries(size_t client) const { return clients_[client].entries; }
  Totals Sum() const;

 private:
  struct Client {
    std::vector<Entry> entries;  // by number
    bool lost = false;
    bool older = false;
    bool unread = false;
  };

  std::vector<Client> clients_;
};

/// The data that a client stores in its session: the number, then bytes up to the size that a
/// session has in a shop.
std::string SessionData(uint64_t number);
/// The number in it; nullopt for what SessionData() did not make.
std::optional<uint64_t> NumberOfData(std::string_view data);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_LEDGER_H_
