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

}  // namespace

std::vector<std::string_view> WithoutSecrets(const CommandRow& row, CommandArguments args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  if (row.hide_secrets != nullptr) row.hide_secrets(shown);
  return shown;
}

void HideAuthSecrets(std::vector<std::string_view>& arguments) {
  std::fill(arguments.begin() + 1, arguments.end(), kRedacted);
}

void HideHelloSecrets(std::vector<std::string_view>& arguments) {
  for (size_t i = 2; i + 2 < arguments.size(); ++i) {
    if (!EqualsIgnoreCase(arguments[i], "auth")) continue;
    arguments[i + 1] = arguments[i + 2] = kRedacted;
    return;
  }
}

void HideMigrateSecrets(std::vector<std::string_view>& arguments) {
  for (size_t i = 6; i < arguments.size() && !EqualsIgnoreCase(arguments[i], "keys"); ++i) {
    const bool with_user = EqualsIgnoreCase(arguments[i], "auth2");
    if (!with_user && !EqualsIgnoreCase(arguments[i], "auth")) continue;
    for (size_t secrets = with_user ? 2 : 1; secrets > 0 && i + 1 < arguments.size(); --secrets) {
      arguments[++i] = kRedacted;
    }
  }
}

void HideConfigSecrets(std::vector<std::string_view>& arguments) {
  for (size_t i = 2; i + 1 < arguments.size(); i += 2) {
    if (IsSecretDirective(arguments[i])) arguments[i + 1] = kRedacted;
  }
}

}  // namespace cloakroom
