#ifndef CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "replication/rdb/rdb_cursor.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_reader.h"
#include "replication/rdb/rdb_string_buffer.h"
#include "storage/values/item.h"

namespace cloakroom {

/// Is told what a value consists of. The bytes are valid during the call only.
class RdbValueVisitor {
 public:
  virtual ~RdbValueVisitor() = default;
  virtual void OnString(std::string_view bytes) = 0;
  /// kNoFieldExpiry: never. False: there was such a field.
  virtual bool OnField(std::string_view field, std::string_view value, int64_t expires_at_ms) = 0;
  /// False: there was such a member.
  virtual bool OnMember(std::string_view member) = 0;
};

/// Takes the values of records apart: every encoding that Redis or Valkey ever wrote of the types
/// that Cloakroom has. A type to come is a function, and a row in the table in the .cc.
/// Thread rule: one thread at a time.
class RdbDecoder {
 public:
  /// Tells the visitor all of it; or what is wrong, when it may have been told a part. Of a
  /// collection without elements it is told nothing.
  std::optional<std::string> Decode(uint8_t type, rdb::Dialect dialect, std::string_view value,
                                    RdbValueVisitor& visitor);
  /// The key, valid until the next call; nothing when it is damaged.
  std::optional<std::string_view> Key(const RdbRecord& record) { return key_.Restore(record.key); }

  /// Whether it is a type that Decode knows.
  static bool Knows(uint8_t type, rdb::Dialect dialect);

 private:
  /// The value being read, and who hears of it.
  struct Job {
    RdbCursor cursor;
    RdbValueVisitor& visitor;
  };
  using Function = void (RdbDecoder::*)(Job&);
  struct Row;
  static Function Find(uint8_t type, rdb::Dialect dialect);

  void String(Job& job);
  void Hash(Job& job);
  void HashMetadata(Job& job);
  void HashMetadataOld(Job& job);
  void HashZipmap(Job& job);
  void HashZiplist(Job& job);
  void HashListpack(Job& job);
  void HashListpackEx(Job& job);
  void HashListpackExOld(Job& job);
  void ValkeyHash2(Job& job);
  void Set(Job& job);
  void SetIntset(Job& job);
  void SetListpack(Job& job);

  void TimedFields(Job& job, int64_t first_expiry);
  void TimedListpack(Job& job);
  template <typename List>
  void Pairs(Job& job);
  /// A string, or nothing after an error, which the cursor then has.
  std::optional<std::string_view> Read(Job& job, RdbStringBuffer& buffer);
  void Field(Job& job, std::string_view field, std::string_view value, int64_t expires_at_ms);
  void Member(Job& job, std::string_view member);

  RdbStringBuffer key_;
  RdbStringBuffer first_;
  RdbStringBuffer second_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_
