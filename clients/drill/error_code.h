#ifndef CLOAKROOM_CLIENTS_DRILL_ERROR_CODE_H_
#define CLOAKROOM_CLIENTS_DRILL_ERROR_CODE_H_

#include <string>

#include "absl/status/status.h"

namespace cloakroom::drill {

/// A word by which errors are counted: a server's code ("READONLY"), or what became of the
/// connection: "refused", "time-out", "closed", "no connection", "no primary". Pure.
std::string CodeOf(const absl::Status& status);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_ERROR_CODE_H_
