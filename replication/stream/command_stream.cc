#include "replication/stream/command_stream.h"

#include <algorithm>
#include <array>

#include "absl/functional/function_ref.h"
#include "replication/stream/change_words.h"
#include "replication/stream/command_encoder.h"
#include "storage/base/integer_text.h"

namespace cloakroom {
namespace {

constexpr std::array<std::string_view, 1> kMulti = {"MULTI"};
constexpr std::array<std::string_view, 1> kExec = {"EXEC"};

/// The bytes around a word in RESP, except some digits: "$3\r\n" and "\r\n".
constexpr size_t kAroundWord = 8;
/// The further bytes of the command's name, except some digits.
constexpr size_t kAroundChange = 24;

void AppendSelect(int db, std::string* bytes) {
  const IntegerText number(db);
  const std::array<std::string_view, 2> select = {"SELECT", number.view()};
  AppendCommand(*bytes, select);
}

/// Appends the batch behind its first SELECT. Before each command `next` returns the string to
/// which it is appended.
void AppendBatch(const ChangeBatch& batch, absl::FunctionRef<std::string*()> next) {
  bool whole = batch.change_count() > 1;
  int selected = batch.first_db();
  if (whole) AppendCommand(*next(), kMulti);
  batch.ForEach([&](const Change& change) {
    if (!whole && CommandCount(change) > 1) {
      whole = true;
      AppendCommand(*next(), kMulti);
    }
    ForEachCommand(change, [&](std::span<const std::string_view> words) {
      std::string* bytes = next();
      if (change.db != selected) AppendSelect(change.db, bytes);
      selected = change.db;
      AppendCommand(*bytes, words);
    });
  });
  if (whole) AppendCommand(*next(), kExec);
}

}  // namespace

size_t EncodedChanges::byte_count() const {
  size_t total = 0;
  for (const std::string& piece : pieces) total += piece.size();
  return total;
}

EncodedChanges EncodeChanges(const ChangeBatch& batch, size_t piece_bytes) {
  EncodedChanges changes{batch.first_db(), batch.last_db(), {}};
  size_t left =
      batch.byte_count() + batch.word_count() * kAroundWord + batch.change_count() * kAroundChange;
  AppendBatch(batch, [&] {
    if (changes.pieces.empty() || changes.pieces.back().size() >= piece_bytes) {
      if (!changes.pieces.empty()) left -= std::min(left, changes.pieces.back().size());
      // So that the command which makes it overflow seldom moves it.
      changes.pieces.emplace_back().reserve(std::min(left, piece_bytes + piece_bytes / 4));
    }
    return &changes.pieces.back();
  });
  return changes;
}

void CommandStream::Select(int db, std::string* bytes) {
  if (db != db_) AppendSelect(db, bytes);
  db_ = db;
}

void CommandStream::Encode(const ChangeBatch& batch, std::string* bytes) {
  if (batch.empty()) return;
  Select(batch.first_db(), bytes);
  AppendBatch(batch, [bytes] { return bytes; });
  db_ = batch.last_db();
}

void CommandStream::Lead(const EncodedChanges& changes, std::string* bytes) {
  Select(changes.first_db, bytes);
  db_ = changes.last_db;
}

}  // namespace cloakroom
