#ifndef CLOAKROOM_REPLICATION_STREAM_STREAM_WRITER_H_
#define CLOAKROOM_REPLICATION_STREAM_STREAM_WRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "replication/stream/stream_chunks.h"

namespace cloakroom {

/// Copies bytes into a part of the stream, one piece behind the other. Thread rule: the thread that
/// has reserved that part.
class StreamWriter {
 public:
  StreamWriter(StreamChunks& chunks, int64_t position) : chunks_(chunks), position_(position) {}

  void Put(std::string_view bytes) {
    while (!bytes.empty()) {
      // Only a byte that is there has a chunk: one that ends its chunk must not make the next.
      if (room_ == 0) [[unlikely]]
        EnterChunk();
      const size_t size = std::min(bytes.size(), room_);
      std::memcpy(at_, bytes.data(), size);
      at_ += size;
      room_ -= size;
      position_ += static_cast<int64_t>(size);
      bytes.remove_prefix(size);
    }
  }

  int64_t position() const { return position_; }

 private:
  void EnterChunk() {
    at_ = chunks_.At(position_);
    room_ = StreamChunks::RoomAt(position_);
  }

  StreamChunks& chunks_;
  int64_t position_;
  char* at_ = nullptr;
  size_t room_ = 0;  ///< in the chunk of at_
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_STREAM_WRITER_H_
