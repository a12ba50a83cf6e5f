#include "tests/replication/support/faulty_files.h"

#include <algorithm>
#include <utility>

#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

std::string Parent(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

absl::Status NotThere(std::string_view call, const std::string& path) {
  return FileError(ENOENT, std::string(call) + " " + path);
}

}  // namespace

class FaultyFiles::Reader final : public ReadableFile {
 public:
  Reader(FaultyFiles& files, std::string path, std::string text)
      : files_(files), path_(std::move(path)), text_(std::move(text)) {}

  absl::StatusOr<size_t> Read(std::span<char> into) override {
    MutexLock lock(files_.mutex_);
    absl::Status fault = files_.Count(Call::kRead, "read " + path_);
    if (!fault.ok()) return fault;
    size_t n = std::string_view(text_).substr(at_).copy(into.data(), into.size());
    at_ += n;
    return n;
  }
  int64_t size() const override { return static_cast<int64_t>(text_.size()); }

 private:
  FaultyFiles& files_;
  const std::string path_;
  const std::string text_;
  size_t at_ = 0;
};

class FaultyFiles::Handle final : public WritableFile {
 public:
  Handle(FaultyFiles& files, std::shared_ptr<Inode> inode, size_t position, int life)
      : files_(files), inode_(std::move(inode)), position_(position), life_(life) {}

  absl::Status Append(std::string_view bytes) override {
    return Dead() ? FileError(EBADF, "write") : files_.WriteTo(*inode_, &position_, bytes);
  }
  absl::Status Sync() override {
    return Dead() ? FileError(EBADF, "fsync") : files_.SyncInode(*inode_);
  }
  void StartWriteback() override {}

 private:
  bool Dead() const {
    MutexLock lock(files_.mutex_);
    return files_.life_ != life_;
  }

  FaultyFiles& files_;
  const std::shared_ptr<Inode> inode_;
  size_t position_;
  const int life_;
};

/// Only what was written and not discarded takes space.
class FaultyFiles::Scratch final : public ScratchFile {
 public:
  explicit Scratch(FaultyFiles& files) : files_(files) {}
  ~Scratch() override {
    MutexLock lock(files_.mutex_);
    files_.scratch_bytes_ -= used_;
  }

  absl::Status Write(int64_t offset, std::string_view bytes) override {
    MutexLock lock(files_.mutex_);
    absl::Status status = files_.Count(Call::kWrite, "write");
    const auto size = static_cast<int64_t>(bytes.size());
    if (status.ok() && files_.Used() + size > files_.capacity_) status = FileError(ENOSPC, "write");
    if (!status.ok()) return status;
    const size_t end = static_cast<size_t>(offset) + bytes.size();
    data_.resize(std::max(data_.size(), end));
    data_.replace(static_cast<size_t>(offset), bytes.size(), bytes);
    used_ += size;
    files_.scratch_bytes_ += size;
    return status;
  }
  absl::StatusOr<size_t> Read(int64_t offset, std::span<char> into) override {
    MutexLock lock(files_.mutex_);
    absl::Status fault = files_.Count(Call::kRead, "read");
    if (!fault.ok()) return fault;
    return std::string_view(data_)
        .substr(static_cast<size_t>(offset))
        .copy(into.data(), into.size());
  }
  bool Discard(int64_t offset, int64_t bytes) override {
    MutexLock lock(files_.mutex_);
    data_.replace(static_cast<size_t>(offset), static_cast<size_t>(bytes),
                  std::string(static_cast<size_t>(bytes), '\0'));
    used_ -= bytes;
    files_.scratch_bytes_ -= bytes;
    return true;
  }

 private:
  FaultyFiles& files_;
  std::string data_;
  int64_t used_ = 0;
};

// ---- faults

void FaultyFiles::SetFault(Fault fault) {
  MutexLock lock(mutex_);
  fault_ = std::move(fault);
  failed_ = false;
}

void FaultyFiles::Heal() {
  MutexLock lock(mutex_);
  fault_ = {};
}

bool FaultyFiles::Failed() const {
  MutexLock lock(mutex_);
  return failed_;
}

int64_t FaultyFiles::Calls(Call call) const {
  MutexLock lock(mutex_);
  auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

void FaultyFiles::HoldSyncs() {
  MutexLock lock(mutex_);
  hold_syncs_ = true;
}

void FaultyFiles::ReleaseSyncs() {
  MutexLock lock(mutex_);
  hold_syncs_ = false;
  syncs_changed_.NotifyAll();
}

void FaultyFiles::AwaitHeldSync() {
  MutexLock lock(mutex_);
  while (held_syncs_ == 0) syncs_changed_.Wait(mutex_);
}

void FaultyFiles::SetCapacity(int64_t bytes) {
  MutexLock lock(mutex_);
  capacity_ = bytes;
}

absl::Status FaultyFiles::Count(Call call, std::string_view what) {
  const bool changes = call != Call::kReach && call != Call::kRead;
  calls_[call]++;
  if (changes && call != Call::kAny) calls_[Call::kAny]++;
  const bool meant = fault_.call == call || (fault_.call == Call::kAny && changes);
  if (fault_.n == 0 || !meant) return absl::OkStatus();
  if (what.find(fault_.part_of_path) == std::string_view::npos) return absl::OkStatus();
  if (fault_.n > 1) {
    fault_.n--;
    return absl::OkStatus();
  }
  failed_ = true;
  if (--fault_.times == 0) fault_.n = 0;
  return FileError(fault_.code, what);
}

void FaultyFiles::KillHandles() {
  life_++;
  fault_ = {};
}

void FaultyFiles::Kill() {
  MutexLock lock(mutex_);
  KillHandles();
}

void FaultyFiles::Crash(size_t unsynced_kept, Names names) {
  MutexLock lock(mutex_);
  KillHandles();
  if (names == Names::kSynced) names_ = durable_names_;
  std::set<Inode*> done;
  for (auto& [path, inode] : names_) {
    if (!done.insert(inode.get()).second) continue;
    std::string left = inode->durable;
    size_t kept = unsynced_kept;
    for (size_t i = 0; i < inode->data.size() && kept > 0; i++) {
      if (inode->dirty[i] == 0) continue;
      left.resize(std::max(left.size(), i + 1));
      left[i] = inode->data[i];
      kept--;
    }
    *inode = {left, std::string(left.size(), '\0'), left};
  }
  durable_names_ = names_;
}

// ---- content

std::optional<std::string> FaultyFiles::Content(const std::string& path) const {
  MutexLock lock(mutex_);
  auto found = names_.find(path);
  if (found == names_.end()) return std::nullopt;
  return found->second->data;
}

void FaultyFiles::Put(const std::string& path, std::string_view content) {
  MutexLock lock(mutex_);
  std::string text(content);
  auto inode = std::make_shared<Inode>(Inode{text, std::string(text.size(), '\0'), text});
  names_[path] = inode;
  durable_names_[path] = inode;
  directories_.insert(Parent(path));
}

std::vector<std::string> FaultyFiles::Paths() const {
  MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) paths.push_back(path);
  return paths;
}

int64_t FaultyFiles::Used() const {
  int64_t used = scratch_bytes_;
  for (const auto& [path, inode] : names_) used += static_cast<int64_t>(inode->data.size());
  return used;
}

absl::Status FaultyFiles::WriteTo(Inode& inode, size_t* position, std::string_view bytes) {
  MutexLock lock(mutex_);
  absl::Status status = Count(Call::kWrite, "write");
  if (!status.ok()) bytes = bytes.substr(0, bytes.size() / 2);
  size_t overwrites = std::min(bytes.size(), inode.data.size() - *position);
  size_t room = static_cast<size_t>(std::max<int64_t>(capacity_ - Used(), 0)) + overwrites;
  if (bytes.size() > room) {
    bytes = bytes.substr(0, room);
    status.Update(FileError(ENOSPC, "write"));
  }
  inode.data.replace(*position, overwrites, bytes);
  inode.dirty.replace(*position, overwrites, std::string(bytes.size(), '\1'));
  *position += bytes.size();
  return status;
}

absl::Status FaultyFiles::SyncInode(Inode& inode) {
  MutexLock lock(mutex_);
  held_syncs_++;
  syncs_changed_.NotifyAll();
  while (hold_syncs_) syncs_changed_.Wait(mutex_);
  held_syncs_--;
  absl::Status status = Count(Call::kSync, "fsync");
  if (status.ok()) {
    inode.durable.resize(inode.data.size());
    for (size_t i = 0; i < inode.data.size(); i++) {
      if (inode.dirty[i] != 0) inode.durable[i] = inode.data[i];
    }
  }
  inode.dirty.assign(inode.data.size(), '\0');
  return status;
}

// ---- Files

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFiles::OpenFor(const std::string& path,
                                                                   bool make, bool empty,
                                                                   std::optional<int64_t> offset) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kOpen, "open " + path); !status.ok()) return status;
  if (!make && !names_.contains(path)) return NotThere("open", path);
  if (Parent(path) != "." && !directories_.contains(Parent(path))) return NotThere("open", path);
  std::shared_ptr<Inode>& inode = names_[path];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  if (empty) *inode = {};
  size_t position = offset ? static_cast<size_t>(*offset) : inode->data.size();
  if (position > inode->data.size()) return FileError(EINVAL, "seek " + path);
  return std::make_unique<Handle>(*this, inode, position, life_);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFiles::Create(const std::string& path) {
  return OpenFor(path, true, true, std::nullopt);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFiles::OpenForAppend(const std::string& path) {
  return OpenFor(path, true, false, std::nullopt);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFiles::OpenAt(const std::string& path,
                                                                  int64_t offset) {
  return OpenFor(path, false, false, offset);
}

absl::StatusOr<std::unique_ptr<ReadableFile>> FaultyFiles::OpenForRead(const std::string& path) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kReach, "open " + path); !status.ok()) return status;
  auto found = names_.find(path);
  if (found == names_.end()) return NotThere("open", path);
  return std::make_unique<Reader>(*this, path, found->second->data);
}

absl::StatusOr<std::unique_ptr<ScratchFile>> FaultyFiles::CreateScratch(
    const std::string& directory) {
  MutexLock lock(mutex_);
  absl::Status status = Count(Call::kOpen, "open " + directory + "/scratch");
  if (!status.ok()) return status;
  return std::make_unique<Scratch>(*this);
}

absl::StatusOr<int64_t> FaultyFiles::FreeSpace(const std::string& /*directory*/) {
  MutexLock lock(mutex_);
  return std::max<int64_t>(capacity_ - Used(), 0);
}

absl::Status FaultyFiles::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kRename, "rename " + from); !status.ok()) return status;
  auto found = names_.find(from);
  if (found == names_.end()) return NotThere("rename", from);
  names_[to] = found->second;
  names_.erase(found);
  return absl::OkStatus();
}

absl::Status FaultyFiles::Remove(const std::string& path) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kRemove, "remove " + path); !status.ok()) return status;
  return names_.erase(path) > 0 ? absl::OkStatus() : NotThere("remove", path);
}

absl::Status FaultyFiles::Truncate(const std::string& path, int64_t size) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kTruncate, "truncate " + path); !status.ok()) return status;
  auto found = names_.find(path);
  if (found == names_.end()) return NotThere("truncate", path);
  Inode& inode = *found->second;
  inode.data.resize(static_cast<size_t>(size));
  inode.dirty.resize(static_cast<size_t>(size));
  // The new length awaits an fsync too; the harder case is that the disk already has it.
  inode.durable.resize(std::min(inode.durable.size(), static_cast<size_t>(size)));
  return absl::OkStatus();
}

absl::Status FaultyFiles::SyncDirectory(const std::string& path) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kSyncDirectory, "fsync " + path); !status.ok())
    return status;
  std::erase_if(durable_names_, [&](const auto& name) { return Parent(name.first) == path; });
  for (const auto& [name, inode] : names_) {
    if (Parent(name) == path) durable_names_[name] = inode;
  }
  return absl::OkStatus();
}

absl::Status FaultyFiles::MakeDirectory(const std::string& path) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kAny, "mkdir " + path); !status.ok()) return status;
  directories_.insert(path);
  return absl::OkStatus();
}

absl::Status FaultyFiles::Find(const std::string& path) {
  MutexLock lock(mutex_);
  if (absl::Status status = Count(Call::kReach, "open " + path); !status.ok()) return status;
  const bool there = names_.contains(path) || directories_.contains(path);
  return there ? absl::OkStatus() : NotThere("open", path);
}

absl::StatusOr<int64_t> FaultyFiles::Size(const std::string& path) {
  std::optional<std::string> text = Content(path);
  if (!text) return NotThere("open", path);
  return static_cast<int64_t>(text->size());
}

absl::StatusOr<std::vector<std::string>> FaultyFiles::List(const std::string& path) {
  MutexLock lock(mutex_);
  if (path != "." && !directories_.contains(path)) return NotThere("open", path);
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) {
    if (Parent(name) == path) names.push_back(name.substr(name.rfind('/') + 1));
  }
  return names;
}

}  // namespace cloakroom
