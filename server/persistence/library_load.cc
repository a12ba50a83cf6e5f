#include "server/persistence/library_load.h"

#include "server/log/script_log.h"
#include "server/script/function_registry.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

/// Redis' limit.
constexpr int64_t kMaxLoadUs = 500'000;

}  // namespace

FunctionEngine::LoadTerms ClientLoadTerms(Server& server) {
  const Clock& clock = server.clock();
  return {.log = LogFromScript, .out_of_time = [&clock, started_us = clock.MonotonicUs()] {
            return clock.MonotonicUs() - started_us > kMaxLoadUs;
          }};
}

FunctionEngine::LoadTerms FileLoadTerms() { return {.log = LogFromScript, .out_of_time = nullptr}; }

absl::Status LoadLibrary(FunctionRegistry& libraries, FunctionEngine& engine,
                         std::string_view source, bool replace) {
  absl::StatusOr<LibraryPtr> library = engine.Load(source, FileLoadTerms());
  if (!library.ok()) return library.status();
  return libraries.Add(*library, replace);
}

}  // namespace cloakroom
