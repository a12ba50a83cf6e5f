#include "storage/sessions/commit_decision.h"

namespace cloakroom {

CommitCase DecideCommit(const CommitRequest& request, int64_t holder_fence, const SessionHash& hash,
                        bool spent) {
  if (request.fence != 0) {
    if (request.fence == holder_fence) return CommitCase::kHeld;
    if (request.fence == hash.commit_fence()) return CommitCase::kRepeated;
  }
  const bool nobody_holds = holder_fence == 0 && !hash.plain();
  const bool of_one_content = hash.commit_fence() != 0 || !hash.exists;
  if (request.if_version && !spent && nobody_holds && of_one_content &&
      *request.if_version == SessionVersion(hash).view())
    return CommitCase::kLate;
  return CommitCase::kFenced;
}

}  // namespace cloakroom
