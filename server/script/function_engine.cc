#include "server/script/function_engine.h"

#include <optional>
#include <utility>

#include "protocol/text.h"
#include "server/script/interpreter.h"
#include "server/script/library_contents.h"
#include "server/script/lua.h"
#include "server/script/lua_to_reply.h"
#include "server/script/read_only.h"
#include "server/script/sandbox.h"

namespace cloakroom {
namespace {

constexpr char kChunkName[] = "@user_function";
constexpr char kLoadTimeout[] = "ERR FUNCTION LOAD timeout";

/// The host of a library that is being loaded: it can only log.
class LoadHost final : public ScriptHost {
 public:
  explicit LoadHost(const FunctionEngine::LoadTerms& terms) : terms_(terms) {}

  void Call(std::span<const std::string_view>, int, std::string* reply) override {
    AppendError("ERR This Redis command is not allowed from script", reply);
  }
  void PassesErrorOn() override {}
  std::optional<bool> CommandAllowed(std::span<const std::string_view>) override {
    return std::nullopt;
  }
  void Log(int level, std::string_view message) override {
    if (terms_.log) terms_.log(level, message);
  }
  bool ShouldStop() override { return terms_.out_of_time && terms_.out_of_time(); }

 private:
  const FunctionEngine::LoadTerms& terms_;
};

// Pops the error value, and returns its text.
std::string TakeError(lua_State* lua) {
  std::string text = "ERR unknown error";
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (lua_isstring(lua, -1)) text = lua_tostring(lua, -1);
    lua_pop(lua, 1);
  } else if (lua_isstring(lua, -1)) {  // no memory, or an error in the handler
    text = std::string("ERR ") + lua_tostring(lua, -1);
  }
  lua_pop(lua, 1);
  return text;
}

}  // namespace

FunctionEngine::FunctionEngine(const FunctionRegistry* registry) : registry_(registry) {}

FunctionEngine::~FunctionEngine() = default;

absl::StatusOr<LibraryPtr> FunctionEngine::Load(std::string_view source, const LoadTerms& terms) {
  absl::StatusOr<std::shared_ptr<FunctionLibrary>> parsed = ParseLibrary(source);
  if (!parsed.ok()) return parsed.status();
  return Load(*std::move(parsed), terms);
}

absl::StatusOr<LibraryPtr> FunctionEngine::Load(std::shared_ptr<FunctionLibrary> library,
                                                const LoadTerms& terms) {
  LibraryContents contents;
  absl::Status status = Execute(*library, terms, &contents);
  if (status.ok() && contents.functions.empty()) {
    status = absl::InvalidArgumentError("ERR No functions registered");
  }
  if (!status.ok()) {
    Release(contents.references);
    return status;
  }
  library->functions = std::move(contents.functions);
  loaded_.emplace(library->id, Loaded{library, std::move(contents.references)});
  return library;
}

absl::Status FunctionEngine::Execute(const FunctionLibrary& library, const LoadTerms& terms,
                                     LibraryContents* contents) {
  Interpreter& interpreter = Open();
  lua_State* const lua = interpreter.lua();
  DropStaleLibraries();
  LoadHost host(terms);
  interpreter.Begin(&host);
  absl::Status status;
  if (LoadText(lua, library.body(), kChunkName) != 0) {
    status = absl::InvalidArgumentError(
        Concat({"ERR Error compiling function: ", lua_tostring(lua, -1)}));
  } else {
    PushLibraryEnvironment(lua);
    lua_setfenv(lua, -2);
    ShowLoadApi(lua, true);
    interpreter.run().loading = contents;
    if (interpreter.Call(0, kLoadTimeout) != 0) {
      status =
          absl::InvalidArgumentError(Concat({"ERR Error registering functions: ", TakeError(lua)}));
    }
    interpreter.run().loading = nullptr;
    ShowLoadApi(lua, false);
  }
  interpreter.End();
  NoteMemory();
  return status;
}

void FunctionEngine::Run(const FunctionRegistry::Found& what,
                         std::span<const std::string_view> keys,
                         std::span<const std::string_view> args, ScriptHost* host, int client_resp,
                         std::string* reply) {
  Interpreter& interpreter = Open();
  DropStaleLibraries();
  if (absl::Status pushed = PushFunction(what); !pushed.ok()) {
    return AppendError(std::string(pushed.message()), reply);
  }
  interpreter.Begin(host);
  interpreter.PushStrings(keys);
  interpreter.PushStrings(args);
  interpreter.CallForReply(2, what.function->name, client_resp, reply);
  interpreter.End();
  NoteMemory();
}

// Loads the library at its first use. Pushes the function, or returns an error text and pushes
// nothing.
absl::Status FunctionEngine::PushFunction(const FunctionRegistry::Found& what) {
  auto found = loaded_.find(what.library->id);
  if (found == loaded_.end()) {
    // It was logged, and was quick enough, when FUNCTION LOAD ran it.
    LibraryContents contents;
    absl::Status status = Execute(*what.library, {}, &contents);
    if (status.ok() && contents.references.size() != what.library->functions.size()) {
      status = absl::InternalError("ERR The library registers other functions than before");
    }
    if (!status.ok()) {
      Release(contents.references);
      return status;
    }
    found = loaded_.emplace(what.library->id, Loaded{what.library, std::move(contents.references)})
                .first;
  }
  const auto index = static_cast<std::size_t>(what.function - what.library->functions.data());
  lua_rawgeti(interpreter_->lua(), LUA_REGISTRYINDEX, found->second.references[index]);
  return absl::OkStatus();
}

Interpreter& FunctionEngine::Open() {
  if (interpreter_ == nullptr) {
    interpreter_ = std::make_unique<Interpreter>(SandboxFor::kFunctions);
    NoteMemory();
  }
  return *interpreter_;
}

// Libraries that were deleted or replaced, unless somebody still uses them.
void FunctionEngine::DropStaleLibraries() {
  const std::uint64_t generation = registry_->generation();
  if (generation == generation_) return;
  generation_ = generation;
  for (auto it = loaded_.begin(); it != loaded_.end();) {
    const auto here = it++;
    if (!here->second.library.expired()) continue;
    Release(here->second.references);
    loaded_.erase(here);
  }
}

void FunctionEngine::Release(const std::vector<int>& references) {
  for (const int reference : references) {
    luaL_unref(interpreter_->lua(), LUA_REGISTRYINDEX, reference);
  }
}

void FunctionEngine::NoteMemory() {
  memory_bytes_.store(interpreter_->memory_bytes(), std::memory_order_relaxed);
}

}  // namespace cloakroom
