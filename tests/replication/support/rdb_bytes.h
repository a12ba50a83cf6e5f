#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_RDB_BYTES_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_RDB_BYTES_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "replication/files/crc64.h"
#include "replication/rdb/rdb_decoder.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"

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

/// A plain string of any size.
inline std::string Long(std::string_view text) {
  return "\x80" + Bytes(__builtin_bswap32(static_cast<uint32_t>(text.size()))) + std::string(text);
}

/// A whole file of one version: magic, items, end, checksum.
inline std::string RdbFile(std::string_view items, std::string_view magic = "REDIS0010") {
  std::string file = std::string(magic) + std::string(items) + "\xff";
  return file + Bytes(Crc64(0, file));
}

/// A listpack of elements that are encoded already.
inline std::string Listpack(const std::vector<std::string>& elements) {
  std::string body;
  for (const std::string& element : elements) body += element + static_cast<char>(element.size());
  return Bytes(static_cast<uint32_t>(body.size() + 7)) +
         Bytes(static_cast<uint16_t>(elements.size())) + body + "\xff";
}
inline std::string ListpackString(std::string_view text) {
  return static_cast<char>(0x80 | text.size()) + std::string(text);
}

/// What a decoder says of a value: "name=value name=value@expiry", or "member member".
class ToldValue final : public RdbValueVisitor {
 public:
  void OnString(std::string_view bytes) override { parts_.emplace_back(bytes); }
  bool OnField(std::string_view field, std::string_view value, int64_t expires_at_ms) override {
    std::string part = std::string(field) + "=" + std::string(value);
    if (expires_at_ms != kNoFieldExpiry) part += "@" + std::to_string(expires_at_ms);
    parts_.push_back(part);
    return true;
  }
  bool OnMember(std::string_view member) override {
    parts_.emplace_back(member);
    return true;
  }
  std::string text() const {
    std::string text;
    for (const std::string& part : parts_) text += (text.empty() ? "" : " ") + part;
    return text;
  }

 private:
  std::vector<std::string> parts_;
};

/// What a value holds, in an order of its own.
inline std::string TextOf(const Entry& entry) {
  std::vector<std::string> parts;
  if (entry.type() == ValueType::kString) {
    parts.emplace_back(StringView(entry.encoding(), entry.payload()).bytes());
  } else if (entry.type() == ValueType::kSet) {
    Set(entry.encoding(), entry.payload()).ForEach([&](std::string_view member) {
      parts.emplace_back(member);
    });
  } else {
    Hash(entry.encoding(), entry.payload())
        .ForEach(
            [&](const Item& item) {
              ToldValue told;
              told.OnField(item.field, item.value.bytes, item.expires_at_ms);
              parts.push_back(told.text());
            },
            /*now_ms=*/0);
  }
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
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
