#include "clients/drill/address.h"

#include "protocol/numbers.h"
#include "protocol/text.h"

namespace cloakroom::drill {

std::optional<Address> MakeAddress(std::string_view host, std::string_view port) {
  const std::optional<uint64_t> number = ParseUnsigned(port);
  if (host.empty() || !number || *number == 0 || *number > 65535) return std::nullopt;
  return Address{std::string(host), static_cast<uint16_t>(*number)};
}

std::optional<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return MakeAddress(host, text.substr(colon + 1));
}

std::string ToText(const Address& address) {
  const std::string port = std::to_string(address.port);
  if (address.host.find(':') == std::string::npos) return Concat({address.host, ":", port});
  return Concat({"[", address.host, "]:", port});
}

bool IsLoopback(const Address& address) {
  return address.host.starts_with("127.") || address.host == "::1" ||
         EqualsIgnoreCase(address.host, "localhost");
}

}  // namespace cloakroom::drill
