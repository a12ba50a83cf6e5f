#include "replication/aof/aof_backlog.h"

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/aof/aof_history.h"
#include "replication/stream/stream_chunks.h"

namespace cloakroom {
namespace {

constexpr int64_t kFilledAtOnce = 4096;

}  // namespace

AofBacklog::AofBacklog(ChangeStream& stream, int64_t most_bytes)
    : stream_(stream), most_bytes_(most_bytes), begin_(stream.tail()), kept_from_(begin_) {
  stream_.Add(*this);
  stream_.Keep(*this, kept_from_);
}

AofBacklog::~AofBacklog() { stream_.Remove(*this); }

// ---- what the log says

void AofBacklog::BeginFile() {
  if (point_) {
    before_ = std::exchange(point_, std::nullopt);
    before_->db = db_;
  }
  record_.clear();
  head_ = {};
  first_ = true;
  // Each file is read as if by a new client.
  db_ = record_db_ = 0;
}

void AofBacklog::NoteField(std::string_view name, std::string_view value) {
  if (name == "repl-id") head_.id = value;
  if (name == "repl-offset") head_.offset = ParseInteger(value).value_or(-1);
  if (name == "repl-stream-db") head_.db = static_cast<int>(ParseInteger(value).value_or(0));
  if (head_.id.empty() || name != "repl-offset" || head_.offset < 0) return;
  // As if a file before ended there: what follows must say that it goes on from the base.
  before_ = head_;
  begin_ = stream_.tail();
}

void AofBacklog::NoteAnnotation(std::string_view line) {
  const std::optional<AofStatement> statement = AofStatement::Of(line);
  if (!statement) return;
  makes_statements_ = true;
  // Inside a record nothing can be stated.
  if (!record_.empty()) return Forget();
  switch (statement->kind) {
    case AofStatement::Kind::kHistory:
      return State(statement->id, statement->offset);
    case AofStatement::Kind::kOffset:
      return StateOffset(statement->offset);
    case AofStatement::Kind::kUnknown:
      return Forget();
  }
}

void AofBacklog::State(std::string_view id, int64_t offset) {
  // A history with another name may be the same up to here: its server was promoted.
  const std::optional<Point>& last = point_ ? point_ : before_;
  if (!last || last->offset != offset) begin_ = stream_.tail();
  point_ = {.id = std::string(id), .offset = offset};
  before_.reset();
}

void AofBacklog::StateOffset(int64_t offset) {
  if (!point_) return;
  // The bytes that are there have no place in what is said of them.
  if (offset < point_->offset) return Forget();
  if (offset - point_->offset > most_bytes_) {
    begin_ = stream_.tail();
    point_->offset = offset;
  }
  // What was left out changed no data, and neither do empty lines. A replica that stands anywhere
  // in between, where one of the records ended, may go on with them.
  while (point_->offset < offset) {
    const int64_t lines = std::min(offset - point_->offset, kFilledAtOnce);
    PutBack(std::string(static_cast<size_t>(lines), '\n'));
  }
}

void AofBacklog::Forget() {
  point_.reset();
  before_.reset();
}

// ---- its commands

void AofBacklog::NoteSelection(std::span<const std::string_view> arguments) {
  if (arguments.size() != 2 || !EqualsIgnoreCase(arguments[0], "select")) return;
  record_db_ = static_cast<int>(ParseInteger(arguments[1]).value_or(0));
}

void AofBacklog::NoteCommand(std::span<const std::string_view> arguments, std::string_view bytes,
                             bool in_transaction) {
  NoteSelection(arguments);
  // A file says first which database is selected, and then what it continues.
  const bool opens = std::exchange(first_, false) && EqualsIgnoreCase(arguments[0], "select");
  if (!point_ && !opens) before_.reset();
  if (in_transaction) {
    record_ += bytes;
    return;
  }
  db_ = record_db_;
  if (record_.empty()) return PutBack(bytes);
  record_ += bytes;
  PutBack(std::exchange(record_, {}));
}

void AofBacklog::PutBack(std::string_view bytes) {
  if (!point_) return;
  point_->offset += static_cast<int64_t>(bytes.size());
  const int64_t tail = stream_.Append(bytes);
  const int64_t wanted = std::max(begin_, tail - most_bytes_);
  if (wanted - kept_from_ < static_cast<int64_t>(StreamChunks::kChunkBytes)) return;
  kept_from_ = wanted;
  stream_.Keep(*this, kept_from_);
}

std::optional<AofPlace> AofBacklog::place() const {
  const std::optional<Point>& last = point_ ? point_ : before_;
  if (!last) return std::nullopt;
  const int64_t begin = std::max(begin_, kept_from_);
  return AofPlace{
      .id = last->id,
      .offset = last->offset,
      .begin = begin,
      .first_record = begin == begin_ ? begin : stream_.RecordEnd(begin, stream_.tail()),
      .db = point_ ? db_ : last->db};
}

}  // namespace cloakroom
