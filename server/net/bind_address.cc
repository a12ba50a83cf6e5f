#include "server/net/bind_address.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cloakroom {

std::vector<BindAddress> BindAddresses(const std::vector<std::string>& words) {
  if (words.empty()) return {{"0.0.0.0"}, {"::"}};
  std::vector<BindAddress> addresses;
  for (const std::string& word : words) {
    const bool optional = word.starts_with('-');
    std::string name = word.substr(optional ? 1 : 0);
    if (name == "*") name = "0.0.0.0";
    if (name == "::*") name = "::";
    addresses.push_back({std::move(name), optional});
  }
  return addresses;
}

std::optional<boost::asio::ip::address> Resolved(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::address address = boost::asio::ip::make_address(name, error);
  if (!error) return address;
  boost::asio::io_context context;
  auto found = boost::asio::ip::tcp::resolver(context).resolve(name, "", error);
  if (error || found.empty()) return std::nullopt;
  return found.begin()->endpoint().address();
}

}  // namespace cloakroom
