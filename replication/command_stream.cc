#include "replication/command_stream.h"

#include "replication/command_encoder.h"
#include "storage/integer_text.h"

namespace cloakroom {

void CommandStream::Encode(const ChangeBatch& batch, std::string* bytes) {
  const bool whole = batch.command_count() > 1;
  bool begun = false;
  batch.ForEach([&](int db, std::span<const std::string_view> words) {
    if (db != db_) {
      AppendCommand({"SELECT", IntegerText(db).view()}, bytes);
      db_ = db;
    }
    if (whole && !begun) AppendCommand({"MULTI"}, bytes);
    begun = true;
    AppendCommand(words, bytes);
  });
  if (whole) AppendCommand({"EXEC"}, bytes);
}

}  // namespace cloakroom
