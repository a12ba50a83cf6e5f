// A replication stream that arrives whole and one that arrives in pieces, each in memory of its own
// or one behind the other, hold the same records with the same offsets and end in the same error.

#include <deque>
#include <string>
#include <vector>

#include "replication/link/record_reader.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using Status = RecordReader::Status;

struct Record {
  std::vector<std::vector<std::string>> commands;
  bool transaction;
  int64_t offset;
  bool operator==(const Record&) const = default;
};

struct Outcome {
  std::vector<Record> records;
  int64_t offset = 0;
  int64_t pending = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

class Reading {
 public:
  void Feed(std::span<char> bytes) {
    if (!outcome_.error.empty()) return;
    reader_.Feed(bytes);
    fed_ += static_cast<int64_t>(bytes.size());
    Status status;
    while ((status = reader_.Next()) == Status::kRecord) Note();
    outcome_.offset = reader_.offset();
    outcome_.pending = reader_.pending_bytes();
    fuzz::Check(outcome_.offset <= fed_);
    if (status == Status::kError) {
      outcome_.error = std::string(reader_.error().message());
    } else {
      fuzz::Check(outcome_.offset + outcome_.pending == fed_);
    }
  }

  Outcome Finish() {
    // Nobody reads on after an error, and how much had come by then is random.
    if (!outcome_.error.empty()) outcome_.offset = outcome_.pending = 0;
    return std::move(outcome_);
  }

 private:
  void Note() {
    Record record = {{}, reader_.transaction(), reader_.offset()};
    fuzz::Check(record.offset > last_ && record.offset <= fed_);
    last_ = record.offset;
    for (size_t i = 0; i < reader_.commands(); i++) {
      fuzz::Check(!reader_.arguments(i).empty());
      record.commands.emplace_back(reader_.arguments(i).begin(), reader_.arguments(i).end());
    }
    outcome_.records.push_back(std::move(record));
  }

  RecordReader reader_{{.max_argument = 100'000, .max_arguments = 10'000}};
  Outcome outcome_;
  int64_t fed_ = 0;
  int64_t last_ = 0;
};

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cloakroom;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  std::vector<char> all(bytes.begin(), bytes.end());
  Reading at_once;
  at_once.Feed(all);
  const Outcome whole = at_once.Finish();

  std::vector<char> chunk(bytes.begin(), bytes.end());
  std::deque<std::vector<char>> kept;
  Reading apart;
  Reading behind;
  size_t begin = 0;
  for (fuzz::Pieces pieces(bytes, data[0]); !pieces.empty();) {
    const std::string_view piece = pieces.Next();
    apart.Feed(kept.emplace_back(piece.begin(), piece.end()));
    behind.Feed(std::span(chunk).subspan(begin, piece.size()));
    begin += piece.size();
  }
  fuzz::Check(apart.Finish() == whole);
  fuzz::Check(behind.Finish() == whole);
  return 0;
}
