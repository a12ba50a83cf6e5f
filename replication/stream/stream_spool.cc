#include "replication/stream/stream_spool.h"

#include <algorithm>
#include <string_view>

namespace cloakroom {

std::optional<StreamSpool::Piece> StreamSpool::Next(int64_t slowest, int64_t published,
                                                    const Memory& memory) {
  if (copying_) return std::nullopt;
  if (slowest >= in_memory_) spool_.reset();
  if (slowest == kNobody || space_->off()) return std::nullopt;
  // A replica came back to what memory still had before the spool: it reads that in memory, and
  // the spool, which is one piece, grows again when it has.
  if (spool_ != nullptr && slowest < begin_) return std::nullopt;
  // A quarter of the room is copied at a time, before more than a half of it is used.
  const int64_t room = memory.room();
  const int64_t begin = InMemory(slowest);
  if (published - begin <= memory.backlog + room / 2) return std::nullopt;
  const int64_t end = std::min(begin + kCopyBytes, published - memory.backlog - room / 4);
  if (spool_ == nullptr) {
    spool_ = space_->Make(begin);
    begin_ = begin;
    in_memory_ = begin;
  }
  copying_ = true;
  return Piece{.spool = spool_, .begin = begin, .end = end, .unneeded = slowest};
}

absl::Status StreamSpool::Copy(ChangeStream& stream, const Piece& piece) {
  piece.spool->Discard(piece.unneeded);
  absl::Status status;
  stream.Read(piece.begin, piece.end, [&](std::string_view bytes) {
    if (status.ok()) status = piece.spool->Append(bytes);
  });
  return status;
}

void StreamSpool::Copied(const absl::Status& status) {
  copying_ = false;
  works_ = status.ok();
  in_memory_ = spool_->end();
}

}  // namespace cloakroom
