#include "storage/values/list_run.h"

#include <cstring>
#include <optional>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kEmptyRunSize = ListRun::kEmpty.size();

constexpr uint8_t kTiny = 0x80;  // The first code of integers from 0 to 63.
constexpr uint8_t kShort = 0xC0;
constexpr uint8_t kWide = 0xE0;  // Plus the number of bytes.
constexpr uint8_t kText16 = 0xF0;
constexpr uint8_t kText32 = 0xF1;
constexpr size_t kText16Size = 4;
constexpr size_t kText32Size = 6;

constexpr int64_t kTinyIntegers = 64;
constexpr int64_t kShortLimit = 1 << 12;
constexpr size_t kShortText = 0x80;

size_t Elements(std::string_view run) { return LoadUnaligned<uint16_t>(run.data()); }
size_t Codes(std::string_view run) { return LoadUnaligned<uint16_t>(run.data() + 2); }

size_t CodeSize(uint8_t mark) {
  if (mark < kText16) [[likely]]
    return 1;
  return mark == kText16 ? kText16Size : kText32Size;
}

// The size of the content of an element whose code is at `code`, and whose first byte, or last
// byte, is `mark`.
size_t ContentSize(std::string_view run, size_t code, uint8_t mark) {
  if (mark < kTiny) [[likely]]
    return mark;
  if (mark < kShort) return 0;
  if (mark < kWide) return 1;
  if (mark < kText16) return mark - kWide;
  const char* const size = run.data() + code + 1;
  return mark == kText16 ? LoadUnaligned<uint16_t>(size) : LoadUnaligned<uint32_t>(size);
}

int64_t LoadInteger(const char* from, size_t size) {
  uint64_t bits = 0;
  std::memcpy(&bits, from, size);
  const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
  return static_cast<int64_t>(bits << unused) >> unused;
}

size_t IntegerWidthOf(int64_t integer) {
  size_t width = 2;
  while (width < sizeof(integer) && (integer >> (8 * width - 1)) != (integer >> 63)) ++width;
  return width;
}

// A listpack's element is a header, the bytes, and the size of both with seven bits to a byte.
size_t ListpackSizeOfText(size_t size) {
  size_t bytes = size + (size < 64 ? 1 : size < 4096 ? 2 : 5);
  size_t back = 1;
  for (size_t rest = bytes; rest > 127 && back < 5; rest >>= 7) ++back;
  return bytes + back;
}

size_t ListpackSizeOf(uint8_t mark, size_t content_size, std::string_view content) {
  if (mark < kTiny || mark >= kText16) return ListpackSizeOfText(content_size);
  if (mark < kShort) return 2;
  if (mark < kWide) {
    const int64_t integer = LoadInteger(content.data(), 1);
    // Redis has a shorter code for those up to 127: our high bits are then 0.
    return mark == kShort && integer >= 0 ? 2 : 3;
  }
  constexpr size_t kNarrow = 4;
  constexpr size_t kWidest = 10;
  return content_size <= kNarrow ? content_size + 2 : kWidest;
}

}  // namespace

ListCode::ListCode(std::string_view element) : text_(element) {
  if (const std::optional<int64_t> integer = ParseCanonicalInt(element)) {
    is_integer_ = true;
    if (*integer >= 0 && *integer < kTinyIntegers) {
      code_[0] = static_cast<char>(kTiny + *integer);
    } else if (*integer >= -kShortLimit && *integer < kShortLimit) {
      code_[0] = static_cast<char>(kShort | (*integer >> 8 & 0x1f));
      size_ = 1;
    } else {
      size_ = static_cast<uint8_t>(IntegerWidthOf(*integer));
      code_[0] = static_cast<char>(kWide + size_);
    }
    StoreUnaligned(bytes_, *integer);
    return;
  }
  if (element.size() < kShortText) {
    code_[0] = static_cast<char>(element.size());
  } else if (element.size() <= UINT16_MAX) {
    code_[0] = code_[3] = static_cast<char>(kText16);
    StoreUnaligned(code_ + 1, static_cast<uint16_t>(element.size()));
    code_size_ = kText16Size;
  } else {
    code_[0] = code_[5] = static_cast<char>(kText32);
    StoreUnaligned(code_ + 1, static_cast<uint32_t>(element.size()));
    code_size_ = kText32Size;
  }
}

size_t ListCode::ListpackSize() const {
  return ListpackSizeOf(static_cast<uint8_t>(code_[0]), content().size(), content());
}

ListRunCursor::ListRunCursor(std::string_view run, size_t index) : run_(run) {
  const size_t elements = Elements(run);
  if (index < elements - index) {
    index_ = 0;
    content_ = kEmptyRunSize;
    code_end_ = run.size();
    if (elements > 0) Decode();
    while (index_ < index) Next();
  } else {
    index_ = elements;
    content_ = code_end_ = run.size() - Codes(run);
    while (index_ > index) Previous();
  }
}

void ListRunCursor::Decode() {
  const uint8_t mark = ByteAt(run_, code_end_ - 1);
  code_size_ = CodeSize(mark);
  size_ = ContentSize(run_, code_end_ - code_size_, mark);
}

void ListRunCursor::Next() {
  content_ += size_;
  code_end_ -= code_size_;
  index_ += 1;
  if (index_ < Elements(run_)) Decode();
}

void ListRunCursor::Previous() {
  const uint8_t mark = ByteAt(run_, code_end_);
  code_size_ = CodeSize(mark);
  size_ = ContentSize(run_, code_end_, mark);
  code_end_ += code_size_;
  content_ -= size_;
  index_ -= 1;
}

ListElement ListRunCursor::element() const {
  const uint8_t mark = ByteAt(run_, code_end_ - 1);
  const std::string_view content = run_.substr(content_, size_);
  if (mark < kTiny || mark >= kText16) return ListElement(content);
  if (mark < kShort) return ListElement(int64_t{mark - kTiny});
  if (mark >= kWide) return ListElement(LoadInteger(content.data(), content.size()));
  const uint64_t bits = (mark & 0x1fu) << 8 | static_cast<uint8_t>(content[0]);
  constexpr unsigned kUnused = 64 - 13;
  return ListElement(static_cast<int64_t>(bits << kUnused) >> kUnused);
}

bool ListRunCursor::Is(const ListCode& element) const {
  return run_.substr(code_end_ - code_size_, code_size_) == element.code() &&
         run_.substr(content_, size_) == element.content();
}

size_t ListRunCursor::ListpackSize() const {
  return ListpackSizeOf(ByteAt(run_, code_end_ - 1), size_, run_.substr(content_, size_));
}

size_t ListRunView::size() const { return Elements(run_); }

size_t ListRunView::ListpackSize(size_t first, size_t count) const {
  size_t bytes = 0;
  for (ListRunCursor cursor = At(first); count > 0; --count, cursor.Next()) {
    bytes += cursor.ListpackSize();
  }
  return bytes;
}

void ListRun::SetHeader(size_t elements, size_t codes) {
  char* const to = StoreUnaligned(region_.data(), static_cast<uint16_t>(elements));
  StoreUnaligned(to, static_cast<uint16_t>(codes));
}

void ListRun::Insert(size_t index, const ListCode& element) {
  const std::string_view run = region_.bytes();
  const size_t elements = Elements(run);
  const size_t codes = Codes(run);
  const ListRunCursor at = view().At(index);
  const size_t between = at.code_end_ - at.content_;
  const size_t size = element.content().size();
  // Moves the codes of the elements before it; what is between its content and its code follows.
  region_.Splice(at.code_end_, 0, element.size());
  char* const content = region_.data() + at.content_;
  std::memmove(content + size, content, between);
  StoreBytes(content, element.content());
  StoreBytes(content + size + between, element.code());
  SetHeader(elements + 1, codes + element.code().size());
}

void ListRun::Erase(size_t first, size_t count) {
  const std::string_view run = region_.bytes();
  const size_t elements = Elements(run);
  const size_t codes = Codes(run);
  const ListRunCursor from = view().At(first);
  const ListRunCursor to = view().At(first + count);
  const size_t erased_codes = from.code_end_ - to.code_end_;
  const size_t between = to.code_end_ - to.content_;
  char* const bytes = region_.data();
  std::memmove(bytes + from.content_, bytes + to.content_, between);
  region_.Splice(from.content_ + between, from.code_end_ - from.content_ - between, 0);
  SetHeader(elements - count, codes - erased_codes);
}

void ListRun::Append(std::string_view other) {
  const std::string_view run = region_.bytes();
  const size_t elements = Elements(run) + Elements(other);
  const size_t codes = Codes(run) + Codes(other);
  const std::string_view body = other.substr(kEmptyRunSize);
  StoreBytes(region_.Splice(run.size() - Codes(run), 0, body.size()), body);
  SetHeader(elements, codes);
}

}  // namespace cloakroom
