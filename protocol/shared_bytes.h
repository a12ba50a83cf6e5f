#ifndef CLOAKROOM_PROTOCOL_SHARED_BYTES_H_
#define CLOAKROOM_PROTOCOL_SHARED_BYTES_H_

#include <memory>
#include <string_view>

namespace cloakroom {

/// Immutable bytes that live as long as a handle to them: a large value on its way to a socket, a
/// message to a thousand subscribers. Any thread may copy or drop its own handle.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::string_view bytes;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_SHARED_BYTES_H_
