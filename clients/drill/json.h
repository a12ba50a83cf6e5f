#ifndef CLOAKROOM_CLIENTS_DRILL_JSON_H_
#define CLOAKROOM_CLIENTS_DRILL_JSON_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace cloakroom::drill {

/// Writes one JSON value. The caller opens and closes what belongs together; commas come by
/// themselves. Bytes that are not UTF-8 become U+FFFD.
///
///   JsonWriter json;
///   json.OpenObject().Name("lost").Number(0).CloseObject();
class JsonWriter {
 public:
  JsonWriter& OpenObject() { return Open('{'); }
  JsonWriter& CloseObject() { return Close('}'); }
  JsonWriter& OpenArray() { return Open('['); }
  JsonWriter& CloseArray() { return Close(']'); }
  /// The name of the value that comes next. REQUIRES: an object is open.
  JsonWriter& Name(std::string_view name);

  JsonWriter& Text(std::string_view text);
  JsonWriter& Number(int64_t number);
  /// With at most three decimals; null for what JSON has no number for.
  JsonWriter& Number(double number);
  JsonWriter& Bool(bool value);

  const std::string& text() const { return text_; }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  void Quote(std::string_view text);

  std::string text_;
  bool comma_ = false;  // there is a value before the next one
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_JSON_H_
