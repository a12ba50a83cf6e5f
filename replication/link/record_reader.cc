#include "replication/link/record_reader.h"

#include <algorithm>
#include <iterator>

#include "protocol/text.h"

namespace cloakroom {
namespace {

// Bytes by which a straddling command grows while it is not known how many it needs.
constexpr size_t kStep = 256;
// Arguments for which memory is kept after the record that needed it.
constexpr size_t kKeptArguments = 64 * 1024;

// What the parser puts before an error's text, for a client.
constexpr std::string_view kErrorCode = "ERR ";

// "*1\r\n$5\r\nMULTI\r\n"; the parser takes no longer form of a number.
constexpr int64_t kMultiBytes = 15;

constexpr std::string_view kInlineWarning =
    "WARNING: Receiving inline protocol from master, master stream corruption? Closing the master "
    "connection and discarding the cached master.";

bool IsAlone(std::span<const std::string_view> arguments, std::string_view word) {
  return arguments.size() == 1 && EqualsIgnoreCase(arguments[0], word);
}

}  // namespace

RecordReader::RecordReader(const RecordLimits& limits, int64_t offset)
    : limits_(limits),
      parser_({.proto_max_bulk_len = limits.max_argument,
               .max_multibulk = limits.max_arguments,
               .inline_requests = false}),
      record_begin_(offset),
      offset_(offset) {}

void RecordReader::Feed(std::span<char> bytes) {
  if (!open_) {
    const auto first_needed = straddling_ ? std::prev(straddlers_.end()) : straddlers_.end();
    straddlers_.erase(straddlers_.begin(), first_needed);
  }
  if (!straddling_ && !rest_.empty()) {
    if (rest_.data() + rest_.size() == bytes.data()) {
      rest_ = {rest_.data(), rest_.size() + bytes.size()};
      return;
    }
    straddlers_.emplace_back(rest_.begin(), rest_.end());
    straddling_ = true;
  }
  rest_ = bytes;
}

RecordReader::Status RecordReader::Next() {
  if (!error_.ok()) return Status::kError;
  if (record_done_) StartRecord();
  for (;;) {
    const Step step = straddling_ ? ReadStraddling() : ReadCommand();
    if (step == Step::kError) return Status::kError;
    // Bytes behind a whole command may belong to other records, torn ones only to this one.
    const int64_t bytes = parsed_ + (step == Step::kNeedMore ? torn_bytes() : 0);
    if (bytes > limits_.max_record) {
      Fail("Protocol error: too big record in the replication stream");
      return Status::kError;
    }
    if (step == Step::kNeedMore) {
      if (!open_) offset_ = record_begin_ + parsed_;
      return Status::kNeedMore;
    }
    if (!EndsRecord()) continue;
    record_done_ = true;
    offset_ = record_begin_ + parsed_;
    return Status::kRecord;
  }
}

std::span<const std::string_view> RecordReader::arguments(size_t command) const {
  const size_t begin = command == 0 ? 0 : ends_[command - 1];
  const size_t end = transaction_ ? ends_[command] : arguments_.size();
  return std::span(arguments_).subspan(begin, end - begin);
}

void RecordReader::StartRecord() {
  record_begin_ += parsed_;
  parsed_ = 0;
  arguments_.clear();
  if (arguments_.capacity() > kKeptArguments) arguments_.shrink_to_fit();
  ends_.clear();
  if (ends_.capacity() > kKeptArguments) ends_.shrink_to_fit();
  transaction_ = false;
  record_done_ = false;
}

RecordReader::Step RecordReader::ReadCommand() {
  size_t consumed = 0;
  const Step step = Parse(rest_, &consumed);
  rest_ = rest_.subspan(consumed);
  return step;
}

/// Moves bytes from the piece to the straddling command until it is whole.
RecordReader::Step RecordReader::ReadStraddling() {
  std::vector<char>& straddler = straddlers_.back();
  while (!rest_.empty()) {
    const size_t count = std::min(rest_.size(), std::max(parser_.bytes_wanted(), kStep));
    straddler.insert(straddler.end(), rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(count));
    rest_ = rest_.subspan(count);
    size_t consumed = 0;
    const Step step = Parse(straddler, &consumed);
    if (step == Step::kError) return step;
    if (consumed == 0) continue;
    // What straddled is over, so that all bytes behind it came from this piece: go on there.
    const size_t behind = straddler.size() - consumed;
    rest_ = {rest_.data() - behind, rest_.size() + behind};
    straddling_ = false;
    return step == Step::kCommand ? step : ReadCommand();
  }
  return Step::kNeedMore;
}

RecordReader::Step RecordReader::Parse(std::span<char> bytes, size_t* consumed) {
  const RequestParser::Status status = parser_.Parse(bytes, arguments_);
  *consumed = parser_.TakeConsumed();
  parsed_ += static_cast<int64_t>(*consumed);
  if (status == RequestParser::Status::kRequest) return Step::kCommand;
  if (status == RequestParser::Status::kNeedMore) return Step::kNeedMore;
  const std::string_view problem = parser_.error();
  Fail(problem.ends_with(RequestParser::kInlineRefused) ? kInlineWarning
                                                        : problem.substr(kErrorCode.size()));
  return Step::kError;
}

/// Looks at the command that was just read: is the record whole? As in Redis, MULTI, EXEC and
/// DISCARD with arguments are commands that fail. Empty lines before an open MULTI are whole.
bool RecordReader::EndsRecord() {
  const size_t begin = ends_.empty() ? 0 : ends_.back();
  const auto command = std::span(arguments_).subspan(begin);
  if (!open_) {
    if (!IsAlone(command, "multi")) return true;
    open_ = transaction_ = true;
    offset_ = record_begin_ + parsed_ - kMultiBytes;
    arguments_.clear();
    return false;
  }
  if (IsAlone(command, "exec")) {
    arguments_.pop_back();
    open_ = false;
  } else if (IsAlone(command, "discard")) {
    arguments_.clear();
    ends_.clear();
    open_ = false;
  } else {
    ends_.push_back(arguments_.size());
  }
  return !open_;
}

int64_t RecordReader::torn_bytes() const {
  const size_t straddling = straddling_ ? straddlers_.back().size() : 0;
  return static_cast<int64_t>(straddling + rest_.size());
}

void RecordReader::Fail(std::string_view line) {
  error_ = absl::InvalidArgumentError(absl::string_view(line.data(), line.size()));
}

}  // namespace cloakroom
