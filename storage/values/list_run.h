#ifndef CLOAKROOM_STORAGE_VALUES_LIST_RUN_H_
#define CLOAKROOM_STORAGE_VALUES_LIST_RUN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/base/integer_text.h"
#include "storage/values/value.h"

namespace cloakroom {

// A run: elements of a list in one block of bytes, which can be read from either end.
//
//   run    = header content* code*     header = uint16 elements, uint16 bytes of all codes
//
// The contents stand in the order of the elements, their codes in the opposite order: the last
// element's content ends where its code begins, and the first element's code is the end of the run.
// A code says what its content is:
//
//   00-7F         a string of so many bytes
//   80-BF         an integer from 0 to 63, no content
//   C0-DF         an integer of 13 bits, signed: its high 5 bits; the content has the other 8
//   E2-E8         an integer of 2 to 8 bytes, signed
//   F0 size F0    a string, its size in 2 bytes
//   F1 size F1    a string, its size in 4 bytes
//
// Invariants: the header is right; every element has the shortest code for it, so equal elements
// have equal codes and contents. Numbers are in the host's order (low byte first) and unaligned.
// Limits: 65,535 elements and bytes of codes (callers keep runs to some KB); an element below 2^32
// bytes with the rest of the run. Threads: as for the bytes that hold the run.

/// The text of an element: bytes of the run, or the digits of an integer.
class ListElement {
 public:
  explicit ListElement(std::string_view bytes) : bytes_(bytes) {}
  explicit ListElement(int64_t integer) : digits_(integer), is_integer_(true) {}

  /// Valid as long as this object and the run.
  std::string_view view() const { return is_integer_ ? digits_.view() : bytes_; }

 private:
  std::string_view bytes_;
  IntegerText digits_{0};
  bool is_integer_ = false;
};

/// An element as it is stored, apart from any run: its code, and its content.
class ListCode {
 public:
  /// Valid as long as `element`.
  explicit ListCode(std::string_view element);
  ListCode(const ListCode&) = delete;
  ListCode& operator=(const ListCode&) = delete;

  std::string_view code() const { return {code_, code_size_}; }
  std::string_view content() const { return is_integer_ ? std::string_view(bytes_, size_) : text_; }
  /// What it adds to a run.
  size_t size() const { return code().size() + content().size(); }
  /// The bytes of the element in a listpack of Redis.
  size_t ListpackSize() const;

 private:
  char code_[6];
  uint8_t code_size_ = 1;
  bool is_integer_ = false;
  uint8_t size_ = 0;
  char bytes_[8];
  std::string_view text_;
};

/// A place in a run: at an element, or behind one of its ends. Valid until the run changes.
class ListRunCursor {
 public:
  /// At the element with this index, or behind the last one. Walks from the nearer end.
  /// REQUIRES: index <= the number of elements.
  ListRunCursor(std::string_view run, size_t index);

  size_t index() const { return index_; }
  // REQUIRES: at an element.
  ListElement element() const;
  bool Is(const ListCode& element) const;
  size_t ListpackSize() const;
  void Next();

  // REQUIRES: not at the first element.
  void Previous();

 private:
  friend class ListRun;

  void Decode();

  std::string_view run_;
  size_t index_;
  size_t content_;   ///< where the element's content starts
  size_t code_end_;  ///< the end of its code
  size_t size_ = 0;  ///< of its content
  size_t code_size_ = 0;
};

/// Reads a run. REQUIRES: ListRun wrote the bytes.
class ListRunView {
 public:
  explicit ListRunView(std::string_view run) : run_(run) {}

  size_t size() const;
  ListRunCursor At(size_t index) const { return ListRunCursor(run_, index); }
  /// The bytes of elements from `first` on in a listpack of Redis, without its header.
  size_t ListpackSize(size_t first, size_t count) const;

 private:
  std::string_view run_;
};

/// Changes a run in its region. Every change is one Splice. Arguments must not point into the
/// region.
class ListRun {
 public:
  /// The bytes of a run without elements.
  static constexpr std::string_view kEmpty{"\0\0\0\0", 4};

  explicit ListRun(Region& region) : region_(region) {}

  ListRunView view() const { return ListRunView(region_.bytes()); }

  /// Puts an element before the one with this index; size() puts it at the end.
  void Insert(size_t index, const ListCode& element);
  /// REQUIRES: first + count <= size().
  void Erase(size_t first, size_t count);
  /// Puts the elements of another run behind those of this one.
  void Append(std::string_view other);

 private:
  void SetHeader(size_t elements, size_t codes);

  Region& region_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_LIST_RUN_H_
