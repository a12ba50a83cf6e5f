#ifndef CLOAKROOM_REPLICATION_RDB_RDB_ERROR_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_ERROR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

/// What a reader of an RDB file was reading when it failed, in the order of redis-check-rdb's
/// words.
enum class RdbStage : uint8_t {
  kStart,
  kType,
  kExpire,
  kKey,
  kValue,
  kChecksum,
  kLength,
  kAux,
  kModuleAux,
  kFunctions,
};

/// The kind of cause, and so of remedy.
enum class RdbCause : uint8_t {
  kDamage,
  kUnsupported,  ///< the file is sound, and holds what this version of Cloakroom does not support
  kSettings,     ///< the file is sound, and the settings leave no room for it
};

/// What is wrong with an RDB file, and where.
struct [[nodiscard]] RdbError {
  uint64_t offset = 0;  ///< of the first byte that could not be used
  std::string message;
  std::optional<std::string> key;  ///< whose record it is in, if one was read
  RdbStage stage = RdbStage::kStart;
  int type = -1;  ///< of that record
  RdbCause cause = RdbCause::kDamage;

  /// "offset 1234, key 'x': Invalid LZF compressed string". Escapes bytes that are not printable
  /// ASCII, and shortens a long key.
  std::string Text() const;
};

/// redis-check-rdb's words: "read-object-value".
std::string_view RdbStageName(RdbStage stage);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_ERROR_H_
