#include "replication/aof/aof_scan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "protocol/text.h"

namespace cloakroom {
namespace {

/// Redis' buffers for a length and for an annotation, less the byte that ends a C string.
constexpr size_t kLengthLine = 127;
constexpr size_t kAnnotationLine = 1023;

std::string Hex(const char* format, unsigned long long value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A file's bytes in order, with a look ahead.
class Cursor {
 public:
  Cursor(ReadableFile& file, int64_t offset) : file_(file), offset_(offset), buffer_(64 * 1024) {}

  int64_t offset() const { return offset_; }
  const FileError& error() const { return error_; }
  std::optional<char> Peek() {
    if (at_ == end_ && !Fill()) return std::nullopt;
    return buffer_[at_];
  }
  /// Up to and with the next newline, at most `limit` bytes.
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
  /// How many of `count` bytes are there; the first few go to `begin`, the last two to `end`.
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
    if (error_) return false;
    int64_t n = file_.Read(buffer_, &error_);
    at_ = 0;
    end_ = static_cast<size_t>(std::max<int64_t>(n, 0));
    return end_ > 0;
  }

  ReadableFile& file_;
  FileError error_;
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

  AofScan Run(int64_t until_s) {
    bool good = true;
    while (std::optional<char> next = cursor_.Peek()) {
      if (!in_transaction_) scan_.valid_up_to = cursor_.offset();
      good = *next == '#' ? Annotation(until_s) : Command(*next);
      if (!good) break;
    }
    bool told = !scan_.problem.empty() || scan_.later_at || scan_.bad_annotation;
    if (in_transaction_ && !told) {
      Problem("Reached EOF before reading EXEC for MULTI");
    } else if (good && !told) {
      scan_.valid_up_to = cursor_.offset();
    }
    scan_.file_error = cursor_.error();
    return std::move(scan_);
  }

 private:
  bool Problem(const std::string& text) {
    scan_.problem = "0x" + Hex("%16llx", static_cast<unsigned long long>(item_)) + ": " + text;
    return false;
  }

  bool Annotation(int64_t until_s) {
    int64_t begin = cursor_.offset();
    std::string line = cursor_.Line(kAnnotationLine);
    if (until_s == 0 || !line.starts_with("#TS:")) return true;
    char* end = nullptr;
    int64_t seconds = std::strtoll(line.c_str() + 4, &end, 10);
    if (end == line.c_str() + 4 || *end != '\r') {
      scan_.bad_annotation = true;
      return false;
    }
    if (seconds <= until_s) return true;
    scan_.later_at = begin;
    return false;
  }

  bool Command(char type) {
    if (type != '*') {
      scan_.problem = "AOF " + names_.name + " format error";
      return false;
    }
    std::optional<int64_t> count = Number('*');
    if (!count) return false;
    for (int64_t i = 0; i < *count; i++) {
      std::string begin;
      if (!Argument(&begin)) return false;
      if (i == 0 && !NoteTransaction(begin)) return false;
    }
    return true;
  }

  bool NoteTransaction(std::string_view name) {
    if (EqualsIgnoreCase(name, "multi")) {
      if (in_transaction_) return Problem("Unexpected MULTI in AOF " + names_.path);
      in_transaction_ = true;
    } else if (EqualsIgnoreCase(name, "exec")) {
      if (!in_transaction_) return Problem("Unexpected EXEC in AOF " + names_.path);
      in_transaction_ = false;
    }
    return true;
  }

  std::optional<int64_t> Number(char type) {
    item_ = cursor_.offset();
    std::string line = cursor_.Line(kLengthLine);
    if (line.empty()) return std::nullopt;  // the end, of which Redis' tool says nothing
    if (line[0] != type) {
      Problem(std::string("Expected prefix '") + type + "', got: '" + line[0] + "'");
      return std::nullopt;
    }
    char* end = nullptr;
    int64_t number = std::strtoll(line.c_str() + 1, &end, 10);
    if (!LineEnd(std::string(end, std::min<size_t>(2, line.c_str() + line.size() - end)))) {
      return std::nullopt;
    }
    return number;
  }

  bool Argument(std::string* begin) {
    std::optional<int64_t> length = Number('$');
    if (!length) return false;
    if (*length < 0 || *length > std::numeric_limits<int64_t>::max() - 2) {
      return Problem("Expected to read string of " + std::to_string(*length) +
                     " bytes, which is not in the suitable range");
    }
    item_ = cursor_.offset();
    std::string end;
    int64_t got = cursor_.Skip(*length + 2, begin, &end);
    if (got < *length + 2) {
      return Problem("Expected to read " + std::to_string(*length + 2) + " bytes, got " +
                     std::to_string(got) + " bytes");
    }
    begin->resize(static_cast<size_t>(std::min<int64_t>(*length, begin->size())));
    return LineEnd(end);
  }

  bool LineEnd(std::string bytes) {
    if (bytes == "\r\n") {
      line_++;
      return true;
    }
    bytes.resize(2);
    return Problem("Expected \\r\\n, got: " + Hex("%02llx", static_cast<unsigned char>(bytes[0])) +
                   Hex("%02llx", static_cast<unsigned char>(bytes[1])));
  }

  Cursor cursor_;
  const AofScanNames names_;
  int64_t& line_;
  int64_t item_ = 0;  // where the length or the argument last read begins
  bool in_transaction_ = false;
  AofScan scan_;
};

}  // namespace

AofScan ScanAof(ReadableFile& file, const AofScanNames& names, int64_t offset, int64_t until_s,
                int64_t* line) {
  return Scanner(file, names, offset, line).Run(until_s);
}

}  // namespace cloakroom
