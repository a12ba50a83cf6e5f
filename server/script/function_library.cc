#include "server/script/function_library.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/split_arguments.h"
#include "protocol/text.h"

namespace cloakroom {
namespace {

absl::Status Error(std::string_view text, std::string_view detail = {}) {
  return absl::InvalidArgumentError(Concat({"ERR ", text, detail}));
}

// Words after the engine's name.
absl::Status ParseMetadata(std::string_view word, std::optional<std::string>* name) {
  constexpr std::string_view kName = "name=";
  if (!EqualsIgnoreCase(word.substr(0, kName.size()), kName)) {
    return Error("Invalid metadata value given: ", word);
  }
  if (*name) return Error("Invalid metadata value, name argument was given multiple times");
  *name = word.substr(kName.size());
  return absl::OkStatus();
}

}  // namespace

std::size_t FunctionLibrary::memory_bytes() const {
  std::size_t bytes = sizeof(FunctionLibrary) + name.capacity() + source.capacity();
  for (const FunctionInfo& function : functions) {
    bytes += sizeof(FunctionInfo) + function.name.capacity();
    if (function.description) bytes += function.description->capacity();
  }
  return bytes;
}

bool IsFunctionName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
}

absl::StatusOr<std::shared_ptr<FunctionLibrary>> ParseLibrary(std::string_view source) {
  static std::atomic<std::uint64_t> next_id{1};
  if (!source.starts_with("#!")) return Error("Missing library metadata");
  const std::size_t end = source.find('\n');
  if (end == std::string_view::npos) return Error("Invalid library metadata");
  std::string line(source.substr(0, end));
  std::vector<std::string_view> words;
  // Redis reads the line as a C string.
  if (line.find('\0') != std::string::npos || !SplitArguments(line, words)) {
    return Error("Invalid library metadata");
  }
  std::optional<std::string> name;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (absl::Status parsed = ParseMetadata(words[i], &name); !parsed.ok()) return parsed;
  }
  if (!name) return Error("Library name was not given");
  if (!IsFunctionName(*name)) return absl::InvalidArgumentError(kBadFunctionName);
  const std::string_view engine = words[0].substr(2);
  if (!EqualsIgnoreCase(engine, kFunctionEngineName)) {
    return Error(Concat({"Engine '", engine, "' not found"}));
  }
  auto library = std::make_shared<FunctionLibrary>();
  library->id = next_id.fetch_add(1, std::memory_order_relaxed);
  library->name = *std::move(name);
  library->source = source;
  library->body_offset = end;
  library->may_leave_database = MayLeaveDatabase(source);
  return library;
}

}  // namespace cloakroom
