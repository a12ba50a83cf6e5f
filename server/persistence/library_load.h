#ifndef CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_

#include <string_view>

#include "absl/status/status.h"
#include "server/context/server.h"
#include "server/script/function_engine.h"

namespace cloakroom {

/// How a library is loaded: what it logs goes to the server log. One of a client may run for half a
/// second; one of a file ran when the file was written, so it may take its time.
FunctionEngine::LoadTerms ClientLoadTerms(Server& server);
FunctionEngine::LoadTerms FileLoadTerms();

/// Adds the library of a file to those that the engine runs. An error has the text of an error
/// reply. Thread rule: the engine's.
absl::Status LoadLibrary(FunctionRegistry& libraries, FunctionEngine& engine,
                         std::string_view source, bool replace);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LIBRARY_LOAD_H_
