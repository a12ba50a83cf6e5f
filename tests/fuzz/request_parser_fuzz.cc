// Bytes that arrive whole and bytes that arrive in pieces hold the same requests, end in the same
// error, and leave the same rest.

#include <string>
#include <vector>

#include "protocol/request_parser.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using Status = RequestParser::Status;

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  std::string rest;

  bool operator==(const Outcome&) const = default;
};

ParserLimits SmallLimits(uint8_t seed) {
  ParserLimits limits;
  limits.proto_max_bulk_len = 100'000;
  limits.inline_max = 64;
  limits.authenticated = seed % 4 != 0;
  return limits;
}

Outcome ParseAll(std::string_view bytes, uint8_t seed, bool whole) {
  Outcome outcome;
  RequestParser parser(SmallLimits(seed));
  RequestParser::Arguments arguments;
  fuzz::Pieces pieces(bytes, seed);
  while (!pieces.empty() && outcome.error.empty()) {
    do {
      outcome.rest += pieces.Next();
    } while (whole && !pieces.empty());
    // A copy of exactly these bytes, so that a sanitizer finds reads past them.
    std::vector<char> buffer(outcome.rest.begin(), outcome.rest.end());
    arguments.clear();
    Status status = parser.Parse(buffer, arguments);
    for (; status == Status::kRequest; status = parser.Parse(buffer, arguments)) {
      fuzz::Check(!arguments.empty());
      outcome.requests.emplace_back(arguments.begin(), arguments.end());
      arguments.clear();
    }
    fuzz::Check(arguments.empty());
    if (status == Status::kError) outcome.error = parser.error();
    outcome.rest.erase(0, parser.TakeConsumed());
  }
  // Nobody reads the rest after an error, and how much had arrived by then is random.
  if (!outcome.error.empty()) outcome.rest.clear();
  return outcome;
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  using cloakroom::ParseAll;
  cloakroom::fuzz::Check(ParseAll(bytes, data[0], true) == ParseAll(bytes, data[0], false));
  return 0;
}
