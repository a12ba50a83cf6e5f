#include "server/script/function_registry.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

std::string Lower(std::string_view name) { return absl::AsciiStrToLower(std::string(name)); }

absl::Status Error(std::initializer_list<std::string_view> parts) {
  return absl::AlreadyExistsError(Concat(parts));
}

}  // namespace

void FunctionRegistry::Tables::Insert(const LibraryPtr& library) {
  libraries[library->name] = library;
  for (const FunctionInfo& function : library->functions) {
    functions.try_emplace(Lower(function.name), Found{library, &function});
  }
}

void FunctionRegistry::Tables::Remove(const LibraryPtr& library) {
  for (const FunctionInfo& function : library->functions) functions.erase(Lower(function.name));
  libraries.erase(library->name);
}

const std::string* FunctionRegistry::Tables::Clash(const FunctionLibrary& library) const {
  for (const FunctionInfo& function : library.functions) {
    const auto known = functions.find(Lower(function.name));
    if (known != functions.end() && known->second.library->name != library.name) {
      return &function.name;
    }
  }
  return nullptr;
}

std::optional<FunctionRegistry::Found> FunctionRegistry::Find(std::string_view function) const {
  const std::string lower = Lower(function);
  MutexLock lock(mutex_);
  const auto known = tables_.functions.find(lower);
  if (known == tables_.functions.end()) return std::nullopt;
  return known->second;
}

bool FunctionRegistry::HasLibrary(std::string_view name) const {
  MutexLock lock(mutex_);
  return tables_.libraries.contains(name);
}

std::vector<LibraryPtr> FunctionRegistry::Libraries() const {
  std::vector<LibraryPtr> libraries;
  MutexLock lock(mutex_);
  libraries.reserve(tables_.libraries.size());
  for (const auto& [name, library] : tables_.libraries) libraries.push_back(library);
  return libraries;
}

absl::Status FunctionRegistry::Tables::CheckName(std::string_view name, bool replace) const {
  if (replace || !libraries.contains(name)) return absl::OkStatus();
  return Error({"ERR Library '", name, "' already exists"});
}

absl::Status FunctionRegistry::Tables::Check(const FunctionLibrary& library, bool replace) const {
  if (absl::Status room = CheckName(library.name, replace); !room.ok()) return room;
  const std::string* const clash = Clash(library);
  return clash == nullptr ? absl::OkStatus() : Error({"ERR Function ", *clash, " already exists"});
}

absl::Status FunctionRegistry::Tables::Join(const std::vector<LibraryPtr>& added, bool replace) {
  for (const LibraryPtr& library : added) {
    const auto old = libraries.find(library->name);
    if (old == libraries.end()) continue;
    if (!replace) return Error({"ERR Library ", library->name, " already exists"});
    Remove(LibraryPtr(old->second));
  }
  for (const LibraryPtr& library : added) {
    if (absl::Status may = Check(*library, /*replace=*/false); !may.ok()) return may;
    Insert(library);
  }
  return absl::OkStatus();
}

absl::Status FunctionRegistry::CheckName(std::string_view name, bool replace) const {
  MutexLock lock(mutex_);
  return tables_.CheckName(name, replace);
}

absl::Status FunctionRegistry::Check(const FunctionLibrary& library, bool replace) const {
  MutexLock lock(mutex_);
  return tables_.Check(library, replace);
}

absl::Status FunctionRegistry::CheckAll(const std::vector<LibraryPtr>& libraries,
                                        bool replace) const {
  MutexLock lock(mutex_);
  Tables joined = tables_;
  return joined.Join(libraries, replace);
}

absl::Status FunctionRegistry::Add(const LibraryPtr& library, bool replace) {
  MutexLock lock(mutex_);
  if (absl::Status may = tables_.Check(*library, replace); !may.ok()) return may;
  const auto old = tables_.libraries.find(library->name);
  if (old != tables_.libraries.end()) {
    tables_.Remove(LibraryPtr(old->second));
    generation_.fetch_add(1, std::memory_order_release);
  }
  tables_.Insert(library);
  return absl::OkStatus();
}

absl::Status FunctionRegistry::AddAll(const std::vector<LibraryPtr>& libraries, bool replace) {
  MutexLock lock(mutex_);
  Tables joined = tables_;
  if (absl::Status may = joined.Join(libraries, replace); !may.ok()) return may;
  tables_ = std::move(joined);
  generation_.fetch_add(1, std::memory_order_release);
  return absl::OkStatus();
}

bool FunctionRegistry::Delete(std::string_view library) {
  MutexLock lock(mutex_);
  const auto known = tables_.libraries.find(library);
  if (known == tables_.libraries.end()) return false;
  tables_.Remove(LibraryPtr(known->second));
  generation_.fetch_add(1, std::memory_order_release);
  return true;
}

std::vector<LibraryPtr> FunctionRegistry::Flush() {
  std::vector<LibraryPtr> removed;
  MutexLock lock(mutex_);
  removed.reserve(tables_.libraries.size());
  for (auto& [name, library] : tables_.libraries) removed.push_back(std::move(library));
  tables_ = Tables();
  generation_.fetch_add(1, std::memory_order_release);
  return removed;
}

FunctionRegistry::Totals FunctionRegistry::totals() const {
  Totals totals;
  MutexLock lock(mutex_);
  totals.libraries = tables_.libraries.size();
  for (const auto& [name, library] : tables_.libraries) {
    totals.functions += library->functions.size();
    totals.memory_bytes += library->memory_bytes();
  }
  return totals;
}

}  // namespace cloakroom
