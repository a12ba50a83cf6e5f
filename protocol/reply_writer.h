#ifndef CLOAKROOM_PROTOCOL_REPLY_WRITER_H_
#define CLOAKROOM_PROTOCOL_REPLY_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/output_buffer.h"
#include "protocol/shared_bytes.h"

namespace cloakroom {

/// Encodes the replies to one client, in RESP2 or RESP3, byte for byte as Redis 7.0 does. In RESP2
/// a map is an array of twice the length, a boolean an integer, and a double a bulk string.
///
/// The caller must keep the structure: after Array(n), n replies. Only the buffer allocates. Not
/// thread safe: it belongs to one connection. The buffer must outlive the writer.
class ReplyWriter {
 public:
  /// REQUIRES: resp is 2 or 3, here and in set_resp().
  explicit ReplyWriter(OutputBuffer& out, int resp = 2) : out_(&out), resp_(resp) {}

  int resp() const { return resp_; }
  void set_resp(int resp) { resp_ = resp; }
  OutputBuffer& out() { return *out_; }

  /// A status. Carriage returns and newlines become spaces; else a client would read two replies.
  void Simple(std::string_view text) { Line('+', text); }
  void Ok() { out_->Append("+OK\r\n"); }
  /// `message` begins with its code: "ERR ...", "WRONGTYPE ...". Drops newlines at its end; others
  /// become spaces.
  void Error(std::string_view message);

  void Integer(int64_t value) {
    char* start = out_->Prepare(kHeaderRoom);
    *start = ':';
    out_->Commit(EndNumber(start, value));
  }

  void Bulk(std::string_view text) {
    char* start = out_->Prepare(kHeaderRoom + text.size() + 2);
    *start = '$';
    char* at = start + EndNumber(start, static_cast<int64_t>(text.size()));
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    at += text.size();
    *at++ = '\r';
    *at++ = '\n';
    out_->Commit(static_cast<size_t>(at - start));
  }
  /// By reference, however short.
  void Bulk(SharedBytes shared) {
    Header('$', shared.bytes.size());
    out_->Append(std::move(shared));
    out_->Append("\r\n");
  }
  /// Null if it holds nothing. A template, so that a string literal never converts to it.
  template <typename Text>
  void Bulk(const std::optional<Text>& text) {
    text ? Bulk(std::string_view(*text)) : Null();
  }
  /// An integer as a bulk string.
  void BulkInteger(int64_t value) {
    char digits[kMaxIntegerLength + 1];
    Bulk(std::string_view(digits, FormatInteger(value, digits)));
  }

  /// No value: $-1, or _ in RESP3.
  void Null() { out_->Append(resp_ == 2 ? "$-1\r\n" : "_\r\n"); }
  /// No array: *-1, or _ in RESP3.
  void NullArray() { out_->Append(resp_ == 2 ? "*-1\r\n" : "_\r\n"); }

  void Array(size_t n) { Header('*', n); }
  /// Keys and values follow in turn: 2 * pairs replies.
  void Map(size_t pairs) { resp_ == 2 ? Header('*', pairs * 2) : Header('%', pairs); }
  void Set(size_t n) { Header(resp_ == 2 ? '*' : '~', n); }
  void Push(size_t n) { Header(resp_ == 2 ? '*' : '>', n); }
  /// Keys and values follow in turn, and then the reply that they annotate. REQUIRES: resp() == 3.
  /// RESP2 has no annotations; the caller omits them.
  void Attribute(size_t pairs) { Header('|', pairs); }

  void Double(double value);
  void Bool(bool value) {
    resp_ == 2 ? Integer(value ? 1 : 0) : out_->Append(value ? "#t\r\n" : "#f\r\n");
  }
  /// REQUIRES: `digits` is an integer in decimal.
  void BigNumber(std::string_view digits) { resp_ == 2 ? Bulk(digits) : Line('(', digits); }
  /// REQUIRES: `format` has three bytes: "txt" or "mkd".
  void Verbatim(std::string_view format, std::string_view text);

  /// Bytes that are RESP already.
  void Raw(std::string_view bytes) { out_->Append(bytes); }

  /// For an array, set or map whose length is known only at its end: write the elements between the
  /// two calls. They may nest. The end moves the elements' text to make room for the header, so
  /// Array(), Set() and Map() are cheaper if the length is known.
  size_t BeginArray() { return out_->Mark(); }
  void EndArray(size_t mark, size_t n) { InsertHeader(mark, '*', n); }
  void EndSet(size_t mark, size_t n) { InsertHeader(mark, resp_ == 2 ? '*' : '~', n); }
  void EndMap(size_t mark, size_t pairs) {
    resp_ == 2 ? InsertHeader(mark, '*', pairs * 2) : InsertHeader(mark, '%', pairs);
  }

 private:
  // A type byte, an integer and a line end.
  static constexpr size_t kHeaderRoom = 1 + kMaxIntegerLength + 1 + 2;

  /// Writes the number and a line end behind the type byte at `start`; returns the whole length.
  static size_t EndNumber(char* start, int64_t value) {
    char* at = start + 1;
    at += FormatInteger(value, at);
    *at++ = '\r';
    *at++ = '\n';
    return static_cast<size_t>(at - start);
  }

  void Header(char type, size_t n) {
    char* start = out_->Prepare(kHeaderRoom);
    *start = type;
    out_->Commit(EndNumber(start, static_cast<int64_t>(n)));
  }

  void Line(char type, std::string_view text);
  void InsertHeader(size_t mark, char type, size_t n);

  OutputBuffer* out_;
  int resp_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_REPLY_WRITER_H_
