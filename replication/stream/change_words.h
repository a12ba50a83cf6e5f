#ifndef CLOAKROOM_REPLICATION_STREAM_CHANGE_WORDS_H_
#define CLOAKROOM_REPLICATION_STREAM_CHANGE_WORDS_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "replication/stream/oldest_reader.h"
#include "storage/changes/change.h"

namespace cloakroom {

// A change in the words of Redis' commands, as logs and replicas read it. Any thread.

/// How many commands ForEachCommand visits.
size_t CommandCount(const Change& change, OldestReader oldest);

/// The commands that repeat the change, in its database. The words are valid during the call.
void ForEachCommand(const Change& change, OldestReader oldest,
                    absl::FunctionRef<void(std::span<const std::string_view> words)> visit);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_CHANGE_WORDS_H_
