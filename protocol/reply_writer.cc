#include "protocol/reply_writer.h"

#include <algorithm>

namespace cloakroom {

void ReplyWriter::Line(char type, std::string_view text) {
  char* start = out_->Prepare(1 + text.size() + 2);
  *start = type;
  char* end = std::transform(text.begin(), text.end(), start + 1,
                             [](char c) { return c == '\r' || c == '\n' ? ' ' : c; });
  *end++ = '\r';
  *end++ = '\n';
  out_->Commit(static_cast<size_t>(end - start));
}

void ReplyWriter::Error(std::string_view message) {
  while (!message.empty() && (message.back() == '\r' || message.back() == '\n')) {
    message.remove_suffix(1);
  }
  Line('-', message);
}

void ReplyWriter::Double(double value) {
  char digits[kMaxDoubleLength];
  std::string_view text(digits, FormatDouble(value, digits));
  resp_ == 2 ? Bulk(text) : Line(',', text);
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  if (resp_ == 2) return Bulk(text);
  Header('=', format.size() + 1 + text.size());
  out_->Append(format);
  out_->Append(":");
  out_->Append(text);
  out_->Append("\r\n");
}

void ReplyWriter::InsertHeader(size_t mark, char type, size_t n) {
  char header[kHeaderRoom];
  header[0] = type;
  out_->InsertAt(mark, {header, EndNumber(header, static_cast<int64_t>(n))});
}

}  // namespace cloakroom
