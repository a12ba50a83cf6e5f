#ifndef CLOAKROOM_PROTOCOL_GLOB_H_
#define CLOAKROOM_PROTOCOL_GLOB_H_

#include <string_view>

namespace cloakroom {

/// Whether all of `text` matches the pattern of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL:
///
///   *        any bytes, also none       [abc] [a-z] [^a]   one byte of the class, or not of it
///   ?        any one byte               \x                 the byte x itself
///
/// Works on bytes, not characters. Redis 7.0's corner cases hold: a range may be reversed; its ends
/// compare as signed bytes; a class that never closes ends with the pattern; "[a-]" is the range
/// from ']' to 'a'; an escaped byte in a class keeps its case; an empty text matches only the empty
/// pattern.
///
/// Takes at most text * pattern time, whatever the number of stars, and no memory. Any thread.
bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_GLOB_H_
