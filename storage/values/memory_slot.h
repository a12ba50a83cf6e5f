#ifndef CLOAKROOM_STORAGE_VALUES_MEMORY_SLOT_H_
#define CLOAKROOM_STORAGE_VALUES_MEMORY_SLOT_H_

#include <cstddef>
#include <memory>

#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// The slot of a value outside the keyspace, in which the value is put together before it becomes
/// an entry in one allocation. Its memory is reused from value to value; the destructor releases
/// the last one.
///
/// Thread rule: one thread at a time.
class MemorySlot final : public ValueSlot {
 public:
  MemorySlot() = default;
  ~MemorySlot() override { Clear(); }
  MemorySlot(const MemorySlot&) = delete;
  MemorySlot& operator=(const MemorySlot&) = delete;

  /// Drops the value, if there is one, with everything that it holds.
  void Clear();
  /// The value as it is; valid until it changes. REQUIRES: exists().
  ValueView value() const { return {type_, encoding_, outgrown_, {bytes_.get(), size_}}; }
  /// Empties the slot; the caller takes over the references that the payload holds.
  void GiveAway() { Remove(); }

  // ValueSlot.
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

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_MEMORY_SLOT_H_
