#ifndef CLOAKROOM_STORAGE_BASE_UNALIGNED_H_
#define CLOAKROOM_STORAGE_BASE_UNALIGNED_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cloakroom {

// Numbers and pointers in bytes of any alignment, in the host's order. Each Store returns the byte
// behind what it wrote.

template <typename T>
T LoadUnaligned(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <typename T>
char* StoreUnaligned(char* to, T value) {
  std::memcpy(to, &value, sizeof(value));
  return to + sizeof(value);
}

inline uint8_t ByteAt(const char* at, size_t offset = 0) {
  return static_cast<uint8_t>(at[offset]);
}
inline uint8_t ByteAt(std::string_view bytes, size_t offset) {
  return ByteAt(bytes.data(), offset);
}

inline char* StoreBytes(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_UNALIGNED_H_
