#ifndef CLOAKROOM_PROTOCOL_REPLY_VALUE_H_
#define CLOAKROOM_PROTOCOL_REPLY_VALUE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cloakroom {

/// One decoded reply of a server: a tree that owns its bytes. The kind says which members have a
/// meaning. A plain value: can be copied, moved and compared.
struct ReplyValue {
  enum class Kind : uint8_t {
    kNull,       ///< $-1, or _
    kNullArray,  ///< *-1
    kSimple,     ///< text: a status, "OK"
    kError,      ///< text: with its code, "ERR unknown command"
    kInteger,    ///< integer
    kBulk,       ///< text: any bytes
    kDouble,     ///< number
    kBool,       ///< integer: 0 or 1
    kBigNumber,  ///< text: its digits
    kVerbatim,   ///< text: what follows the format "txt:" with which it begins
    kArray,      ///< items
    kMap,        ///< items: keys and values in turn
    kSet,        ///< items
    kPush,       ///< items: a message, not a reply to a request
  };

  static ReplyValue Text(Kind kind, std::string text) {
    ReplyValue value;
    value.kind = kind;
    value.text = std::move(text);
    return value;
  }
  static ReplyValue Simple(std::string text) { return Text(Kind::kSimple, std::move(text)); }
  static ReplyValue Error(std::string text) { return Text(Kind::kError, std::move(text)); }
  static ReplyValue Bulk(std::string text) { return Text(Kind::kBulk, std::move(text)); }
  static ReplyValue Integer(int64_t integer) {
    ReplyValue value;
    value.kind = Kind::kInteger;
    value.integer = integer;
    return value;
  }
  static ReplyValue Items(Kind kind, std::vector<ReplyValue> items) {
    ReplyValue value;
    value.kind = kind;
    value.items = std::move(items);
    return value;
  }
  static ReplyValue Array(std::vector<ReplyValue> items) {
    return Items(Kind::kArray, std::move(items));
  }

  bool is_null() const { return kind == Kind::kNull || kind == Kind::kNullArray; }
  bool is_error() const { return kind == Kind::kError; }

  bool operator==(const ReplyValue& other) const = default;

  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<ReplyValue> items;
  /// RESP3's annotations of this value, keys and values in turn.
  std::vector<ReplyValue> attributes;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_REPLY_VALUE_H_
