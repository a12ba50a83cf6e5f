#ifndef CLOAKROOM_CLIENTS_REPLY_COUNTER_H_
#define CLOAKROOM_CLIENTS_REPLY_COUNTER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace cloakroom {

/// Counts the complete replies in a stream of RESP2 or RESP3 bytes without keeping them: for a load
/// generator, whose own work must stay small beside the server's. A push message counts as a reply.
///
/// Not thread safe: it belongs to one connection.
class ReplyCounter {
 public:
  /// Takes the next bytes of the stream, in portions of any size. Returns how many top-level
  /// replies they completed.
  size_t Feed(std::string_view bytes) { return Feed(&bytes, std::numeric_limits<size_t>::max()); }
  /// The same, but stops after `limit` of these replies; `bytes` is then what follows them.
  size_t Feed(std::string_view* bytes, size_t limit);

  /// Error replies seen so far, at any depth, and the text of the latest, without the "-".
  uint64_t errors() const { return errors_; }
  const std::string& last_error() const { return last_error_; }

  /// True once the stream is not RESP; Feed() then takes nothing more.
  bool broken() const { return broken_; }

 private:
  void TakeLine(std::string_view line);

  std::string line_;  // the part of a header line that has arrived
  size_t skip_ = 0;   // bytes of a bulk string, and its CRLF, still to come
  int64_t open_ = 0;  // elements still to come in the reply under way; 0 between replies
  uint64_t errors_ = 0;
  std::string last_error_;
  bool broken_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_CLIENTS_REPLY_COUNTER_H_
