#ifndef CLOAKROOM_SERVER_SCRIPT_LIBRARY_CONTENTS_H_
#define CLOAKROOM_SERVER_SCRIPT_LIBRARY_CONTENTS_H_

#include <vector>

#include "server/script/function_library.h"

namespace cloakroom {

/// What a library has registered so far while it is loaded. Private to this folder.
struct LibraryContents {
  std::vector<FunctionInfo> functions;
  std::vector<int> references;  ///< to the Lua functions, in the registry; in the same order
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_LIBRARY_CONTENTS_H_
