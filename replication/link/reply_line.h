#ifndef CLOAKROOM_REPLICATION_LINK_REPLY_LINE_H_
#define CLOAKROOM_REPLICATION_LINK_REPLY_LINE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cloakroom {

/// Gathers a line of a primary's replies from bytes in any pieces. Never looks behind the line, for
/// what follows the last one is data. Not thread safe.
class ReplyLine {
 public:
  /// Bytes of a line; as much as Redis' buffer for it holds.
  static constexpr size_t kMax = 1024;

  enum class Status : uint8_t {
    kLine,      ///< text() has one
    kNeedMore,  ///< all bytes were taken, and the line is not whole
    kTooLong,   ///< Clear() before the next call
  };

  /// Removes from `bytes` what belongs to the line. After kLine the next call begins a new one.
  Status Take(std::string_view& bytes);

  /// The line without its end, "\n" or "\r\n"; valid until the next call.
  std::string_view text() const { return text_; }

  void Clear();

 private:
  std::string text_;
  bool whole_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLY_LINE_H_
