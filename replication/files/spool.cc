#include "replication/files/spool.h"

#include <algorithm>

namespace cloakroom {

std::shared_ptr<Spool> SpoolSpace::Make(int64_t begin) {
  return std::make_shared<Spool>(shared_from_this(), begin);
}

absl::Status SpoolSpace::Take(int64_t bytes) {
  const int64_t used = used_.fetch_add(bytes) + bytes;
  absl::Status status;
  if (used > limit_.load()) {
    status = absl::ResourceExhaustedError("repl-spool-size is reached");
  } else if (const absl::StatusOr<int64_t> left = files_.FreeSpace(directory_);
             left.ok() && used > *left) {
    status = absl::ResourceExhaustedError("half of the free disk is spooled");
  }
  if (!status.ok()) Give(bytes);
  return status;
}

Spool::~Spool() { space_->Give(end() - begin()); }

absl::Status Spool::Append(std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  absl::Status status = space_->Take(size);
  if (!status.ok()) return status;
  if (file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<ScratchFile>> file =
        space_->files_.CreateScratch(space_->directory_);
    status = file.status();
    if (status.ok()) file_ = *std::move(file);
  }
  if (status.ok()) status = file_->Write(end() - origin_, bytes);
  if (!status.ok()) {
    space_->Give(size);
    return status;
  }
  end_ += size;
  return status;
}

absl::StatusOr<size_t> Spool::Read(int64_t place, std::span<char> into) const {
  const auto most = static_cast<size_t>(end() - place);
  return file_->Read(place - origin_, into.first(std::min(into.size(), most)));
}

void Spool::Discard(int64_t place) {
  const int64_t bytes = (place - begin()) / kDiscardBytes * kDiscardBytes;
  if (bytes <= 0 || !file_->Discard(begin() - origin_, bytes)) return;
  begin_ += bytes;
  space_->Give(bytes);
}

}  // namespace cloakroom
