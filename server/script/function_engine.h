#ifndef CLOAKROOM_SERVER_SCRIPT_FUNCTION_ENGINE_H_
#define CLOAKROOM_SERVER_SCRIPT_FUNCTION_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/script/function_library.h"
#include "server/script/function_registry.h"
#include "server/script/script_host.h"

namespace cloakroom {

class Interpreter;
struct LibraryContents;

/// One Lua interpreter for functions: loads libraries and runs their functions, for one event-loop
/// thread. It is opened at first use, and loads a library when it first runs a function of it, so a
/// library's own variables are this engine's.
///
/// Thread rule: one thread; memory_bytes() on any. Functions do not nest.
class FunctionEngine {
 public:
  /// The registry is shared by all engines and must outlive them.
  explicit FunctionEngine(const FunctionRegistry* registry);
  ~FunctionEngine();
  FunctionEngine(const FunctionEngine&) = delete;
  FunctionEngine& operator=(const FunctionEngine&) = delete;

  /// What a library may do while it is loaded.
  struct LoadTerms {
    std::function<void(int level, std::string_view message)> log;  ///< redis.log
    std::function<bool()> out_of_time;  ///< asked every 100,000 instructions
  };
  /// Runs a library's source, which registers its functions. Does not add it to the registry. A
  /// library that fails leaves nothing behind; the error has the text of the reply.
  absl::StatusOr<LibraryPtr> Load(std::string_view source, const LoadTerms& terms);
  /// The same for a source whose `#!` line has been read.
  absl::StatusOr<LibraryPtr> Load(std::shared_ptr<FunctionLibrary> library, const LoadTerms& terms);

  /// Runs a function of a library and appends its one reply, as ScriptEngine::Run does.
  void Run(const FunctionRegistry::Found& what, std::span<const std::string_view> keys,
           std::span<const std::string_view> args, ScriptHost* host, int client_resp,
           std::string* reply);

  /// Lua's heap in bytes as of the last run: a part of INFO's used_memory_vm_functions.
  std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  /// The functions of a library in this engine's Lua, in the order of FunctionLibrary::functions.
  struct Loaded {
    std::weak_ptr<const FunctionLibrary> library;
    std::vector<int> references;
  };

  Interpreter& Open();
  void DropStaleLibraries();
  absl::Status Execute(const FunctionLibrary& library, const LoadTerms& terms,
                       LibraryContents* contents);
  absl::Status PushFunction(const FunctionRegistry::Found& what);
  void Release(const std::vector<int>& references);
  void NoteMemory();

  const FunctionRegistry* const registry_;
  std::unique_ptr<Interpreter> interpreter_;
  absl::flat_hash_map<std::uint64_t, Loaded> loaded_;  ///< by FunctionLibrary::id
  std::uint64_t generation_ = 0;
  std::atomic<std::size_t> memory_bytes_{0};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_FUNCTION_ENGINE_H_
