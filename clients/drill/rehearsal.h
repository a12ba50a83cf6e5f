#ifndef CLOAKROOM_CLIENTS_DRILL_REHEARSAL_H_
#define CLOAKROOM_CLIENTS_DRILL_REHEARSAL_H_

#include "clients/drill/options.h"

namespace cloakroom::drill {

/// What `cloakroom-drill run` does. Prints as it goes on, writes the report's files, and returns
/// the exit status: 0 passed, 1 not, 2 nothing was done to the primary, 130 interrupted.
///
/// It writes no key but its own, and removes these; changes no setting; and ends what it began,
/// also when it is interrupted. REQUIRES: the process has no other thread yet.
int Rehearse(const Where& where, const RunOptions& options);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_REHEARSAL_H_
