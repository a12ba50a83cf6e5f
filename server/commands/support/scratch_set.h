#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "server/execution/command_table.h"
#include "storage/access/write_scope.h"
#include "storage/values/encoding.h"
#include "storage/values/set.h"
#include "storage/values/value.h"

namespace cloakroom {

/// A set outside the keyspace, in which the set commands build their result. It takes over the
/// members of a large set in O(1) and copies only what it then changes
/// (storage/values/shared_value.h).
///
/// Threads: one at a time; needs no stripe, but those of the sets that it is given, or shared
/// copies of them.
class ScratchSet {
 public:
  explicit ScratchSet(const EncodingLimits& limits) : limits_(limits), set_(slot_, limits_) {}
  ScratchSet(const ScratchSet&) = delete;
  ScratchSet& operator=(const ScratchSet&) = delete;

  Set view() const { return set_.view(); }
  size_t size() const { return view().size(); }

  void Add(std::string_view member) { set_.Add(member); }
  void AddAll(const Set& other);
  void RemoveAll(const Set& other);

  /// Makes the set the value of a key, in place of what it holds, and is empty afterwards. In the
  /// log of changes stands `command`, which must come to the same. REQUIRES: size() > 0.
  void MoveInto(WriteScope& to, int db, CommandArguments command);

 private:
  /// The slot of a value in plain memory.
  class MemorySlot final : public ValueSlot {
   public:
    ~MemorySlot() override;

    char* data() override { return bytes_.data(); }
    size_t size() const override { return bytes_.size(); }
    char* Splice(size_t offset, size_t erase, size_t insert) override;
    bool exists() const override { return exists_; }
    ValueType type() const override { return ValueType::kSet; }
    Encoding encoding() const override { return encoding_; }
    bool outgrown() const override { return outgrown_; }
    void set_outgrown(bool outgrown) override { outgrown_ = outgrown; }
    void Create(ValueType type, Encoding encoding) override;
    void set_encoding(Encoding encoding) override { encoding_ = encoding; }
    void Remove() override;

   private:
    bool exists_ = false;
    bool outgrown_ = false;
    Encoding encoding_ = Encoding::kPacked;
    std::string bytes_;
  };

  const EncodingLimits limits_;
  MemorySlot slot_;
  MutableSet set_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_
