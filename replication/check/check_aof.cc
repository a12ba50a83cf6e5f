#include "replication/check/check_aof.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <variant>

#include "protocol/text.h"
#include "replication/aof/aof_manifest.h"
#include "replication/aof/aof_scan.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

/// A manifest is read up to this size.
constexpr size_t kMaxManifest = size_t{4} << 20;
/// Smaller files are not checked for a preamble, as in Redis.
constexpr int64_t kSmallestRdb = 8;

/// The bytes at its beginning, as far as they can be read.
std::string BeginOf(Files& files, const std::string& path, size_t bytes) {
  const auto file = files.OpenForRead(path);
  if (!file.ok()) return "";
  std::string text;
  char buffer[4096];
  while (text.size() < bytes) {
    const size_t n = (*file)->Read(buffer).value_or(0);
    if (n == 0) break;
    text.append(buffer, n);
  }
  return text.substr(0, bytes);
}

/// Whether the first line that is not a comment is a manifest's.
bool IsManifest(std::string_view text) {
  while (text.starts_with('#')) {
    size_t end = text.find('\n');
    if (end == text.npos) return false;
    text.remove_prefix(end + 1);
  }
  return text.starts_with("file");
}

class Check {
 public:
  Check(Files& files, const CheckAofOptions& options, const CheckAofIo& io)
      : files_(files), options_(options), io_(io) {}

  int Run() {
    const auto file = files_.OpenForRead(options_.path);
    if (!file.ok()) {
      return Say({"Cannot open file ", options_.path, ": ", ErrnoText(file.status())});
    }
    char byte;
    if (!(*file)->Read({&byte, 1}).ok()) return Say({"Cannot read file: ", options_.path});
    std::string text = BeginOf(files_, options_.path, kMaxManifest);
    if (IsManifest(text)) return RunManifest(text);
    Say({"Start checking Old-Style AOF"});
    switch (CheckFile(options_.path, options_.path, true, HasRdb(options_.path))) {
      case Result::kEmpty:
        return Say({"AOF ", options_.path, " is empty"}, 0);
      case Result::kValid:
        return Say({"AOF ", options_.path, " is valid"}, 0);
      case Result::kCut:
        return 0;
      case Result::kBroken:
        return 1;
    }
    return 1;
  }

 private:
  enum class Result { kValid, kEmpty, kCut, kBroken };

  int Say(std::initializer_list<std::string_view> parts, int code = 1) {
    io_.print(Concat(parts));
    io_.print("\n");
    return code;
  }

  std::string PathOf(const std::string& name) const {
    size_t slash = options_.path.rfind('/');
    return (slash == std::string::npos ? "." : options_.path.substr(0, slash)) + "/" + name;
  }

  int RunManifest(const std::string& text) {
    Say({"Start checking Multi Part AOF"});
    auto parsed = AofManifest::Parse(text);
    if (auto* error = std::get_if<AofManifest::ParseError>(&parsed)) {
      Say({"*** FATAL AOF MANIFEST FILE ERROR ***"});
      Say({"Reading the manifest file, at line ", std::to_string(error->line)});
      Say({">>> '", error->content, "'"});
      return Say({error->text});
    }
    const AofManifest& manifest = std::get<AofManifest>(parsed);
    if (manifest.base()) {
      const std::string& name = manifest.base()->name;
      if (const auto file = files_.OpenForRead(PathOf(name)); !file.ok()) {
        return Say({"Cannot open file ", PathOf(name), ": ", ErrnoText(file.status())});
      }
      std::string_view format = HasRdb(PathOf(name)) ? "RDB" : "RESP";
      Say({"Start to check BASE AOF (", format, " format)."});
      if (!Part("BASE AOF ", name, manifest.incrs().empty(), HasRdb(PathOf(name)))) return 1;
    }
    if (!manifest.incrs().empty()) Say({"Start to check INCR files."});
    for (const AofFileEntry& incr : manifest.incrs()) {
      if (!Part("INCR AOF ", incr.name, &incr == &manifest.incrs().back(), false)) return 1;
    }
    return Say({"All AOF files and manifest are valid"}, 0);
  }

  bool Part(std::string_view kind, const std::string& name, bool last, bool rdb) {
    Result result = CheckFile(name, PathOf(name), last, rdb);
    if (result == Result::kEmpty) Say({kind, name, " is empty"});
    if (result == Result::kValid) Say({kind, name, " is valid"});
    return result != Result::kBroken;
  }

  /// Opens it, and again after reading a byte, since a directory can also be opened.
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) {
    auto file = files_.OpenForRead(path);
    if (!file.ok()) return file;
    char byte;
    if (auto read = (*file)->Read({&byte, 1}); !read.ok()) return read.status();
    return files_.OpenForRead(path);
  }
  bool HasRdb(const std::string& path) {
    std::string begin = BeginOf(files_, path, kSmallestRdb);
    return begin.size() == kSmallestRdb &&
           (begin.starts_with("REDIS") || begin.starts_with("VALKEY"));
  }

  /// `rdb`: the file begins with an RDB file, which is allowed.
  Result CheckFile(const std::string& name, const std::string& path, bool last, bool rdb) {
    auto opened = OpenReadable(path);
    if (!opened.ok()) {
      Say({"Cannot open file ", path, ": ", ErrnoText(opened.status()), ", aborting..."});
      return Result::kBroken;
    }
    ReadableFile& file = **opened;
    if (file.size() == 0) return Result::kEmpty;
    int64_t start = 0;
    if (rdb) {
      const absl::StatusOr<int64_t> length = io_.check_rdb(path, name);
      if (!length.ok() || !Skip(file, *length).ok()) {
        Say({"RDB preamble of AOF file is not sane, aborting."});
        return Result::kBroken;
      }
      Say({"RDB preamble is OK, proceeding with AOF tail..."});
      start = *length;
    }
    const auto scan = ScanAof(file, {name, path}, start, options_.truncate_to_s, &line_);
    if (absl::IsInvalidArgument(scan.status())) {
      Say({MessageOf(scan.status())});
      return Result::kBroken;
    }
    if (!scan.ok()) {
      Say({"Cannot read file: ", path, ": ", ErrnoText(scan.status())});
      return Result::kBroken;
    }
    if (scan->later_at) return CutToTimestamp(name, path, *scan->later_at, last);
    if (scan->problem) Say({*scan->problem});
    return Judge(name, path, file.size(), scan->valid_up_to, last);
  }

  absl::Status Skip(ReadableFile& file, int64_t bytes) {
    char buffer[16384];
    while (bytes > 0) {
      const size_t want = static_cast<size_t>(std::min<int64_t>(bytes, sizeof buffer));
      const absl::StatusOr<size_t> n = file.Read({buffer, want});
      if (!n.ok()) return n.status();
      if (*n == 0) return absl::OutOfRangeError("the end of the file");
      bytes -= static_cast<int64_t>(*n);
    }
    return absl::OkStatus();
  }

  Result CutToTimestamp(const std::string& name, const std::string& path, int64_t offset,
                        bool last) {
    std::string time = std::to_string(options_.truncate_to_s);
    if (offset == 0) {
      Say({"AOF ", path, " has nothing before timestamp ", time, ", aborting..."});
      return Result::kBroken;
    }
    if (!last) {
      Say({"Failed to truncate AOF ", path, " to timestamp ", time, " to offset ",
           std::to_string(offset), " because it is not the last file."});
      Say(
          {"If you insist, please delete all files after this file according to the manifest file "
           "and delete the corresponding records in manifest file manually. Then re-run "
           "cloakroom-check-aof."});
      return Result::kBroken;
    }
    if (!files_.Truncate(path, offset).ok()) {
      Say({"Failed to truncate AOF ", path, " to timestamp ", time});
      return Result::kBroken;
    }
    Say({"Successfully truncated AOF ", name, " to timestamp ", time});
    return Result::kCut;
  }

  Result Judge(const std::string& name, const std::string& path, int64_t size, int64_t valid,
               bool last) {
    int64_t diff = size - valid;
    if (options_.truncate_to_s != 0 && diff == 0) {
      Say({"Truncate nothing in AOF ", name, " to timestamp ",
           std::to_string(options_.truncate_to_s)});
      return Result::kValid;
    }
    Say({"AOF analyzed: filename=", name, ", size=", std::to_string(size),
         ", ok_up_to=", std::to_string(valid), ", ok_up_to_line=", std::to_string(line_),
         ", diff=", std::to_string(diff)});
    if (diff == 0) return Result::kValid;
    if (options_.fix) return Fix(name, path, size, valid, last);
    Say({"AOF ", name, " is not valid. Use the --fix option to try fixing it."});
    return Result::kBroken;
  }

  Result Fix(const std::string& name, const std::string& path, int64_t size, int64_t valid,
             bool last) {
    if (!last) {
      Say({"Failed to truncate AOF ", name, " because it is not the last file"});
      return Result::kBroken;
    }
    Say({"This will shrink the AOF ", name, " from ", std::to_string(size), " bytes, with ",
         std::to_string(size - valid), " bytes, to ", std::to_string(valid), " bytes"});
    io_.print("Continue? [y/N]: ");
    if (!io_.confirm()) {
      Say({"Aborting..."});
      return Result::kBroken;
    }
    if (!files_.Truncate(path, valid).ok()) {
      Say({"Failed to truncate AOF ", name});
      return Result::kBroken;
    }
    Say({"Successfully truncated AOF ", name});
    return Result::kCut;
  }

  Files& files_;
  const CheckAofOptions& options_;
  const CheckAofIo& io_;
  int64_t line_ = 1;
};

}  // namespace

int CheckAof(Files& files, const CheckAofOptions& options, const CheckAofIo& io) {
  return Check(files, options, io).Run();
}

}  // namespace cloakroom
