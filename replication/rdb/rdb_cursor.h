#ifndef CLOAKROOM_REPLICATION_RDB_RDB_CURSOR_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "storage/base/integer_text.h"
#include "storage/base/unaligned.h"

namespace cloakroom {

/// The error for a compressed string that cannot be restored, in Redis' words.
inline constexpr std::string_view kInvalidLzf = "Invalid LZF compressed string";

/// A string as it is in a file: what is needed to restore it, not yet the bytes themselves.
struct RdbString {
  enum class Kind : uint8_t { kPlain, kInteger, kLzf };

  Kind kind = Kind::kPlain;
  std::string_view bytes;  ///< plain or compressed
  int64_t integer = 0;
  uint64_t size = 0;  ///< of the original, as the file claims
};

/// A string or the text of an integer, whichever a packed list holds.
class RdbText {
 public:
  void Set(std::string_view bytes) {
    bytes_ = bytes;
    is_integer_ = false;
  }
  void Set(int64_t integer) {
    digits_ = IntegerText(integer);
    is_integer_ = true;
  }
  /// Valid as long as this object and the bytes from which it was read.
  std::string_view view() const { return is_integer_ ? digits_.view() : bytes_; }

 private:
  std::string_view bytes_;
  IntegerText digits_{0};
  bool is_integer_ = false;
};

/// Reads the primitives of the RDB format (rdb_format.h) from bytes in memory. Errors stick: after
/// one everything reads as zero and empty, the position stays before the primitive that failed, and
/// status() and missing() say what it was. Never reads out of bounds. Thread rule: one thread at a
/// time.
class RdbCursor {
 public:
  explicit RdbCursor(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  /// Not ok only because the bytes ended: how many more are needed at least; 0 otherwise.
  size_t missing() const { return missing_; }
  /// OutOfRange: the bytes ended too early. DataLoss: they are wrong.
  absl::Status status() const;
  /// `error` must outlive the cursor; a number that is not negative is appended to it.
  void Fail(std::string_view error, int number = -1) {
    if (!ok_) return;
    ok_ = false;
    error_ = error;
    error_number_ = number;
  }

  size_t position() const { return position_; }
  /// REQUIRES: ok(), and the position was reached before.
  void Seek(size_t position) { position_ = position; }
  /// The bytes between an earlier position and this one.
  std::string_view Since(size_t position) const {
    return bytes_.substr(position, position_ - position);
  }
  bool at_end() const { return position_ == bytes_.size(); }

  std::string_view Take(uint64_t size) {
    if (!Has(size)) return {};
    const std::string_view taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
  }
  uint8_t Byte() { return Number<uint8_t>(); }
  /// Low byte first, as all numbers but lengths are.
  template <typename T>
  T Number() {
    if (!Has(sizeof(T))) return 0;
    const T number = LoadUnaligned<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return number;
  }
  uint64_t Length();
  RdbString String();
  void SkipString() { String(); }

 private:
  /// A length, or, if its two highest bits say so, the kind of an encoded string.
  struct Head {
    uint64_t length;
    bool encoded;
  };

  bool Has(uint64_t size) {
    if (ok_ && size <= bytes_.size() - position_) [[likely]]
      return true;
    RunOut(size);
    return false;
  }
  void RunOut(uint64_t size);
  Head ReadHead();
  RdbString EncodedString(uint64_t kind);

  std::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
  size_t missing_ = 0;
  std::string_view error_;
  int error_number_ = -1;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_CURSOR_H_
