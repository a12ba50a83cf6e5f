#ifndef CLOAKROOM_CLIENTS_REQUEST_H_
#define CLOAKROOM_CLIENTS_REQUEST_H_

#include <initializer_list>
#include <string>
#include <string_view>

namespace cloakroom {

/// A request as Redis clients send it: an array of bulk strings.
std::string Request(std::initializer_list<std::string_view> words);
void AppendRequest(std::string& out, std::initializer_list<std::string_view> words);

}  // namespace cloakroom

#endif  // CLOAKROOM_CLIENTS_REQUEST_H_
