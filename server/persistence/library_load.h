#ifndef CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_

#include <string_view>

#include "absl/status/status.h"
#include "server/context/server.h"
#include "server/script/function_engine.h"

namespace cloakroom {

/// How a client's library is loaded: what it logs goes to the server log, and it may run for half a
/// second.
FunctionEngine::LoadTerms ClientLoadTerms(Server& server);

/// Adds the library of a file: it ran when the file was written, so it may take its time. An error
/// has the text of an error reply. Thread rule: the engine's.
absl::Status LoadLibrary(Server& server, FunctionEngine& engine, std::string_view source,
                         bool replace);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_
