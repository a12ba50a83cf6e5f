#include "replication/command_stream.h"

#include <array>

#include "replication/command_encoder.h"
#include "storage/integer_text.h"

namespace cloakroom {
namespace {

constexpr std::array<std::string_view, 1> kMulti = {"MULTI"};
constexpr std::array<std::string_view, 1> kExec = {"EXEC"};

}  // namespace

void CommandStream::Encode(const ChangeBatch& batch, std::string* bytes) {
  const bool whole = batch.command_count() > 1;
  bool begun = false;
  batch.ForEach([&](int db, std::span<const std::string_view> words) {
    if (db != db_) {
      const IntegerText number(db);
      const std::array<std::string_view, 2> select = {"SELECT", number.view()};
      AppendCommand(*bytes, select);
      db_ = db;
    }
    if (whole && !begun) AppendCommand(*bytes, kMulti);
    begun = true;
    AppendCommand(*bytes, words);
  });
  if (whole) AppendCommand(*bytes, kExec);
}

}  // namespace cloakroom
