#ifndef CLOAKROOM_REPLICATION_RDB_VALUE_BUILDER_H_
#define CLOAKROOM_REPLICATION_RDB_VALUE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "replication/rdb/rdb_decoder.h"
#include "storage/values/encoding.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Puts a value together outside the keyspace, in a buffer that serves one value after the other,
/// so that its entry is then made in one allocation. The encodings are those that commands would
/// have left: packed up to the limits, tries beyond.
/// Thread rule: one thread at a time.
class ValueBuilder final : public RdbValueVisitor {
 public:
  explicit ValueBuilder(const EncodingLimits& limits) : limits_(limits) {}
  ~ValueBuilder() override { Clear(); }

  /// Drops what was built, unless Release() gave it away.
  void Clear();

  void OnString(std::string_view bytes) override;
  bool OnField(std::string_view field, std::string_view value, int64_t expires_at_ms) override;
  bool OnMember(std::string_view member) override;

  /// Whether there is a value: not before the first element.
  bool exists() const { return slot_.exists(); }
  ValueType type() const { return slot_.type(); }
  Encoding encoding() const { return slot_.encoding(); }
  bool outgrown() const { return slot_.outgrown(); }
  /// When the last field expires; kNoFieldExpiry if one never does, or it is no hash.
  int64_t lives_until_ms() const { return lives_until_ms_; }
  /// Valid until the next change.
  std::string_view payload() { return slot_.bytes(); }
  /// The references that the payload holds are the caller's from now on.
  void Release() { slot_.Remove(); }

 private:
  /// The payload; its memory stays when the value goes.
  class Slot final : public ValueSlot {
   public:
    char* data() override { return bytes_.get(); }
    size_t size() const override { return size_; }
    char* Splice(size_t offset, size_t erase, size_t insert) override;
    bool exists() const override { return exists_; }
    ValueType type() const override { return type_; }
    Encoding encoding() const override { return encoding_; }
    bool outgrown() const override { return outgrown_; }
    void set_outgrown(bool outgrown) override { outgrown_ = outgrown; }
    void Create(ValueType type, Encoding encoding) override;
    void set_encoding(Encoding encoding) override { encoding_ = encoding; }
    void Remove() override;

   private:
    std::unique_ptr<char[]> bytes_;
    size_t capacity_ = 0;
    size_t size_ = 0;
    bool exists_ = false;
    bool outgrown_ = false;
    ValueType type_{};
    Encoding encoding_{};
  };

  /// Which fields a packed block may have: of a bit for each, by a cheap hash. Comparing a field
  /// with all others is only needed when its bit is set.
  class Fields {
   public:
    void Clear() {
      for (uint64_t& word : bits_) word = 0;
    }
    /// Whether it was there for certain not, and is from now on.
    bool AddNew(std::string_view field);

   private:
    static constexpr size_t kBits = 2048;
    uint64_t bits_[kBits / 64] = {};
  };

  bool AddPacked(std::string_view field, std::string_view value, int64_t expires_at_ms);

  const EncodingLimits limits_;
  Slot slot_;
  Fields fields_;
  int64_t lives_until_ms_ = kNoFieldExpiry;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_VALUE_BUILDER_H_
