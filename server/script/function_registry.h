#ifndef CLOAKROOM_SERVER_SCRIPT_FUNCTION_REGISTRY_H_
#define CLOAKROOM_SERVER_SCRIPT_FUNCTION_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "server/script/function_library.h"
#include "storage/base/mutex.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// All libraries of functions of the server: FUNCTION LOAD adds them, FCALL finds their functions,
/// in any case of their names. Libraries are immutable: whoever runs a function keeps its library,
/// whatever happens here.
///
/// Errors are texts of error replies; after one nothing has changed. Any thread.
class FunctionRegistry {
 public:
  struct Found {
    LibraryPtr library;
    const FunctionInfo* function;  ///< in the library
  };
  std::optional<Found> Find(std::string_view function) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasLibrary(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  /// Ordered by name.
  std::vector<LibraryPtr> Libraries() const ABSL_LOCKS_EXCLUDED(mutex_);

  /// An error: there is a library of that name and `replace` is false, or another library has a
  /// function with the name of one of its functions.
  absl::Status Add(const LibraryPtr& library, bool replace) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Adds all or, after an error, none. Its errors are those of FUNCTION RESTORE.
  absl::Status AddAll(const std::vector<LibraryPtr>& libraries, bool replace)
      ABSL_LOCKS_EXCLUDED(mutex_);
  /// The errors that these would return; the first one for the library's name alone.
  absl::Status CheckName(std::string_view name, bool replace) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Check(const FunctionLibrary& library, bool replace) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status CheckAll(const std::vector<LibraryPtr>& libraries, bool replace) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  /// False: there is none of that name.
  bool Delete(std::string_view library) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Removes all libraries and returns them, so that they can be freed elsewhere.
  std::vector<LibraryPtr> Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  /// Changes whenever a library is removed; engines then drop what they have loaded of it.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  /// Figures for INFO and FUNCTION STATS.
  struct Totals {
    std::size_t libraries = 0;
    std::size_t functions = 0;
    std::size_t memory_bytes = 0;
  };
  Totals totals() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  /// The libraries, and their functions by lower-case names. The functions' keys are owned.
  struct Tables {
    absl::btree_map<std::string, LibraryPtr, std::less<>> libraries;
    absl::flat_hash_map<std::string, Found, StringViewHash, std::equal_to<>> functions;

    void Insert(const LibraryPtr& library);
    void Remove(const LibraryPtr& library);
    /// The name of a function of this library that another library has; null: none.
    const std::string* Clash(const FunctionLibrary& library) const;
    absl::Status CheckName(std::string_view name, bool replace) const;
    absl::Status Check(const FunctionLibrary& library, bool replace) const;
    absl::Status Join(const std::vector<LibraryPtr>& added, bool replace);
  };

  std::atomic<std::uint64_t> generation_{1};
  mutable Mutex mutex_;
  Tables tables_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_FUNCTION_REGISTRY_H_
