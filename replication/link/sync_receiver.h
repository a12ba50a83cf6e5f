#ifndef CLOAKROOM_REPLICATION_LINK_SYNC_RECEIVER_H_
#define CLOAKROOM_REPLICATION_LINK_SYNC_RECEIVER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "replication/files/bytes.h"

namespace cloakroom {

/// How a primary says where the transfer of its data ends.
struct SyncSize {
  static constexpr size_t kMarkLength = 40;

  /// Bytes of the data, with "$<length>". Without meaning if there is a mark.
  int64_t length = 0;
  /// With "$EOF:<mark>": 40 random bytes that follow the data.
  bool has_mark = false;
  std::array<char, kMarkLength> mark = {};

  friend bool operator==(const SyncSize&, const SyncSize&) = default;
};

/// Takes the bytes of a full sync's transfer, in any pieces, and passes the data on: an RDB file,
/// which it does not look into. Finds where the transfer ends; what follows is the replication
/// stream. The results do not depend on the pieces.
///
/// Passes bytes on at once; only with a mark it keeps back the last 39, which may begin one. It
/// uses no memory but that. The time is linear in the bytes.
///
/// Not thread safe.
class SyncReceiver {
 public:
  /// `sink` must outlive the receiver.
  SyncReceiver(const SyncSize& size, ByteSink& sink) : size_(size), sink_(sink) {}

  /// Returns how many of `bytes` belong to the transfer, its mark included: all of them until it is
  /// done(). The rest is the stream.
  size_t Receive(std::string_view bytes);

  bool done() const { return done_ || (!size_.has_mark && read_ == size_.length); }
  /// Bytes of the transfer that came, its mark included, as Redis counts them.
  int64_t read_bytes() const { return read_; }

 private:
  size_t ReceiveCounted(std::string_view bytes);
  size_t ReceiveMarked(std::string_view bytes);
  size_t FindAcross(std::string_view bytes) const;
  void Keep(std::string_view bytes);
  void FinishAt(size_t end, std::string_view bytes);
  std::string_view kept() const { return {kept_.data(), kept_size_}; }
  std::string_view mark() const { return {size_.mark.data(), size_.mark.size()}; }

  const SyncSize size_;
  ByteSink& sink_;
  int64_t read_ = 0;
  bool done_ = false;  // the mark came
  // The last bytes that came, not passed on yet.
  std::array<char, SyncSize::kMarkLength - 1> kept_;
  size_t kept_size_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_SYNC_RECEIVER_H_
