#include "server/session/address.h"

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

using Endpoint = boost::asio::ip::tcp::endpoint;

Endpoint AsEndpoint(const sockaddr_in6& bytes, socklen_t size) {
  Endpoint endpoint;
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &bytes, size);
  return endpoint;
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t size) {
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return;
  if (size > sizeof(bytes_)) return;
  std::memcpy(&bytes_, address, size);
  size_ = size;
}

std::string Address::Text() const {
  if (size_ == 0) return text_;
  const Endpoint endpoint = AsEndpoint(bytes_, size_);
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", host, "]:", endpoint.port())
                                    : absl::StrCat(host, ":", endpoint.port());
}

bool Address::loopback() const {
  return size_ != 0 && AsEndpoint(bytes_, size_).address().is_loopback();
}

}  // namespace cloakroom
