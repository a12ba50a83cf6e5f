#include "server/config/config_file.h"

#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "server/config/grammar.h"
#include "server/config/text.h"

namespace cloakroom::config {
namespace {

constexpr size_t kMaxFileBytes = 16 << 20;
constexpr int kMaxIncludeDepth = 16;

std::vector<std::string> Glob(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

// The files that an include line names. A pattern may match none; a plain path always stands for
// itself, so that a missing file is reported.
std::vector<std::string> IncludedPaths(const std::string& pattern, const std::string& from) {
  std::vector<std::string> paths = Glob(pattern);
  if (paths.empty() && !pattern.starts_with('/')) {
    paths = Glob((std::filesystem::path(from).parent_path() / pattern).string());
  }
  bool is_plain = pattern.find_first_of("*?[") == pattern.npos;
  if (paths.empty() && is_plain) paths.push_back(pattern);
  return paths;
}

class Reader {
 public:
  /// `from` is the line that includes the file, if one does.
  absl::Status ReadFile(const std::string& path, int depth, const Statement* from) {
    errno = 0;
    std::ifstream in(path);
    bool is_folder = in && std::filesystem::is_directory(path);
    if (in && !is_folder) return ReadStream(in, path, depth);
    std::string reason = Cat("Fatal error, can't open config file '", path,
                             "': ", std::strerror(is_folder ? EISDIR : errno));
    return from == nullptr ? absl::NotFoundError(reason) : FatalConfigError(*from, reason);
  }

  absl::Status ReadStream(std::istream& in, const std::string& name, int depth) {
    std::string line;
    size_t bytes = 0;
    for (int number = 1; std::getline(in, line); ++number) {
      bytes += line.size() + 1;
      Statement statement{name, number, std::string(Trimmed(line)), {}, depth > 0};
      if (bytes > kMaxFileBytes) return FatalConfigError(statement, "The file is above 16 MiB");
      absl::Status status = Take(std::move(statement), depth);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<Statement> Finish() { return std::move(statements_); }

 private:
  absl::Status Take(Statement statement, int depth) {
    if (statement.text.empty() || statement.text[0] == '#') return absl::OkStatus();
    std::optional<std::vector<std::string>> words = SplitWords(statement.text);
    if (!words) return FatalConfigError(statement, "Unbalanced quotes in configuration line");
    statement.words = *std::move(words);
    if (!EqualsIgnoringCase(statement.words[0], "include")) {
      statements_.push_back(std::move(statement));
      return absl::OkStatus();
    }
    if (statement.words.size() != 2) {
      return FatalConfigError(statement, "Bad directive or wrong number of arguments");
    }
    if (depth == kMaxIncludeDepth) return FatalConfigError(statement, "Too many nested includes");
    for (const std::string& path : IncludedPaths(statement.words[1], statement.file)) {
      absl::Status status = ReadFile(path, depth + 1, &statement);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<Statement> statements_;
};

absl::StatusOr<std::vector<Statement>> Finished(Reader& reader, absl::Status status) {
  if (!status.ok()) return status;
  return reader.Finish();
}

}  // namespace

absl::StatusOr<std::vector<Statement>> ReadConfigFile(const std::string& path) {
  Reader reader;
  return Finished(reader, reader.ReadFile(path, 0, nullptr));
}

absl::StatusOr<std::vector<Statement>> ReadConfigStream(std::istream& in, const std::string& name) {
  Reader reader;
  return Finished(reader, reader.ReadStream(in, name, 0));
}

absl::Status FatalConfigError(const Statement& at, std::string_view reason) {
  bool on_command_line = at.file.empty();
  std::string where = on_command_line
                          ? Cat("Reading the command line, at option ")
                          : Cat("Reading the configuration file ", at.file, ", at line ");
  std::string remedy =
      on_command_line
          ? "Correct the option; --print-defaults lists them all."
          : Cat("Correct the line, then try: cloakroom-server --check-config ", at.file);
  return absl::InvalidArgumentError(Cat("\n*** FATAL CONFIG FILE ERROR (Cloakroom) ***\n", where,
                                        at.line, "\n>>> '", at.text, "'\n", reason, "\n", remedy,
                                        "\n"));
}

}  // namespace cloakroom::config
