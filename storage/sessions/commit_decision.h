#ifndef CLOAKROOM_STORAGE_SESSIONS_COMMIT_DECISION_H_
#define CLOAKROOM_STORAGE_SESSIONS_COMMIT_DECISION_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/sessions/session_hash.h"

namespace cloakroom {

/// What COMMIT asks for.
struct CommitRequest {
  int64_t fence = 0;                                ///< 0: without the lock, by the version alone
  std::optional<std::string_view> if_version = {};  ///< the version that the client read
};

/// What to do with a COMMIT.
enum class CommitCase : uint8_t {
  /// C1: its sender holds the lock. Write, then release.
  kHeld,
  /// C2: it was done before, and its reply was lost. Write nothing; answer the count.
  kRepeated,
  /// C3: nobody holds the lock, and the content is the one that its sender read. Write, and 0 as
  /// the lock's count if that is an orphan's. Without a fence it takes a new one for the hash, so
  /// that its version is of one content. A session that a plain client wrote last has no such
  /// version: plain clients write the data in one command and count the write in the next.
  kLate,
  /// C4: the content may be another one. Write nothing; answer FENCED.
  kFenced,
};

/// Decides so that a commit is applied only to the content that its sender read, and only once: in
/// C1 because whatever changes the content revokes the lock, in C2 and C3 by what the hash itself
/// says. It needs no clock, and no lock that survives the process. Only of a session that is not
/// there the hash says nothing: that there was a logout behind the fence is known by the notes of
/// this process alone.
///
/// `holder_fence`: that of the native holder; 0 if there is none. `spent`: FencedNotes says so of
/// the request's fence, which rules out C3. Any thread.
CommitCase DecideCommit(const CommitRequest& request, int64_t holder_fence, const SessionHash& hash,
                        bool spent);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_COMMIT_DECISION_H_
