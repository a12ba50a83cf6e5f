#ifndef CLOAKROOM_CLIENTS_DRILL_INFO_TEXT_H_
#define CLOAKROOM_CLIENTS_DRILL_INFO_TEXT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace cloakroom::drill {

/// The fields of an INFO reply. A plain value.
class InfoText {
 public:
  explicit InfoText(std::string_view text);

  bool Has(std::string_view name) const { return fields_.contains(name); }
  /// "" if the field is not there.
  std::string Text(std::string_view name) const;
  /// `otherwise` if the field is not there, or is no number.
  int64_t Number(std::string_view name, int64_t otherwise = 0) const;

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

/// The parts of a value like "ip=10.0.0.2,port=6379,state=online".
std::map<std::string, std::string, std::less<>> PartsOf(std::string_view value);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_INFO_TEXT_H_
