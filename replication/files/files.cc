#include "replication/files/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

absl::Status Failure(std::string_view call, const std::string& path) {
  const int error_number = errno;
  return FileError(error_number, std::string(call) + " " + path);
}

absl::Status Check(int result, std::string_view call, const std::string& path) {
  return result < 0 ? Failure(call, path) : absl::OkStatus();
}

/// Only the owner writes files and directories, and anybody may read them: as Redis makes them.
constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

class SystemWritableFile final : public WritableFile {
 public:
  SystemWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~SystemWritableFile() override { close(fd_); }

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t n = write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("write", path_);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override { return Check(fdatasync(fd_), "fsync", path_); }

  void StartWriteback() override {
    off_t end = lseek(fd_, 0, SEEK_CUR);
    sync_file_range(fd_, started_, end - started_, SYNC_FILE_RANGE_WRITE);
    // The writeback started last time has finished by now, or soon will.
    posix_fadvise(fd_, 0, started_, POSIX_FADV_DONTNEED);
    started_ = end;
  }

 private:
  const int fd_;
  const std::string path_;
  off_t started_ = 0;
};

class SystemReadableFile final : public ReadableFile {
 public:
  SystemReadableFile(int fd, int64_t size, std::string path)
      : fd_(fd), size_(size), path_(std::move(path)) {
    posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  ~SystemReadableFile() override { close(fd_); }

  absl::StatusOr<size_t> Read(std::span<char> into) override {
    while (true) {
      ssize_t n = read(fd_, into.data(), into.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("read", path_);
      return static_cast<size_t>(n);
    }
  }
  int64_t size() const override { return size_; }

 private:
  const int fd_;
  const int64_t size_;
  const std::string path_;
};

class SystemScratchFile final : public ScratchFile {
 public:
  SystemScratchFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~SystemScratchFile() override { close(fd_); }

  absl::Status Write(int64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("write", path_);
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += n;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> Read(int64_t offset, std::span<char> into) override {
    size_t done = 0;
    while (done < into.size()) {
      const ssize_t n =
          pread(fd_, into.data() + done, into.size() - done, offset + static_cast<int64_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure("read", path_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  bool Discard(int64_t offset, int64_t bytes) override {
    return fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes) == 0;
  }

 private:
  const int fd_;
  const std::string path_;
};

class SystemFilesImpl final : public Files {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return OpenToWrite(path, O_CREAT | O_TRUNC);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return OpenToWrite(path, O_CREAT | O_APPEND);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenAt(const std::string& path,
                                                       int64_t offset) override {
    return OpenToWrite(path, 0, offset);
  }
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
      absl::Status error = Failure("open", path);
      if (fd >= 0) close(fd);
      return error;
    }
    return std::make_unique<SystemReadableFile>(fd, status.st_size, path);
  }
  absl::StatusOr<std::unique_ptr<ScratchFile>> CreateScratch(
      const std::string& directory) override {
    // It has its name for an instant only. One that is there already is of a killed process.
    static std::atomic<int> made = 0;
    const std::string path =
        directory + "/temp-" + std::to_string(getpid()) + "-" + std::to_string(made++) + ".spool";
    unlink(path.c_str());
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    if (fd < 0) return Failure("open", path);
    unlink(path.c_str());
    return std::make_unique<SystemScratchFile>(fd, path);
  }
  absl::StatusOr<int64_t> FreeSpace(const std::string& directory) override {
    struct statvfs disk;
    if (statvfs(directory.c_str(), &disk) < 0) return Failure("statvfs", directory);
    return static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return Check(rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
  }
  absl::Status Remove(const std::string& path) override {
    return Check(unlink(path.c_str()), "remove", path);
  }
  absl::Status Truncate(const std::string& path, int64_t size) override {
    return Check(truncate(path.c_str(), size), "truncate", path);
  }
  absl::Status SyncDirectory(const std::string& path) override {
    int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Failure("open", path);
    absl::Status synced = Check(fsync(fd), "fsync", path);
    close(fd);
    return synced;
  }
  absl::Status MakeDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) {
      return absl::OkStatus();
    }
    return Failure("mkdir", path);
  }
  absl::Status Find(const std::string& path) override {
    struct stat status;
    return Check(stat(path.c_str(), &status), "open", path);
  }
  absl::StatusOr<int64_t> Size(const std::string& path) override {
    struct stat status;
    if (stat(path.c_str(), &status) < 0) return Failure("open", path);
    return int64_t{status.st_size};
  }
  std::string Absolute(const std::string& path) override {
    std::error_code status;
    std::filesystem::path whole = std::filesystem::absolute(path, status);
    return status ? path : whole.string();
  }
  absl::Status EnterDirectory(const std::string& path) override {
    return Check(chdir(path.c_str()), "enter", path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    std::vector<std::string> names;
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return Failure("open", path);
    while (const dirent* entry = readdir(directory)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    closedir(directory);
    return names;
  }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> OpenToWrite(const std::string& path,
                                                                   int flags, int64_t offset = 0) {
    int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, kFileMode);
    if (fd < 0) return Failure("open", path);
    if (offset > 0 && lseek(fd, offset, SEEK_SET) < 0) {
      absl::Status error = Failure("seek", path);
      close(fd);
      return error;
    }
    return std::make_unique<SystemWritableFile>(fd, path);
  }
};

}  // namespace

Files& SystemFiles() {
  static SystemFilesImpl files;
  return files;
}

}  // namespace cloakroom
