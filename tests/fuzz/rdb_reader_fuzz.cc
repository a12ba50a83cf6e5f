// Loads bytes from outside as an RDB file, with and without skipping damage: neither may crash,
// read out of bounds or use more memory than the bytes can account for.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "replication/rdb/rdb_decoder.h"
#include "replication/rdb/rdb_loader.h"
#include "replication/rdb/rdb_reader.h"
#include "storage/access/flush.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string_view bytes, uint8_t seed) : pieces_(bytes, seed) {}
  size_t Read(std::span<char> into) override {
    if (piece_.empty() && !pieces_.empty()) piece_ = pieces_.Next();
    const size_t n = piece_.copy(into.data(), into.size());
    piece_.remove_prefix(n);
    return n;
  }

 private:
  fuzz::Pieces pieces_;
  std::string_view piece_;
};

/// A file must read the same in pieces as in one.
void ReadInPieces(std::string_view file, uint8_t seed) {
  StringSource whole(file);
  PieceSource pieces(file, seed);
  RdbReader a(whole);
  RdbReader b(pieces);
  while (true) {
    const RdbReader::Item item = a.Next();
    fuzz::Check(b.Next() == item && a.offset() == b.offset());
    if (item == RdbReader::Item::kRecord) fuzz::Check(a.record().value == b.record().value);
    if (item == RdbReader::Item::kEnd || item == RdbReader::Item::kError) return;
  }
}

void Empty(Keyspace& keyspace) {
  for (int i = 0; i < keyspace.database_count(); ++i) {
    Hold hold(keyspace.background_slot());
    hold.WaitAndClose(keyspace.db(i));
    FlushDatabase(hold, keyspace.db(i));
  }
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  if (size == 0) return 0;
  // Most inputs get a valid beginning; otherwise hardly any would reach their items.
  constexpr std::string_view kMagics[] = {"REDIS0012", "VALKEY080", "REDIS0003", ""};
  std::string file(kMagics[data[0] % std::size(kMagics)]);
  file.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  ReadInPieces(file, data[0]);
  static const SystemClock clock;
  // One for all runs: it has threads, and most of the time would go into creating them.
  static Keyspace keyspace({.databases = 2}, clock);
  for (const bool lenient : {false, true}) {
    StringSource source(file);
    // Any result will do, as long as it comes.
    static_cast<void>(LoadRdb(source, file.size(), keyspace,
                              {.threads = 1, .drop_expired = false, .lenient = lenient}));
    Empty(keyspace);
  }
  return 0;
}
