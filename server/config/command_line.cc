#include "server/config/command_line.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "server/config/directive.h"
#include "server/config/grammar.h"
#include "server/config/text.h"

namespace cloakroom {
namespace {

constexpr std::string_view kDashes = "--";

bool NamesDirective(std::string_view word) {
  std::string_view name = word.substr(kDashes.size());
  name = name.substr(0, name.find(' '));
  return config::FindDirective(name) != nullptr || name == "include";
}

// An option's first word without its dashes; several words if the argument holds the values too.
std::vector<std::string> OptionWords(std::string_view argument) {
  argument.remove_prefix(kDashes.size());
  std::optional<std::vector<std::string>> words = config::SplitWords(argument);
  return words && !words->empty() ? *words : std::vector<std::string>{std::string(argument)};
}

// The option as a line of a file, for errors.
std::string AsLine(const std::vector<std::string>& words) {
  std::string line = words[0];
  for (size_t i = 1; i < words.size(); ++i) line += config::Cat(" ", config::Quoted(words[i]));
  return line;
}

}  // namespace

CommandLine ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  if (arguments.size() == 1) {
    line.version = arguments[0] == "--version" || arguments[0] == "-v";
    line.help = arguments[0] == "--help" || arguments[0] == "-h";
    line.print_defaults = arguments[0] == "--print-defaults";
    if (line.version || line.help || line.print_defaults) return line;
  }
  line.check_config = !arguments.empty() && arguments[0] == "--check-config";
  size_t first = line.check_config ? 1 : 0;
  if (first < arguments.size() && !arguments[first].starts_with('-')) {
    line.config_file = std::filesystem::absolute(arguments[first++]).lexically_normal();
  }
  for (size_t i = first; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    bool awaits_value = !line.options.empty() && line.options.back().words.size() == 1;
    bool is_option = argument.starts_with(kDashes) && (!awaits_value || NamesDirective(argument));
    if (argument == "-" && i + 1 == arguments.size() && !awaits_value) {
      line.read_stdin = true;
    } else if (is_option || line.options.empty()) {
      config::Statement option;
      option.line = static_cast<int>(line.options.size()) + 1;
      option.words = is_option ? OptionWords(argument) : std::vector<std::string>{argument};
      line.options.push_back(std::move(option));
    } else {
      line.options.back().words.push_back(argument);
    }
  }
  for (config::Statement& option : line.options) option.text = AsLine(option.words);
  return line;
}

}  // namespace cloakroom
