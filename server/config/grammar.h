#ifndef CLOAKROOM_SERVER_CONFIG_GRAMMAR_H_
#define CLOAKROOM_SERVER_CONFIG_GRAMMAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom::config {

/// The words of one line of redis.conf. Words are separated by white space; "double quotes" know \n
/// \r \t \b \a \xHH and take any other escaped byte as it is; 'single quotes' know only \'. A
/// closing quote must end its word. nullopt when a quote is not closed like that. Pure, any thread.
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

/// The word in double quotes, printable ASCII throughout, so that SplitWords reads it back.
std::string Quoted(std::string_view word);

/// A count of bytes: digits and an optional unit in any case, b | k (1000) | kb (1024) | m | mb | g
/// | gb. No digits mean zero, as in Redis. nullopt when it is something else or does not fit into
/// 64 bits.
std::optional<uint64_t> ParseMemory(std::string_view text);

/// The shortest way to write `bytes` exactly in gb, mb, kb or plain bytes: "100mb".
std::string ShortMemory(uint64_t bytes);

/// A decimal integer as Redis reads it: no sign except '-', no leading zeros, no white space.
std::optional<int64_t> ParseInteger(std::string_view text);

/// The candidate nearest to a misspelt word; empty when none is close enough (one edit per three
/// letters, at most three edits).
std::string_view NearestWord(std::string_view word,
                             const std::vector<std::string_view>& candidates);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_GRAMMAR_H_
