#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_ELEMENT_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_ELEMENT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/base/integer_text.h"

namespace cloakroom {

// A text in a stream's leaf, in the form that Redis' listpack has for one, but without the size
// behind it that a listpack needs to be read backwards:
//
//   0nnnnnnn             a small number      10nnnnnn  a string of n bytes
//   110nnnnn nnnnnnnn    13 bits, signed     1110nnnn nnnnnnnn  a string of n bytes
//   F1, F2, F3, F4       a number of 2, 3, 4 or 8 bytes
//   F0                   a string, its size in 4 bytes
//
// Numbers are low byte first, except those that are split over two bytes above. A text that is a
// canonical integer is stored as a number. So a leaf becomes a listpack of an RDB file, and the
// other way round, by copies of bytes. Source: the description in antirez/listpack.

/// The text of an element.
class StreamText {
 public:
  explicit StreamText(std::string_view bytes) : bytes_(bytes) {}
  explicit StreamText(int64_t integer) : digits_(integer), is_integer_(true) {}

  /// Valid as long as this object and the leaf.
  std::string_view view() const { return is_integer_ ? digits_.view() : bytes_; }

 private:
  std::string_view bytes_;
  IntegerText digits_{0};
  bool is_integer_ = false;
};

/// The size of the element that a text or an integer becomes.
size_t StreamElementSize(std::string_view text);
size_t StreamElementSize(int64_t integer);
/// Writes it, and returns the byte behind. REQUIRES: there is room.
char* StoreStreamElement(char* to, std::string_view text);
char* StoreStreamElement(char* to, int64_t integer);

/// The size of the element that begins at `at`. REQUIRES: `at` is at an element of a leaf.
size_t SizeOfStreamElementAt(const char* at);
/// Reads the element at `at` and moves `at` behind it. REQUIRES: as above.
StreamText TakeStreamElement(const char*& at);

/// How many bytes an element of this size occupies in a listpack, with its size behind it.
size_t ListpackSize(size_t element_size);
/// Writes the size that stands behind an element in a listpack; returns the byte behind.
char* StoreListpackBackLength(char* to, size_t element_size);

// Numbers of 1 to 10 bytes, seven bits in each, low ones first; the highest bit says that more
// bytes follow.
size_t VarintSize(uint64_t number);
char* StoreVarint(char* to, uint64_t number);
uint64_t TakeVarint(const char*& at);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_ELEMENT_H_
