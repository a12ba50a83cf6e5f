#include "replication/aof/aof_scan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "protocol/text.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

/// Redis' buffers for a length and for an annotation, without the byte that ends a C string.
constexpr size_t kLengthLine = 127;
constexpr size_t kAnnotationLine = 1023;

std::string Hex(const char* format, unsigned long long value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Reads a file's bytes in order, with look-ahead.
class Cursor {
 public:
  Cursor(ReadableFile& file, int64_t offset) : file_(file), offset_(offset), buffer_(64 * 1024) {}

  int64_t offset() const { return offset_; }
  const absl::Status& status() const { return status_; }
  std::optional<char> Peek() {
    if (at_ == end_ && !Fill()) return std::nullopt;
    return buffer_[at_];
  }
  /// Up to and including the next newline, at most `limit` bytes.
  std::string Line(size_t limit) {
    std::string line;
    while (line.size() < limit) {
      std::optional<char> next = Peek();
      if (!next) break;
      Step(1);
      line += *next;
      if (*next == '\n') break;
    }
    return line;
  }
  /// Returns how many of `count` bytes exist; copies the first few to `begin`, the last two to
  /// `end`.
  int64_t Skip(int64_t count, std::string* begin, std::string* end) {
    int64_t done = 0;
    while (done < count && Peek()) {
      size_t n = static_cast<size_t>(std::min<int64_t>(count - done, end_ - at_));
      std::string_view piece(buffer_.data() + at_, n);
      begin->append(piece.substr(0, 8 - std::min<size_t>(begin->size(), 8)));
      end->append(piece.substr(n - std::min<size_t>(n, 2)));
      end->erase(0, end->size() - std::min<size_t>(end->size(), 2));
      Step(n);
      done += static_cast<int64_t>(n);
    }
    return done;
  }

 private:
  void Step(size_t n) {
    at_ += n;
    offset_ += static_cast<int64_t>(n);
  }
  bool Fill() {
    if (!status_.ok()) return false;
    const absl::StatusOr<size_t> n = file_.Read(buffer_);
    status_ = n.status();
    at_ = 0;
    end_ = n.value_or(0);
    return end_ > 0;
  }

  ReadableFile& file_;
  absl::Status status_;
  int64_t offset_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
};

class Scanner {
 public:
  Scanner(ReadableFile& file, AofScanNames names, int64_t offset, int64_t* line)
      : cursor_(file, offset), names_(std::move(names)), line_(*line) {
    scan_.valid_up_to = offset;
  }

  absl::StatusOr<AofScan> Run(int64_t until_s) {
    absl::Status status;
    while (std::optional<char> next = cursor_.Peek()) {
      if (!in_transaction_) scan_.valid_up_to = cursor_.offset();
      status = *next == '#' ? Annotation(until_s) : Command(*next);
      if (!status.ok()) break;
    }
    if (!cursor_.status().ok()) return cursor_.status();
    if (absl::IsInvalidArgument(status)) return status;
    if (absl::IsDataLoss(status)) {
      scan_.problem = MessageOf(status);
    } else if (in_transaction_ && !scan_.later_at) {
      scan_.problem = MessageOf(Problem("Reached EOF before reading EXEC for MULTI"));
    } else if (status.ok()) {
      scan_.valid_up_to = cursor_.offset();
    }
    return std::move(scan_);
  }

 private:
  // The errors of the functions below: kDataLoss is the file's problem, kInvalidArgument an
  // annotation's, kOutOfRange the end of the scan, which Redis' tool does not report.

  absl::Status Problem(const std::string& text) const {
    return absl::DataLossError("0x" + Hex("%16llx", static_cast<unsigned long long>(item_)) + ": " +
                               text);
  }

  absl::Status Annotation(int64_t until_s) {
    int64_t begin = cursor_.offset();
    std::string line = cursor_.Line(kAnnotationLine);
    if (until_s == 0 || !line.starts_with("#TS:")) return absl::OkStatus();
    char* end = nullptr;
    int64_t seconds = std::strtoll(line.c_str() + 4, &end, 10);
    if (end == line.c_str() + 4 || *end != '\r') {
      return absl::InvalidArgumentError("Invalid timestamp annotation");
    }
    if (seconds <= until_s) return absl::OkStatus();
    scan_.later_at = begin;
    return absl::OutOfRangeError("a later annotation");
  }

  absl::Status Command(char type) {
    if (type != '*') return absl::DataLossError("AOF " + names_.name + " format error");
    const absl::StatusOr<int64_t> count = Number('*');
    if (!count.ok()) return count.status();
    for (int64_t i = 0; i < *count; i++) {
      const absl::StatusOr<std::string> begin = Argument();
      if (!begin.ok()) return begin.status();
      if (i > 0) continue;
      if (absl::Status status = NoteTransaction(*begin); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status NoteTransaction(std::string_view name) {
    if (EqualsIgnoreCase(name, "multi")) {
      if (in_transaction_) return Problem("Unexpected MULTI in AOF " + names_.path);
      in_transaction_ = true;
    } else if (EqualsIgnoreCase(name, "exec")) {
      if (!in_transaction_) return Problem("Unexpected EXEC in AOF " + names_.path);
      in_transaction_ = false;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> Number(char type) {
    item_ = cursor_.offset();
    std::string line = cursor_.Line(kLengthLine);
    if (line.empty()) return absl::OutOfRangeError("the end of the file");
    if (line[0] != type) {
      return Problem(std::string("Expected prefix '") + type + "', got: '" + line[0] + "'");
    }
    char* end = nullptr;
    int64_t number = std::strtoll(line.c_str() + 1, &end, 10);
    const std::string line_end(end, std::min<size_t>(2, line.c_str() + line.size() - end));
    if (absl::Status status = LineEnd(line_end); !status.ok()) return status;
    return number;
  }

  /// The first bytes of the next argument.
  absl::StatusOr<std::string> Argument() {
    const absl::StatusOr<int64_t> length = Number('$');
    if (!length.ok()) return length.status();
    if (*length < 0 || *length > std::numeric_limits<int64_t>::max() - 2) {
      return Problem("Expected to read string of " + std::to_string(*length) +
                     " bytes, which is not in the suitable range");
    }
    item_ = cursor_.offset();
    std::string begin;
    std::string end;
    int64_t got = cursor_.Skip(*length + 2, &begin, &end);
    if (got < *length + 2) {
      return Problem("Expected to read " + std::to_string(*length + 2) + " bytes, got " +
                     std::to_string(got) + " bytes");
    }
    begin.resize(static_cast<size_t>(std::min<int64_t>(*length, begin.size())));
    if (absl::Status status = LineEnd(end); !status.ok()) return status;
    return begin;
  }

  absl::Status LineEnd(std::string bytes) {
    if (bytes == "\r\n") {
      line_++;
      return absl::OkStatus();
    }
    bytes.resize(2);
    return Problem("Expected \\r\\n, got: " + Hex("%02llx", static_cast<unsigned char>(bytes[0])) +
                   Hex("%02llx", static_cast<unsigned char>(bytes[1])));
  }

  Cursor cursor_;
  const AofScanNames names_;
  int64_t& line_;
  int64_t item_ = 0;  // where the last length or argument begins
  bool in_transaction_ = false;
  AofScan scan_;
};

}  // namespace

absl::StatusOr<AofScan> ScanAof(ReadableFile& file, const AofScanNames& names, int64_t offset,
                                int64_t until_s, int64_t* line) {
  return Scanner(file, names, offset, line).Run(until_s);
}

}  // namespace cloakroom
