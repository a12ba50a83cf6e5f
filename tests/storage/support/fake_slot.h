#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_FAKE_SLOT_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_FAKE_SLOT_H_

#include <optional>
#include <string>

#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// A region in a string. Every Splice moves the bytes to new memory, so that a sanitizer finds code
/// that kept a pointer.
class FakeRegion final : public Region {
 public:
  char* data() override { return bytes_.data(); }
  size_t size() const override { return bytes_.size(); }
  char* Splice(size_t offset, size_t erase, size_t insert) override {
    std::string moved = bytes_.substr(0, offset);
    moved.append(insert, '\xAA');
    moved.append(bytes_, offset + erase);
    bytes_.swap(moved);
    return bytes_.data() + offset;
  }

 private:
  std::string bytes_;
};

/// A slot without a table, which releases its value at the end.
class FakeSlot final : public ValueSlot {
 public:
  ~FakeSlot() override {
    if (exists()) ReleaseValue(view());
  }

  char* data() override { return region_->data(); }
  size_t size() const override { return region_ ? region_->size() : 0; }
  char* Splice(size_t offset, size_t erase, size_t insert) override {
    return region_->Splice(offset, erase, insert);
  }

  bool exists() const override { return region_.has_value(); }
  ValueType type() const override { return type_; }
  Encoding encoding() const override { return encoding_; }
  bool outgrown() const override { return outgrown_; }
  void set_outgrown(bool outgrown) override { outgrown_ = outgrown; }
  void Create(ValueType type, Encoding encoding) override {
    region_.emplace();
    type_ = type;
    encoding_ = encoding;
    outgrown_ = false;
  }
  void set_encoding(Encoding encoding) override { encoding_ = encoding; }
  void Remove() override { region_.reset(); }

 private:
  std::optional<FakeRegion> region_;
  ValueType type_{};
  Encoding encoding_{};
  bool outgrown_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_FAKE_SLOT_H_
