// A log that is read whole and one that is read in pieces have the same commands and the same end;
// offsets only rise; the undamaged part reads to its end.

#include <string>
#include <vector>

#include "replication/aof/aof_reader.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

/// Gives the file in the pieces that Pieces cuts.
class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string_view bytes, uint8_t seed) : pieces_(bytes, seed) {}
  size_t Read(std::span<char> into) override {
    if (rest_.empty() && !pieces_.empty()) rest_ = pieces_.Next();
    size_t n = rest_.copy(into.data(), into.size());
    rest_.remove_prefix(n);
    return n;
  }

 private:
  fuzz::Pieces pieces_;
  std::string_view rest_;
};

struct Outcome {
  std::vector<std::vector<std::string>> commands;
  AofReader::Status status;
  int64_t whole;
  absl::Status error;

  bool operator==(const Outcome&) const = default;
};

Outcome ReadAll(ByteSource& source, size_t size) {
  Outcome outcome;
  AofReader reader(source);
  int64_t last = 0;
  while ((outcome.status = reader.Next()) == AofReader::Status::kCommand) {
    fuzz::Check(!reader.arguments().empty());
    fuzz::Check(reader.command_offset() >= last && reader.offset() > reader.command_offset());
    fuzz::Check(reader.whole_offset() <= reader.offset());
    last = reader.offset();
    outcome.commands.emplace_back(reader.arguments().begin(), reader.arguments().end());
  }
  outcome.whole = reader.whole_offset();
  outcome.error = reader.error();
  fuzz::Check(outcome.whole <= static_cast<int64_t>(size));
  return outcome;
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  StringSource at_once(bytes);
  Outcome whole = ReadAll(at_once, bytes.size());
  PieceSource slowly(bytes, data[0]);
  fuzz::Check(ReadAll(slowly, bytes.size()) == whole);
  bytes = bytes.substr(0, static_cast<size_t>(whole.whole));
  StringSource kept(bytes);
  fuzz::Check(ReadAll(kept, bytes.size()).status == AofReader::Status::kEnd);
  return 0;
}
