#ifndef CLOAKROOM_SERVER_INFO_INFO_TEXT_H_
#define CLOAKROOM_SERVER_INFO_INFO_TEXT_H_

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cloakroom {

/// A count of bytes for people: "512B", "1.50K", "2.00G".
std::string HumanBytes(int64_t bytes);

/// Builds the text of INFO: sections of "name:value" lines, with an empty line between sections.
/// One thread.
class InfoText {
 public:
  void Section(std::string_view title) {
    if (!text_.empty()) text_ += "\r\n";
    text_ += fmt::format("# {}\r\n", title);
  }
  template <typename T>
  void Line(std::string_view name, const T& value) {
    text_ += fmt::format("{}:{}\r\n", name, value);
  }
  /// With two decimals.
  void Ratio(std::string_view name, double value) {
    text_ += fmt::format("{}:{:.2f}\r\n", name, value);
  }
  void Percent(std::string_view name, double value) {
    text_ += fmt::format("{}:{:.2f}%\r\n", name, value);
  }
  /// Writes two lines: in bytes, and as `name`_human.
  void Bytes(std::string_view name, int64_t bytes) {
    text_ += fmt::format("{}:{}\r\n{}_human:{}\r\n", name, bytes, name, HumanBytes(bytes));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_INFO_TEXT_H_
