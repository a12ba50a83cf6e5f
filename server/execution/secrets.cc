#include "server/execution/secrets.h"

#include <algorithm>

#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr std::string_view kRedacted = "(redacted)";

bool IsSecretDirective(std::string_view name) {
  constexpr std::string_view kSecret[] = {"requirepass", "masterauth", "masteruser", "primaryauth",
                                          "tls-key-file-pass"};
  return std::any_of(std::begin(kSecret), std::end(kSecret),
                     [&](std::string_view secret) { return EqualsIgnoreCase(secret, name); });
}

void HideMigrateCredentials(CommandArguments args, std::vector<std::string_view>& shown) {
  for (size_t i = 6; i < args.size() && !EqualsIgnoreCase(args[i], "keys"); ++i) {
    const bool with_user = EqualsIgnoreCase(args[i], "auth2");
    if (!with_user && !EqualsIgnoreCase(args[i], "auth")) continue;
    for (size_t secrets = with_user ? 2 : 1; secrets > 0 && i + 1 < args.size(); --secrets) {
      shown[++i] = kRedacted;
    }
  }
}

}  // namespace

std::vector<std::string_view> WithoutSecrets(const CommandRow& row, CommandArguments args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  if (row.name == "auth") {
    std::fill(shown.begin() + 1, shown.end(), kRedacted);
  } else if (row.name == "hello") {
    for (size_t i = 2; i + 2 < shown.size(); ++i) {
      if (!EqualsIgnoreCase(shown[i], "auth")) continue;
      shown[i + 1] = shown[i + 2] = kRedacted;
      break;
    }
  } else if (row.name == "migrate") {
    HideMigrateCredentials(args, shown);
  } else if (row.name == "config|set") {
    for (size_t i = 2; i + 1 < shown.size(); i += 2) {
      if (IsSecretDirective(shown[i])) shown[i + 1] = kRedacted;
    }
  }
  return shown;
}

}  // namespace cloakroom
