#include "storage/values/encoding.h"

namespace cloakroom {
namespace {

// Redis allocates a string up to this length together with its object: OBJ_ENCODING_EMBSTR.
constexpr size_t kMaxEmbeddedString = 44;

}  // namespace

std::string_view EncodingName(ValueType type, Encoding encoding, bool outgrown, size_t size) {
  if (encoding == Encoding::kInt) return "int";
  if (encoding == Encoding::kIntSet) return "intset";
  if (type == ValueType::kString) {
    return outgrown || size > kMaxEmbeddedString ? "raw" : "embstr";
  }
  return outgrown || encoding == Encoding::kTrie ? "hashtable" : "listpack";
}

}  // namespace cloakroom
