// Reads the input as a program of changes to a stream with small leaves, and compares it, and a
// copy taken on the way, with a std::map.

#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/memory_slot.h"
#include "storage/values/mutable_stream.h"
#include "storage/values/stream.h"
#include "tests/fuzz/pieces.h"

namespace cloakroom {
namespace {

using fuzz::Check;
using Words = std::vector<std::string>;
using Model = std::map<StreamId, Words>;

Words WordsOf(const StreamEntry& entry) {
  Words words;
  entry.ForEach([&](const StreamText& field, const StreamText& value) {
    words.emplace_back(field.view());
    words.emplace_back(value.view());
  });
  return words;
}

void RequireEqual(const Stream& stream, const Model& model) {
  Check(stream.size() == model.size());
  auto at = model.begin();
  stream.ForEach({}, [&](const StreamEntry& entry) {
    Check(at != model.end() && entry.id() == at->first && WordsOf(entry) == at->second);
    Check(stream.Contains(entry.id()));
    ++at;
    return true;
  });
  Check(at == model.end());
  auto back = model.rbegin();
  stream.ForEachBackwards({}, [&](const StreamEntry& entry) {
    Check(back != model.rend() && entry.id() == back++->first);
    return true;
  });
  Check(back == model.rend());
}

/// Mostly the fields of the entries before, numbers and texts of several lengths.
void Append(MutableStream& stream, Model& model, StreamId& last, uint8_t a, uint8_t b) {
  if (a % 4 == 0)
    last = {.ms = last.ms + 1 + b, .seq = a};
  else
    last.seq += 1 + a % 3u;
  Words words = {"kind", std::to_string(int64_t{1} << b % 63), "text", std::string(b * 3u, 'x')};
  if (a % 8 == 1) words[2] = "own" + std::to_string(b);
  if (a % 8 == 2) words.resize(2);
  const std::vector<std::string_view> views(words.begin(), words.end());
  stream.Append(last, views);
  model[last] = words;
}

StreamId IdAt(const Model& model, uint8_t index) {
  if (model.empty()) return {.ms = index, .seq = 1};
  return std::next(model.begin(), static_cast<ptrdiff_t>(index % model.size()))->first;
}

void Trim(MutableStream& stream, Model& model, uint8_t a, uint8_t b) {
  const size_t before = model.size();
  if (b % 2 == 0) {
    const size_t kept = a % (before + 1);
    Check(stream.Trim({.by = StreamTrim::By::kSize, .max_size = kept, .min_id = {}}) ==
          before - kept);
    model.erase(model.begin(), std::next(model.begin(), static_cast<ptrdiff_t>(before - kept)));
  } else {
    const StreamId min_id = IdAt(model, a);
    model.erase(model.begin(), model.lower_bound(min_id));
    Check(stream.Trim({.by = StreamTrim::By::kId, .min_id = min_id}) == before - model.size());
  }
}

void Run(std::string_view program) {
  const EncodingLimits limits{.stream_node_max_bytes = 300, .stream_node_max_entries = 5};
  MemorySlot slot;
  MutableStream stream(slot, limits);
  stream.Create();
  Model model;
  StreamId last;
  SharedValue copy = stream.view().Share();
  Model copy_model;
  for (; program.size() >= 3; program.remove_prefix(3)) {
    const auto a = static_cast<uint8_t>(program[1]);
    const auto b = static_cast<uint8_t>(program[2]);
    switch (static_cast<uint8_t>(program[0]) % 16) {
      case 0:
        Trim(stream, model, a, b);
        break;
      case 1:
        copy = stream.view().Share();
        copy_model = model;
        break;
      case 2:
      case 3:
      case 4: {
        const StreamId id = IdAt(model, a);
        Check(stream.Erase(id) == (model.erase(id) == 1));
        break;
      }
      default:
        Append(stream, model, last, a, b);
    }
  }
  RequireEqual(stream.view(), model);
  RequireEqual(Stream(copy.view()), copy_model);
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cloakroom::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
