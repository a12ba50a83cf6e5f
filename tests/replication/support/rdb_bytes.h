#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_RDB_BYTES_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_RDB_BYTES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "replication/files/crc64.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {

/// Low byte first.
template <typename T>
std::string Bytes(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

/// A plain string of fewer than 64 bytes.
inline std::string Short(std::string_view text) {
  return static_cast<char>(text.size()) + std::string(text);
}

/// A record that Cloakroom does not have: a module's value, without any content.
inline std::string ModuleValue(std::string_view key) {
  return "\x07" + Short(key) + "\x81" + std::string(9, '\0');
}

/// A plain string of any size.
inline std::string Long(std::string_view text) {
  return "\x80" + Bytes(__builtin_bswap32(static_cast<uint32_t>(text.size()))) + std::string(text);
}

/// A whole file of one version: magic, items, end, checksum.
inline std::string RdbFile(std::string_view items, std::string_view magic = "REDIS0010") {
  std::string file = std::string(magic) + std::string(items) + "\xff";
  return file + Bytes(Crc64(0, file));
}

/// A listpack of elements that are already encoded.
inline std::string Listpack(const std::vector<std::string>& elements) {
  std::string body;
  for (const std::string& element : elements) body += element + static_cast<char>(element.size());
  return Bytes(static_cast<uint32_t>(body.size() + 7)) +
         Bytes(static_cast<uint16_t>(elements.size())) + body + "\xff";
}
inline std::string ListpackString(std::string_view text) {
  return static_cast<char>(0x80 | text.size()) + std::string(text);
}

/// What a key holds, in a fixed order, and its expiry.
inline std::string TextOf(const Entry& entry) {
  std::string text = SortedTextOf(entry.value());
  if (entry.has_expiry()) text += " until " + std::to_string(entry.expire_at_ms());
  return text;
}

/// Everything in a keyspace, by "db:key".
inline std::map<std::string, std::string> ContentOf(Keyspace& keyspace) {
  std::map<std::string, std::string> content;
  for (int i = 0; i < keyspace.database_count(); ++i) {
    Hold hold(keyspace.background_slot());
    hold.WaitAndPass(keyspace.db(i));
    uint64_t cursor = 0;
    do {
      cursor = keyspace.db(i).Scan(hold, cursor, 1000, [&](const Entry& entry) {
        content[std::to_string(i) + ":" + std::string(entry.key())] = TextOf(entry);
      });
    } while (cursor != 0);
  }
  return content;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SUPPORT_RDB_BYTES_H_
