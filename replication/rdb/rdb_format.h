#ifndef CLOAKROOM_REPLICATION_RDB_RDB_FORMAT_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cloakroom::rdb {

// The RDB format, as Redis 1 to 7.4 (versions 1 to 12) and Valkey 9 (80) write it. Sources: the
// files themselves, rdb.fnordig.de, and the headers of those servers for the numbers.
//
//   file   = magic version item* kEof checksum
//   magic  = "REDIS" and four digits, or "VALKEY" and three
//   item   = an opcode and what belongs to it, or a record
//   record = [kExpireTime… ] [kIdle | kFreq] type key value
//   checksum = 8 bytes, least first, of all before (crc64.h), or zeroes; from version 5 on
//
// A length has its kind in the two highest bits of its first byte:
//   00 six bits · 01 fourteen bits, high ones first · 10000000 four bytes, high ones first ·
//   10000001 eight bytes, high ones first · 11 no length but a string in another form:
// 0, 1, 2: an integer of 1, 2 or 4 bytes, low ones first; 3: LZF, two lengths (compressed,
// original) and the compressed bytes. A plain string is a length and its bytes.

inline constexpr size_t kMagicSize = 9;
inline constexpr size_t kChecksumSize = 8;
/// What ends the payload of DUMP and of FUNCTION DUMP: a version of two bytes, and the checksum.
inline constexpr size_t kPayloadVersionSize = sizeof(uint16_t);
inline constexpr size_t kPayloadFooterSize = kPayloadVersionSize + kChecksumSize;
inline constexpr int kOldestWritten = 9;
inline constexpr int kNewestVersion = 12;
inline constexpr int kFirstChecksum = 5;
/// The first version with function libraries.
inline constexpr int kFirstFunctions = 10;
/// The first version with expiries of hash fields.
inline constexpr int kFirstFieldExpiry = 12;
inline constexpr int kValkeyVersion = 80;

enum Opcode : uint8_t {
  kSlotImport = 243,   ///< Valkey 9 in a cluster: a string, a length n, n pairs of lengths
  kSlotInfo = 244,     ///< cluster: slot, keys, expires
  kFunction = 245,     ///< source of a library
  kFunctionOld = 246,  ///< of release candidates of 7.0
  kModuleAux = 247,
  kIdle = 248,  ///< seconds since the last access, a length
  kFreq = 249,  ///< LFU counter, a byte
  kAux = 250,   ///< two strings: name and value
  kResizeDb = 251,
  kExpireTimeMs = 252,  ///< 8 bytes, low ones first
  kExpireTime = 253,    ///< seconds in 4 bytes
  kSelectDb = 254,
  kEof = 255,
};

enum Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZset = 3,   ///< scores as text
  kHash = 4,   ///< n, n times field and value
  kZset2 = 5,  ///< scores as doubles
  kModuleOld = 6,
  kModule = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kZsetZiplist = 12,
  kHashZiplist = 13,
  kQuicklist = 14,
  kStream = 15,
  kHashListpack = 16,
  kZsetListpack = 17,
  kQuicklist2 = 18,
  kStream2 = 19,
  kSetListpack = 20,
  kStream3 = 21,
  kHashMetadataOld = 22,  ///< 7.4's release candidates: as kHashMetadata, but with plain times
  kHashListpackExOld = 23,
  kHashMetadata =
      24,  ///< first expiry (8 bytes), n, n times: expiry - first + 1 or 0, field, value
  kHashListpackEx = 25,  ///< first expiry (8 bytes), a listpack of field, value, expiry or 0
};
/// Valkey's kHash with times: n, n times field, value and 8 bytes expiry, -1 for none.
inline constexpr uint8_t kValkeyHash2 = 22;
inline constexpr uint8_t kLastType = kHashListpackEx;

/// Whose type numbers a file uses.
enum class Dialect : uint8_t { kRedis, kValkey };

/// An auxiliary field of ours just before the type's byte of a set (kSet) with members that expire,
/// which no type of Redis can say. Other servers skip it, and the members then do not expire. Its
/// value: when each member expires, in their order, 8 bytes each, 0 for never.
inline constexpr std::string_view kItemExpiryAux = "cloakroom-item-expiry";

/// The first two bits of a length, and what fills the rest.
inline constexpr uint8_t kLength14 = 0x40;
inline constexpr uint8_t kLength32 = 0x80;
inline constexpr uint8_t kLength64 = 0x81;
inline constexpr uint8_t kEncodedInt8 = 0xc0;
inline constexpr uint8_t kEncodedInt16 = 0xc1;
inline constexpr uint8_t kEncodedInt32 = 0xc2;
inline constexpr uint8_t kEncodedLzf = 0xc3;

/// Whether a byte in the place of an opcode begins a record.
constexpr bool IsType(uint8_t byte) { return byte <= kLastType && byte != 8; }

/// The name of a type in Redis' tools: "hash-listpack"; "" for none.
std::string_view TypeName(uint8_t type);

}  // namespace cloakroom::rdb

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_FORMAT_H_
