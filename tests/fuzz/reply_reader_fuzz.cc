// Replies that arrive whole and replies that arrive in pieces give the same trees, and a tree that
// is written reads back as the same tree.

#include <array>
#include <string>
#include <vector>

#include "protocol/reply_reader.h"
#include "protocol/reply_writer.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using Kind = ReplyValue::Kind;
using Status = ReplyReader::Status;

void Write(const ReplyValue& value, ReplyWriter& writer) {
  if (!value.attributes.empty()) {
    writer.Attribute(value.attributes.size() / 2);
    for (const ReplyValue& each : value.attributes) Write(each, writer);
  }
  switch (value.kind) {
    case Kind::kNull:
      return writer.Null();
    case Kind::kNullArray:
      return writer.Raw("*-1\r\n");
    case Kind::kSimple:
      return writer.Simple(value.text);
    case Kind::kError:
      writer.Raw("!" + std::to_string(value.text.size()) + "\r\n");
      return writer.Raw(value.text + "\r\n");
    case Kind::kInteger:
      return writer.Integer(value.integer);
    case Kind::kBulk:
      return writer.Bulk(value.text);
    case Kind::kDouble:
      return writer.Double(value.number);
    case Kind::kBool:
      return writer.Bool(value.integer != 0);
    case Kind::kBigNumber:
      return writer.BigNumber(value.text);
    case Kind::kVerbatim:
      return writer.Verbatim(value.text.substr(0, 3), std::string_view(value.text).substr(4));
    case Kind::kArray:
      writer.Array(value.items.size());
      break;
    case Kind::kMap:
      writer.Map(value.items.size() / 2);
      break;
    case Kind::kSet:
      writer.Set(value.items.size());
      break;
    case Kind::kPush:
      writer.Push(value.items.size());
      break;
  }
  for (const ReplyValue& item : value.items) Write(item, writer);
}

/// The tree as RESP3. Two trees are the same when their texts are, even with a NaN, which equals
/// nothing.
std::string Encoded(const ReplyValue& value) {
  OutputBuffer out;
  ReplyWriter writer(out, 3);
  Write(value, writer);
  std::array<std::string_view, 1> span;
  return out.Gather(span) == 0 ? "" : std::string(span[0]);
}

struct Outcome {
  std::vector<std::string> replies;
  std::string error;

  bool operator==(const Outcome&) const = default;
};

ReplyLimits SmallLimits() {
  ReplyLimits limits;
  limits.max_bulk = 100'000;
  limits.max_line = 64;
  limits.max_values = 1000;
  limits.max_depth = 8;
  return limits;
}

Outcome ReadAll(std::string_view bytes, uint8_t seed, bool whole) {
  Outcome outcome;
  ReplyReader reader(SmallLimits());
  fuzz::Pieces pieces(bytes, seed);
  std::string rest;
  while (!pieces.empty() && outcome.error.empty()) {
    do {
      rest += pieces.Next();
    } while (whole && !pieces.empty());
    std::vector<char> buffer(rest.begin(), rest.end());
    std::string_view view(buffer.data(), buffer.size());
    Status status = reader.Read(view);
    for (; status == Status::kReply; status = reader.Read(view)) {
      outcome.replies.push_back(Encoded(reader.TakeReply()));
    }
    if (status == Status::kError) outcome.error = reader.error();
    rest.erase(0, reader.TakeConsumed());
  }
  return outcome;
}

void CheckRoundTrip(const std::string& encoded) {
  ReplyReader reader;
  fuzz::Check(reader.Read(encoded) == Status::kReply);
  fuzz::Check(Encoded(reader.TakeReply()) == encoded);
  fuzz::Check(reader.TakeConsumed() == encoded.size());
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  cloakroom::Outcome whole = cloakroom::ReadAll(bytes, data[0], true);
  cloakroom::fuzz::Check(whole == cloakroom::ReadAll(bytes, data[0], false));
  for (const std::string& reply : whole.replies) cloakroom::CheckRoundTrip(reply);
  return 0;
}
