#include "replication/stream/change_encoder.h"

#include <array>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "replication/stream/command_encoder.h"
#include "storage/base/integer_text.h"

namespace cloakroom {
namespace {

constexpr std::array<std::string_view, 1> kMulti = {"MULTI"};
constexpr std::array<std::string_view, 1> kExec = {"EXEC"};

/// Visits the commands of the batch behind its first SELECT.
void ForEachCommandOf(const ChangeBatch& batch, OldestReader oldest,
                      absl::FunctionRef<void(std::span<const std::string_view>)> visit) {
  bool whole = batch.change_count() > 1;
  int selected = batch.first_db();
  if (whole) visit(kMulti);
  batch.ForEach([&](const Change& change) {
    if (!whole && CommandCount(change, oldest) > 1) {
      whole = true;
      visit(kMulti);
    }
    if (change.db != selected) {
      const IntegerText number(change.db);
      visit(std::array<std::string_view, 2>{"SELECT", number.view()});
      selected = change.db;
    }
    ForEachCommand(change, oldest, visit);
  });
  if (whole) visit(kExec);
}

}  // namespace

size_t EncodedSize(const ChangeBatch& batch, OldestReader oldest) {
  size_t size = 0;
  ForEachCommandOf(batch, oldest,
                   [&](std::span<const std::string_view> words) { size += CommandLength(words); });
  return size;
}

void EncodeChanges(const ChangeBatch& batch, OldestReader oldest, StreamWriter& out) {
  ForEachCommandOf(batch, oldest,
                   [&](std::span<const std::string_view> words) { PutCommand(out, words); });
}

}  // namespace cloakroom
