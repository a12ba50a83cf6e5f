#include "replication/aof/aof_reader.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr size_t kBuffer = 64 * 1024;
/// A larger buffer, made by one huge command, is freed after it.
constexpr size_t kLargestKept = 4 * 1024 * 1024;
constexpr std::string_view kTimestamp = "#TS:";

}  // namespace

AofReader::AofReader(ByteSource& source, int64_t start_offset)
    : source_(source),
      buffer_(kBuffer),
      base_offset_(start_offset),
      command_offset_(start_offset),
      whole_offset_(start_offset) {}

bool AofReader::IsRdb(std::string_view begin) {
  return begin.starts_with("REDIS") || begin.starts_with("VALKEY");
}

AofReader::Status AofReader::Next() {
  if (ended_) return *ended_;
  while (true) {
    if (!Have(1)) return Finish(in_transaction_ ? Status::kTruncated : Status::kEnd);
    if (offset() == 0 && (buffer_[begin_] == 'R' || buffer_[begin_] == 'V')) {
      (void)Have(6);
      if (IsRdb({buffer_.data(), end_})) return Finish(Status::kRdbPreamble);
    }
    if (buffer_[begin_] != '#') return ReadCommand();
    if (Status status = SkipAnnotation(); status != Status::kCommand) return status;
  }
}

AofReader::Status AofReader::Finish(Status status) {
  ended_ = status;
  arguments_.clear();
  bytes_ = {};
  return status;
}

AofReader::Status AofReader::FormatError(absl::Status error) {
  error_ = std::move(error);
  return Finish(Status::kFormatError);
}

// ---- bytes

/// Makes room behind what was read, and reads. Moves the bytes, so offsets count from begin_.
bool AofReader::Fill() {
  if (begin_ > 0 && (begin_ == end_ || end_ == buffer_.size())) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    base_offset_ += static_cast<int64_t>(begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) {
    buffer_.resize(buffer_.size() * 2);
  } else if (buffer_.size() > kLargestKept && end_ < kBuffer) {
    buffer_.resize(kBuffer);
    buffer_.shrink_to_fit();
  }
  size_t n = source_.Read({buffer_.data() + end_, buffer_.size() - end_});
  end_ += n;
  return n > 0;
}

/// Whether `bytes` bytes lie behind position_, after reading as needed.
bool AofReader::Have(size_t bytes) {
  while (end_ - begin_ - position_ < bytes) {
    if (!Fill()) return false;
  }
  return true;
}

/// The line at position_, without its end; steps behind it. kOutOfRange: the file ends first.
absl::StatusOr<std::string_view> AofReader::Line() {
  for (size_t searched = 0;;) {
    size_t start = begin_ + position_;
    const char* from = buffer_.data() + start + searched;
    size_t length = end_ - start - searched;
    if (const void* found = length == 0 ? nullptr : std::memchr(from, '\n', length)) {
      const char* newline = static_cast<const char*>(found);
      std::string_view line(buffer_.data() + start,
                            static_cast<size_t>(newline - buffer_.data()) - start);
      position_ += line.size() + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.size() > kMaxLine) return absl::DataLossError("a line is too long");
      return line;
    }
    searched += length;
    if (searched > kMaxLine) return absl::DataLossError("a line is too long");
    if (!Fill()) return absl::OutOfRangeError("the end of the file");
  }
}

void AofReader::Consume() {
  begin_ += position_;
  position_ = 0;
}

// ---- what the bytes say

AofReader::Status AofReader::SkipAnnotation() {
  const absl::StatusOr<std::string_view> line = Line();
  if (absl::IsOutOfRange(line.status())) return Finish(Status::kTruncated);
  if (!line.ok()) return FormatError(absl::DataLossError("an annotation is too long"));
  if (line->starts_with(kTimestamp)) {
    if (auto seconds = ParseInteger(line->substr(kTimestamp.size()))) timestamp_s_ = seconds;
  }
  if (see_) see_(*line);
  Consume();
  if (!in_transaction_) whole_offset_ = offset();
  return Status::kCommand;
}

/// The number behind the type byte.
absl::StatusOr<int64_t> AofReader::Length(std::string_view line, char type, int64_t most) const {
  if (line.empty() || line[0] != type) {
    return absl::DataLossError(std::string("expected '") + type + "', got '" +
                               std::string(line.substr(0, 1)) + "'");
  }
  const std::optional<int64_t> length = ParseInteger(line.substr(1));
  if (!length || *length < 0 || *length > most) {
    return absl::DataLossError("bad length '" + std::string(line.substr(1, 32)) + "'");
  }
  return *length;
}

AofReader::Status AofReader::ReadCommand() {
  if (buffer_[begin_] != '*') {
    return FormatError(
        absl::DataLossError(std::string("expected '*', got '") + buffer_[begin_] + "'"));
  }
  const absl::StatusOr<std::string_view> line = Line();
  if (absl::IsOutOfRange(line.status())) return Finish(Status::kTruncated);
  if (!line.ok()) return FormatError(line.status());
  const absl::StatusOr<int64_t> count = Length(*line, '*', INT_MAX);
  if (!count.ok()) return FormatError(count.status());
  if (*count == 0) return FormatError(absl::DataLossError("a command without a name"));
  slices_.clear();
  for (int64_t i = 0; i < *count; i++) {
    if (Status status = ReadArgument(); status != Status::kCommand) return status;
  }
  arguments_.clear();
  for (Slice slice : slices_) {
    arguments_.emplace_back(buffer_.data() + begin_ + slice.offset, slice.length);
  }
  command_offset_ = offset();
  bytes_ = {buffer_.data() + begin_, position_};
  Consume();
  NoteTransaction();
  return Status::kCommand;
}

AofReader::Status AofReader::ReadArgument() {
  // Before the line is whole: a wrong byte is wrong however the file ends.
  if (!Have(1)) return Finish(Status::kTruncated);
  absl::StatusOr<std::string_view> line(std::string_view(buffer_.data() + begin_ + position_, 1));
  if (*line == "$") line = Line();
  if (absl::IsOutOfRange(line.status())) return Finish(Status::kTruncated);
  if (!line.ok()) return FormatError(line.status());
  const absl::StatusOr<int64_t> length = Length(*line, '$', kMaxArgument);
  if (!length.ok()) return FormatError(length.status());
  size_t bytes = static_cast<size_t>(*length);
  if (!Have(bytes + 2)) return Finish(Status::kTruncated);
  if (std::memcmp(buffer_.data() + begin_ + position_ + bytes, "\r\n", 2) != 0) {
    return FormatError(absl::DataLossError("an argument of " + std::to_string(bytes) +
                                           " bytes does not end there"));
  }
  slices_.push_back({position_, bytes});
  position_ += bytes + 2;
  return Status::kCommand;
}

void AofReader::NoteTransaction() {
  if (EqualsIgnoreCase(arguments_[0], "multi")) {
    in_transaction_ = true;
  } else if (EqualsIgnoreCase(arguments_[0], "exec")) {
    in_transaction_ = false;
  }
  if (!in_transaction_) whole_offset_ = offset();
}

}  // namespace cloakroom
