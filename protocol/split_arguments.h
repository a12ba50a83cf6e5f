#ifndef CLOAKROOM_PROTOCOL_SPLIT_ARGUMENTS_H_
#define CLOAKROOM_PROTOCOL_SPLIT_ARGUMENTS_H_

#include <span>
#include <string_view>
#include <vector>

namespace cloakroom {

/// Splits a line into words as Redis does for inline requests and its configuration file: white
/// space separates words; "double quotes" know \n \r \t \b \a \xHH and \anything; 'single quotes'
/// know only \'; a closing quote must end the word.
///
/// Unescapes in place, which never makes a word longer: overwrites the line and appends views into
/// it to `words`. A NUL is a byte like any other. False if a quote does not close, or closes inside
/// a word; `words` may then have grown. Any thread may call it.
bool SplitArguments(std::span<char> line, std::vector<std::string_view>& words);

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_SPLIT_ARGUMENTS_H_
