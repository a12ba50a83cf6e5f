#include "clients/drill/info_text.h"

#include "protocol/numbers.h"

namespace cloakroom::drill {
namespace {

/// Takes what comes before the separator off `text`.
std::string_view TakePart(std::string_view* text, char separator) {
  const size_t end = text->find(separator);
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return part;
}

}  // namespace

InfoText::InfoText(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = TakePart(&text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    const std::string_view name = TakePart(&line, ':');
    if (!name.empty()) fields_.emplace(name, line);
  }
}

std::string InfoText::Text(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? "" : found->second;
}

int64_t InfoText::Number(std::string_view name, int64_t otherwise) const {
  return ParseInteger(Text(name)).value_or(otherwise);
}

std::map<std::string, std::string, std::less<>> PartsOf(std::string_view value) {
  std::map<std::string, std::string, std::less<>> parts;
  while (!value.empty()) {
    std::string_view part = TakePart(&value, ',');
    const std::string_view name = TakePart(&part, '=');
    parts.emplace(name, part);
  }
  return parts;
}

}  // namespace cloakroom::drill
