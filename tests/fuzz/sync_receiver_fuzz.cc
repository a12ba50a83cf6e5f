// A transfer ends at its length or before the first mark, however its bytes are cut; the sink gets
// all that is before, and the caller keeps all that is behind.

#include <algorithm>
#include <string>

#include "replication/link/sync_receiver.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

void CheckTransfer(const SyncSize& size, std::string_view bytes, uint8_t seed,
                   std::string_view data, size_t end, bool done) {
  StringSink sink;
  SyncReceiver receiver(size, sink);
  size_t taken = 0;
  for (fuzz::Pieces pieces(bytes, seed); !pieces.empty();) {
    const std::string piece(pieces.Next());
    const size_t count = receiver.Receive(piece);
    taken += count;
    fuzz::Check(count == piece.size() || receiver.done());
  }
  fuzz::Check(receiver.done() == done && taken == end);
  fuzz::Check(receiver.read_bytes() == static_cast<int64_t>(taken));
  // Without its end a transfer keeps back what may be a mark.
  fuzz::Check(done ? sink.text() == data : data.starts_with(sink.text()));
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  if (size < 3) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  const size_t length = 1 + data[1];
  const bool whole = bytes.size() >= length;
  CheckTransfer({.length = static_cast<int64_t>(length)}, bytes, data[0], bytes.substr(0, length),
                std::min(length, bytes.size()), whole);

  // The mark: the first bytes, again and again, so that parts of it are frequent.
  SyncSize marked = {.has_mark = true};
  const size_t period = std::min<size_t>(bytes.size(), 1 + data[1] % SyncSize::kMarkLength);
  for (size_t i = 0; i < marked.mark.size(); i++) marked.mark[i] = bytes[i % period];
  const std::string_view mark(marked.mark.data(), marked.mark.size());
  std::string stream(bytes.substr(period));
  if (data[1] >= 128) stream.append(mark).append("tail");
  const size_t found = stream.find(mark);
  const bool done = found != std::string::npos;
  CheckTransfer(marked, stream, data[0], std::string_view(stream).substr(0, found),
                done ? found + mark.size() : stream.size(), done);
  return 0;
}
